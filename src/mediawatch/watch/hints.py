"""Change events as a wake-up, and as nothing else: every event source loses some.

watchdog's threads only raise a flag; a scan of the folder finds the files. All of start and stop
block: run them in a thread, never on the loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import os
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers.api import BaseObserver

from mediawatch.errors import StorageProblem

_LIMITS = {
    errno.ENOSPC: "fs.inotify.max_user_watches",
    errno.EMFILE: "fs.inotify.max_user_instances",
}
_OVERFLOW_LOGGER = "watchdog.observers.inotify_c"
#: Seconds after a read before the next one: a storm is read in pieces, and not event by event.
_GATHER = 0.005

if sys.platform == "linux":
    from watchdog.observers.inotify import InotifyEmitter
    from watchdog.observers.inotify_c import InotifyConstants, InotifyEvent, InotifyFD, Mask

    class _Gatherer(InotifyFD):
        """Reads what the kernel has gathered, and passes on one event of each kind.

        watchdog spends 40 microseconds on an event, and all that is wanted of it is that there was
        one.
        """

        def read_events(self, **how: Any) -> list[InotifyEvent]:
            events = {(event.wd, event.mask): event for event in super().read_events(**how)}
            time.sleep(_GATHER)
            return list(events.values())

    class WakeUpEmitter(InotifyEmitter):
        """Asks the kernel only for what can bring a file.

        Without IN_MOVED_FROM a file that we archive is no event (watchdog would hold every later
        one back for 0.5 s to wait for its partner), and without IN_OPEN neither is our reading.
        """

        def get_event_mask_from_filter(self) -> Mask:
            """The mask for inotify_add_watch."""
            return Mask(
                InotifyConstants.IN_CLOSE_WRITE
                | InotifyConstants.IN_MOVED_TO
                | InotifyConstants.IN_CREATE
                | InotifyConstants.IN_DELETE_SELF
                | InotifyConstants.IN_ONLYDIR
            )

        def queue_event(self, event: FileSystemEvent) -> None:
            """One event that waits is enough: it will wake the scan after this one happened."""
            if self._event_queue.empty():
                super().queue_event(event)

    class _InotifyObserver(BaseObserver):
        def __init__(self) -> None:
            self._inotify_fd = _Gatherer()
            self._inotify_fd.start()
            super().__init__(WakeUpEmitter, timeout=1.0, inotify_fd=self._inotify_fd)

        def on_thread_stop(self) -> None:
            super().on_thread_stop()
            self._inotify_fd.stop()
            self._inotify_fd.join()

    def _new_observer() -> BaseObserver:
        return _InotifyObserver()

    def _watched(folder: Path) -> str:
        return os.path.realpath(folder)

elif sys.platform == "win32":
    from watchdog.events import DirModifiedEvent
    from watchdog.observers import winapi
    from watchdog.observers.api import EventEmitter

    # watchdog also asks for accesses and attributes: our own reading would wake us, for ever.
    winapi.WATCHDOG_FILE_NOTIFY_FLAGS = (
        winapi.FILE_NOTIFY_CHANGE_FILE_NAME
        | winapi.FILE_NOTIFY_CHANGE_DIR_NAME
        | winapi.FILE_NOTIFY_CHANGE_SIZE
        | winapi.FILE_NOTIFY_CHANGE_LAST_WRITE
    )

    class _WakeUpEmitter(EventEmitter):
        """Passes on that something may have come, once, however many events tell of it."""

        def __init__(self, *given: Any, **how: Any) -> None:
            super().__init__(*given, **how)
            self._reader = winapi.DirectoryChangeReader(self.watch.path, recursive=False)

        def on_thread_start(self) -> None:
            """Ask Windows, from a thread of the reader's own."""
            self._reader.start()

        def on_thread_stop(self) -> None:
            """Have Windows stop."""
            self._reader.stop()

        def queue_events(self, timeout: float) -> None:
            """Look every so many seconds for events. A file that goes is none: it is mostly we who
            take it."""
            # Were it left to watchdog to wait, a steady trickle of events would deliver nothing.
            self.stopped_event.wait(timeout)
            events = self._reader.get_events(0)
            came = any(not event.is_removed and not event.is_renamed_old for event in events)
            if came and self._event_queue.empty():
                self.queue_event(DirModifiedEvent(self.watch.path))
            if any(event.is_removed_self for event in events):
                self.stop()  # the folder is gone, and its handle with it

    def _new_observer() -> BaseObserver:
        return BaseObserver(_WakeUpEmitter, timeout=0.05)

    def _watched(folder: Path) -> str:
        return str(folder)

