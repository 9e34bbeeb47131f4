"""What is written and read of posts and their items on their way; the rest is in upkeep.py."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import (
    LargeBinary,
    Select,
    Text,
    Update,
    and_,
    bindparam,
    case,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    text,
    type_coerce,
    update,
)

from mediawatch.journal.database import Journal, Row, Statement
from mediawatch.journal.post_items import add_item, item_from_row
from mediawatch.journal.schema import accounts, items, posts
from mediawatch.model.kinds import PostKind
from mediawatch.model.lifecycle import FINAL, PRIORITY, Event, Stage, State, walk
from mediawatch.model.posts import ACCOUNT_BUSY, SCHEDULED, Item, Post

#: Values in one list of a query: SQLite takes 32,766 parameters at the most.
_AT_ONCE = 1000
_POST_COLUMNS = [column.name for column in posts.c]
_STAGE_ORDER = case(
    *((posts.c.stage == stage, rank) for stage, rank in PRIORITY.items()), else_=len(PRIORITY) + 1
)


def _workable(now: Any) -> Any:
    """Ready, due, or left behind by a worker whose lease ran out."""
    return or_(
        posts.c.state == State.READY,
        and_(posts.c.state == State.WAITING, posts.c.wait_until <= now),
        and_(posts.c.state == State.RUNNING, posts.c.lease_until < now),
    )


_DUE_SINCE = func.coalesce(posts.c.wait_until, posts.c.updated_at)
_ADD = insert(posts)
_CLAIM = (
    update(posts)
    .where(posts.c.id == bindparam("at_id"), _workable(bindparam("now")))
    .values(
        state=State.RUNNING,
        fence=posts.c.fence + 1,
        lease_until=bindparam("lease_until"),
        wait_until=None,
        parked=False,
        updated_at=bindparam("now"),
    )
    .returning(*posts.c)
)
#: Asked every two seconds of every day.
_FIND_WORKABLE = (
    select(posts.c.id, posts.c.stage)
    .where(_workable(bindparam("now")))
    .order_by(_STAGE_ORDER, posts.c.created_at, posts.c.id)
    .limit(bindparam("most"))
)
# Writes.


def add(post: Post) -> list[Statement]:
    """A new post with its items. Conflicts if the account has the same content already."""
    columns = {name: getattr(post, name) for name in _POST_COLUMNS}
    return [
        Statement(_ADD, rows=1, values=columns),
        *(add_item(item) for item in post.items),
    ]


def move(post: Post, *events: Event, now: float, **facts: Any) -> tuple[Post, Statement]:
    """The post after the events, and the guarded write that makes it so.

    The write requires the stage, state and fence that the caller saw: a stale worker, or one
    that comes too late, changes nothing and meets a Conflict.
    """
    after = walk(post.position, *events)
    changed = replace(post, stage=after.stage, state=after.state, updated_at=now, **facts)
    if changed.publication is not after.publication:
        raise ValueError(f"{events} make it {after.publication}, the facts {changed.publication}")
    values = {
        **facts,
        "stage": after.stage,
        "state": after.state,
        "updated_at": now,
        "at_id": post.id,
        "at_fence": post.fence,
        "at_stage": post.stage,
        "at_state": post.state,
    }
    return changed, Statement(_move_sql(tuple(sorted(facts))), rows=1, values=values)


@cache
def _move_sql(facts: tuple[str, ...]) -> Update:
    written: dict[str, Any] = {
        name: bindparam(name) for name in ("stage", "state", "updated_at", *facts)
    }
    return (
        update(posts)
        .where(
            posts.c.id == bindparam("at_id"),
            posts.c.fence == bindparam("at_fence"),
            posts.c.stage == bindparam("at_stage"),
            posts.c.state == bindparam("at_state"),
        )
        .values(written)
    )


def claim(post_id: str, *, now: float, lease: float) -> Statement:
    """Take a post that is ready, due, or whose worker is dead. Gives the row back, or nothing."""
    return Statement(_CLAIM, values={"at_id": post_id, "now": now, "lease_until": now + lease})


def renew(held: Iterable[tuple[str, int]], *, until: float) -> list[Statement]:
    """Longer leases for posts still being worked on; those taken over stay as they are."""
    return [
        Statement(
            update(posts)
            .where(posts.c.id == post_id, posts.c.fence == fence, posts.c.state == State.RUNNING)
            .values(lease_until=until)
        )
        for post_id, fence in held
    ]


def rescue_all(now: float) -> Statement:
    """At the start of the only daemon: whatever was running is nobody's."""
    return Statement(
        update(posts)
        .where(posts.c.state == State.RUNNING)
        .values(state=State.READY, lease_until=None, updated_at=now)
        .returning(posts.c.id)
    )


