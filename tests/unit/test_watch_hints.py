"""Hints: they wake, and do nothing else; when they cannot be had, it is said clearly."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from watchdog.observers.api import BaseObserver

from mediawatch.errors import StorageProblem
from mediawatch.watch import hints as hints_module
from mediawatch.watch.hints import Hints

LIMIT = 20.0
ON_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="inotify is Linux's")


class Woken:
    """Counts wake-ups, and can wait for the next one."""

    def __init__(self) -> None:
        self.count = 0
        self._event = asyncio.Event()

    def __call__(self) -> None:
        self.count += 1
        self._event.set()

    async def next(self) -> None:
        """Wait for a wake-up that was not waited for yet."""
        async with asyncio.timeout(LIMIT):
            await self._event.wait()
        self._event.clear()


@asynccontextmanager
async def _watching(folder: Path, woken: Woken) -> AsyncIterator[Hints]:
    hints = Hints([folder], woken, asyncio.get_running_loop())
    await asyncio.to_thread(hints.start)
    try:
        yield hints
    finally:
        await asyncio.to_thread(hints.stop)


async def test_a_new_file_wakes(tmp_path: Path) -> None:
    """Written, moved in or linked in: each is announced."""
    woken, inbox = Woken(), tmp_path / "inbox"
    inbox.mkdir()
    async with _watching(inbox, woken):
        (inbox / "a.jpg").write_bytes(b"x")
        await woken.next()
        (tmp_path / "b.jpg").write_bytes(b"x")
        (tmp_path / "b.jpg").rename(inbox / "b.jpg")
        await woken.next()
        (inbox / "c.jpg").hardlink_to(inbox / "b.jpg")
        await woken.next()


@ON_LINUX
async def test_reading_and_archiving_a_file_are_no_events(tmp_path: Path) -> None:
    """Our own work in the folder must not wake us, nor hold back what comes next for 0.5 s."""
    woken, inbox = Woken(), tmp_path / "inbox"
    inbox.mkdir()
    names = [f"{index}.jpg" for index in range(50)]
    for name in names:
        (inbox / name).write_bytes(b"x")
    async with _watching(inbox, woken) as hints:
        for name in names:
            (inbox / name).read_bytes()
            (inbox / name).rename(tmp_path / name)
        (inbox / "last.jpg").hardlink_to(tmp_path / names[0])  # one event, IN_CREATE
        await woken.next()
        assert 1 == hints.count


@ON_LINUX
def test_the_mask_has_nothing_that_archiving_would_cause() -> None:
    """IN_MOVED_FROM would make watchdog hold every later event back for half a second."""
    from watchdog.observers.inotify_c import InotifyConstants as Inotify

    mask = hints_module.WakeUpEmitter.get_event_mask_from_filter(None)  # type: ignore[arg-type]
    assert (
        Inotify.IN_CLOSE_WRITE
        | Inotify.IN_MOVED_TO
        | Inotify.IN_CREATE
        | Inotify.IN_DELETE_SELF
        | Inotify.IN_ONLYDIR
    ) == mask


async def test_a_link_to_the_folder_is_followed(tmp_path: Path) -> None:
    """watchdog would be silent for ever on a path that is a symbolic link."""
    woken, real = Woken(), tmp_path / "real"
    real.mkdir()
    (tmp_path / "link").symlink_to(real)
    async with _watching(tmp_path / "link", woken):
        (real / "a.jpg").write_bytes(b"x")
        await woken.next()


async def test_many_events_wake_once(tmp_path: Path) -> None:
    """At most one call into the loop is outstanding, however many events there are."""
    woken = Woken()
    hints = Hints([tmp_path], woken, asyncio.get_running_loop())
    for _ in range(1000):
        hints._hint()
    await woken.next()
    assert (1, 1000) == (woken.count, hints.count)
    hints._hint()
    await woken.next()
    assert 2 == woken.count


def test_a_closed_loop_does_not_end_watchdogs_thread(tmp_path: Path) -> None:
    """The handler never raises: an exception would stop all events for good."""
    loop = asyncio.new_event_loop()
    loop.close()
    hints = Hints([tmp_path], lambda: None, loop)
    hints._hint()
    assert 1 == hints.count


async def test_a_removed_folder_is_noticed(tmp_path: Path) -> None:
    """The watch is not alive when its folder is gone, whatever the observer says."""
    woken, inbox = Woken(), tmp_path / "inbox"
    inbox.mkdir()
    async with _watching(inbox, woken) as hints:
        assert hints.alive()
        inbox.rmdir()
        await woken.next()
        assert hints._observer is not None
        assert hints._observer.is_alive()
        for emitter in list(hints._observer.emitters):
            await asyncio.to_thread(emitter.join, LIMIT)
        assert not hints.alive()


@ON_LINUX
async def test_an_overflow_wakes(tmp_path: Path) -> None:
    """watchdog tells only its log that events were dropped; we listen there, and only while on."""
    woken = Woken()
    logger = logging.getLogger("watchdog.observers.inotify_c")
    async with _watching(tmp_path, woken) as hints:
        logger.warning("Inotify queue overflowed; filesystem events were lost")
        await woken.next()
        assert 1 == hints.overflows
    logger.warning("Inotify queue overflowed; filesystem events were lost")
    assert 1 == hints.overflows


@pytest.mark.parametrize(
    ("number", "code", "words"),
    [
        (errno.ENOSPC, "watch-limit", "fs.inotify.max_user_watches"),
        (errno.EMFILE, "watch-limit", "fs.inotify.max_user_instances"),
        (errno.ENOENT, "watch-failed", "No such file"),
    ],
)
async def test_a_watch_that_cannot_be_had_is_explained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, code: str, words: str
) -> None:
    """The message names the limit that is used up, and what to do."""

    def refuse(_self: BaseObserver) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(BaseObserver, "start", refuse)
    hints = Hints([tmp_path], lambda: None, asyncio.get_running_loop())
    with pytest.raises(StorageProblem) as caught:
        await asyncio.to_thread(hints.start)
    assert code == caught.value.code
    assert words in caught.value.message
    assert caught.value.remedy
    assert not hints.alive()


async def test_a_stop_during_the_start_stops_it(tmp_path: Path) -> None:
    """A start that comes to its end after the stop leaves nothing running."""
    hints = Hints([tmp_path], lambda: None, asyncio.get_running_loop())
    hints.stop()
    await asyncio.to_thread(hints.start)
    assert not hints.alive()
