"""Accounts by the commands: without any, with one that is pasted, and what a stranger may see."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import aiohttp
import pytest
from cryptography.fernet import Fernet

from tests.acceptance.test_backup import backed_up, restored
from tests.support.login import (
    FACEBOOK_APP,
    FIRST_PAGE,
    HOME,
    INSTAGRAM_APP,
    STUDIO,
    STUDIO_PAGE,
    consent,
)
from tests.support.pictures import jpeg
from tests.support.river import River, open_river
from tests.support.simulator import TOKEN, USER
from tests.support.terminal import at_a_terminal


@pytest.fixture
def bare(river: River) -> River:
    """Settings without an account."""
    return without_account(river)


def without_account(river: River) -> River:
    for key in ("user_id", "access_token"):
        del river.tables["instagram"][key]
    river.write_settings()
    return river


def token_file(river: River, token: str = TOKEN) -> str:
    file = river.root / "token"
    file.write_text(f"{token}\n", encoding="utf-8")
    return str(file)


async def paste(river: River) -> None:
    ended = await river.run("accounts", "paste", "--token-file", token_file(river))
    assert 0 == ended.code, ended.err
    assert "is connected" in ended.out


async def listed(river: River) -> list[dict[str, Any]]:
    ended = await river.run("accounts", "list", "--json")
    assert 0 == ended.code, ended.err
    found: list[dict[str, Any]] = json.loads(ended.out)
    return found


async def get(river: River, path: str) -> tuple[int, dict[str, Any]]:
    async with aiohttp.ClientSession() as session, session.get(river.api + path) as answer:
        return answer.status, await answer.json()


async def test_without_an_account_files_wait_and_it_says_how_to_connect_one(bare: River) -> None:
    """It starts; what is dropped lies in the inbox, is told of once, and shows wherever one looks.
    As soon as an account is connected it is published."""
    originals = bare.drop_pictures(2)
    async with bare.daemon():
        await bare.until(lambda: bare.said("account"))
        status, ready = await get(bare, "/readyz")
        _, shown = await get(bare, "/api/poster-media/status")

        assert 503 == status
        assert ["standing"] == [check["name"] for check in ready["checks"] if not check["ok"]]
        assert (None, "none") == (shown["instagram_account"], shown["account"]["state"])
        assert "accounts connect" in shown["account"]["remedy"]
        assert originals.keys() <= {path.name for path in bare.inbox.iterdir()}
        assert 1 == len([line for line in bare.said("account") if "stay" in line["event"]])
        told = await bare.run("status")
        assert (1, True) == (told.code, "accounts connect" in told.out)

        await paste(bare)
        await bare.arrived(originals)
        assert 200 == (await get(bare, "/readyz"))[0]


async def test_doctor_and_check_without_an_account(bare: River) -> None:
    """The settings are good; what is missing is told by the doctor, with the command."""
    assert 0 == (await bare.run("check")).code
    ended = await bare.run("doctor", "--json")
    found = {each["name"]: each for each in json.loads(ended.out)["findings"]}

    assert (1, False) == (ended.code, found["account"]["ok"])
    assert "accounts connect" in found["account"]["remedy"]


async def test_once_without_an_account_says_so_and_leaves_the_files(bare: River) -> None:
    """An order that nothing can come of ends at once, and well it is not."""
    bare.drop_pictures(1)
    ended = await bare.run("once", "--json")
    (error,) = json.loads(ended.out)["result"]["stats"]["errors"]

    assert 1 == ended.code
    assert "No Instagram account is connected" in error["message"]
    assert {"picture001.jpg"} <= {path.name for path in bare.inbox.iterdir()}


async def test_half_an_account_is_a_mistake(river: River) -> None:
    """An id without a token, or the other way about, is not taken for none."""
    for key in ("user_id", "access_token"):
        river.configure()
        del river.tables["instagram"][key]
        river.write_settings()
        ended = await river.run("check")
        assert (78, True) == (ended.code, f"{key} is missing" in ended.err), ended.err


async def test_the_account_of_the_settings_is_among_them(river: River) -> None:
    """Nobody need connect what works already."""
    async with river.daemon():
        (found,) = await listed(river)
    assert (USER, "connected", "settings") == (found["id"], found["state"], found["source"])


async def test_an_account_lives_without_a_daemon(bare: River) -> None:
    """Pasted, shown, sealed anew and disconnected: the commands do it in the journal itself."""
    await paste(bare)
    (found,) = await listed(bare)
    assert (USER, "connected", "connected") == (found["id"], found["state"], found["source"])
    keys = (bare.data / "keys").read_bytes()

    ended = await bare.run("accounts", "rotate-key")
    assert 0 == ended.code, ended.err
    assert keys != (bare.data / "keys").read_bytes()
    assert 0 == (await bare.run("accounts", "show", found["username"])).code

    ended = await bare.run("accounts", "disconnect", USER, "--yes")
    assert 0 == ended.code, ended.err
    assert "Apps and websites" in ended.out
    assert "disconnected" == (await listed(bare))[0]["state"]
    assert 1 == (await bare.run("accounts", "show", USER)).code
    again = await bare.run("accounts", "disconnect", USER, "--yes")
    assert (1, True) == (again.code, "is not connected" in again.err)


async def test_a_backup_brings_accounts_back(bare: River) -> None:
    """With their key: nothing need be connected again, on another machine either."""
    await paste(bare)
    backup = await backed_up(bare)
    assert TOKEN.encode() not in backup.read_bytes()
    shutil.rmtree(bare.data)

    await restored(bare, backup)

    originals = bare.drop_pictures(1)
    async with bare.daemon():
        await bare.arrived(originals)


async def test_a_lost_key_is_told_with_its_file_and_mended_by_connecting_again(
    bare: River,
) -> None:
    """The daemon lives; the account's posts wait, and go out when it is connected again."""
    await paste(bare)
    (bare.data / "keys").unlink()
    originals = bare.drop_pictures(1)
    async with bare.daemon():
        await bare.post("picture001.jpg", reason="token-unreadable")
        (found,) = await listed(bare)
        assert "error" == found["state"]
        assert str(bare.data / "keys") in found["problem"]

        await paste(bare)
        await bare.arrived(originals)


