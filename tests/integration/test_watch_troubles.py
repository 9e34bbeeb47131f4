"""What machines do to a watched folder, each case as it was met in the wild: nothing is lost,
nothing is taken twice, nothing outside the folder is reached."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from mediawatch.clock import SystemClock
from mediawatch.watch.candidates import FolderState
from mediawatch.watch.hints import _WakeUp
from mediawatch.watch.settle import SETTLING, SettleRule
from mediawatch.watch.watcher import Limits
from tests.support.watching import Watched

ON_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="inotify")

# Frozen, and overflowing.

_WATCHES = """
import asyncio, json, sys
from pathlib import Path
from tests.support.watching import Watched

async def main(root, count):
    watched = Watched(root, together=64)
    async with watched.running():
        await watched.until(lambda: watched.watcher.state.mode == "events")
        print("watching", flush=True)
        await watched.until(lambda: len(watched.taken) == count, 90)
        state = watched.watcher.state
    print(json.dumps({"overflows": state.overflows, "times": sorted(set(watched.taken.values()))}))

asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
"""


@ON_LINUX
async def test_a_frozen_process_loses_nothing(tmp_path: Path) -> None:
    """While the process is stopped, more files come than the kernel keeps events for
    (IN_Q_OVERFLOW): the scan finds them all, each is taken once, and the overflow is counted."""
    limit = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text(encoding="ascii"))
    if limit > 20_000:
        pytest.skip(f"the kernel keeps {limit} events here")
    count = limit // 2 + 1000  # each brings two: made, and closed
    command = [sys.executable, "-c", _WATCHES, str(tmp_path), str(count)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        try:
            assert child.stdout is not None
            assert "watching\n" == await asyncio.to_thread(child.stdout.readline)
            child.send_signal(signal.SIGSTOP)
            await asyncio.to_thread(_drop, tmp_path / "inbox", count)
            child.send_signal(signal.SIGCONT)
            told = await asyncio.to_thread(child.stdout.read)
        finally:
            child.kill()
    found = json.loads(told)
    assert [1] == found["times"]
    assert found["overflows"] >= 1


def _drop(folder: Path, count: int) -> None:
    for index in range(count):
        (folder / f"{index:05}.jpg").write_bytes(b"x")


# The watch itself.


@ON_LINUX
async def test_a_dead_emitter_is_replaced(tmp_path: Path) -> None:
    """watchdog's emitter thread ends while its observer calls itself alive: armed again."""
    watched = Watched(tmp_path)
    async with watched.running():
        await watched.until(lambda: watched.watcher.state.mode == "events")
        hints = watched.watcher._guard._hints
        assert hints is not None
        assert hints._observer is not None
        for emitter in list(hints._observer.emitters):
            emitter.stop()
            await asyncio.to_thread(emitter.join, 5.0)
        assert hints._observer.is_alive()
        await watched.until(lambda: watched.actions().count("watching") == 2)
        watched.put("after.jpg")
        await watched.until(lambda: "after.jpg" in watched.taken)


