"""One daemon a data folder, and one an inbox. The locks die with their process."""

from __future__ import annotations

import contextlib
import errno
import json
import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Self

from filelock import FileLock, Timeout

from mediawatch import crash
from mediawatch.clock import iso
from mediawatch.errors import AlreadyRunning, StorageProblem, from_os_error
from mediawatch.journal.belonging import give_to_owner_of
from mediawatch.journal.hiding import hide

#: Our own folder in the inbox.
HIDDEN = ".mediawatch"
#: Beside each lock: who holds it, for people and for our own commands.
CARD = "daemon.json"
#: The locks: of a data folder, and in our folder of an inbox.
DATA_LOCK, INBOX_LOCK = "daemon.lock", "lock"
_NO_LOCKS = {errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP}


@dataclass(frozen=True, slots=True)
class Owner:
    """Who works on a data folder and its inboxes. ``url``: where its API listens, empty if it has
    none.

    ``since`` is in seconds since the epoch, ``folder`` the first inbox.
    """

    pid: int
    since: float
    folder: str
    url: str = ""

    def __str__(self) -> str:
        """For people: process, since when, and where to reach it."""
        told = f"process {self.pid}, since {iso(self.since)}"
        return f"{told}, {self.url}" if self.url else told


class Ownership:
    """A context manager: this process owns the data folder and the inboxes, or AlreadyRunning.

    What root makes meanwhile in the data folder of somebody else, and in our folder of an inbox,
    is theirs at the end; locks and cards are from the beginning.
    """

    def __init__(self, data_dir: Path, *inboxes: Path, now: float) -> None:
        self._data_dir = data_dir
        self._inboxes = inboxes
        self._owner = Owner(os.getpid(), now, str(inboxes[0]))
        self._lock_of_data: FileLock | None = None
        #: By inbox: its lock, and which file that is.
        self._locks: dict[Path, FileLock] = {}
        self._locked: dict[Path, tuple[int, int] | None] = {}

    def __enter__(self) -> Self:
        try:
            self._data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise from_os_error(error, f"make the data folder {self._data_dir}") from error
        self._lock_of_data = self._lock(self._data_dir / DATA_LOCK, "data folder", self._data_dir)
        try:
            for inbox in self._inboxes:
                if os.path.isdir(inbox):  # noqa: PTH112 - "no" for what may not be looked at
                    self._lock_inbox(inbox)
        except BaseException:
            self._release()
            raise
        crash.at("owner.locked")
        self.announce("")
        return self

    def _lock_inbox(self, inbox: Path) -> None:
        hidden = inbox / HIDDEN
        if hidden.is_symlink():
            raise StorageProblem(
                f"{hidden} is a link, and would lead out of the inbox.",
                code="work-folder-link",
                remedy="Remove the link; mediawatch makes a folder of its own there.",
            )
        try:
            hidden.mkdir(exist_ok=True)
            hide(hidden)
            give_to_owner_of(self._data_dir, hidden)
        except OSError:
            return  # a folder that cannot be written to is told by the watcher, with its remedy
        self._locks[inbox] = self._lock(hidden / INBOX_LOCK, "inbox", inbox)
        self._locked[inbox] = _identity(inbox)
        with contextlib.suppress(StorageProblem):  # only for whoever is refused here
            self._lay_card(hidden)

    def require_inbox(self, inbox: Path | None = None) -> None:
        """The inbox (the first, if none is named) may have been made anew since: own the one that
        is there now.

        Raises AlreadyRunning if somebody else does. Blocks for a second at the most.
        """
        inbox = self._inboxes[0] if inbox is None else inbox
        if _identity(inbox) != self._locked.get(inbox):
            if lock := self._locks.pop(inbox, None):
                lock.release()
            self._lock_inbox(inbox)

    def announce(self, url: str) -> None:
        """Tell other processes of this machine where the API listens."""
        self._owner = replace(self._owner, url=url)
        self._lay_card(self._data_dir)
        for inbox in self._locks:
            with contextlib.suppress(StorageProblem):
                self._lay_card(inbox / HIDDEN)

    def _lay_card(self, folder: Path) -> None:
        target = folder / CARD
        part = target.with_suffix(".part")
        try:
            part.write_text(json.dumps(asdict(self._owner)), encoding="utf-8")
            give_to_owner_of(self._data_dir, part)
            crash.at("owner.written")
            part.replace(target)
            crash.at("owner.announced")
        except OSError as error:
            raise from_os_error(error, f"write {target}") from error

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # The inbox's card stays: its disk may hang by now, and a card counts only with a lock.
        with contextlib.suppress(OSError):
            (self._data_dir / CARD).unlink()
            crash.at("owner.left")
        with contextlib.suppress(OSError):
            give_to_owner_of(self._data_dir, self._data_dir)
            for inbox in self._locks:
                give_to_owner_of(self._data_dir, inbox / HIDDEN)
        self._release()

    def _lock(self, path: Path, what: str, folder: Path) -> FileLock:
        lock = _file_lock(path)
        try:
            # Another process that only looks whether we run holds it for a moment.
            lock.acquire(timeout=1)
            give_to_owner_of(self._data_dir, path)
        except Timeout:
            owner = _read_card(path.parent)
            who = f" ({owner})" if owner else ""
            raise AlreadyRunning(
                f"mediawatch works on the {what} {folder} already{who}.",
                remedy="Stop it first, or give this one a data_dir and an inbox of its own.",
            ) from None
        except OSError as error:
            if error.errno in _NO_LOCKS:
                # Without a lock a second daemon would not be noticed, and post everything twice.
                raise StorageProblem(
                    f"The file system of the {what} {folder} knows no locks.",
                    code="no-locks",
                    remedy="Use a folder on a disk of this machine, or mount the share with locks.",
                ) from error
            raise from_os_error(error, f"lock the {what} {folder}") from error
        return lock

    def _release(self) -> None:
        while self._locks:
            self._locks.popitem()[1].release()
        if self._lock_of_data is not None:
            self._lock_of_data.release()
            self._lock_of_data = None


def _identity(inbox: Path) -> tuple[int, int] | None:
    """Which lock lies in the inbox now."""
    try:
        found = (inbox / HIDDEN / INBOX_LOCK).stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def running(data_dir: Path) -> Owner | None:
    """The daemon that owns the data folder now, or None if none does."""
    lock = _file_lock(data_dir / DATA_LOCK)
    if not Path(lock.lock_file).exists():
        return None
    with contextlib.suppress(Timeout, OSError):
        lock.acquire(timeout=0)
        lock.release()
        return None
    return _read_card(data_dir)


def _file_lock(path: Path) -> FileLock:
    # A file that only says "locked" outlives its process: no stand-in for a lock.
    return FileLock(path, mode=0o600, fallback_to_soft=False)


def _read_card(folder: Path) -> Owner | None:
    try:
        card = json.loads((folder / CARD).read_text(encoding="utf-8"))
        since = float(card["since"])
        iso(since)  # a time that can be told
        return Owner(int(card["pid"]), since, str(card["folder"]), str(card["url"]))
    except (OSError, ValueError, TypeError, LookupError, OverflowError, RecursionError):
        return None
