"""A journal takes another one's place: cut off at any step, the next start has the one or the
other, with what belongs to it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from sqlalchemy import select

from mediawatch import crash
from mediawatch.journal import accounts, putting_back
from mediawatch.journal.schema import accounts as table
from mediawatch.journal.sqlite import SqliteJournal

OLD, NEW = "17841400000000001", "17841400000000002"


class Killed(BaseException):
    """As if by kill -9: nothing that handles errors may see it."""


async def a_journal(path: Path, account: str) -> None:
    async with SqliteJournal(path) as journal:
        await journal.apply([accounts.ensure(account)])


async def knows(path: Path, account: str) -> bool:
    async with SqliteJournal(path) as journal:
        rows = await journal.read(select(table.c.id))
    return account in {row["id"] for row in rows}


async def prepared(root: Path) -> Path:
    """A data folder with an old journal that was left by a kill, and a new one that lies ready to
    be put into its place."""
    data, other = root / "data", root / "other"
    await a_journal(data / "journal.db", OLD)
    (data / "asked.json").write_text("old")
    (data / "journal.db-shm").write_bytes(b"")
    await a_journal(other / "journal.db", NEW)
    part = putting_back.begin(data)
    shutil.copy(other / "journal.db", part)
    (part / "asked.json").write_text("new")
    return data


def killed_at(passage: int, monkeypatch: pytest.MonkeyPatch) -> None:
    left = [None] * passage

    def at(point: str) -> None:
        if not left:
            raise Killed(point)
        left.pop()

    monkeypatch.setattr(crash, "at", at)


async def test_cut_off_anywhere_it_is_the_one_or_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Never a mixture, never nothing; and what was there before lies aside, whole."""
    ends = []
    for passage in range(20):
        data = await prepared(tmp_path / str(passage))
        with monkeypatch.context() as patched:
            killed_at(passage, patched)
            try:
                putting_back.decide(data, "now")
            except Killed:
                pass
            else:
                break

        is_new = await knows(data / "journal.db", NEW)

        ends.append(is_new)
        assert is_new is not await knows(data / "journal.db", OLD)
        assert ("new" if is_new else "old") == (data / "asked.json").read_text()
        assert not (data / "restore.ready").exists()
        assert is_new is (data / "replaced-now").exists()
        if is_new:
            assert await knows(data / "replaced-now" / "journal.db", OLD)
    assert 6 < len(ends) < 20
    assert [False] + [True] * (len(ends) - 1) == ends


async def test_what_was_begun_and_not_decided_is_nothing(tmp_path: Path) -> None:
    """The next one begins anew, with an empty folder."""
    data = await prepared(tmp_path)

    assert await knows(data / "journal.db", OLD)
    assert [] == list(putting_back.begin(data).iterdir())
    assert putting_back.finish(data) is False


async def test_each_restore_keeps_what_was_there_apart(tmp_path: Path) -> None:
    """Two within a second do not mix what they replaced."""
    data = await prepared(tmp_path / "1")
    first = putting_back.decide(data, "now")
    part = putting_back.begin(data)
    shutil.copy(first / "journal.db", part)
    second = putting_back.decide(data, "now")

    assert first != second
    assert await knows(data / "journal.db", OLD)
    assert await knows(second / "journal.db", NEW)
