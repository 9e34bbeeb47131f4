"""The first set-up, by people and by scripts: every answer is tried at once against real
neighbours, and what is written works."""

from __future__ import annotations

import re
import stat
import sys
import tomllib
from pathlib import Path

import pytest

from mediawatch.config import load
from tests.support.daemon import Ended
from tests.support.ftp_servers import PASSWORD, USER, make_certificates, published_folder
from tests.support.pictures import jpeg
from tests.support.processes import command
from tests.support.river import River, contents
from tests.support.simulator import TOKEN
from tests.support.simulator import USER as ACCOUNT
from tests.support.terminal import at_a_terminal

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")


def flags(river: River, **changes: str | None) -> list[str]:
    """All that a script has to say, with these changes; None leaves a flag out."""
    (river.root / "password").write_text(f"{PASSWORD}\n")
    (river.root / "token").write_text(f"{TOKEN}\n")
    said: dict[str, str | None] = {
        "folder": str(river.root / "pictures"),
        "ftp_host": f"127.0.0.1:{river.host.ftp.port}",
        "ftp_user": USER,
        "ftp_password_file": str(river.root / "password"),
        "upload_dir": "/upload",
        "public_url": river.host.public_url,
        "login": "facebook",
        "user_id": ACCOUNT,
        "token_file": str(river.root / "token"),
        "graph_url": river.simulator.url,
    }
    return [
        word
        for name, value in (said | changes).items()
        if value is not None
        for word in (f"--{name.replace('_', '-')}", value)
    ]


def place(river: River) -> Path:
    return river.root / "new" / "config.toml"


async def init(river: River, *more: str, **changes: str | None) -> Ended:
    where = ["--config", str(place(river))]
    return await command("init", *where, *flags(river, **changes), *more, folder=river.root)


async def test_a_script_sets_it_up_and_it_publishes(river: River) -> None:
    """With flags alone: everything is tried, nothing is left on the host, and the very next command
    publishes with what was written."""
    ended = await init(river)

    assert 0 == ended.code, ended.err
    assert 5 == ended.out.count("✅") - 1, ended.out
    assert set() == river.host.ftp.names()
    (river.root / "pictures" / "first.jpg").write_bytes(jpeg(400, 320))
    assert {} == contents(river.root / "processed")
    own = {"MEDIAWATCH_STORAGE__DATA_DIR": str(river.data), "MEDIAWATCH_WATCH__SETTLE": "0.1"}
    (place(river).with_name(".env")).write_text("\n".join(f"{k}={v}" for k, v in own.items()))
    passed = await command("once", "--config", str(place(river)), folder=river.root)
    assert 0 == passed.code, passed.err
    assert ["first"] == river.captions()


async def test_secrets_lie_apart_and_only_their_owner_reads_them(river: River) -> None:
    """Neither in the settings file nor on the screen; and the file explains every key."""
    ended = await init(river)

    text = place(river).read_text("utf-8")
    assert not [s for s in (PASSWORD, TOKEN) if s in text + ended.out + ended.err]
    assert "# How long a file must stand still before it counts as whole.\n# settle = 2\n" in text
    assert {"folder"} == set(tomllib.loads(text)["watch"])
    settings = load(place(river), {}, river.root / ".none")
    assert (PASSWORD, TOKEN) == settings.secret_values()[:2]
    if sys.platform != "win32":
        written = [place(river), *(place(river).parent / "secrets").iterdir()]
        assert {0o600} == {stat.S_IMODE(path.stat().st_mode) for path in written}
        assert 3 == len(written)


