"""The service of the previous version, killed with posts in flight, and this version over it.

The posts are made by a real service; then the journal is brought into the very form that the
previous version had: its schema made by its own migrations, the rows copied into it. So nothing
of the new form is left, and no old version must be kept to make it.
"""

from __future__ import annotations

import os
import signal
import sqlite3
from contextlib import closing
from pathlib import Path

import sqlalchemy
from alembic import command
from alembic.config import Config

from mediawatch.journal import migrate
from mediawatch.model.lifecycle import Publication
from tests.support.river import River
from tests.systemd.machine import Machine, configure

_MIGRATIONS = Path(migrate.__file__).with_name("migrations")


async def test_an_upgrade_loses_and_doubles_nothing(service: Machine, river: River) -> None:
    """On its way to a container, or asked for with the answer lost: each post of the previous
    version is published once by this one, and the old journal is kept."""
    river.simulator.script(
        {"on": "media_publish", "do": "delay", "seconds": 600},  # it takes effect, untold
        {"on": "create", "match": "picture002", "do": "delay", "seconds": 600},
    )
    configure(river, publish={"publish_timeout": 60})
    await service.mediawatch("service", "install", "--config", str(river.config))
    originals = river.drop_pictures(6)
    await river.until(lambda: river.simulator.state.asked["media_publish"] >= 1)
    await river.post("picture002.jpg", stage="container")
    await service.configure("80-once", "Restart=no")
    os.kill(await service.pid(), signal.SIGKILL)
    await river.until(lambda: _failed(service))
    posts = await river.all_posts()
    assert {"container", "publish"} <= {post.stage for post in posts}, river.story()
    assert Publication.ASKED in {post.publication for post in posts}, river.story()
    previous = _set_back(river.data / "journal.db")

    river.simulator.script()
    configure(river, publish={"publish_timeout": 1})
    await service.mediawatch("service", "install", "--config", str(river.config))
    await service.mediawatch("service", "start")

    await river.arrived(originals)
    (copy,) = river.data.glob("journal.db.before-*")
    with closing(sqlite3.connect(copy)) as journal:
        assert (previous,) == journal.execute("SELECT version_num FROM alembic_version").fetchone()


async def _failed(machine: Machine) -> bool:
    return bool("failed" == (await machine.facts())["ActiveState"])


def _set_back(journal: Path) -> str:
    """Give the journal the schema before the newest; what that was called."""
    revisions = sorted(file.name[:4] for file in (_MIGRATIONS / "versions").glob("[0-9]*.py"))
    old = journal.with_name("old.db")
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.set_main_option("path_separator", "os")
    engine = sqlalchemy.create_engine(f"sqlite:///{old}")
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revisions[-2])
        connection.commit()
    engine.dispose()
    with closing(sqlite3.connect(old, isolation_level=None)) as target:
        target.execute("ATTACH ? AS new", (str(journal),))
        for table in _columns(target, "main").keys() - {"alembic_version"}:
            known, newer = _columns(target, "main")[table], _columns(target, "new")[table]
            columns = ", ".join(name for name in known if name in newer)
            copy = f"INSERT OR REPLACE INTO {table} ({columns}) SELECT {columns} FROM new.{table}"  # noqa: S608
            target.execute(copy)
    owner = journal.stat()
    for beside in journal.parent.glob("journal.db-*"):
        beside.unlink()
    old.rename(journal)
    os.chown(journal, owner.st_uid, owner.st_gid)
    journal.chmod(owner.st_mode & 0o777)
    return revisions[-2]


def _columns(database: sqlite3.Connection, schema: str) -> dict[str, list[str]]:
    """The names of the columns of each table."""
    found: dict[str, list[str]] = {}
    query = (
        "SELECT tables.name, columns.name FROM pragma_table_list AS tables "
        "JOIN pragma_table_info(tables.name, tables.schema) AS columns "
        "WHERE tables.schema = ? AND tables.type = 'table' AND tables.name NOT LIKE 'sqlite_%'"
    )
    for table, column in database.execute(query, (schema,)):
        found.setdefault(table, []).append(column)
    return found
