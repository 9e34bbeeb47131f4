"""The journal's file: whole, of this version, and copied of late."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

from mediawatch.clock import iso
from mediawatch.errors import from_os_error
from mediawatch.journal import backup, migrate
from mediawatch.model.findings import Finding, failed

#: Seconds after which a daily copy is missed.
OLD = 3 * 86_400.0


def examine(journal: Path, now: float) -> list[Finding]:
    """Blocks; a large journal takes some seconds. Nothing is written."""
    try:
        return _examine(journal, now)
    except OSError as error:  # such as the data folder of a service, which is nobody else's
        return [failed("journal file", from_os_error(error, f"look at {journal}"))]


def _examine(journal: Path, now: float) -> list[Finding]:
    if not journal.exists():
        return [Finding("journal file", True, "There is none yet; the first start makes it.")]
    try:
        address = f"{journal.absolute().as_uri()}?mode=ro"
        with contextlib.closing(sqlite3.connect(address, uri=True, timeout=10)) as connection:
            complaint = backup.complaint(connection)
            version = None if complaint else migrate.revision(connection)
    except sqlite3.Error as error:
        complaint, version = str(error), None
    if complaint is not None:
        what = f"{journal} is damaged: {complaint}."
        return [Finding("journal file", False, what, backup.how_to_restore(journal))]
    known = migrate.known()
    if version is not None and version not in known:
        what = f"{journal} was written by a newer version of mediawatch."
        remedy = "Install that version again, or put back the copy made before its update."
        return [Finding("journal file", False, what, remedy)]
    size = journal.stat().st_size / 1e6
    behind = "" if version == known[-1] else "; the next start brings it to this version"
    whole = Finding("journal file", True, f"{journal} is whole ({size:.1f} MB{behind}).")
    return [whole, _copies(journal, now)]


def _copies(journal: Path, now: float) -> Finding:
    copies = backup.found(journal)
    if not copies:
        return Finding("copies", True, "There is no copy of it yet; one is made daily.")
    newest = copies[0]
    late = now - newest.made > OLD
    remedy = f"Look whether {newest.path.parent} can be written to." if late else ""
    return Finding("copies", not late, f"The newest copy is of {iso(newest.made)}.", remedy)
