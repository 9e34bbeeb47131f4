"""The one-file backup and its way back, as people use them."""

from __future__ import annotations

import json
import shutil
import sqlite3
import stat
import sys
from pathlib import Path

import pytest

from tests.support.daemon import Ended
from tests.support.ftp_servers import PASSWORD
from tests.support.pictures import jpeg
from tests.support.processes import command
from tests.support.river import River
from tests.support.simulator import TOKEN
from tests.support.terminal import at_a_terminal

PASSPHRASE = "four words that differ"


def told(river: River, passphrase: str = PASSPHRASE) -> list[str]:
    file = river.root / "passphrase"
    file.write_text(f"{passphrase}\n", encoding="utf-8")
    return ["--passphrase-file", str(file)]


async def backed_up(river: River, name: str = "kept.backup") -> Path:
    target = river.root / name
    ended = await river.run("backup", str(target), *told(river))
    assert 0 == ended.code, ended.err
    return target


async def restored(river: River, backup: Path) -> Ended:
    ended = await river.run("restore", str(backup), *told(river))
    assert 0 == ended.code, ended.err
    return ended


def lying(river: River) -> dict[str, bytes]:
    """What lies in the data folder, but for locks and what SQLite makes to read."""
    return {
        path.name: path.read_bytes()
        for path in river.data.iterdir()
        if path.is_file() and not path.name.endswith((".lock", "-shm", "-wal"))
    }


async def test_a_backup_is_made_while_the_daemon_works(river: River) -> None:
    """It is whole, sealed, its owner's alone, and nothing is left beside it; with it everything is
    back as it was, also after the folder of the journal was lost."""
    originals = river.drop_pictures(2)
    async with river.daemon():
        await river.arrived(originals)
        backup = await backed_up(river)
    if sys.platform != "win32":
        assert 0o600 == stat.S_IMODE(backup.stat().st_mode)
    sealed = backup.read_bytes()
    assert not [s for s in (b"SQLite", b"picture001", TOKEN.encode()) if s in sealed]
    assert [backup] == list(river.root.glob("kept*"))

    shutil.rmtree(river.data)
    await restored(river, backup)

    for name, content in originals.items():
        river.drop(name, content)
    later = river.drop_pictures(1, first=3)
    async with river.daemon():
        await river.arrived(originals | later)
    assert originals.keys() == {path.name for path in river.duplicate.glob("*.jpg")}


async def test_secrets_beside_the_settings_go_where_those_go(river: River) -> None:
    """They are found by lying there: under another settings file they lie beside that one."""
    for table, key, value in (("ftp", "password", PASSWORD), ("instagram", "access_token", TOKEN)):
        del river.tables[table][key]
        beside = river.root / "credentials" / f"{table}.{key}"
        beside.parent.mkdir(exist_ok=True)
        beside.write_text(value)
    river.write_settings()
    async with river.daemon():
        pass
    backup = await backed_up(river)
    river.config.unlink()
    shutil.rmtree(beside.parent)
    river.config = river.root / "moved" / "config.toml"

    ended = await river.run("restore", str(backup), *told(river))

    assert 0 == ended.code, ended.err
    assert TOKEN == (river.root / "moved" / "credentials" / beside.name).read_text()


async def test_what_was_published_since_is_not_published_again(river: River) -> None:
    """On the same machine the record of what was asked shows it: what the old journal takes for
    unpublished is held, with what to do; what was there before the restore is kept."""
    river.configure(publish={"min_gap": 3600})
    first, second = river.drop_pictures(2).items()
    async with river.daemon():
        await river.until(lambda: len(river.captions()) == 1)
        (waiting,) = {Path(name).stem for name, _ in (first, second)} - set(river.captions())
        await river.post(f"{waiting}.jpg", state="waiting")
        backup = await backed_up(river)
    river.configure(publish={"min_gap": 0})
    async with river.daemon():
        await river.run("posts", "retry", (await river.posts())[f"{waiting}.jpg"].id)
        await river.until(lambda: len(river.captions()) == 2)
        await river.post(f"{waiting}.jpg", state="done")

    ended = await restored(river, backup)

    (aside,) = river.data.glob("replaced-*")
    assert str(aside) in ended.out
    assert {"journal.db", "asked.json"} <= {path.name for path in aside.iterdir()}
    async with river.daemon():
        post = await river.post(f"{waiting}.jpg", state="held")
        assert "older than what was done" in (post.detail or "")
        assert "posts confirm" in (post.remedy or "")
    assert 2 == len(river.captions())


