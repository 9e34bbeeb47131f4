"""What SQLite and the system say of the journal, as sentences with a remedy."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

from mediawatch.errors import JournalError
from mediawatch.journal import backup

#: Primary result code (sqlite.org/rescode.html) -> what a person does.
_REMEDIES = {
    sqlite3.SQLITE_FULL: "Free some space on its disk; mediawatch goes on by itself.",
    sqlite3.SQLITE_IOERR: (
        "Check the disk (the system log names it) and its free space; mediawatch tries again."
    ),
    sqlite3.SQLITE_BUSY: (
        "Close the program that writes to it, such as a database browser; it then goes on."
    ),
    sqlite3.SQLITE_READONLY: (
        "Give the user that runs mediawatch write access to the data folder and all in it."
    ),
    sqlite3.SQLITE_CANTOPEN: (
        "Check that the data folder is there, and that mediawatch's user may read and write in it."
    ),
}
_OTHER = "Check that the data folder exists, can be written and has free space."
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


def unopened(path: Path, error: BaseException) -> JournalError:
    """``error`` came up when the journal was to be opened; it is closed again. Blocks."""
    if _number(error) in _DAMAGED:
        return damaged(path, reason(error))
    return unusable(path, error, "opened")


def unusable(path: Path, error: BaseException, what: str) -> JournalError:
    """``error`` came up; ``what`` completes "The journal … cannot be"."""
    said = reason(error)
    number = _number(error)
    if number in _DAMAGED:
        return _broken(path, said)
    denied = isinstance(_original(error), PermissionError)
    return JournalError(
        f"The journal {path} cannot be {what}: {said}.",
        code="journal-locked" if number == sqlite3.SQLITE_BUSY else "journal",
        remedy=_REMEDIES.get(sqlite3.SQLITE_READONLY if denied else number, _OTHER),
    )


def damaged(path: Path, how: str) -> JournalError:
    """What lies there is no journal any more; nobody has it open. Blocks: looks for a copy."""
    return JournalError(
        f"The journal {path} is damaged: {how}.",
        code="journal-damaged",
        remedy=backup.how_to_restore(path),
    )


def suspect(path: Path) -> Path:
    """The mark that has the next start check the whole journal, beside it."""
    return path.with_name(f"{path.name}.suspect")


def _broken(path: Path, how: str) -> JournalError:
    # While it is open its files come and go: how to put a copy back is told by the next start.
    with contextlib.suppress(OSError):
        suspect(path).touch()
    return JournalError(
        f"The journal {path} is damaged: {how}.",
        code="journal-damaged",
        remedy="Stop mediawatch and start it again: it checks the whole journal, and tells how to "
        f"put back the newest good copy of {path.parent / backup.FOLDER}.",
    )


def moved(path: Path) -> JournalError:
    """The file that is open is not the one that a start would find."""
    return JournalError(
        f"The journal {path} was moved, deleted or replaced while mediawatch works with it.",
        code="journal-moved",
        remedy=f"Put {path.parent} back as it was; mediawatch then goes on. If that cannot be, "
        "stop mediawatch and start it again: it tells what is missing. Nothing is published "
        "meanwhile.",
    )


def reason(error: BaseException) -> str:
    """What was said, without SQLAlchemy's words around it."""
    original = _original(error)
    return getattr(original, "strerror", None) or str(original) or type(original).__name__


def _original(error: BaseException) -> BaseException:
    original = getattr(error, "orig", None)
    return original if isinstance(original, BaseException) else error


def _number(error: BaseException) -> int:
    return int(getattr(_original(error), "sqlite_errorcode", 0)) & 0xFF