@ON_LINUX
async def test_a_handler_that_raises_is_survived(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """watchdog's dispatcher thread dies of an exception, and nobody is told: files are found by
    the scan, and the watch is armed again."""
    watched = Watched(tmp_path)
    async with watched.running():
        await watched.until(lambda: watched.watcher.state.mode == "events")
        died = asyncio.Event()
        loop = asyncio.get_running_loop()
        monkeypatch.setattr("threading.excepthook", lambda _: loop.call_soon_threadsafe(died.set))
        with monkeypatch.context() as broken:
            broken.setattr(_WakeUp, "dispatch", _raise)
            watched.put("first.jpg")
            await asyncio.wait_for(died.wait(), 10)
        await watched.until(lambda: "first.jpg" in watched.taken)
        await watched.until(lambda: watched.actions().count("watching") == 2)
        hinted = watched.watcher.state.hints
        watched.put("second.jpg")
        await watched.until(lambda: watched.watcher.state.hints > hinted)


def _raise(_self: _WakeUp, _event: object) -> None:
    raise RuntimeError("a mistake in a handler")


async def test_the_folder_may_be_a_link(tmp_path: Path) -> None:
    """The folder in the settings is a link to the real one; led elsewhere, the watch follows."""
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    second.mkdir()
    (tmp_path / "inbox").symlink_to(first)
    watched = Watched(tmp_path)
    async with watched.running():
        await watched.until(lambda: watched.watcher.state.mode == "events")
        (first / "a.jpg").write_bytes(b"x")
        await watched.until(lambda: "a.jpg" in watched.taken)
        (tmp_path / "other").symlink_to(second)
        (tmp_path / "other").rename(tmp_path / "inbox")
        (second / "b.jpg").write_bytes(b"x")
        await watched.until(lambda: "b.jpg" in watched.taken)
        (first / "ghost.jpg").write_bytes(b"x")
        (second / "c.jpg").write_bytes(b"x")
        await watched.until(lambda: "c.jpg" in watched.taken)
    assert "ghost.jpg" not in watched.taken


async def test_a_folder_that_becomes_a_link_is_not_followed(tmp_path: Path) -> None:
    """Somebody has the inbox lead to files of others: none of them is taken, it is told, and
    what comes when the folder is back is taken."""
    watched = Watched(tmp_path, limits=Limits(health=0.05, poll=0.05))
    others = tmp_path / "others"
    others.mkdir()
    (others / "private.jpg").write_bytes(b"x")
    async with watched.running():
        watched.put("a.jpg")
        await watched.until(lambda: "a.jpg" in watched.taken)
        watched.folder.rename(tmp_path / "away")
        watched.folder.symlink_to(others)
        await watched.until(lambda: watched.watcher.state.folder is FolderState.LED_AWAY)
        scans = watched.watcher.state.scans
        watched.folder.unlink()
        (tmp_path / "away").rename(watched.folder)
        await watched.until(lambda: watched.watcher.state.scans > scans)
        watched.put("b.jpg")
        await watched.until(lambda: "b.jpg" in watched.taken)
    assert {"a.jpg", "b.jpg"} == set(watched.taken)
    assert ["folder-led-away", "folder-ok"] == [
        action for action in watched.actions() if action.startswith("folder-")
    ]


# Clocks.


class JumpingClock(SystemClock):
    """The machine's clocks, moved by so many seconds."""

    wall = 0.0
    steady = 0.0

    def now(self) -> float:
        return super().now() + self.wall

    def monotonic(self) -> float:
        return super().monotonic() + self.steady


@pytest.mark.parametrize("jump", [86_400.0, -86_400.0, -2e9])
async def test_a_clock_that_is_set_changes_nothing(tmp_path: Path, jump: float) -> None:
    """The date jumps while a file settles: it is taken once, when it has stood still."""
    clock = JumpingClock()
    watched = Watched(tmp_path, settle=0.4, clock=clock)
    async with watched.running():
        watched.put("a.jpg")
        await watched.until(lambda: "a.jpg" in watched.watcher.state.settling)
        clock.wall = jump
        began = clock.monotonic()
        watched.put("b.jpg")
        await watched.until(lambda: len(watched.taken) == 2)
        assert clock.monotonic() - began >= 0.4
    assert {1} == set(watched.taken.values())


@ON_LINUX
async def test_a_sleep_of_the_machine_makes_no_half_file_whole(tmp_path: Path) -> None:
    """An hour passes at once, as it may after a suspend: what is being written is still not
    taken, and what stood still is."""
    clock = JumpingClock()
    watched = Watched(tmp_path, settle=30.0, rule=SettleRule(30.0, hold_max=1e9), clock=clock)
    with (tmp_path / "inbox" / "open.jpg").open("wb", 0) as growing:
        growing.write(b"half")
        async with watched.running():
            watched.put("still.jpg")
            await watched.until(lambda: len(watched.watcher.state.settling) == 2)
            await watched.until(
                lambda: all(e.key for e in watched.watcher._tracker.settling.values())
            )
            clock.steady = 3600.0
            watched.put("wake.jpg")  # an event, as there are many after a suspend
            await watched.until(lambda: "still.jpg" in watched.taken)
            assert "open.jpg" not in watched.taken


# What may lie in a folder.


async def test_what_is_no_file_is_left_and_named(tmp_path: Path) -> None:
    """A socket, a folder behind a link, a link to a device: left, each with its reason."""
    watched = Watched(tmp_path)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(watched.folder / "socket.jpg"))
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.jpg").write_bytes(b"x")
    (watched.folder / "album").symlink_to(outside)
    (watched.folder / "device.jpg").symlink_to("/dev/null")
    with listener:
        async with watched.running():
            await watched.until(lambda: len(watched.watcher.state.ignored) == 3)
            assert {
                "socket.jpg": "it is a socket, not a file",
                "album": "it is a symbolic link",
                "device.jpg": "it is a symbolic link",
            } == dict(watched.watcher.state.ignored)
            watched.put("good.jpg")
            await watched.until(lambda: "good.jpg" in watched.taken)
    assert ["good.jpg"] == [candidate.name for candidate in watched.offered]


