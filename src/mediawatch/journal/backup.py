"""Copies of the journal: made daily while it is in use, each checked, and named when it is lost.

A copy is one consistent state, taken by SQLite's online backup as a reader takes it: who writes
meanwhile is not held up. It is written aside, flushed and renamed, so that a copy is whole or is
not there.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import sqlite3
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from mediawatch import crash
from mediawatch.clock import iso
from mediawatch.errors import JournalError, from_os_error

#: Folder of the copies, beside the journal.
FOLDER = "backups"
#: Seconds between two copies, and how many are kept.
EVERY = 86_400.0
KEEP = 7
#: Seconds that a check may take; what has not shown until then is taken for good.
CHECK_LIMIT = 30.0

_STAMP = "journal-%Y%m%dT%H%M%SZ.db"
_STEPS = 100_000  # of SQLite's machine, between two looks at the time


@dataclass(frozen=True, slots=True)
class Backup:
    """One copy. ``made``: seconds since the epoch."""

    path: Path
    made: float


def found(journal: Path) -> list[Backup]:
    """The daily copies of this journal, newest first."""
    copies = []
    for path in (journal.parent / FOLDER).glob("journal-*.db"):
        with contextlib.suppress(ValueError):
            made = datetime.strptime(path.name, _STAMP).replace(tzinfo=UTC)
            copies.append(Backup(path, made.timestamp()))
    return sorted(copies, key=lambda copy: copy.made, reverse=True)


def newest_good(journal: Path) -> Backup | None:
    """The newest copy that is whole, a daily one or one made before an update."""
    copies = found(journal)
    for path in journal.parent.glob(f"{journal.name}.before-????"):
        with contextlib.suppress(OSError):
            copies.append(Backup(path, path.stat().st_mtime))
    copies.sort(key=lambda copy: copy.made, reverse=True)
    return next((copy for copy in copies if _is_whole(copy.path)), None)


def make_if_due(journal: Path, now: float) -> Backup | None:
    """Copy the journal if the last copy is older than a day, and drop the oldest copies.

    Raises JournalError if it cannot be copied, or turns out to be damaged: then no older copy
    is dropped.
    """
    # A copy of tomorrow was made while the clock was wrong: it must not stand for today's.
    if any(0 <= now - copy.made < EVERY for copy in found(journal)):
        return None
    target = journal.parent / FOLDER / datetime.fromtimestamp(now, UTC).strftime(_STAMP)
    try:
        target.parent.mkdir(mode=0o700, exist_ok=True)
        for part in target.parent.glob("*.part*"):
            part.unlink()
            crash.at("backup.part-removed")
        with contextlib.closing(_reader(journal)) as source:
            write_copy(source, target)
        for old in found(journal)[KEEP:]:
            old.path.unlink()
            crash.at("backup.dropped")
    except sqlite3.Error as error:
        raise JournalError(
            f"The journal {journal} could not be copied to {target.parent}: {error}.",
            remedy="Check that its disk has free space; the copy is tried again in an hour.",
        ) from error
    except OSError as error:
        problem = from_os_error(error, f"copy the journal to {target.parent}")
        raise JournalError(problem.message, remedy=problem.remedy) from error
    return Backup(target, now)


def write_copy(source: sqlite3.Connection, target: Path) -> None:
    """Copy all that is committed to ``target``, whole or not at all.

    Raises sqlite3.DatabaseError if the copy does not pass the check, and OSError.
    """
    part = target.with_name(f"{target.name}.part")
    part.unlink(missing_ok=True)
    try:
        with contextlib.closing(sqlite3.connect(part)) as copy:
            source.backup(copy)
            copy.execute("PRAGMA journal_mode=DELETE")  # one file, with nothing beside it
            _require_whole(copy)
        flush(part)
        crash.at("backup.written")
        part.replace(target)
        crash.at("backup.placed")
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    if sys.platform != "win32":
        flush(target.parent)


def _require_whole(connection: sqlite3.Connection) -> None:
    verdict = complaint(connection)
    if verdict is not None:
        raise sqlite3.DatabaseError(verdict)


def complaint(connection: sqlite3.Connection, limit: float = CHECK_LIMIT) -> str | None:
    """What SQLite finds wrong with the file, None if nothing shows within ``limit`` seconds."""
    end = time.monotonic() + limit
    connection.set_progress_handler(lambda: int(time.monotonic() > end), _STEPS)
    try:
        said = [str(row[0]) for row in connection.execute("PRAGMA quick_check(1)")]
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT:
            return None
        raise
    except sqlite3.DatabaseError as error:
        return str(error)
    finally:
        connection.set_progress_handler(None, 0)
    return None if said == ["ok"] else said[0].splitlines()[-1]


def how_to_restore(journal: Path) -> str:
    """What a person does when the journal is lost: words, and one command line to copy.

    Blocks: looks for the newest copy that is whole.
    """
    good = newest_good(journal)
    aside = journal.with_name(time.strftime("damaged-%Y%m%dT%H%M%SZ", time.gmtime()))
    beside = [journal.with_name(f"{journal.name}{end}") for end in ("", "-wal", "-shm")]
    lying = [path for path in beside if os.path.lexists(path)]
    commands = _set_aside(lying, aside) if lying else []
    if good is None:
        return (
            f"No good copy of it is there. With mediawatch stopped, move it away: "
            f"`{' && '.join(commands)}`. mediawatch then starts anew, and does not know what it "
            "published before."
        )
    commands.append(_command("copy" if sys.platform == "win32" else "cp", good.path, journal))
    return (
        f"With mediawatch stopped, put back the copy of {iso(good.made)}: "
        f"`{' && '.join(commands)}`. Then start it again. It does not know what was done since "
        "that copy: what may be published already is held until you have looked."
    )


def _set_aside(lying: list[Path], aside: Path) -> list[str]:
    if sys.platform == "win32":
        return [_command("mkdir", aside), *(_command("move", path, aside) for path in lying)]
    return [_command("mkdir", aside), _command("mv", *lying, aside)]


def _command(word: str, *paths: Path) -> str:
    words = [word, *map(str, paths)]
    return subprocess.list2cmdline(words) if sys.platform == "win32" else shlex.join(words)


def _is_whole(path: Path) -> bool:
    try:
        # Nobody writes to a copy: no lock is needed, and nothing is made beside it.
        address = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
        with contextlib.closing(sqlite3.connect(address, uri=True)) as copy:
            return path.stat().st_size > 0 and complaint(copy) is None
    except (sqlite3.Error, OSError):
        return False


def _reader(journal: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{journal.absolute().as_uri()}?mode=rw", uri=True)


def flush(path: Path) -> None:
    """Have a file, or the entries of a folder (not on Windows), safe on disk. Raises OSError."""
    descriptor = os.open(path, os.O_RDWR if path.is_file() else os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
