"""The command line itself: help, version, and settings that cannot be used."""

from __future__ import annotations

import asyncio
import json
import os
import time
from pathlib import Path

import pytest

from mediawatch import __version__
from mediawatch.journal.ownership import Ownership
from tests.support.pictures import jpeg
from tests.support.processes import command
from tests.support.river import River

COMMANDS = [
    *(["run"], ["once"], ["check"], ["status"], ["simulate"], ["demo"]),
    *(["posts"], ["posts", "list"], ["posts", "show"], ["posts", "retry"]),
]
SECRETS = ("tok", "pw-of-the-host")

BAD = f"""\
[watch]
folder = "/nowhere/at-all"
settle = "soon"
colour = "red"

[ftp]
host = "ftp://ftp.example.org"
user = "me"
password = "{SECRETS[1]}"
port = 70000

[instagram]
user_id = "me"
access_token = "{SECRETS[0]}"
"""


async def test_help_names_every_command(tmp_path: Path) -> None:
    """--help works without settings and lists what can be done."""
    ended = await command("--help", folder=tmp_path)
    assert 0 == ended.code
    for words in COMMANDS:
        assert f"  {words[0]} " in ended.out


async def test_every_command_has_help(tmp_path: Path) -> None:
    """COMMAND --help says what it does, with no settings at hand."""
    asked = [command(*words, "--help", folder=tmp_path) for words in COMMANDS]
    for words, ended in zip(COMMANDS, await asyncio.gather(*asked), strict=True):
        assert 0 == ended.code, ended.err
        assert f"mediawatch {' '.join(words)}" in ended.out


async def test_the_version_is_told(tmp_path: Path) -> None:
    """--version gives the name and the version, and nothing else."""
    ended = await command("--version", folder=tmp_path)
    assert (0, f"mediawatch {__version__}\n", "") == (ended.code, ended.out, ended.err)


async def test_wrong_usage_has_a_code_of_its_own(tmp_path: Path) -> None:
    """2 for a command that does not exist, and for one that was told too little."""
    assert 2 == (await command("publish-everything", folder=tmp_path)).code
    assert 2 == (await command("posts", "retry", folder=tmp_path)).code


async def test_good_settings_are_called_good(river: River) -> None:
    """check leaves with 0 and touches nothing."""
    ended = await river.run("check")
    assert 0 == ended.code, ended.err
    assert "good" in ended.out
    assert not river.data.exists()
    as_json = await river.run("check", "--json")
    assert {"ok": True, "problems": []} == json.loads(as_json.out)


async def test_check_tells_every_problem_at_once(river: River) -> None:
    """Exit 78; each problem with table, key, value and remedy; secrets are not shown."""
    river.config.write_text(BAD, encoding="utf-8")
    ended = await river.run("check", "--json")
    assert 78 == ended.code
    told = json.loads(ended.out)
    assert told["ok"] is False
    found = {(problem["table"], problem["key"]): problem for problem in told["problems"]}
    assert {
        ("watch", "settle"),
        ("watch", "colour"),
        ("ftp", "host"),
        ("ftp", "port"),
        ("ftp", "public_url"),
        ("instagram", "user_id"),
        ("instagram", "access_token"),
    } == found.keys()
    assert all(problem["message"] and problem["remedy"] for problem in told["problems"])
    assert "soon" == found["watch", "settle"]["value"]
    assert "70000" == found["ftp", "port"]["value"]
    spoken = await river.run("check")
    assert 78 == spoken.code
    assert len(told["problems"]) == spoken.err.count("❌") == spoken.err.count("→")
    assert "[ftp] host = ftp://ftp.example.org: is not a bare host name." in spoken.err
    for text in (ended.out, ended.err, spoken.out, spoken.err):
        assert not any(secret in text.replace("token", "") for secret in SECRETS)


async def test_check_names_a_folder_that_is_missing(river: River) -> None:
    """Settings in good form that name a folder which is not there: 78 and how to make it."""
    river.inbox.rmdir()
    ended = await river.run("check")
    assert 78 == ended.code
    assert f"[watch] folder = {river.inbox}: does not exist." in ended.err
    assert f'mkdir -p "{river.inbox}"' in ended.err


