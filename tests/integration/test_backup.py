"""The journal's daily copies: whole, checked, few, and never in the way of a writer."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import sqlite3
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mediawatch.errors import JournalError
from mediawatch.journal import accounts, backup, posts
from mediawatch.journal.sqlite import SqliteJournal
from tests.contract.test_journal import ACCOUNT, NOW, a_post
from tests.support.journals import DAMAGES, follow, spoil_pages

DAY = 86_400.0


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[SqliteJournal]:
    async with SqliteJournal(tmp_path / "journal.db") as journal:
        await journal.apply([accounts.ensure(ACCOUNT)])
        yield journal


async def add(journal: SqliteJournal, number: int) -> None:
    post = a_post(f"{number:012x}", str(number))
    item = dataclasses.replace(post.items[0], post_id=post.id)
    await journal.apply(posts.add(dataclasses.replace(post, items=(item,))))


def rows(path: Path, query: str) -> list[str]:
    address = f"{path.as_uri()}?immutable=1"
    with contextlib.closing(sqlite3.connect(address, uri=True)) as connection:
        return [row[0] for row in connection.execute(query)]


def names(journal: SqliteJournal) -> list[str]:
    return sorted(path.name for path in (journal.path.parent / "backups").iterdir())


def write_through(path: Path) -> None:
    """Bring all that lies in the write-ahead log into the file."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


async def test_a_copy_holds_all_that_was_committed(journal: SqliteJournal) -> None:
    """One file with everything, what still lies in the write-ahead log too."""
    await add(journal, 1)

    made = await journal.back_up(NOW)

    assert made is not None
    assert ["journal-20270115T080000Z.db"] == names(journal)
    assert [f"{1:012x}"] == rows(made.path, "SELECT id FROM posts")
    assert ["ok"] == rows(made.path, "PRAGMA integrity_check")


async def test_a_copy_is_one_state_while_others_write(journal: SqliteJournal) -> None:
    """Taken in the middle of a storm of writes: no post without its item, and no writer fails."""
    await add(journal, 0)
    storm = [asyncio.create_task(add(journal, number)) for number in range(1, 400)]

    made = await journal.back_up(NOW)
    await asyncio.gather(*storm)

    assert made is not None
    assert rows(made.path, "SELECT id FROM posts ORDER BY id") == rows(
        made.path, "SELECT post_id FROM items ORDER BY post_id"
    )
    assert 400 == len(await posts.listed(journal, limit=1000))


async def test_one_copy_a_day_and_the_newest_seven(journal: SqliteJournal) -> None:
    """Not due: nothing is done. The eighth copy replaces the oldest."""
    assert await journal.back_up(NOW)
    assert await journal.back_up(NOW + DAY - 1) is None
    assert 1 == len(names(journal))

    for day in range(1, 9):
        assert await journal.back_up(NOW + day * DAY)

    kept = [copy.made for copy in backup.found(journal.path)]
    assert [NOW + day * DAY for day in range(8, 1, -1)] == kept


async def test_a_copy_of_tomorrow_does_not_stand_for_today(journal: SqliteJournal) -> None:
    """The clock was wrong for a while: today's copy is made all the same."""
    assert await journal.back_up(NOW + 400 * DAY)

    assert await journal.back_up(NOW)
    assert await journal.back_up(NOW + 60) is None


async def test_what_a_kill_left_of_a_copy_is_swept_away(journal: SqliteJournal) -> None:
    """A half copy has another name, is never offered, and goes with the next one."""
    folder = journal.path.parent / "backups"
    folder.mkdir()
    (folder / "journal-20270114T080000Z.db.part").write_bytes(b"half")

    assert [] == backup.found(journal.path)
    assert await journal.back_up(NOW)
    assert ["journal-20270115T080000Z.db"] == names(journal)


async def test_a_damaged_journal_is_not_copied(journal: SqliteJournal) -> None:
    """The check of the copy fails: that is told, and the good copies stay."""
    for number in range(200):
        await add(journal, number)
    assert await journal.back_up(NOW)
    write_through(journal.path)
    spoil_pages(journal.path)

    with pytest.raises(JournalError) as caught:
        await journal.back_up(NOW + DAY)

    assert caught.value.remedy
    assert ["journal-20270115T080000Z.db"] == names(journal)
    good = backup.newest_good(journal.path)
    assert good is not None
    assert NOW == good.made


async def test_a_copy_that_cannot_be_written_is_told(journal: SqliteJournal) -> None:
    """The folder cannot be made: a sentence with a remedy, and the journal goes on."""
    (journal.path.parent / "backups").write_text("in the way")

    with pytest.raises(JournalError, match="copy") as caught:
        await journal.back_up(NOW)

    assert caught.value.remedy
    await add(journal, 1)


async def test_the_newest_copy_that_is_whole_is_the_good_one(journal: SqliteJournal) -> None:
    """A copy that was damaged later is passed over."""
    for day in range(3):
        assert await journal.back_up(NOW + day * DAY)
    copies = backup.found(journal.path)
    spoil_pages(copies[0].path)
    copies[1].path.write_bytes(b"")

    assert copies[2] == backup.newest_good(journal.path)


SHELL = pytest.mark.skipif(sys.platform == "win32", reason="the commands are for another shell")


@SHELL
@pytest.mark.parametrize("name", DAMAGES)
async def test_what_is_told_of_a_spoilt_journal_brings_it_back(tmp_path: Path, name: str) -> None:
    """Refused with what is wrong; the file is left as it is; the commands put the copy back."""
    path = tmp_path / "journal.db"
    async with SqliteJournal(path) as journal:
        await journal.apply([accounts.ensure(ACCOUNT)])
        await add(journal, 1)
        assert await journal.back_up(NOW)
    spoil, said = DAMAGES[name]
    spoil(path)
    before = path.read_bytes() if path.is_file() else None

    with pytest.raises(JournalError, match=said) as caught:
        async with SqliteJournal(path):
            pass

    assert before == (path.read_bytes() if path.is_file() else None)
    assert "2027-01-15T08:00:00" in caught.value.remedy
    follow(caught.value.remedy.partition(" To start anew")[0])
    async with SqliteJournal(path) as journal:
        assert [f"{1:012x}"] == [post.id for post in await posts.listed(journal)]


@SHELL
async def test_a_journal_that_breaks_under_way_is_checked_at_the_next_start(
    tmp_path: Path,
) -> None:
    """Even after a clean end: refused then, with the commands that put the copy back."""
    path = tmp_path / "journal.db"
    async with SqliteJournal(path) as journal:
        await journal.apply([accounts.ensure(ACCOUNT)])
        await add(journal, 1)
        assert await journal.back_up(NOW)
    async with SqliteJournal(path) as journal:
        spoil_pages(path)
        with pytest.raises(JournalError, match="damaged") as caught:
            await posts.listed(journal)
        assert "Stop mediawatch and start it again" in caught.value.remedy

    for _ in range(2):
        with pytest.raises(JournalError, match="damaged") as caught:
            async with SqliteJournal(path):
                pass
    follow(caught.value.remedy)
    async with SqliteJournal(path) as journal:
        assert 1 == len(await posts.listed(journal))
    assert not path.with_name("journal.db.suspect").exists()