def unpark_all(now: float) -> Statement:
    """At the start: whoever restarts has mended something, so what was parked is due now; and
    what waited for the account's turn, for who would have woken it is gone. What waits because
    its account is stopped goes on waiting (journal/standing.py)."""
    stopped = exists().where(
        accounts.c.id == posts.c.account_id, accounts.c.stopped_code == posts.c.reason
    )
    return Statement(
        update(posts)
        .where(
            posts.c.state == State.WAITING,
            or_(posts.c.parked, posts.c.reason == ACCOUNT_BUSY),
            ~stopped,
        )
        .values(wait_until=now, parked=False, updated_at=now)
        .returning(posts.c.id)
    )


def account_is_free(account_id: str, now: float) -> Statement:
    """What waits for the account's turn is due now; a wake-up alone would find it not due.

    Gives id and stage of each back.
    """
    return Statement(
        update(posts)
        .where(
            posts.c.account_id == account_id,
            posts.c.state == State.WAITING,
            posts.c.reason == ACCOUNT_BUSY,
        )
        .values(wait_until=now, updated_at=now)
        .returning(posts.c.id, posts.c.stage)
    )


def set_back(seconds: float, now: float) -> list[Statement]:
    """The clock was set back by so much, to ``now``: what waits for a time waits no longer than
    before, and no publication was asked at a time that is still to come."""
    asked = posts.c.publish_asked_at
    return [
        Statement(
            update(posts)
            .where(posts.c.state == State.WAITING, posts.c.wait_until.is_not(None))
            .values(wait_until=posts.c.wait_until - seconds)
        ),
        Statement(
            update(posts)
            .where(posts.c.state.not_in(FINAL), asked > now)
            .values(publish_asked_at=asked - seconds)
        ),
    ]


def record_words(post: Post) -> Statement:
    """What is said with a post of which no container is made yet, with its kind and the time that
    it was moved to, as all stands in ``post``."""
    names = ("kind", "caption", "wishes", "refusal", "awaits", "moved_to")
    words = {name: getattr(post, name) for name in names}
    return Statement(update(posts).where(posts.c.id == post.id).values(words), rows=1)


def forget(post_id: str) -> Statement:
    """Remove a post that never came to be: its file was gone before it could be claimed."""
    return Statement(delete(posts).where(posts.c.id == post_id), rows=1)


# Reads.


async def find(journal: Journal, post_id: str) -> Post | None:
    """The post with its items, or None."""
    found = await load(journal, select(posts).where(posts.c.id == post_id))
    return found[0] if found else None


async def find_by_prefix(journal: Journal, prefix: str) -> list[Post]:
    """Posts whose id begins so: people type the first digits."""
    return await load(journal, select(posts).where(posts.c.id.startswith(prefix, autoescape=True)))


async def find_by_content(
    journal: Journal, account_id: str, content_keys: Iterable[str]
) -> dict[str, Post]:
    """The posts of this account with these contents that are not failed or cancelled, by key."""
    found = await load(
        journal,
        select(posts).where(
            posts.c.account_id == account_id,
            posts.c.content_key.in_(list(content_keys)),
            # As the index posts_once is worded: with parameters SQLite would not use it, and
            # read every post of the account.
            text("state NOT IN ('failed', 'cancelled')"),
        ),
    )
    return {post.content_key: post for post in found}


async def find_failed(journal: Journal, content_keys: Iterable[str]) -> list[Post]:
    """The failed posts with these contents."""
    return await load(
        journal,
        select(posts).where(
            posts.c.state == State.FAILED, posts.c.content_key.in_(list(content_keys))
        ),
    )


async def held_with(journal: Journal, account_id: str, sha256s: Iterable[str]) -> list[Post]:
    """The held posts of this account that have a file with one of these hashes."""
    of_them = select(items.c.post_id).where(items.c.sha256.in_(list(sha256s)))
    return await load(
        journal,
        select(posts).where(
            posts.c.state == State.HELD,
            posts.c.account_id == account_id,
            posts.c.id.in_(
                of_them.where(
                    items.c.post_id.in_(select(posts.c.id).where(posts.c.state == State.HELD))
                )
            ),
        ),
    )


async def listed(
    journal: Journal,
    *,
    states: Iterable[State] = (),
    ids: Iterable[str] | None = None,
    limit: int = 50,
) -> list[Post]:
    """Posts with their items, newest first; all states if none is named."""
    query = select(posts).order_by(posts.c.created_at.desc(), posts.c.id).limit(limit)
    if states := list(states):
        query = query.where(posts.c.state.in_(states))
    if ids is not None:
        query = query.where(posts.c.id.in_(list(ids)))
    return await load(journal, query)


async def workable(journal: Journal, *, now: float, limit: int) -> list[tuple[str, Stage]]:
    """Ids and stages of posts that a worker may take now; what has begun comes first."""
    rows = await journal.read(_FIND_WORKABLE, {"now": now, "most": limit})
    return [(row["id"], Stage(row["stage"])) for row in rows]


async def unfinished_moves(journal: Journal) -> list[Post]:
    """Posts with an original that was being moved when the daemon ended."""
    moving = select(items.c.post_id).where(items.c.moving_to.is_not(None))
    return await load(journal, select(posts).where(posts.c.id.in_(moving)))