async def test_tokens_of_another_program_come_along(bare: River) -> None:
    """Plain or sealed with Fernet, one a line; one that is bad is told and stops no other."""
    key = Fernet.generate_key()
    sealed = Fernet(key).encrypt(TOKEN.encode()).decode()
    file = bare.root / "tokens.txt"
    file.write_text(f"# from the old server\n{sealed}\nEAA-of-nobody\n{USER} {TOKEN}\n")

    without = await bare.run("accounts", "import", str(file))
    assert "FERNET_KEY" in without.err
    bare.configure(storage={"fernet_key": key.decode()})
    for name in ("user_id", "access_token"):
        del bare.tables["instagram"][name]
    bare.write_settings()

    ended = await bare.run("accounts", "import", str(file))

    assert (1, 2) == (ended.code, ended.out.count("is connected"))
    assert "line 3" in ended.err
    assert [USER] == [each["id"] for each in await listed(bare)]


# Connected by a login.


@pytest.fixture
async def meta(tmp_path: Path) -> AsyncIterator[River]:
    """A Meta that takes only tokens that it has given out itself, and an app for each login."""
    async with open_river(tmp_path, token=None, granted_only=True) as opened:
        river = without_account(opened)
        for login, (app_id, secret) in APPS.items():
            file = river.root / "secrets" / login
            file.parent.mkdir(exist_ok=True)
            file.write_text(secret)
            river.tables["instagram"] |= {
                f"{login}_app_id": app_id,
                f"{login}_app_secret_file": str(file),
            }
        river.write_settings()
        yield river


APPS = {"facebook": FACEBOOK_APP, "instagram": INSTAGRAM_APP}


async def connect(
    river: River,
    login: str,
    *words: str,
    choice: str = "",
    change: Callable[[str], str] = str,
    **wishes: Any,
) -> tuple[int, str]:
    """Connect an account at a terminal, with a browser that is somewhere else; what was seen.

    ``choice``: typed where several accounts are offered. ``change``: of the address that the
    browser was led to, before it is pasted."""
    words = ("accounts", "connect", "--login", login, "--config", str(river.config), *words)
    with at_a_terminal(*words, folder=river.root) as terminal:
        await terminal.sees("Paste that address")
        (address,) = re.findall(r"^http\S+/oauth\S*", terminal.shown, re.MULTILINE)
        async with aiohttp.ClientSession() as session:
            back = await consent(session, address, **wishes)
        led = {key: value for key, value in back.items() if key not in {"to", "#"}}
        pasted = change(f"{back['to']}?{urlencode(led)}")
        terminal.presses(f"{pasted}\n".encode())
        if choice:
            await terminal.answers("Number", choice)
        return await terminal.ends(), terminal.shown


@pytest.mark.skipif(sys.platform == "win32", reason="needs a terminal of Unix")
@pytest.mark.parametrize("login", ["facebook", "instagram"])
async def test_an_account_is_connected_by_a_login_and_published_for(
    meta: River, login: str
) -> None:
    """From the printed address to a published picture, with each login, while the daemon runs."""
    originals = meta.drop_pictures(1)
    async with meta.daemon():
        choice = "1" if login == "facebook" else ""
        code, shown = await connect(meta, login, choice=choice)
        assert 0 == code, shown
        assert "@mediawatch is connected" in shown
        (found,) = await listed(meta)
        assert (USER, "connected", login) == (found["id"], found["state"], found["login"])
        await meta.arrived(originals)


