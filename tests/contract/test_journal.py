"""What every journal promises, tried on each implementation."""

from __future__ import annotations

import asyncio
import dataclasses
import shutil
import sqlite3
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, select

from mediawatch.errors import Conflict, JournalError
from mediawatch.journal import accounts, migrate, post_items, posts, upkeep
from mediawatch.journal.claims import ARRIVED, CLAIMED, NewPost, arrive, intend
from mediawatch.journal.schema import metadata
from mediawatch.journal.schema import posts as posts_table
from mediawatch.journal.sqlite import SqliteJournal, SqliteReader
from mediawatch.model.kinds import PostKind
from mediawatch.model.lifecycle import Event, Stage, State
from mediawatch.model.posts import Item, Post
from mediawatch.model.wishes import Wishes

ACCOUNT = "17841400000000001"
NOW = 1_800_000_000.0


def a_post(post_id: str = "a" * 12, content: str = "c1", **facts: object) -> Post:
    item = Item(post_id, 0, "a.jpg", Path("/in/a.jpg"), "ff" * 32, 10)
    post = Post(
        id=post_id,
        account_id=ACCOUNT,
        kind=PostKind.IMAGE,
        name="a.jpg",
        caption="A",
        content_key=content,
        stage=Stage.CONVERT,
        state=State.READY,
        created_at=NOW,
        updated_at=NOW,
        items=(item,),
    )
    return dataclasses.replace(post, **facts)  # type: ignore[arg-type]


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[SqliteJournal]:
    async with SqliteJournal(tmp_path / "data" / "journal.db") as journal:
        await journal.apply([accounts.ensure(ACCOUNT)])
        yield journal


async def test_a_post_comes_back_as_it_was_written(journal: SqliteJournal) -> None:
    """What is written is read back whole, items and odd names included."""
    odd = Path("/in") / "bad\udcff.jpg"
    post = a_post()
    post = dataclasses.replace(post, items=(dataclasses.replace(post.items[0], source=odd),))

    await journal.apply(posts.add(post))

    assert post == await posts.find(journal, post.id)


async def test_a_wrong_count_rolls_the_whole_transaction_back(journal: SqliteJournal) -> None:
    """All statements of a transaction, or none of them."""
    post = a_post()
    missing = post_items.record_item(post.items[0])

    with pytest.raises(Conflict):
        await journal.apply([accounts.ensure("1"), missing])

    assert accounts.Account("1", None) == await accounts.find(journal, "1")
    assert [] == await journal.read(select(posts_table))


async def test_a_conflict_leaves_its_neighbours_in_the_group_alone(
    journal: SqliteJournal,
) -> None:
    """Transactions that share a commit do not share a fate."""
    post = a_post()
    results = await asyncio.gather(
        journal.apply(posts.add(post)),
        journal.apply([posts.forget("nobody")]),
        journal.apply(posts.add(a_post("b" * 12, "c2"))),
        return_exceptions=True,
    )

    assert isinstance(results[1], Conflict)
    assert 2 == len(await posts.listed(journal))


async def test_a_statement_that_cannot_be_written_harms_only_its_own(
    journal: SqliteJournal,
) -> None:
    """A value that the database cannot take fails its transaction, not the group."""
    bad = a_post("b" * 12, "c2", created_at=object())
    results = await asyncio.gather(
        journal.apply(posts.add(a_post())), journal.apply(posts.add(bad)), return_exceptions=True
    )

    assert isinstance(results[1], JournalError)
    assert 1 == len(await posts.listed(journal))


async def test_the_same_content_is_one_post(journal: SqliteJournal) -> None:
    """I6: an account has the same content once, unless the first failed."""
    await journal.apply(posts.add(a_post()))

    with pytest.raises(Conflict):
        await journal.apply(posts.add(a_post("b" * 12)))

    claimed = (await journal.apply([posts.claim("a" * 12, now=NOW, lease=60)]))[0][0]
    post = posts.from_row(claimed, ())
    await journal.apply([posts.move(post, Event.FAIL, now=NOW)[1]])
    await journal.apply(posts.add(a_post("b" * 12)))
    assert 2 == len(await posts.listed(journal))


async def test_a_post_is_claimed_once(journal: SqliteJournal) -> None:
    """Of two workers that reach for a post one gets it."""
    await journal.apply(posts.add(a_post()))

    got = await asyncio.gather(
        *(journal.apply([posts.claim("a" * 12, now=NOW, lease=60)]) for _ in range(5))
    )

    assert [1] == [len(rows[0]) for rows in got if rows[0]]


