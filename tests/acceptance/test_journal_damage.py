"""The journal, spoilt before a start or under a running daemon: said clearly, nothing published
without it, nothing lost, and back to work by itself where that can be."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import sys
import time
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from mediawatch.journal import backup
from tests.acceptance.test_disks import fill
from tests.support.confined import required, small_disk
from tests.support.journals import DAMAGES, follow
from tests.support.river import River

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="open files cannot be moved there")
_SHELL = pytest.mark.skipif(sys.platform == "win32", reason="the commands are for another shell")


async def with_a_copy(river: River) -> dict[str, bytes]:
    """One picture is published, and a copy of the journal knows it."""
    originals = river.drop_pictures(1)
    async with river.daemon():
        await river.arrived(originals)
    shutil.rmtree(river.data / "backups")
    assert backup.make_if_due(river.data / "journal.db", time.time())
    return originals


@_SHELL
@pytest.mark.parametrize("name", ["missing", "rubbish", "bad pages"])
async def test_a_damaged_journal_is_told_and_can_be_put_back(river: River, name: str) -> None:
    """Exit 1 with what is wrong, and commands: followed to the letter they bring the newest copy
    back; what was damaged is kept; what was published is not published again."""
    originals = await with_a_copy(river)
    damage, said = DAMAGES[name]
    journal = river.data / "journal.db"
    damage(journal)
    before = journal.read_bytes() if journal.is_file() else None

    refused = await river.run("run")

    assert 1 == refused.code
    assert str(journal) in refused.err
    assert said in refused.err
    (copy,) = (river.data / "backups").glob("*.db")
    assert str(copy) in refused.err
    assert before == (journal.read_bytes() if journal.is_file() else None)

    follow(refused.err)
    if before is not None:
        (aside,) = river.data.glob("damaged-*/journal.db")
        assert before == aside.read_bytes()
    again = dict(originals)
    for picture, content in originals.items():
        river.drop(picture, content)
    originals |= river.drop_pictures(1, first=2)
    async with river.daemon():
        await river.arrived(originals)
    assert again.keys() == {path.name for path in river.duplicate.glob("*.jpg")}


@_SHELL
async def test_a_damaged_journal_without_a_copy(river: River) -> None:
    """That there is none is said, and how to start anew; that works."""
    river.data.mkdir()
    (river.data / "journal.db").write_bytes(b"")
    refused = await river.run("run")
    assert 1 == refused.code
    assert "No good copy" in refused.err
    follow(refused.err)
    originals = river.drop_pictures(1)
    async with river.daemon():
        await river.arrived(originals)


async def test_a_journal_of_a_newer_version_names_its_copy(river: River) -> None:
    """After going back to an older version: exit 1, and where the copy from before lies."""
    await with_a_copy(river)
    journal = river.data / "journal.db"
    shutil.copy(journal, river.data / "journal.db.before-9999")
    with contextlib.closing(sqlite3.connect(journal)) as newer:
        newer.execute("UPDATE alembic_version SET version_num = '9999'")
        newer.commit()
    refused = await river.run("run")
    assert 1 == refused.code
    assert "newer version" in refused.err
    assert str(river.data / "journal.db.before-9999") in refused.err


# Under a running daemon.


async def ready(river: River) -> tuple[int, dict[str, Any]]:
    """What /readyz says: status, and of the check of the journal all."""
    async with aiohttp.ClientSession() as session, session.get(f"{river.api}/readyz") as answer:
        checks = (await answer.json())["checks"]
        (journal,) = [check for check in checks if check["name"] == "journal"]
        return answer.status, journal


async def is_unwell(river: River, words: str) -> None:
    """Not ready, the reason and a remedy are told there, in ``status`` and once in the log."""

    async def unwell() -> bool:
        status, check = await ready(river)
        return status == 503 and words in check["detail"]

    await river.until(unwell)
    (line,) = await river.until(lambda: river.said("journal"))
    assert "error" == line["level"]
    assert words in line["event"]
    assert line["remedy"]
    shown = await river.run("status")
    assert 1 == shown.code
    assert words in shown.out
    assert line["remedy"] in shown.out


async def is_well_again(river: River) -> None:
    """Ready, and that it is well again is told once."""

    async def well() -> bool:
        return (await ready(river))[0] == 200

    await river.until(well)
    told = ["error", "info"]
    await river.until(lambda: told == [line["level"] for line in river.said("journal")])


async def test_a_locked_journal_holds_everything_up_until_it_is_free(river: River) -> None:
    """Another program keeps it: nothing is taken or published, that is told, and all goes on."""
    async with river.daemon():
        with contextlib.closing(sqlite3.connect(river.data / "journal.db")) as other:
            other.execute("BEGIN EXCLUSIVE")
            originals = river.drop_pictures(2)
            await is_unwell(river, "locked")
            assert [] == river.captions()
            assert originals.keys() <= {path.name for path in river.inbox.iterdir()}
        await is_well_again(river)
        await river.arrived(originals, limit=60)


async def test_what_was_done_is_remembered_until_it_can_be_written(evil: River) -> None:
    """Published while the journal is locked: the answer is kept, and nobody is asked again."""
    evil.configure(publish={"publish_timeout": 30})
    evil.simulator.script({"on": "media_publish", "do": "delay", "seconds": 1, "times": 1})
    async with evil.daemon():
        originals = evil.drop_pictures(1)
        await evil.until(lambda: evil.simulator.state.asked["media_publish"])  # type: ignore[index]
        with contextlib.closing(sqlite3.connect(evil.data / "journal.db")) as other:
            other.execute("BEGIN EXCLUSIVE")
            await is_unwell(evil, "locked")
        await is_well_again(evil)
        await evil.arrived(originals)
        assert [] == evil.said("unknown-outcome")
        assert 1 == evil.simulator.state.asked["media_publish"]  # type: ignore[index]


@pytest.mark.skipif(sys.platform != "linux", reason="needs namespaces")
async def test_a_full_disk_is_told_and_heals(river: River, tmp_path: Path) -> None:
    """No room for the journal: not ready, with the reason; room again: all goes on."""
    required(small_disk(tmp_path / "probe"))
    river.configure(alerts={"min_free": 0})  # so small a disk is never well else
    async with river.daemon(small_disk(river.data)) as daemon:
        seen = Path(f"/proc/{daemon.process.pid}/root{river.data}")
        card = (seen / "daemon.json").read_text()
        filler = fill(seen)
        originals = river.drop_pictures(2)
        river.data.mkdir(exist_ok=True)
        (river.data / "daemon.json").write_text(card)  # the disk is hidden from this test
        await river.until(lambda: river.said("journal"))
        status, check = await ready(river)
        assert 503 == status
        assert "full" in check["detail"]
        assert "Free some space" in check["remedy"]
        assert [] == river.captions()
        filler.unlink()
        await is_well_again(river)
        await river.until(lambda: originals == river.filed())
    assert ["picture001", "picture002"] == river.captions()


@POSIX
async def test_a_data_folder_that_is_moved_away_stops_all_until_it_is_back(river: River) -> None:
    """What is written to a folder that is gone is lost: nothing is, until it is back."""
    async with river.daemon():
        api = river.api
        await river.until(lambda: river.said("backup"))
        moved = river.root / "elsewhere"
        river.data.rename(moved)
        originals = river.drop_pictures(2)
        await river.until(lambda: river.said("journal"))
        async with aiohttp.ClientSession() as session, session.get(f"{api}/readyz") as answer:
            assert 503 == answer.status
            assert "was moved, deleted or replaced" in await answer.text()
        assert [] == river.captions()
        if river.data.exists():  # what it made anew meanwhile is not needed
            shutil.rmtree(river.data)
        moved.rename(river.data)
        await is_well_again(river)
        await river.arrived(originals, limit=60)


@POSIX
@pytest.mark.parametrize("lost", ["journal.db-wal", "journal.db"])
async def test_a_journal_deleted_under_a_daemon_loses_nothing(river: River, lost: str) -> None:
    """Nothing is published that the next start could not know of; that start is told what to do
    or goes on, and everything is published once."""
    async with river.daemon() as daemon:
        first = river.drop_pictures(1)
        await river.arrived(first)
        await river.until(lambda: river.said("backup"))
        (river.data / lost).unlink()
        originals = first | river.drop_pictures(2, first=2)
        await is_unwell(river, "was moved, deleted or replaced")
        assert ["picture001"] == river.captions()
        await daemon.kill()
    if lost == "journal.db":
        refused = await river.run("run")
        assert "is missing" in refused.err
        follow(refused.err)
        return  # the copy is from before the first picture: what then is held is recovery's rule
    async with river.daemon():
        await river.arrived(originals)
