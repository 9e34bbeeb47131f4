"""Brings the journal file to the schema of this version, after keeping a copy of it."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from mediawatch.errors import JournalError

_SCRIPTS = Path(__file__).with_name("migrations")


def migrate(connection: Connection, path: Path) -> None:
    """Upgrade to the newest schema. A file that holds something is copied beside itself first.

    Raises JournalError when the file was written by a newer version.
    """
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    scripts = ScriptDirectory.from_config(config)
    newest = scripts.get_current_head()
    current = MigrationContext.configure(connection).get_current_revision()
    if current == newest:
        return
    if current is not None:
        known = {script.revision for script in scripts.walk_revisions()}
        if current not in known:
            raise JournalError(
                f"The journal {path} was written by a newer version of mediawatch.",
                remedy="Install that version again, or restore the copy made before its update.",
            )
        _keep_copy(connection, path.with_name(f"{path.name}.before-{newest}"))
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
    copy = sqlite3.connect(target)
    try:
        source.backup(copy)
    finally:
        copy.close()