async def test_on_a_new_machine_nothing_is_published_unasked(river: River) -> None:
    """Nobody there knows what the old one did since: whatever is unfinished is held, once."""
    river.simulator.script({"on": "create", "do": "error", "code": 2})
    river.configure(publish={"retry_delays": ["1h"]})
    river.drop_pictures(1)
    async with river.daemon():
        await river.post("picture001.jpg", state="waiting")
    backup = await backed_up(river)
    river.simulator.script()

    shutil.rmtree(river.data)
    ended = await restored(river, backup)

    assert "Nobody here knows" in ended.out
    async with river.daemon():
        post = await river.post("picture001.jpg", state="held")
        assert "put back from a backup of 20" in (post.detail or "")
    assert [] == river.captions()
    async with river.daemon():
        assert 0 == (await river.run("posts", "retry", post.id)).code
        await river.until(lambda: ["picture001"] == river.captions())
        await river.post("picture001.jpg", state="done")
    async with river.daemon():
        assert "done" == (await river.posts())["picture001.jpg"].state


async def test_nothing_is_restored_under_a_running_daemon(river: River) -> None:
    """It is refused, and the daemon works on."""
    originals = river.drop_pictures(1)
    async with river.daemon():
        await river.arrived(originals)
        backup = await backed_up(river)
        refused = await river.run("restore", str(backup), *told(river))
        assert 1 == refused.code
        assert "Stop it, then restore" in refused.err
        later = river.drop_pictures(1, first=2)
        await river.arrived(originals | later)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        ("passphrase", "not the passphrase"),
        ("middle", "damaged"),
        ("end", "breaks off"),
        ("other", "no backup of mediawatch"),
        ("gone", "Could not read"),
    ],
)
async def test_what_is_no_good_replaces_nothing(river: River, spoil: str, said: str) -> None:
    """A wrong passphrase, a damaged file, another file: each is told, and all stays as it was."""
    originals = river.drop_pictures(1)
    async with river.daemon():
        await river.arrived(originals)
    backup = await backed_up(river)
    content = bytearray(backup.read_bytes())
    content[len(content) // 2] ^= 1
    match spoil:
        case "middle":
            backup.write_bytes(content)
        case "end":
            backup.write_bytes(content[: len(content) // 3])
        case "other":
            backup.write_bytes(jpeg(10, 10))
        case "gone":
            backup.unlink()
    before = lying(river)

    words = told(river, "another passphrase" if spoil == "passphrase" else PASSPHRASE)
    ended = await river.run("restore", str(backup), *words)

    assert 1 == ended.code
    assert said in ended.err
    assert "→" in ended.err
    assert before == lying(river)
    assert not list(river.data.glob("re*"))


async def test_settings_and_secrets_come_back_where_they_are_missing(river: River) -> None:
    """After a disk was lost one file brings all back; what is there is not touched."""
    secrets = river.root / "secrets"
    secrets.mkdir()
    (secrets / "password").write_text(PASSWORD)
    (secrets / "token").write_text(TOKEN)
    river.tables["ftp"] |= {"password_file": str(secrets / "password")}
    river.tables["instagram"] |= {"access_token_file": str(secrets / "token")}
    del river.tables["ftp"]["password"], river.tables["instagram"]["access_token"]
    river.write_settings()
    originals = river.drop_pictures(1)
    async with river.daemon():
        await river.arrived(originals)
    backup = await backed_up(river)
    settings = river.config.read_bytes()
    (secrets / "password").unlink()
    (secrets / "token").write_text(f"{TOKEN}-renewed")
    river.config.unlink()
    shutil.rmtree(river.data)

    ended = await restored(river, backup)

    assert f"Next: `mediawatch run --config {river.config}`" in ended.out
    assert settings == river.config.read_bytes()
    assert PASSWORD == (secrets / "password").read_text()
    assert f"{TOKEN}-renewed" == (secrets / "token").read_text()
    assert "stays as it is" in ended.out
    if sys.platform != "win32":
        assert 0o600 == stat.S_IMODE((secrets / "password").stat().st_mode)
    assert 0 == (await river.run("posts", "list")).code


async def test_authorities_come_back_too(river: River) -> None:
    """The file that [ftp] tls_ca_file names: without it no FTP host of one's own is trusted. Where
    another one is by now, both are there, and it is said where."""
    authorities = river.root / "certificates" / "ca.pem"
    authorities.parent.mkdir()
    async with river.daemon():
        pass
    authorities.write_text("-- one --")
    river.configure(ftp={"tls_ca_file": str(authorities)})
    backup = await backed_up(river)
    shutil.rmtree(authorities.parent)

    assert f"{authorities} was missing, and is back" in (await restored(river, backup)).out
    assert "-- one --" == authorities.read_text()
    # Not its owner's alone, as a secret is: the service reads it too.
    usual = (river.root / "passphrase").stat().st_mode
    assert stat.S_IMODE(usual) == stat.S_IMODE(authorities.stat().st_mode)

    authorities.write_text("-- another --")
    beside = authorities.with_name("ca.from-backup.pem")
    for _ in range(2):  # the same name if it is restored again
        assert f"is in {beside}" in (await restored(river, backup)).out
    assert {"ca.pem": "-- another --", beside.name: "-- one --"} == {
        path.name: path.read_text() for path in authorities.parent.iterdir()
    }


async def test_a_file_that_is_there_is_not_replaced(river: River) -> None:
    """Unless that is wanted; a folder gets a new file each time."""
    async with river.daemon():
        backup = await backed_up(river)
    before = backup.read_bytes()

    refused = await river.run("backup", str(backup), *told(river))
    assert 1 == refused.code
    assert "--force" in refused.err
    assert before == backup.read_bytes()
    assert 0 == (await river.run("backup", str(backup), "--force", *told(river))).code
    assert before != backup.read_bytes()
    folder = river.root / "backups"
    folder.mkdir()
    assert 0 == (await river.run("backup", str(folder), *told(river))).code
    (named,) = folder.iterdir()
    assert named.name.startswith("mediawatch-20")


async def test_a_passphrase_must_come_from_somewhere(river: River) -> None:
    """Nobody is there: refused, with how to say it; one that is short is refused too."""
    async with river.daemon():
        pass
    silent = await river.run("backup", str(river.root / "kept.backup"))
    short = await river.run("backup", str(river.root / "kept.backup"), *told(river, "secret"))

    assert (1, 1) == (silent.code, short.code)
    assert "--passphrase-file" in silent.err
    assert "too short" in short.err
    assert not (river.root / "kept.backup").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")
async def test_a_person_is_asked_twice_for_a_new_passphrase(river: River) -> None:
    """It is not shown, and one that was mistyped is asked for again; to open it, once is enough."""
    async with river.daemon():
        pass
    backup = river.root / "kept.backup"
    where = ("--config", str(river.config))
    with at_a_terminal("backup", str(backup), *where, folder=river.root) as person:
        await person.answers("Passphrase", PASSPHRASE)
        await person.answers("Repeat", "mistyped")
        await person.answers("Passphrase", PASSPHRASE)
        await person.answers("Repeat", PASSPHRASE)
        assert 0 == await person.ends(), person.shown
        assert PASSPHRASE not in person.shown
    with at_a_terminal("restore", str(backup), *where, folder=river.root) as person:
        await person.answers("Passphrase", PASSPHRASE)
        assert 0 == await person.ends(), person.shown


async def test_a_host_that_spoke_tls_is_remembered(river: River) -> None:
    """What either side knows is known afterwards: nobody can strip TLS away by a restore."""
    async with river.daemon():
        pass
    (river.data / "tls_seen.json").write_text("a.example:21\n")
    backup = await backed_up(river)
    (river.data / "tls_seen.json").write_text("b.example:21\n")
    (river.data / "asked.json").write_text(json.dumps({"1": 4}))

    await restored(river, backup)

    assert "b.example:21\na.example:21\n" == (river.data / "tls_seen.json").read_text()
    assert {"1": 4} == json.loads((river.data / "asked.json").read_text())


async def test_the_journal_of_a_newer_version_is_refused(river: River) -> None:
    """Told by whom it was written, before anything is replaced."""
    async with river.daemon():
        pass
    journal = sqlite3.connect(river.data / "journal.db")
    journal.execute("UPDATE alembic_version SET version_num = '9999'")
    journal.commit()
    journal.close()
    backup = await backed_up(river)
    before = lying(river)

    refused = await river.run("restore", str(backup), *told(river))

    assert 1 == refused.code
    assert "newer" in refused.err
    assert before == lying(river)


async def test_a_new_machine_gets_its_settings_too(river: River, tmp_path: Path) -> None:
    """Where there are no settings at all, those of the backup come to the usual place."""
    async with river.daemon():
        pass
    backup = await backed_up(river)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    ended = await command(
        "restore",
        str(backup),
        *told(river),
        folder=elsewhere,
        before=[sys.executable, "-c", _AT_HOME, str(elsewhere)],
    )
    assert 0 == ended.code, ended.err
    brought = elsewhere / "config" / "mediawatch" / "config.toml"
    assert river.config.read_bytes() == brought.read_bytes()


_AT_HOME = (
    "import os, sys; os.environ['XDG_CONFIG_HOME'] = sys.argv[1] + '/config'; "
    "os.execv(sys.argv[2], sys.argv[2:])"
)
