"""The journal's files: whether they are there to be opened, and whether they still are."""

from __future__ import annotations

from pathlib import Path

from mediawatch.errors import JournalError
from mediawatch.journal import backup, trouble

_MAGIC = b"SQLite format 3\0"


def require_journal(path: Path) -> bool:
    """Nothing hinders opening ``path``, or making it if mediawatch never worked here.

    True if it has to be checked: it was left open, by a kill, or was found broken. Raises
    JournalError when something lies there that is no journal, or when it is gone; OSError.
    """
    log = path.with_name(f"{path.name}-wal")
    if path.is_dir():
        raise trouble.damaged(path, "a folder lies in its place")
    if not path.exists():
        if log.exists() or backup.newest_good(path) is not None:
            raise JournalError(
                f"The journal {path} is missing, though mediawatch has worked here.",
                code="journal-missing",
                remedy=f"{backup.how_to_restore(path)} To start anew instead, without what it "
                f"knew, move all that is named journal… and {backup.FOLDER} away from "
                f"{path.parent}.",
            )
        return False
    with path.open("rb") as file:
        head = file.read(len(_MAGIC))
    if not head:
        raise trouble.damaged(path, "it is empty")
    if head != _MAGIC:
        raise trouble.damaged(path, "it does not begin as one does")
    return trouble.suspect(path).exists() or (log.exists() and log.stat().st_size > 0)


class OpenFiles:
    """Which files a connection has open. A file that is deleted can be written to for ever; the
    next start finds nothing of it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._log = path.with_name(f"{path.name}-wal")
        self._opened = self._now()

    def in_place(self) -> bool:
        """Both are where they were opened. Two look-ups in the folder."""
        return self._now() == self._opened

    def only_log_is_gone(self) -> bool:
        """The journal is where it was; its write-ahead log is not."""
        return self._now()[0] == self._opened[0] and not self.in_place()

    def _now(self) -> tuple[tuple[int, int] | None, ...]:
        return _identity(self._path), _identity(self._log)


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