@pytest.mark.skipif(sys.platform == "win32", reason="devices")
async def test_a_device_is_left(tmp_path: Path) -> None:
    """A device file is neither opened nor taken: reading one may do things."""
    watched = Watched(tmp_path)
    try:
        os.mknod(watched.folder / "null.jpg", 0o20666, os.makedev(1, 3))
    except PermissionError as error:
        if os.environ.get("MEDIAWATCH_REQUIRE_ALL") == "1":
            raise
        pytest.skip(f"devices cannot be made here: {error}")
    async with watched.running():
        await watched.until(lambda: "null.jpg" in watched.watcher.state.ignored)
        assert "it is a device, not a file" == watched.watcher.state.ignored["null.jpg"]
    assert [] == watched.offered


@ON_LINUX
async def test_a_hard_link_is_the_file(tmp_path: Path) -> None:
    """A second name of a file outside is that file: taken when nobody writes to it, under either
    name; the name outside stays."""
    watched = Watched(tmp_path)
    outside = tmp_path / "outside.jpg"
    with outside.open("wb", 0) as writing:
        writing.write(b"half")
        (watched.folder / "a.jpg").hardlink_to(outside)
        async with watched.running():
            await watched.until(lambda: "a.jpg" in watched.watcher.state.settling)
            await watched.until(lambda: watched.watcher.state.settling["a.jpg"].reason != SETTLING)
            assert not watched.taken
            writing.write(b" whole")
            writing.close()
            await watched.until(lambda: "a.jpg" in watched.taken)
    assert b"half whole" == outside.read_bytes()


# Many together.


@pytest.mark.parametrize("mode", ["auto", "poll"])
async def test_a_storm_is_taken_in_groups(tmp_path: Path, mode: str) -> None:
    """What has settled together is offered together, within bounds, and each file once."""
    watched = Watched(tmp_path, mode=mode, together=1000, limits=Limits(track_max=1000, poll=0.2))
    async with watched.running():
        await asyncio.to_thread(_drop, watched.folder, 3000)
        await watched.until(lambda: len(watched.taken) == 3000)
    assert {1} == set(watched.taken.values())
    assert 1 < max(watched.batches) <= 128


async def test_large_files_are_not_kept_waiting_for_each_other(tmp_path: Path) -> None:
    """The bytes of a group are bounded too, so that the first file is on its way soon."""
    watched = Watched(tmp_path, together=1000)
    for index in range(6):
        with (watched.folder / f"{index}.jpg").open("wb") as file:
            file.truncate(10 << 20)
    async with watched.running():
        await watched.until(lambda: len(watched.taken) == 6)
    assert 2 == max(watched.batches)
