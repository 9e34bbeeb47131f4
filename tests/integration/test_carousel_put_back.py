"""The folder of a carousel that failed or was held, and came back into the inbox."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mediawatch.journal import accounts, posts
from mediawatch.journal.sqlite import SqliteJournal
from mediawatch.model.lifecycle import Event, State
from mediawatch.pipeline.outcomes import Reason
from mediawatch.watch import folders
from mediawatch.watch.candidates import Candidate, Taken
from tests.integration.test_intake import House
from tests.support.pictures import jpeg
from tests.support.simulator import USER


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with SqliteJournal(tmp_path / "journal.db") as journal:
        await journal.apply([accounts.ensure(USER)])
        yield House(tmp_path, journal)


def settled(folder: Path) -> Candidate:
    key, size = folders.key_and_size(str(folder), folders.listed(str(folder)))
    return Candidate(folder, folder.name, key, size, is_folder=True)


async def test_the_note_of_a_folder_that_failed_goes_when_it_is_put_back(house: House) -> None:
    """It says what is no longer so; while a copy is left in failed, its note stays with it."""
    files = {"a.jpg": jpeg(seed=1), "b.jpg": jpeg(seed=2)}
    failed = house.watch.failed_folder / "trip"
    note = failed.with_name("trip.mediawatch.json")

    async def fail(folder: Path) -> None:
        folder.mkdir()
        for name, content in files.items():
            (folder / name).write_bytes(content)
        assert Taken.TAKEN is await house.take(settled(folder))
        (post,) = await posts.listed(house.journal, states=[State.READY])
        work = await house.claimed(post.id)
        await work.write(Event.FAIL)
        await house.archive.set_aside(work, "failed", Reason("corrupt", "It is broken."))

    await fail(house.watch.folder / "trip")
    assert note.is_file()
    await fail(house.watch.folder / "copy")
    assert note.is_file()

    back = failed.rename(house.watch.folder / "trip")
    assert Taken.TAKEN is await house.take(settled(back))

    assert not note.exists()
    assert failed.with_name("copy.mediawatch.json").is_file()