@pytest.mark.parametrize(
    ("changes", "said", "remedy"),
    [
        ({"folder": "password"}, "is no folder", "Name a folder"),
        ({"ftp_host": "127.0.0.1:1"}, "127.0.0.1", "→"),
        ({"ftp_user": "stranger"}, "password", "Type both again"),
        ({"upload_dir": "/no\x07bell"}, "upload_dir", "→"),
        ({"public_url": "http://127.0.0.1:1/upload"}, "127.0.0.1:1", "→"),
        ({"public_url": "upload"}, "public_url", "→"),
        ({"user_id": "17841499999999999"}, "Meta refused", "17 digits"),
        ({"login": "google"}, "login", "Choose one"),
        ({"graph_url": "http://127.0.0.1:1"}, "No answer", "internet"),
    ],
)
async def test_a_wrong_answer_is_told_and_nothing_is_written(
    river: River, changes: dict[str, str], said: str, remedy: str
) -> None:
    """Each with what is wrong and what to do; the others are tried all the same."""
    if changes == {"folder": "password"}:
        changes = {"folder": str(river.root / "password")}

    ended = await init(river, **changes)

    assert 1 == ended.code
    assert said in ended.err
    assert remedy in ended.err
    assert "nothing was written" in ended.err
    assert not place(river).parent.exists()
    assert not (river.root / "pictures").exists()
    assert set() == river.host.ftp.names()


async def test_it_finds_what_the_doctor_would(river: River) -> None:
    """The checks are the doctor's: what he would say of the token and of the host is said here."""
    river.simulator.script(person={"scopes": ["instagram_basic", "pages_read_engagement"]})
    (river.host.ftp.folder / "robots.txt").write_text("User-agent: *\nDisallow: /\n")

    ended = await init(river)

    assert 1 == ended.code
    assert "lacks instagram_content_publish" in ended.err
    assert "robots.txt" in ended.err
    assert "2 of the answers did not pass" in ended.err


async def test_what_cannot_be_tried_now_is_written_on_demand(river: River) -> None:
    """``--no-test``: the host is not asked at all."""
    ended = await init(river, "--no-test", ftp_host="ftp.example.org", user_id="17841499999999999")

    assert 0 == ended.code, ended.err
    assert "ftp.example.org" == load(place(river), {}, river.root / ".none").ftp.host


async def test_what_is_missing_is_named_by_its_flag(river: River) -> None:
    """Nobody is there to be asked: which flag answers it is said."""
    ended = await init(river, ftp_user=None)

    assert 1 == ended.code
    assert "FTP user" in ended.err
    assert "--ftp-user" in ended.err


async def test_settings_that_are_there_are_not_overwritten(river: River) -> None:
    """Refused before anything is asked; with ``--force`` replaced, and what was there is kept."""
    place(river).parent.mkdir()
    place(river).write_text("# mine\n")

    refused = await init(river)
    assert 1 == refused.code
    assert "--force" in refused.err
    assert "# mine\n" == place(river).read_text()

    assert 0 == (await init(river, "--force")).code
    (kept,) = place(river).parent.glob("config.toml.before-*")
    assert "# mine\n" == kept.read_text()
    assert "[ftp]" in place(river).read_text()


async def test_the_environment_answers_too(river: River) -> None:
    """Secrets may come from the names that the guides use, and need no file."""
    words = flags(river, ftp_password_file=None, token_file=None)
    where = ["--config", str(place(river))]
    before = [sys.executable, str(river.root / "with_environment.py")]
    Path(before[1]).write_text(
        "import os, sys\n"
        f"os.environ |= {{'FTP_PASS': {PASSWORD!r}, 'ACCESS_TOKEN': {TOKEN!r}}}\n"
        "os.execv(sys.argv[1], sys.argv[1:])\n"
    )
    ended = await command("init", *where, *words, folder=river.root, before=before)

    assert 0 == ended.code, ended.err
    assert (PASSWORD, TOKEN) == load(place(river), {}, river.root / ".none").secret_values()[:2]