async def lying_in(journal: Journal, folder: Path) -> list[Post]:
    """Posts with an original below that folder, or on its way there."""
    below = os.fsencode(folder / "x")[:-1]
    end = below[:-1] + bytes([below[-1] + 1])
    lying = [
        and_(type_coerce(column, LargeBinary) >= below, type_coerce(column, LargeBinary) < end)
        for column in (items.c.source, items.c.moving_to)
    ]
    return await load(
        journal, select(posts).where(posts.c.id.in_(select(items.c.post_id).where(or_(*lying))))
    )


async def count(journal: Journal, states: Iterable[State]) -> int:
    """How many posts are in one of these states; quick, however long the history is."""
    rows = await journal.read(
        select(func.count().label("count")).where(posts.c.state.in_(list(states)))
    )
    return int(rows[0]["count"])


async def planned_times(journal: Journal, account_id: str, *, but: str | None = None) -> set[float]:
    """The times for which posts of the account are planned that are not at their end, in seconds
    since the epoch. ``but``: a post that does not count."""
    rows = await journal.read(
        select(posts.c.wishes, posts.c.moved_to).where(
            posts.c.account_id == account_id,
            posts.c.state.in_([state for state in State if state not in FINAL]),
            posts.c.id != (but or ""),
            type_coerce(posts.c.wishes, Text).contains('"publish_at"'),
        )
    )
    return {
        row["moved_to"] or row["wishes"].publish_at.timestamp()
        for row in rows
        if row["wishes"].publish_at is not None
    }


async def count_under_way(journal: Journal, account_id: str) -> int:
    """How many posts of the account are worked on or wait; not those that only wait for the time
    they are planned for."""
    rows = await journal.read(
        select(func.count().label("count")).where(
            posts.c.account_id == account_id,
            posts.c.state.in_([State.READY, State.RUNNING, State.WAITING]),
            or_(posts.c.reason.is_(None), posts.c.reason != SCHEDULED),
        )
    )
    return int(rows[0]["count"])


async def any_moving(journal: Journal, account_id: str, *, until: float) -> bool:
    """Whether any post of the account is worked on, or may be before that time."""
    rows = await journal.read(
        select(posts.c.id)
        .where(
            posts.c.account_id == account_id,
            or_(
                posts.c.state.in_([State.READY, State.RUNNING]),
                and_(posts.c.state == State.WAITING, posts.c.wait_until <= until),
            ),
        )
        .limit(1)
    )
    return bool(rows)


async def counts(journal: Journal) -> dict[State, int]:
    """How many posts are in each state."""
    rows = await journal.read(
        select(posts.c.state, func.count().label("count")).group_by(posts.c.state)
    )
    found = {State(row["state"]): int(row["count"]) for row in rows}
    return {state: found.get(state, 0) for state in State}


async def waiting_by_account(journal: Journal) -> dict[str, int]:
    """How many posts of each account wait, or are held for a person."""
    query = (
        select(posts.c.account_id, func.count().label("count"))
        .where(posts.c.state.in_([State.WAITING, State.HELD]))
        .group_by(posts.c.account_id)
    )
    return {row["account_id"]: row["count"] for row in await journal.read(query)}


async def due(journal: Journal, *, now: float) -> tuple[int, float | None]:
    """How many posts wait for a worker, and since when the first of them could be worked on."""
    columns: list[Any] = [func.count().label("count"), func.min(_DUE_SINCE).label("since")]
    rows = await journal.read(select(*columns).where(_workable(now)))
    return int(rows[0]["count"]), rows[0]["since"]


async def known_media(journal: Journal, account_id: str, media_ids: Sequence[str]) -> set[str]:
    """Which of these media ids belong to a post of ours already."""
    rows = await journal.read(
        select(posts.c.media_id).where(
            posts.c.account_id == account_id, posts.c.media_id.in_(list(media_ids))
        )
    )
    return {row["media_id"] for row in rows}


async def load(
    journal: Journal, query: Select[Any], values: Mapping[str, Any] | None = None
) -> list[Post]:
    """The posts that a query finds, with their items, in its order. ``values``: its parameters."""
    found = await journal.read(query, values)
    if not found:
        return []
    by_post: dict[str, list[Item]] = {row["id"]: [] for row in found}
    ids = list(by_post)
    for start in range(0, len(ids), _AT_ONCE):
        query_items = (
            select(items)
            .where(items.c.post_id.in_(ids[start : start + _AT_ONCE]))
            .order_by(items.c.post_id, items.c.position)
        )
        for row in await journal.read(query_items):
            by_post[row["post_id"]].append(item_from_row(row))
    return [from_row(row, by_post[row["id"]]) for row in found]


def from_row(row: Row, of: Iterable[Item]) -> Post:
    """A post out of its row and its items."""
    return Post(
        **{
            **row,
            "kind": PostKind(row["kind"]),
            "stage": Stage(row["stage"]),
            "state": State(row["state"]),
            "refusal": tuple(row["refusal"]) if row["refusal"] else None,
            "awaits": tuple(row["awaits"]) if row["awaits"] else None,
            "items": tuple(of),
        }
    )