async def test_a_stale_worker_writes_nothing(journal: SqliteJournal) -> None:
    """I4: every write carries the fence; who was overtaken meets a conflict."""
    await journal.apply(posts.add(a_post()))
    first = (await journal.apply([posts.claim("a" * 12, now=NOW, lease=1)]))[0][0]
    second = (await journal.apply([posts.claim("a" * 12, now=NOW + 2, lease=60)]))[0][0]
    assert first["fence"] + 1 == second["fence"]

    stale = posts.move(posts.from_row(first, ()), Event.ADVANCE, now=NOW + 3)[1]
    with pytest.raises(Conflict):
        await journal.apply([stale])

    found = await posts.find(journal, "a" * 12)
    assert found is not None
    assert Stage.CONVERT is found.stage


async def test_a_waiting_post_is_workable_when_its_time_has_come(journal: SqliteJournal) -> None:
    """Time alone moves a waiting post; nobody has to remember it."""
    await journal.apply(posts.add(a_post(state=State.WAITING, wait_until=NOW + 10)))

    assert [] == await posts.workable(journal, now=NOW + 9, limit=9)
    assert [("a" * 12, Stage.CONVERT)] == await posts.workable(journal, now=NOW + 10, limit=9)


async def test_what_has_begun_is_found_first(journal: SqliteJournal) -> None:
    """Archive before upload before convert, whatever came first."""
    await journal.apply(posts.add(a_post("a" * 12, "1")))
    await journal.apply(posts.add(a_post("b" * 12, "2", stage=Stage.UPLOAD)))
    await journal.apply(posts.add(a_post("c" * 12, "3", stage=Stage.ARCHIVE)))

    found = await posts.workable(journal, now=NOW, limit=9)

    assert ["c" * 12, "b" * 12, "a" * 12] == [post_id for post_id, _ in found]


async def test_one_unknown_outcome_an_account(journal: SqliteJournal) -> None:
    """I3: the account's lock is taken by one post, and given back by that post alone."""
    await journal.apply([accounts.lock(ACCOUNT, "a")])
    with pytest.raises(Conflict):
        await journal.apply([accounts.lock(ACCOUNT, "b")])
    await journal.apply([accounts.unlock(ACCOUNT, "b")])
    assert "a" == (await accounts.find(journal, ACCOUNT)).publishing

    await journal.apply([accounts.unlock(ACCOUNT, "a", published_at=NOW)])

    account = await accounts.find(journal, ACCOUNT)
    assert (None, NOW) == (account.publishing, account.last_published_at)
    assert 1 == account.asks


async def test_quota_slots_run_out_and_come_back(journal: SqliteJournal) -> None:
    """No more slots than the quota within the window; the same one may be taken twice."""
    for n, post_id in enumerate(("a" * 12, "b" * 12)):
        await journal.apply(posts.add(a_post(post_id, str(n))))

    def slot(post_id: str, at: float) -> list[object]:
        return [accounts.take_slot(ACCOUNT, post_id, 1, now=at, total=1, window=86400)]

    await journal.apply(slot("a" * 12, NOW))  # type: ignore[arg-type]
    await journal.apply(slot("a" * 12, NOW + 1))  # type: ignore[arg-type]
    with pytest.raises(Conflict):
        await journal.apply(slot("b" * 12, NOW + 2))  # type: ignore[arg-type]
    await journal.apply([accounts.give_slot_back("a" * 12, 1)])
    await journal.apply(slot("b" * 12, NOW + 3))  # type: ignore[arg-type]

    assert [NOW + 3] == await accounts.slots(journal, ACCOUNT, since=0)


async def test_waiting_transactions_share_commits(journal: SqliteJournal) -> None:
    """Group commit: many transactions that wait together cost few flushes."""
    before = journal.commits
    await asyncio.gather(
        *(journal.apply(posts.add(a_post(f"{n:012x}", str(n)))) for n in range(200))
    )

    assert 200 == len(await posts.listed(journal, limit=500))
    assert 50 > journal.commits - before


async def test_a_cancelled_caller_leaves_no_half_transaction(journal: SqliteJournal) -> None:
    """Cancellation ends the waiting, never the transaction."""
    task = asyncio.create_task(journal.apply(posts.add(a_post())))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    await journal.apply([accounts.ensure("2")])
    found = await posts.find(journal, "a" * 12)
    assert found is not None
    assert 1 == len(found.items)


