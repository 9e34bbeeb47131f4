"""The watcher on a real ReadDirectoryChangesW, and without it."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from pathlib import Path

import pytest

from mediawatch.errors import StorageProblem
from mediawatch.watch.hints import Hints
from mediawatch.watch.shares import share_type
from tests.support.watching import Watched
from tests.windows.inside.handles import DELETE, GENERIC_READ, GENERIC_WRITE, READ, WRITE, opened

#: Seconds between two scans: so many that only an event can have woken the watcher.
NEVER = 3600.0


async def test_an_event_of_windows_wakes_the_watcher(tmp_path: Path) -> None:
    """A dropped file, and one that is renamed into place, are taken without waiting for the next
    scan."""
    watched = Watched(tmp_path, rescan=NEVER)
    async with watched.running():
        await watched.until(lambda: watched.watcher.state.mode == "events")
        watched.put("dropped.jpg")
        await watched.until(lambda: watched.taken["dropped.jpg"] == 1)
        watched.put(".renamed.jpg.part").rename(watched.folder / "renamed.jpg")
        await watched.until(lambda: watched.taken["renamed.jpg"] == 1)


class Woken:
    """Hints of Windows about one folder, and whether they woke anybody."""

    def __init__(self, folder: Path) -> None:
        self.event = asyncio.Event()
        self.hints = Hints([folder], self.event.set, asyncio.get_running_loop())

    async def within(self, seconds: float) -> bool:
        """Whether somebody is woken in so many seconds."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.event.wait(), seconds)
        return self.event.is_set()


async def test_looking_wakes_nobody(tmp_path: Path) -> None:
    """Listing the folder and reading its files is no event, nor is taking one away: the watcher
    would wake itself for ever. What comes is one. (Wine tells of no accesses, Windows does.)"""
    for name in ("a.jpg", "b.jpg"):
        (tmp_path / name).write_bytes(b"picture")
    woken = Woken(tmp_path)
    await asyncio.to_thread(woken.hints.start)
    try:
        assert [b"picture"] * 2 == [path.read_bytes() for path in tmp_path.iterdir()]
        (tmp_path / "b.jpg").unlink()
        assert not await woken.within(0.5)
        (tmp_path / "c.jpg").write_bytes(b"picture")
        assert await woken.within(20)
    finally:
        await asyncio.to_thread(woken.hints.stop)


async def test_a_steady_trickle_wakes_at_once(tmp_path: Path) -> None:
    """A large file that is copied all the time does not keep the hints about others back."""
    woken = Woken(tmp_path)
    await asyncio.to_thread(woken.hints.start)
    ended = threading.Event()

    def trickle() -> None:
        with (tmp_path / "large.mp4").open("ab", buffering=0) as file:
            while not ended.wait(0.005):
                file.write(b"more")

    writer = threading.Thread(target=trickle)
    writer.start()
    try:
        assert await woken.within(10)
    finally:
        ended.set()
        writer.join()
        await asyncio.to_thread(woken.hints.stop)


async def test_a_storm_loses_nothing(tmp_path: Path) -> None:
    """Windows drops events when many come at once; the scan finds all, each once."""
    watched = Watched(tmp_path, rescan=2.0, together=64)
    async with watched.running():
        await watched.until(lambda: watched.watcher.state.mode == "events")
        for number in range(300):
            watched.put(f"{number}.jpg", b"picture %d" % number)
        await watched.until(lambda: len(watched.taken) == 300, 60)
    assert {1} == set(watched.taken.values())


@pytest.mark.parametrize(
    ("access", "share"),
    [(GENERIC_WRITE, READ | WRITE | DELETE), (GENERIC_READ, 0)],
)
async def test_a_file_that_is_held_open_is_not_yet(tmp_path: Path, access: int, share: int) -> None:
    """While another program holds it, it stays; it is taken once when that lets go, and meanwhile
    others are taken."""
    watched = Watched(tmp_path, rescan=0.5)
    path = watched.put("held.jpg")
    with opened(path, access, share):
        async with watched.running():
            watched.put("other.jpg")
            await watched.until(lambda: watched.taken["other.jpg"] == 1)
            scans = watched.watcher.state.scans
            await watched.until(lambda: watched.watcher.state.scans > scans + 1)
            assert 0 == watched.taken["held.jpg"]
            assert path.exists()
    async with watched.running():
        await watched.until(lambda: watched.taken["held.jpg"] == 1)


async def test_without_events_the_folder_is_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where Windows refuses to watch a folder, that is told, and files are found by listing it."""

    def refuse(hints: Hints) -> None:
        raise StorageProblem("The folder cannot be watched for changes.", code="watch-failed")

    monkeypatch.setattr(Hints, "start", refuse)
    watched = Watched(tmp_path)
    async with watched.running():
        watched.put("a.jpg")
        await watched.until(lambda: watched.taken["a.jpg"] == 1)
        assert "polling" == watched.watcher.state.mode
    assert "polling" in watched.actions()


async def test_a_folder_that_is_renamed_and_made_again(tmp_path: Path) -> None:
    """Its loss is told, and so is its return; what lies in the new one is taken."""
    watched = Watched(tmp_path)
    async with watched.running():
        await watched.until(lambda: watched.watcher.state.mode == "events")
        watched.folder.rename(tmp_path / "renamed")
        await watched.until(lambda: "folder-missing" in watched.actions())
        watched.folder.mkdir()
        watched.put("a.jpg")
        await watched.until(lambda: watched.taken["a.jpg"] == 1)


def test_which_folders_are_shares(tmp_path: Path) -> None:
    """A UNC path is a share, a local disk is none."""
    assert share_type(Path(r"\\server\share\in"))
    assert None is share_type(Path("C:/Windows"))
