"""A journal of any older version upgrades itself, and what was there before is kept for a while."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, text

from mediawatch.journal import accounts, migrate, posts
from mediawatch.journal.sqlite import SqliteJournal
from mediawatch.model.kinds import PostKind
from mediawatch.model.lifecycle import Stage, State

ACCOUNT = "17841400000000001"
POST = "a" * 12
VERSION = "SELECT version_num FROM alembic_version"
#: One row of each table of the very first version.
ROWS: dict[str, dict[str, Any]] = {
    "accounts": {"id": ACCOUNT},
    "posts": {
        "id": POST,
        "account_id": ACCOUNT,
        "kind": PostKind.IMAGE.value,
        "name": "beach.jpg",
        "content_key": "c1",
        "stage": Stage.CONVERT.value,
        "state": State.HELD.value,
    },
    "items": {
        "post_id": POST,
        "position": 0,
        "name": "beach.jpg",
        "source": b"/in/beach.jpg",
        "changes": "[]",
    },
}


def rows(path: Path, query: str) -> list[str]:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        return [row[0] for row in connection.execute(query)]


def make_older(path: Path, revision: str) -> None:
    """A journal with one post, made by the migrations up to ``revision`` alone."""
    config = Config()
    config.set_main_option("script_location", str(migrate._SCRIPTS))
    config.set_main_option("path_separator", "os")
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        for table, told in ROWS.items():
            columns = connection.exec_driver_sql(f"PRAGMA table_info({table})").mappings().all()
            filled = {
                column["name"]: "" if column["type"] == "TEXT" else 0
                for column in columns
                if column["notnull"] and column["dflt_value"] is None
            } | told
            marks = ", ".join(f":{name}" for name in filled)
            insert = f"INSERT INTO {table} ({', '.join(filled)}) VALUES ({marks})"  # noqa: S608
            connection.execute(text(insert), filled)
    engine.dispose()


@pytest.mark.parametrize("revision", migrate.known()[:-1])
async def test_a_journal_of_any_older_version_upgrades_itself(
    tmp_path: Path, revision: str
) -> None:
    """As that version left it, with a post in it: the first start brings it to the newest form, the
    post is there and more can be written; the old form is kept beside it."""
    path = tmp_path / "journal.db"
    make_older(path, revision)

    async with SqliteJournal(path) as journal:
        found = await posts.find(journal, POST)
        await journal.apply([accounts.ensure("17841400000000002")])

    assert found is not None
    assert ("beach.jpg", "held") == (found.name, found.state)
    newest = migrate.known()[-1]
    assert [newest] == rows(path, VERSION)
    assert [revision] == rows(tmp_path / f"journal.db.before-{newest}", VERSION)


async def test_the_newest_copies_from_before_updates_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Five of them, that of this update among them; no other file of the folder is touched."""
    path = tmp_path / "journal.db"
    async with SqliteJournal(path):
        pass
    (tmp_path / "journal.db.before-sunday").touch()
    scripts = tmp_path / "migrations"
    shutil.copytree(migrate._SCRIPTS, scripts)
    monkeypatch.setattr(migrate, "_SCRIPTS", scripts)
    before = migrate.known()[-1]
    for number in range(9001, 9008):
        (scripts / "versions" / f"{number}_next.py").write_text(
            f'revision = "{number}"\ndown_revision = "{before}"\n\n\ndef upgrade():\n    pass\n'
        )
        before = str(number)
        async with SqliteJournal(path):
            pass

    kept = sorted(file.name for file in tmp_path.glob("journal.db.before-????"))
    assert [f"journal.db.before-{number}" for number in range(9003, 9008)] == kept
    assert ["9006"] == rows(tmp_path / kept[-1], VERSION)
    assert (tmp_path / "journal.db.before-sunday").exists()