async def test_an_old_journal_is_kept_before_it_is_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before the schema changes a copy is made; after a failed change the old one is whole."""
    path = tmp_path / "journal.db"
    async with SqliteJournal(path) as journal:
        await journal.apply([accounts.ensure(ACCOUNT), *posts.add(a_post())])
    scripts = tmp_path / "migrations"
    shutil.copytree(migrate._SCRIPTS, scripts)
    newest = max(file.name[:4] for file in (scripts / "versions").glob("[0-9]*.py"))
    change = scripts / "versions" / "9999_next.py"
    head = 'import sqlalchemy as sa\nfrom alembic import op\nrevision = "9999"\n'
    head += f'down_revision = "{newest}"\n\ndef upgrade():\n'
    head += '    op.add_column("posts", sa.Column("more", sa.Text))\n'
    change.write_text(head + '    raise OSError("no space left")\n')
    monkeypatch.setattr(migrate, "_SCRIPTS", scripts)

    with pytest.raises(JournalError, match="no space left"):
        async with SqliteJournal(path):
            pass
    columns = "SELECT name FROM pragma_table_info('posts')"
    assert "more" not in _rows(path, columns)
    change.write_text(head)
    async with SqliteJournal(path):
        pass

    assert "more" in _rows(path, columns)
    copy = tmp_path / "journal.db.before-9999"
    assert "more" not in _rows(copy, columns)
    assert ["a" * 12] == _rows(copy, "SELECT id FROM posts")


def _rows(path: Path, query: str) -> list[str]:
    connection = sqlite3.connect(path)
    try:
        return [row[0] for row in connection.execute(query)]
    finally:
        connection.close()


async def test_a_journal_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    """A file of a newer version is refused with a remedy, and left as it is."""
    path = tmp_path / "journal.db"
    async with SqliteJournal(path):
        pass
    connection = sqlite3.connect(path)
    connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.commit()
    connection.close()

    with pytest.raises(JournalError, match="newer version") as caught:
        async with SqliteJournal(path):
            pass

    assert "Install that version" in caught.value.remedy


@pytest.mark.parametrize("content", [b"", b"no database at all, but long enough to be one" * 99])
async def test_a_damaged_journal_is_refused(tmp_path: Path, content: bytes) -> None:
    """What it knew is gone: that is told, with what to do, and the file is left as it is."""
    path = tmp_path / "journal.db"
    path.write_bytes(content)

    with pytest.raises(JournalError) as caught:
        async with SqliteJournal(path):
            pass

    assert "journal-damaged" == caught.value.code
    assert "No good copy" in caught.value.remedy
    assert content == path.read_bytes()


async def test_a_journal_that_cannot_be_made_says_why(tmp_path: Path) -> None:
    """A data folder that cannot be used is a sentence with a remedy."""
    (tmp_path / "file").write_text("in the way")

    with pytest.raises(JournalError, match="cannot be opened") as caught:
        async with SqliteJournal(tmp_path / "file" / "journal.db"):
            pass

    assert caught.value.remedy


@pytest.mark.skipif(sys.platform == "win32", reason="an open file cannot be deleted there")
async def test_readers_make_no_journal_where_it_was_deleted(journal: SqliteJournal) -> None:
    """Deleted while it is open: all that read at once still see what they saw, and none of them
    leaves an empty file that would be taken for the journal."""
    journal.path.unlink()
    query = select(posts_table.c.id)

    await asyncio.gather(*(journal.read(query) for _ in range(8)))

    assert not journal.path.exists()
    late = SqliteReader(journal.path)
    with pytest.raises(JournalError, match="unable to open"):
        await late.read(query)
    late.close()
    assert not journal.path.exists()


def test_a_migration_is_named_after_its_revision() -> None:
    """The newest schema is told by file names, so that Alembic is loaded only when needed."""
    files = sorted((migrate._SCRIPTS / "versions").glob("[0-9]*.py"))
    config = Config()
    config.set_main_option("script_location", str(migrate._SCRIPTS))
    config.set_main_option("path_separator", "os")
    revisions = [s.revision for s in ScriptDirectory.from_config(config).walk_revisions()]

    assert [file.name[:4] for file in files] == list(reversed(revisions))


async def test_migrations_make_the_schema_of_the_code(tmp_path: Path) -> None:
    """The migrated file and the tables of schema.py are the same."""
    async with SqliteJournal(tmp_path / "journal.db"):
        pass
    engine = create_engine(f"sqlite:///{tmp_path / 'journal.db'}")
    with engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), metadata)
    engine.dispose()

    assert [] == differences


# Many files at once.


def a_new_post(number: int, content: str | None = None) -> NewPost:
    name = f"{number} \udcff.jpg"
    source, target = Path("/in") / name, Path("/in/.mediawatch/work/x") / name
    key = content or f"c{number}"
    shown = name.encode("utf-8", "replace").decode()
    return NewPost(
        f"{number:012x}",
        PostKind.IMAGE,
        shown,
        "A",
        key,
        Wishes(location_id="1") if number == 1 else None,
        None,
        source,
        target,
        "ff" * 32,
        number,
    )


async def test_posts_that_are_intended_together_are_posts_like_others(
    journal: SqliteJournal,
) -> None:
    """Read back whole: on their way, nobody's to work on, and ready where they were to arrive."""
    new = [a_new_post(number) for number in range(3)]
    await journal.apply(intend(new, ACCOUNT, Path("/in"), now=NOW, lease_until=NOW + 60))

    before = await posts.unfinished_moves(journal)
    assert [post.id for post in new] == sorted(post.id for post in before)
    assert {(CLAIMED, 1, NOW + 60)} == {(p.position, p.fence, p.lease_until) for p in before}
    assert [] == await posts.workable(journal, now=NOW, limit=10)
    for post, made in zip(new, sorted(before, key=lambda post: post.id), strict=True):
        item = Item(
            post.id, 0, post.name, post.source, post.sha256, post.size, moving_to=post.target
        )
        assert (post.name, post.caption, (item,)) == (made.name, made.caption, made.items)

    await journal.apply(arrive([post.id for post in new[:2]], NOW + 1))

    (left,) = await posts.unfinished_moves(journal)
    assert (new[2].id, new[2].source) == (left.id, left.items[0].source)
    ready = await posts.listed(journal, states=[State.READY])
    assert {new[0].target, new[1].target} == {post.items[0].source for post in ready}
    assert {(ARRIVED, NOW + 1, None)} == {(p.position, p.updated_at, p.lease_until) for p in ready}