else:
    from watchdog.observers import Observer

    def _new_observer() -> BaseObserver:
        return Observer()

    def _watched(folder: Path) -> str:
        return os.path.realpath(folder)


class _WakeUp(FileSystemEventHandler):
    def __init__(self, hint: Callable[[], None]) -> None:
        self._hint = hint

    def dispatch(self, event: FileSystemEvent) -> None:
        """Called in watchdog's thread for every event; must not raise, or the thread ends."""
        self._hint()


class _OverflowCounter(logging.Handler):
    def __init__(self, overflowed: Callable[[], None]) -> None:
        super().__init__(logging.WARNING)
        self._overflowed = overflowed

    def emit(self, record: logging.LogRecord) -> None:
        """watchdog says in its log, and nowhere else, that the kernel dropped events."""
        if "overflow" in record.getMessage():
            self._overflowed()


class Hints:
    """Calls ``wake`` in the loop when something may have come into one of the folders.

    However many events there are, at most one call is outstanding. Made for one use: start,
    stop, throw away.
    """

    def __init__(
        self, folders: Iterable[Path], wake: Callable[[], None], loop: asyncio.AbstractEventLoop
    ) -> None:
        self._folders, self._wake, self._loop = tuple(folders), wake, loop
        self._observer: BaseObserver | None = None
        self._outstanding = False
        self._overflow_counter = _OverflowCounter(self._overflowed)
        self._stopped = False
        self.count = 0
        self.overflows = 0

    def start(self) -> None:
        """Watch the folders, each without those in it. Blocks. Raises StorageProblem that names the
        limit that is used up, or what else stands in the way."""
        observer: BaseObserver | None = None
        try:
            observer = _new_observer()
            for folder in self._folders:
                observer.schedule(_WakeUp(self._hint), _watched(folder))
            observer.start()
        except Exception as error:
            if observer is not None:
                observer.stop()
            raise _explained(error) from error
        logging.getLogger(_OVERFLOW_LOGGER).addHandler(self._overflow_counter)
        self._observer = observer
        if self._stopped:  # meanwhile, in another thread
            self.stop()

    def stop(self) -> None:
        """Stop watching. Blocks for some milliseconds; safe to call twice."""
        self._stopped = True
        logging.getLogger(_OVERFLOW_LOGGER).removeHandler(self._overflow_counter)
        observer, self._observer = self._observer, None
        if observer is not None:
            observer.stop()
            observer.join(5.0)

    def alive(self) -> bool:
        """Whether every thread of the watch still runs; watchdog's own word covers only one."""
        observer = self._observer
        return (
            observer is not None
            and observer.is_alive()
            and bool(observer.emitters)
            and all(emitter.is_alive() for emitter in observer.emitters)
        )

    def _hint(self) -> None:
        self.count += 1
        if self._outstanding:
            return
        self._outstanding = True
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody is left to wake
            self._loop.call_soon_threadsafe(self._deliver)

    def _deliver(self) -> None:
        self._outstanding = False
        self._wake()

    def _overflowed(self) -> None:
        self.overflows += 1
        self._hint()


def _explained(error: Exception) -> StorageProblem:
    number = error.errno if isinstance(error, OSError) else None
    limit = _LIMITS.get(number or 0)
    if limit is not None:
        return StorageProblem(
            f"The system's limit of watched folders is used up ({limit}).",
            code="watch-limit",
            remedy=f"Raise it, for example with: sysctl {limit}=524288. Until then the folder is "
            "listed every few seconds instead; nothing is lost.",
        )
    reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
    return StorageProblem(
        f"The folder cannot be watched for changes: {reason}.",
        code="watch-failed",
        remedy="It is listed every few seconds instead; nothing is lost.",
    )