@POSIX
async def test_a_person_is_asked_one_question_after_the_other(river: River) -> None:
    """Wrong answers are asked again with the reason; guesses stand in brackets; a secret is not
    shown while it is typed; and what was written works."""
    (river.host.ftp.folder / "public_html").mkdir()
    where = ("--config", str(place(river)), "--graph-url", river.simulator.url)
    with at_a_terminal("init", *where, folder=river.root, HOME=str(river.root)) as person:
        await person.answers(f"[{river.root}/mediawatch/download]", "")
        await person.sees("✅")
        await person.answers("FTP host", f"ftp://127.0.0.1:{river.host.ftp.port}/")
        await person.answers("FTP user", USER)
        await person.answers("FTP password", "wrong-one")
        await person.sees("❌")
        await person.answers("What now? [again]", "")
        await person.answers("FTP host [127.0.0.1]", "")
        await person.answers(f"FTP user [{USER}]", "")
        await person.answers("FTP password", PASSWORD)
        await person.sees("✅")
        await person.answers("[/public_html/mediawatch]", "/upload")
        await person.sees("✅")
        await person.answers("[https://127.0.0.1/upload/]", river.host.public_url)
        await person.sees("✅")
        await person.answers("Access token", TOKEN)
        await person.answers("[instagram]", "facebook")
        await person.answers("Id of the Instagram account", "17841499999999999")
        await person.sees("❌ Meta refused")
        await person.answers("What now?", "again")
        await person.answers("Access token", TOKEN)
        await person.answers("[facebook]", "")
        await person.answers("[17841499999999999]", ACCOUNT)
        await person.sees("✅")
        await person.sees("mediawatch run")
        assert 0 == await person.ends(), person.shown
    print(person.shown)

    assert not [s for s in (PASSWORD, TOKEN, "wrong-one") if s in person.shown]
    assert ACCOUNT == load(place(river), {}, river.root / ".none").instagram.user_id


@POSIX
async def test_the_token_tells_the_account(river: River) -> None:
    """With Instagram's own login the id need not be looked up: it stands in brackets."""
    words = flags(river, login=None, user_id=None)
    where = ("--config", str(place(river)))
    with at_a_terminal("init", *where, *words, folder=river.root) as person:
        await person.answers("[instagram]", "")
        await person.answers(f"[{ACCOUNT}]", "")
        assert 0 == await person.ends(), person.shown

    assert "instagram" == load(place(river), {}, river.root / ".none").instagram.login


@POSIX
async def test_who_keeps_a_wrong_answer_may(river: River) -> None:
    """The host is away today: kept anyway, and it is not tried a second time."""
    words = flags(river, ftp_host="127.0.0.1:1")
    where = ("--config", str(place(river)))
    with at_a_terminal("init", *where, *words, folder=river.root) as person:
        await person.answers("What now?", "keep")
        assert 0 == await person.ends(), person.shown

    assert 1 == person.shown.count("❌")
    assert 1 == load(place(river), {}, river.root / ".none").ftp.port


@POSIX
@pytest.mark.parametrize("leave", [b"\x03", b"\x04", b"quit"])
async def test_who_leaves_leaves_nothing_behind(river: River, leave: bytes) -> None:
    """Ctrl-C, Ctrl-D or "quit" in the middle: no file, no folder, nothing on the host."""
    words = flags(river, user_id="17841499999999999")
    where = ("--config", str(place(river)))
    before = {path.name for path in river.root.iterdir()}
    with at_a_terminal("init", *where, *words, folder=river.root) as person:
        await person.sees("What now?")
        person.presses(leave + (b"\n" if leave == b"quit" else b""))
        assert 1 == await person.ends()

    assert re.search("othing was written", person.shown)
    assert before == {path.name for path in river.root.iterdir()}
    assert set() == river.host.ftp.names()


@POSIX
async def test_a_certificate_of_ones_own_can_be_trusted(river: River, tmp_path: Path) -> None:
    """It is shown with its fingerprint; trusted by a word, it is the only one that is."""
    certificates = make_certificates(tmp_path / "tls")
    async with published_folder(tmp_path / "second", certificates) as host:
        words = flags(
            river,
            ftp_host=f"localhost:{host.ftp.port}",
            public_url=host.public_url,
        )
        where = ("--config", str(place(river)))
        with at_a_terminal("init", *where, *words, folder=river.root) as person:
            await person.answers("What now?", "trust")
            assert 0 == await person.ends(), person.shown

    assert 64 == len(load(place(river), {}, river.root / ".none").ftp.tls_pin_sha256)