async def test_posts_are_intended_all_or_none(journal: SqliteJournal) -> None:
    """One that is a post already: whoever wants them looks which it is, and tries the others."""
    await journal.apply(posts.add(a_post(content="known")))
    both = [a_new_post(1), a_new_post(2, "known")]

    with pytest.raises(Conflict):
        await journal.apply(intend(both, ACCOUNT, Path("/in"), now=NOW, lease_until=NOW + 60))

    assert ["a.jpg"] == [post.name for post in await posts.listed(journal)]


async def test_only_what_was_intended_arrives(journal: SqliteJournal) -> None:
    """A post that somebody else took over, or that is gone, stops the arrival of all of them."""
    new = [a_new_post(number) for number in range(2)]
    await journal.apply(intend(new, ACCOUNT, Path("/in"), now=NOW, lease_until=NOW + 60))
    await journal.apply([posts.claim(new[0].id, now=NOW + 90, lease=60)])

    with pytest.raises(Conflict):
        await journal.apply(arrive([post.id for post in new], NOW))

    assert 2 == len(await posts.unfinished_moves(journal))
    assert [] == await posts.listed(journal, states=[State.READY])


async def test_what_waits_for_a_worker_is_counted(journal: SqliteJournal) -> None:
    """Ready and due posts, and since when the first of them could go on; not what waits longer, nor
    what a worker has in hand."""
    assert (0, None) == await posts.due(journal, now=NOW)
    ready = a_post("a" * 12, "c1", updated_at=NOW - 60)
    due = a_post("b" * 12, "c2", state=State.WAITING, wait_until=NOW - 90, updated_at=NOW - 500)
    later = a_post("c" * 12, "c3", state=State.WAITING, wait_until=NOW + 1)
    in_hand = a_post("d" * 12, "c4", state=State.RUNNING, lease_until=NOW + 60)
    for post in (ready, due, later, in_hand):
        items = (dataclasses.replace(post.items[0], post_id=post.id),)
        await journal.apply(posts.add(dataclasses.replace(post, items=items)))

    assert (2, NOW - 90) == await posts.due(journal, now=NOW)


async def test_what_is_asked_every_few_seconds_reads_no_history(journal: SqliteJournal) -> None:
    """Years of posts must not make an idle daemon busy: each such query goes by an index that
    leads to a few rows."""
    workable = await _plan(journal, posts._FIND_WORKABLE, {"now": NOW, "most": 9})
    lacking = await _plan(journal, upkeep._LACK_COMMENT, {"since": NOW, "tries": 3})

    assert "SCAN" not in workable
    assert "SEARCH posts USING INDEX posts_by_publication (published_at>?)" == lacking


async def _plan(journal: SqliteJournal, query: Any, values: dict[str, Any]) -> str:
    def explained() -> str:
        compiled = query.compile(
            journal._reader._engine, compile_kwargs={"render_postcompile": True}
        )
        with journal._reader._engine.connect() as connection:
            rows = connection.exec_driver_sql(
                f"EXPLAIN QUERY PLAN {compiled}",
                tuple(compiled.construct_params(values)[name] for name in compiled.positiontup),
            )
            return " | ".join(str(row[3]) for row in rows)

    return await asyncio.to_thread(explained)
