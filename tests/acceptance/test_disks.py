"""Our own disk: full, or not ours to read or write. Said clearly, and it goes on when mended.

A disk of its own size is a tmpfs in a mount namespace that only the daemon sees.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.support.confined import powerless, required, small_disk
from tests.support.pictures import jpeg
from tests.support.river import River, contents

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs namespaces")


@pytest.fixture
def _namespaces(tmp_path: Path) -> None:
    required(small_disk(tmp_path / "probe"))


@pytest.fixture
def _permissions() -> None:
    required(powerless())


def fill(folder: Path) -> Path:
    """Write until nothing more fits; gives the file to delete."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while file.write(bytes(4096)) == 4096:
                pass
        except OSError:
            return filler
    return filler


@pytest.mark.usefixtures("_namespaces")
async def test_no_room_for_the_prepared_picture(river: River) -> None:
    """The data disk is full: the post waits and says so, and goes on when there is room."""
    async with river.daemon(small_disk(river.prepared)) as daemon:
        seen = Path(f"/proc/{daemon.process.pid}/root{river.prepared}")
        filler = fill(seen)
        originals = river.drop_pictures(2)
        for name in originals:
            post = await river.post(name, state="waiting")
            assert "disk-full" == post.reason
            assert "No space left on device" in (post.detail or "")
            assert "Free some space" in (post.remedy or "")
        assert [] == river.captions()
        filler.unlink()
        await river.arrived(originals)
        await river.until(lambda: {} == contents(seen))


@pytest.mark.usefixtures("_namespaces")
async def test_no_room_for_the_original(river: River) -> None:
    """The disk of processed is full: published once, kept safe, and filed when there is room."""
    async with river.daemon(small_disk(river.processed)) as daemon:
        seen = Path(f"/proc/{daemon.process.pid}/root{river.processed}")
        filler = fill(seen)
        originals = river.drop_pictures(2)
        for name in originals:
            post = await river.post(name, state="waiting", reason="disk-full")
            assert "archive" == post.stage
            assert post.remedy
        filler.unlink()
        await river.until(lambda: originals == contents(seen) and not river.leftovers())
    assert ["picture001", "picture002"] == river.captions()


@pytest.mark.usefixtures("_namespaces")
async def test_no_room_for_the_journal(river: River) -> None:
    """Nothing can be written down: nothing is taken, and that is said; later all is published."""
    async with river.daemon(small_disk(river.data)) as daemon:
        filler = fill(Path(f"/proc/{daemon.process.pid}/root{river.data}"))
        originals = river.drop_pictures(2)
        await river.until(lambda: [line for line in river.said() if line["level"] == "warning"])
        assert originals.keys() <= contents_of_inbox(river).keys()
        assert [] == river.captions()
        filler.unlink()
        await river.until(lambda: originals == river.filed())
    assert ["picture001", "picture002"] == river.captions()


def contents_of_inbox(river: River) -> dict[str, bytes]:
    """Name and bytes of the files in the inbox."""
    return {path.name: path.read_bytes() for path in river.inbox.iterdir() if path.is_file()}


@pytest.mark.usefixtures("_permissions")
async def test_a_file_that_cannot_be_read_stays_and_hinders_no_other(river: River) -> None:
    """It is named with the remedy; once it may be read it is published like any other."""
    async with river.daemon(powerless()):
        locked = river.root / "locked.jpg"
        locked.write_bytes(jpeg(seed=2))
        locked.chmod(0)
        locked.rename(river.inbox / "locked.jpg")
        river.drop("open.jpg", jpeg(seed=3))
        await river.until(lambda: "open.jpg" in river.filed() and river.said("unreadable"))
        (told, *more) = river.said("unreadable")
        assert [] == more
        assert "locked.jpg" in told["event"]
        assert told["remedy"]
        await river.until(lambda: {"locked.jpg"} == river.leftovers())
        (river.inbox / "locked.jpg").chmod(0o644)
        await river.arrived({"locked.jpg": jpeg(seed=2), "open.jpg": jpeg(seed=3)})


@pytest.mark.usefixtures("_permissions")
async def test_a_folder_that_cannot_be_written_delays_only_the_filing(river: River) -> None:
    """processed is not ours to write: published once, said, and filed once it is."""
    river.processed.mkdir(mode=0o555)
    originals = river.drop_pictures(1)
    async with river.daemon(powerless()):
        post = await river.post("picture001.jpg", state="waiting", stage="archive")
        assert "no-permission" == post.reason
        assert "read and write access" in (post.remedy or "")
        river.processed.chmod(0o755)
        await river.arrived(originals)


@pytest.mark.usefixtures("_namespaces")
async def test_processed_on_another_disk(river: River) -> None:
    """Where no rename leads, originals are copied, checked and only then removed; a name that is
    taken there is left alone."""
    async with river.daemon(small_disk(river.processed)) as daemon:
        seen = Path(f"/proc/{daemon.process.pid}/root{river.processed}")
        (seen / "picture001.jpg").write_bytes(b"somebody else's")
        originals = river.drop_pictures(2)
        await river.until(lambda: len(contents(seen)) == 3 and not river.leftovers())
        found = contents(seen)
        assert b"somebody else's" == found.pop("picture001.jpg")
        assert sorted(originals.values()) == sorted(found.values())
    assert ["picture001", "picture002"] == river.captions()


@pytest.mark.usefixtures("_permissions")
async def test_an_inbox_that_cannot_be_written_is_told_and_loses_nothing(river: River) -> None:
    """A folder to read only: nothing can be claimed, each file is named with the remedy, nothing
    is published; once it may be written to all of it is."""
    originals = river.drop_pictures(2)
    river.inbox.chmod(0o555)
    async with river.daemon(powerless()):
        await river.until(
            lambda: {line.get("file") for line in river.said("unreadable")} >= originals.keys()
        )
        told = river.said("unreadable")[-1]
        assert "read and write access" in told["remedy"]
        assert [] == river.captions()
        river.inbox.chmod(0o755)
        await river.arrived(originals)
