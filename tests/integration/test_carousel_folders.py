"""What lies in the folder of a carousel when it is taken, and what is left where it was."""

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


async def test_a_mended_copy_of_a_held_folder_tries_it_again(house: House) -> None:
    """Copied into the inbox, not moved: it is published as it is said now, and not called a
    duplicate of what waits for its owner."""

    def filled(folder: Path, caption: str) -> Candidate:
        folder.mkdir()
        for number, name in enumerate(("a.jpg", "b.jpg")):
            (folder / name).write_bytes(jpeg(seed=number))
        (folder / "caption.toml").write_text(caption, encoding="utf-8")
        return settled(folder)

    await house.take(filled(house.watch.folder / "trip", 'capton = "Dawn"'))
    post = await house.only_post()
    work = await house.claimed(post.id)
    await work.write(Event.HOLD)
    await house.archive.set_aside(work, "held", Reason("sidecar", "Wrong."))
    assert post.refusal is not None

    await house.take(filled(house.watch.folder / "trip", 'caption = "Dawn"'))

    again = await house.only_post()
    assert (post.id, State.READY, "Dawn", None) == (
        again.id,
        again.state,
        again.caption,
        again.refusal,
    )


@pytest.mark.parametrize(("raws", "alone"), [(("a.CR2",), None), (("a.CR2", "c.dng"), "c.dng")])
async def test_a_raw_goes_with_its_picture_and_is_never_left_out_in_silence(
    house: House, raws: tuple[str, ...], alone: str | None
) -> None:
    """Beside its picture it is no item; without one somebody misses it among what is published."""
    folder = house.watch.folder / "trip"
    folder.mkdir()
    for number, name in enumerate(("a.jpg", "b.jpg")):
        (folder / name).write_bytes(jpeg(seed=number))
    for name in raws:
        (folder / name).write_bytes(b"II*\0")

    assert Taken.TAKEN is await house.take(settled(folder))

    post = await house.only_post()
    assert ["a.jpg", "b.jpg"] == [item.name for item in post.items]
    assert (alone is not None) is (post.refusal is not None)
    assert post.refusal is None or str(alone) in post.refusal[1]
