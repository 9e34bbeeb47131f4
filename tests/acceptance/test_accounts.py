"""Accounts by the commands: without any, with one that is pasted, and what a stranger may see."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from cryptography.fernet import Fernet

from tests.acceptance.test_backup import backed_up, restored
from tests.support.river import River, open_river
from tests.support.simulator import TOKEN, USER


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


# Secrets.

MARKS = {
    "token": "EAA-marked-token-wq7hTz3",
    "facebook_app_secret": "marked0f2c1a9b8d7e6f5a4b3c2d1e0f",
    "instagram_app_secret": "markedaf2c1a9b8d7e6f5a4b3c2d1e0f",
}


def files_with(root: Path, mark: str) -> list[str]:
    """Every file below ``root`` in which the mark stands."""
    return [
        str(path.relative_to(root))
        for path in root.rglob("*")
        if path.is_file() and mark.encode() in path.read_bytes()
    ]


def processes_with(mark: str) -> list[str]:
    """Every process of this machine whose command line or environment holds it."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        for what in ("cmdline", "environ"):
            try:
                if mark.encode() in (process / what).read_bytes():
                    found.append(f"{process.name} {what}")
            except OSError:
                continue
    return found


@pytest.fixture
async def marked(tmp_path: Path) -> AsyncIterator[River]:
    """A world in which the marked token is the good one."""
    async with open_river(tmp_path, token=MARKS["token"]) as opened:
        yield opened


async def test_no_secret_is_anywhere(marked: River) -> None:
    """Accounts with marked tokens are connected, published for, refused, refreshed, sealed anew and
    disconnected; the marks stand in the files that people put there, and nowhere else: no log, no
    journal, no answer, no figure, no process."""
    bare = without_account(marked)
    for key, value in MARKS.items():
        if key != "token":
            file = bare.root / "secrets" / key
            file.parent.mkdir(exist_ok=True)
            file.write_text(value)
            bare.tables["instagram"][f"{key}_file"] = str(file)
    bare.write_settings()
    given = bare.root / "secrets" / "token"
    given.write_text(MARKS["token"])
    said: list[str] = []

    async def run(*words: str, code: int | None = 0) -> None:
        ended = await bare.run(*words)
        assert code in {ended.code, None}, ended.err
        said.extend([ended.out, ended.err])

    def nowhere(*, but: set[str]) -> None:
        for name, mark in MARKS.items():
            lying = set(files_with(bare.root, mark)) - {f"secrets/{name}"} - but
            assert set() == lying, name
            assert [] == processes_with(mark), name
            assert not [text for text in said if mark in text], name

    async with bare.daemon():
        await run("accounts", "paste", "--token-file", str(given))
        originals = bare.drop_pictures(1)
        await bare.arrived(originals)
        await run("accounts", "refresh", USER, code=1)
        await run("accounts", "rotate-key")
        place = "/api/v1/social/instagram/accounts/"
        for path in ("/api/poster-media/status", place, f"{place}{USER}/", "/readyz"):
            answered = await get(bare, path)
            said.append(json.dumps(answered))
        async with aiohttp.ClientSession() as session:
            async with session.get(f"{bare.api}/metrics") as answer:
                said.append(await answer.text())
            for body in (
                {"login": "facebook", "token": MARKS["token"], "account": "178"},
                {"login": "nothing", "token": MARKS["token"]},
                {"login": "facebook", "tokens": MARKS["token"]},
                MARKS["token"],
            ):
                async with session.post(bare.api + place, json=body) as answer:
                    assert 400 <= answer.status < 500
                    said.append(await answer.text())
        nowhere(but=set())
        # Meta refuses, with the token in what it says.
        bare.simulator.script(
            {"on": "create", "do": "error", "code": 190, "message": f"No: {MARKS['token']}"}
        )
        bare.drop_pictures(1, first=2)
        await bare.post("picture002.jpg", reason="token")
        for words in (
            ("status",),
            ("status", "--json"),
            ("accounts", "list"),
            ("accounts", "show", USER, "--json"),
            ("posts", "list", "--json"),
            ("doctor", "--json"),
            ("config", "show", "--json"),
            ("check", "--json"),
        ):
            await run(*words, code=None)
        nowhere(but=set())
        await run("accounts", "disconnect", USER, "--yes")
    await run("backup", str(bare.root / "made.backup"), code=1)  # no passphrase, no backup
    assert not (bare.root / "made.backup").exists()
    await backed_up(bare)
    nowhere(but=set())
    if os.name == "posix":
        assert 0o600 == (bare.data / "keys").stat().st_mode & 0o777
