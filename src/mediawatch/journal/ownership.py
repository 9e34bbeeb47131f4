"""One daemon a data folder, and one an inbox. The lock dies with its process."""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from filelock import FileLock, Timeout

from mediawatch.errors import AlreadyRunning, from_os_error


@dataclass(frozen=True, slots=True)
class Owner:
    """Who works on a data folder. ``url``: where its API listens, empty if it has none.

    ``since`` is in seconds since the epoch, ``folder`` the inbox.
    """

    pid: int
    since: float
    folder: str
    url: str = ""


class Ownership:
    """A context manager: this process owns the data folder and the inbox, or AlreadyRunning."""

    def __init__(self, data_dir: Path, inbox: Path, *, now: float) -> None:
        self._data_dir = data_dir
        self._inbox = inbox
        self._owner = Owner(os.getpid(), now, str(inbox))
        self._locks: list[FileLock] = []
        self._locked_inbox: tuple[int, int] | None = None

    def __enter__(self) -> Self:
        try:
            self._data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise from_os_error(error, f"make the data folder {self._data_dir}") from error
        self._lock(self._data_dir / "daemon.lock", "data folder", self._data_dir)
        try:
            if os.path.isdir(self._inbox):  # noqa: PTH112 - "no" for what may not be looked at
                self._lock_inbox()
        except BaseException:
            self._release()
            raise
        self.announce("")
        return self

    def _lock_inbox(self) -> None:
        hidden = self._inbox / ".mediawatch"
        try:
            hidden.mkdir(exist_ok=True)
        except OSError:
            return  # a folder that cannot be written to is told by the watcher, with its remedy
        self._lock(hidden / "lock", "inbox", self._inbox)
        self._locked_inbox = self._identity()

    def require_inbox(self) -> None:
        """The inbox may have been made anew since: own the one that is there now.

        Raises AlreadyRunning if somebody else does. Blocks for a second at the most.
        """
        if self._identity() != self._locked_inbox:
            for lock in self._locks[1:]:
                lock.release()
            del self._locks[1:]
            self._lock_inbox()

    def _identity(self) -> tuple[int, int] | None:
        try:
            found = (self._inbox / ".mediawatch" / "lock").stat()
        except OSError:
            return None
        return found.st_dev, found.st_ino

    def announce(self, url: str) -> None:
        """Tell other processes of this machine where the API listens."""
        self._owner = Owner(self._owner.pid, self._owner.since, self._owner.folder, url)
        target = _card(self._data_dir)
        part = target.with_suffix(".part")
        part.write_text(json.dumps(asdict(self._owner)), encoding="utf-8")
        part.replace(target)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        _card(self._data_dir).unlink(missing_ok=True)
        self._release()

    def _lock(self, path: Path, what: str, folder: Path) -> None:
        lock = FileLock(path, mode=0o600)
        try:
            # Another process that only looks whether we run holds it for a moment.
            lock.acquire(timeout=1)
        except Timeout:
            owner = running(self._data_dir)
            who = f" (process {owner.pid})" if owner else ""
            raise AlreadyRunning(
                f"mediawatch works on the {what} {folder} already{who}.",
                remedy="Stop it first, or give this one a data_dir and an inbox of its own.",
            ) from None
        except OSError as error:
            raise from_os_error(error, f"lock the {what} {folder}") from error
        self._locks.append(lock)

    def _release(self) -> None:
        while self._locks:
            self._locks.pop().release()


def running(data_dir: Path) -> Owner | None:
    """The daemon that owns the data folder now, or None if none does."""
    lock = FileLock(data_dir / "daemon.lock", mode=0o600)
    if not Path(lock.lock_file).exists():
        return None
    with contextlib.suppress(Timeout, OSError):
        lock.acquire(timeout=0)
        lock.release()
        return None
    try:
        return Owner(**json.loads(_card(data_dir).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def _card(data_dir: Path) -> Path:
    return data_dir / "daemon.json"
