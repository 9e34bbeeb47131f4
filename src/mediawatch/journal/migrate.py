"""Brings the journal file to the schema of this version, after keeping a copy of it."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from sqlalchemy import Connection, inspect

from mediawatch.errors import JournalError
from mediawatch.journal.backup import write_copy

_SCRIPTS = Path(__file__).with_name("migrations")


def migrate(connection: Connection, path: Path) -> None:
    """Upgrade to the newest schema. A file that holds something is copied beside itself first.

    Raises JournalError when the file was written by a newer version.
    """
    known = revisions()
    newest, current = known[-1], _current(connection)
    if current == newest:
        return
    if current is not None:
        if current not in known:
            raise JournalError(
                f"The journal {path} was written by a newer version of mediawatch.",
                remedy=_newer(path, newest),
            )
        _keep_copy(connection, path.with_name(f"{path.name}.before-{newest}"))
    _upgrade(connection)


def revisions() -> list[str]:
    """The schemas that this version knows, oldest first."""
    return sorted(file.name[:4] for file in (_SCRIPTS / "versions").glob("[0-9]*.py"))


def _newer(path: Path, newest: str) -> str:
    copies = sorted(path.parent.glob(f"{path.name}.before-????"))
    later = [copy for copy in copies if copy.name[-4:] > newest]
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
