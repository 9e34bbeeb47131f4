"""Brings the journal file to the schema of this version, after keeping a copy of it."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from sqlalchemy import Connection, inspect

from mediawatch import crash
from mediawatch.errors import JournalError
from mediawatch.journal.backup import write_copy

#: How many copies from before an update are kept.
KEEP = 5

_SCRIPTS = Path(__file__).with_name("migrations")


def migrate(connection: Connection, path: Path) -> None:
    """Upgrade to the newest schema. A file that holds something is copied beside itself first; of
    such copies the newest KEEP stay.

    Raises JournalError when the file was written by a newer version.
    """
    revisions = known()
    newest, current = revisions[-1], _current(connection)
    if current == newest:
        return
    if current is not None:
        if current not in revisions:
            raise JournalError(
                f"The journal {path} was written by a newer version of mediawatch.",
                remedy=_newer(path, newest),
            )
        _keep_copy(connection, path.with_name(f"{path.name}.before-{newest}"))
    _upgrade(connection)
    for old in _copies(path)[:-KEEP]:
        old.unlink()
        crash.at("backup.dropped")


def known() -> list[str]:
    """The revisions of the schema that this version can read, oldest first."""
    return sorted(file.name[:4] for file in (_SCRIPTS / "versions").glob("[0-9]*.py"))


def revision(connection: sqlite3.Connection) -> str | None:
    """The revision that a journal has; None if it says none. Raises sqlite3.Error."""
    has = "SELECT count(*) FROM sqlite_master WHERE name = 'alembic_version'"
    if not connection.execute(has).fetchone()[0]:
        return None
    found = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return None if found is None else str(found[0])


def _copies(path: Path) -> list[Path]:
    """What was kept before each update, oldest first."""
    return sorted(path.parent.glob(f"{path.name}.before-????"))


def _newer(path: Path, newest: str) -> str:
    later = [copy for copy in _copies(path) if copy.name[-4:] > newest]
    known = f": {later[0]}" if later else " made before its update"
    return f"Install that version again. To stay with this one, put back the copy{known}."


def _current(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    return None if found is None else str(found)


def _upgrade(connection: Connection) -> None:
    # A tenth of the daemon's memory, needed once a version.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    # One transaction, opened here: a kill in the middle leaves the old schema, whole.
    connection.exec_driver_sql("BEGIN EXCLUSIVE")
    try:
        command.upgrade(config, "head")
    except BaseException:
        connection.exec_driver_sql("ROLLBACK")
        raise
    connection.exec_driver_sql("COMMIT")


def _keep_copy(connection: Connection, target: Path) -> None:
    source = connection.connection.dbapi_connection
    assert isinstance(source, sqlite3.Connection)  # noqa: S101 - this file is about SQLite
    write_copy(source, target)