@pytest.mark.skipif(sys.platform == "win32", reason="needs a terminal of Unix")
@pytest.mark.parametrize(
    ("login", "wishes", "change", "told"),
    [
        ("facebook", {"answer": "cancel"}, str, "Meta did not let you in"),
        ("instagram", {}, lambda address: address.replace("state=", "state=x"), "another login"),
        ("instagram", {}, lambda address: address.partition("?")[0], "holds no code"),
        ("instagram", {"who": HOME}, str, "Switch to professional account"),
        ("facebook", {"without": ["instagram_content_publish"]}, str, "was not granted"),
        ("facebook", {"without": [FIRST_PAGE, STUDIO_PAGE]}, str, "tick the page"),
    ],
)
async def test_a_login_that_comes_to_nothing_says_why(
    meta: River, login: str, wishes: dict[str, Any], change: Callable[[str], str], told: str
) -> None:
    """Cancelled, forged, cut off, a personal account, a permission or page left out: nothing is
    connected, and what to do is said."""
    choice = "1" if "content" in str(wishes) else ""
    code, shown = await connect(meta, login, choice=choice, change=change, **wishes)

    assert (1, True) == (code, told in " ".join(shown.split())), shown
    assert [] == await listed(meta)


# Secrets.


def files_with(root: Path, mark: str) -> set[str]:
    """Every file below ``root`` in which the mark stands."""
    found = set()
    for path in root.rglob("*"):
        with contextlib.suppress(FileNotFoundError):
            if path.is_file() and mark.encode() in path.read_bytes():
                found.add(str(path.relative_to(root)))
    return found


def processes_with(mark: str) -> list[str]:
    """Every process of this machine whose command line or environment holds it."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        for what in ("cmdline", "environ"):
            with contextlib.suppress(OSError):
                if mark.encode() in (process / what).read_bytes():
                    found.append(f"{process.name} {what}")
    return found


@pytest.mark.skipif(sys.platform == "win32", reason="needs a terminal of Unix, and /proc")
async def test_no_secret_is_anywhere(meta: River) -> None:
    """Accounts of both logins are connected, published for, refused, refreshed, sealed anew and
    disconnected; every token that Meta gave out, and the apps' secrets, stand in no log, journal,
    answer, figure or process, but for the files of the secrets themselves."""
    said: list[str] = []
    given = meta.simulator.state.grants

    async def run(*words: str, code: int | None = 0) -> None:
        ended = await meta.run(*words)
        assert code in {ended.code, None}, ended.err
        said.extend([ended.out, ended.err])

    def nowhere() -> None:
        marks = {secret: f"secrets/{login}" for login, (_, secret) in APPS.items()}
        marks |= dict.fromkeys(given._tokens, "pasted")
        assert len(marks) > 4
        for mark, own in marks.items():
            assert set() == files_with(meta.root, mark) - {own}, own
            assert [] == processes_with(mark), own
            assert not [text for text in said if mark in text], own

    async with meta.daemon():
        for login, account in (("facebook", STUDIO), ("instagram", USER)):
            code, shown = await connect(meta, login, "--account", account)
            assert 0 == code, shown
            said.append(shown)
        token = next(iter(given._tokens))
        (meta.root / "pasted").write_text(token)
        await run(
            "accounts", "paste", "--account", STUDIO, "--token-file", str(meta.root / "pasted")
        )
        for account in (STUDIO, USER):
            await run("accounts", "refresh", account, code=1)
        await run("accounts", "rotate-key")
        place = "/api/v1/social/instagram/accounts/"
        for path in ("/api/poster-media/status", place, f"{place}{USER}/", "/readyz"):
            answered = await get(meta, path)
            said.append(json.dumps(answered))
        async with aiohttp.ClientSession() as session:
            async with session.get(f"{meta.api}/metrics") as answer:
                said.append(await answer.text())
            for body in (
                {"login": "facebook", "token": token, "account": "178"},
                {"login": "nothing", "token": token},
                {"login": "facebook", "tokens": token},
                token,
            ):
                async with session.post(meta.api + place, json=body) as answer:
                    assert 400 <= answer.status < 500
                    said.append(await answer.text())
        await run("accounts", "disconnect", STUDIO, "--yes")
        (meta.inbox / USER).mkdir()
        meta.drop(f"{USER}/picture001.jpg", jpeg(400, 320, seed=1))
        await meta.post("picture001.jpg", state="done")
        nowhere()
        # Meta refuses, with the token in what it says.
        mine = [text for text, kept in given._tokens.items() if kept.login == "instagram"][-1]
        refusal = {"on": "create", "do": "error", "code": 190, "message": f"No: {mine}"}
        meta.simulator.script(refusal)
        meta.drop(f"{USER}/picture002.jpg", jpeg(400, 320, seed=2))
        await meta.post("picture002.jpg", reason="token")
        for words in (
            ("status", "--json"),
            ("accounts", "list"),
            ("accounts", "show", USER, "--json"),
            ("posts", "list", "--json"),
            ("doctor", "--json"),
            ("config", "show", "--json"),
            ("check", "--json"),
        ):
            await run(*words, code=None)
        nowhere()
    await run("backup", str(meta.root / "made.backup"), code=1)  # no passphrase, no backup
    assert not (meta.root / "made.backup").exists()
    await backed_up(meta)
    nowhere()
    assert 0o600 == (meta.data / "keys").stat().st_mode & 0o777