async def test_a_problem_of_two_settings_begins_with_its_sentence(river: River) -> None:
    """It belongs to no single key: no empty name stands before it."""
    river.configure(watch={"failed": str(river.processed)})
    ended = await river.run("check")
    assert ended.err.startswith("❌ [watch] failed and [watch] processed are the same folder")


async def test_nothing_starts_with_bad_settings(river: River) -> None:
    """Exit 78 with the problems; the folder is not touched and no journal is made."""
    original = river.drop("beach.jpg", jpeg())
    river.configure(ftp={"password": ""}, watch={"settle": -1})
    commands = [["run"], ["once"], ["status"], ["posts", "list"]]
    for ended in await asyncio.gather(*(river.run(*words) for words in commands)):
        assert 78 == ended.code
        assert "[ftp] password" in ended.err
        assert "[watch] settle" in ended.err
    assert {"beach.jpg"} == {path.name for path in river.inbox.iterdir()}
    assert original == (river.inbox / "beach.jpg").read_bytes()
    assert not river.data.exists()


async def test_a_missing_settings_file_is_named(tmp_path: Path) -> None:
    """Exit 78, the file's name, and where to get one."""
    ended = await command("check", "--config", "none.toml", folder=tmp_path)
    assert 78 == ended.code
    assert "none.toml: there is no such file." in ended.err
    assert "config.example.toml" in ended.err


async def test_the_guides_names_work_from_a_dotenv_file(river: River) -> None:
    """FTP_PASS, ACCESS_TOKEN and the others in .env beside the settings are enough."""
    ftp, instagram = river.tables["ftp"], river.tables["instagram"]
    (river.root / ".env").write_text(
        f"FTP_HOST={ftp.pop('host')}\nFTP_PORT={ftp.pop('port')}\nFTP_USER={ftp.pop('user')}\n"
        f"FTP_PASS={ftp.pop('password')}\nFTP_UPLOAD_DIR={ftp.pop('upload_dir')}\n"
        f"ACCESS_TOKEN={instagram.pop('access_token')}\nIG_USER_ID={instagram.pop('user_id')}\n"
        f"AUTO_DOWNLOAD_DIR={river.tables['watch'].pop('folder')}\n",
        encoding="utf-8",
    )
    river.write_settings()
    originals = river.drop_pictures(1)
    ended = await river.run("once")
    assert 0 == ended.code, ended.err + ended.out
    await river.arrived(originals)


@pytest.mark.parametrize("order", ["show", "retry", "release", "confirm", "deny", "publish"])
async def test_an_id_that_is_no_text_is_no_post(river: River, order: str) -> None:
    """A sentence and a remedy for bytes that are no UTF-8, as a slip of the keyboard sends them."""
    river.drop("a.jpg", jpeg(400, 320))
    await river.run("once")
    ended = await river.run("posts", order, "\udcff")
    assert 1 == ended.code
    assert "There is no post" in ended.err
    assert "Traceback" not in ended.err


async def test_no_name_drives_the_terminal(river: River) -> None:
    """What a command says of a file shows its control characters, and does not send them."""
    river.drop("red\x1b[31m.jpg", jpeg(400, 320))
    river.drop("broken\x1b[31m.jpg", b"\xff\xd8\xff\xe0 nothing \xff\xd9")
    told = await river.run("once")
    (post,) = [post for post in await river.all_posts() if post.state == "done"]
    refused = await river.run("posts", "retry", post.id)
    assert "broken\\x1b[31m.jpg" in told.out
    assert "red\\x1b[31m.jpg" in refused.err
    assert "\x1b" not in told.out + refused.err


@pytest.mark.parametrize("order", [["retry", "--all"], ["release", "--all"], ["deny", "abc"]])
async def test_an_order_that_nobody_takes_just_now_is_said_again(
    river: River, order: list[str]
) -> None:
    """While mediawatch starts or makes one pass: nobody is told to give it other folders."""
    with Ownership(river.data, river.inbox, now=time.time()):
        ended = await river.run("posts", *order)
    assert 1 == ended.code
    assert f"process {os.getpid()}" in ended.err
    assert "Say it again in a moment" in ended.err
