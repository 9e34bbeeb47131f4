"""How an account stands with Meta: whether it is stopped, why, and since when it goes on again.

A stop is about the account, not about its posts: they wait with its code as their reason, and
spend neither a call nor an attempt. ``stopped_until``: when it ends by itself; None: by another
token at a start, or when a person has its posts tried again. ``released_at``: when the last stop
ended; posts from before are its backlog, and go out one by one.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import and_, exists, func, or_, select, tuple_, update

from mediawatch.clock import iso
from mediawatch.journal.accounts import Account, find, listed
from mediawatch.journal.database import Journal, Statement
from mediawatch.journal.schema import accounts, posts
from mediawatch.model.lifecycle import Stage, State

#: Why the posts of a backlog wait: for those before them.
CATCHING_UP = "catching-up"
#: Waits that concern the account as a whole, and what is said of them.
_SHOWN_WAITS = {
    "quota": "Instagram's number of posts in 24 hours is used up.",
    CATCHING_UP: "It goes on after a stop: what waited goes out one by one.",
}
_BEFORE_LIVE = (Stage.CONVERT, Stage.UPLOAD, Stage.CONTAINER, Stage.PUBLISH)


def remember_token(account_id: str, digest: str) -> Statement:
    """Which token the settings hold now, told by a digest of it."""
    return Statement(
        update(accounts).where(accounts.c.id == account_id).values(token_digest=digest), rows=1
    )


def stop(
    account_id: str, *, code: str, detail: str, remedy: str, now: float, until: float | None
) -> Statement:
    """The account is stopped. Gives its id back, or nothing if it was already, and for longer."""
    ends = accounts.c.stopped_until
    longer = ends.is_not(None) if until is None else ends < until
    return Statement(
        update(accounts)
        .where(accounts.c.id == account_id, or_(accounts.c.stopped_at.is_(None), longer))
        .values(
            stopped_at=now,
            stopped_until=until,
            stopped_code=code,
            stopped_detail=detail,
            stopped_remedy=remedy,
        )
        .returning(accounts.c.id)
    )


def release(account_id: str, code: str, *, now: float) -> list[Statement]:
    """The account goes on if it was stopped for that reason and its stop may end now: what waits
    is due, and takes its turn. Gives back the ids of the posts, and then that of the account."""
    over = and_(
        accounts.c.id == account_id,
        accounts.c.stopped_code == code,
        or_(accounts.c.stopped_until.is_(None), accounts.c.stopped_until <= now),
    )
    return [
        Statement(
            update(posts)
            .where(
                posts.c.account_id == account_id,
                posts.c.state == State.WAITING,
                posts.c.reason == code,
                exists().where(over),
            )
            .values(wait_until=now, parked=False, reason=CATCHING_UP, updated_at=now)
            .returning(posts.c.id)
        ),
        Statement(
            update(accounts)
            .where(over)
            .values(
                stopped_at=None,
                stopped_until=None,
                stopped_code=None,
                stopped_detail=None,
                stopped_remedy=None,
                released_at=now,
            )
            .returning(accounts.c.id)
        ),
    ]


async def stopped(journal: Journal) -> list[Account]:
    """The accounts that are stopped."""
    query = select(accounts).where(accounts.c.stopped_at.is_not(None)).order_by(accounts.c.id)
    return [Account(**row) for row in await journal.read(query)]


async def ahead(journal: Journal, account_id: str, *, created_at: float, post_id: str) -> int:
    """How many older posts of the account are on their way or take their turn before this one.

    Those that failed once do not count: none waits for another's trouble.
    """
    rows = await journal.read(
        select(func.count().label("count")).where(
            posts.c.account_id == account_id,
            or_(
                posts.c.state.in_([State.READY, State.RUNNING]),
                and_(posts.c.state == State.WAITING, posts.c.reason == CATCHING_UP),
            ),
            posts.c.stage.in_(_BEFORE_LIVE),
            posts.c.attempts == 0,
            tuple_(posts.c.created_at, posts.c.id) < tuple_(created_at, post_id),
        )
    )
    return int(rows[0]["count"])


async def waiting(
    journal: Journal, account_id: str, reasons: Sequence[str]
) -> tuple[int, float | None]:
    """How many posts of the account wait for one of these reasons, and until when the first."""
    columns: list[Any] = [
        func.count().label("count"),
        func.min(posts.c.wait_until).label("until"),
    ]
    query = select(*columns).where(
        posts.c.account_id == account_id,
        posts.c.state == State.WAITING,
        posts.c.reason.in_(reasons),
    )
    rows = await journal.read(query)
    return int(rows[0]["count"]), rows[0]["until"]


async def waiting_by_account(
    journal: Journal, reasons: Sequence[str] | None = None
) -> dict[tuple[str, str], tuple[int, float | None]]:
    """The same of all accounts, by account and reason; None: whatever the reason is."""
    columns: list[Any] = [
        posts.c.account_id,
        posts.c.reason,
        func.count().label("count"),
        func.min(posts.c.wait_until).label("until"),
    ]
    query = select(*columns).where(posts.c.state == State.WAITING, posts.c.reason.is_not(None))
    if reasons is not None:
        query = query.where(posts.c.reason.in_(reasons))
    rows = await journal.read(query.group_by(posts.c.account_id, posts.c.reason))
    return {(row["account_id"], row["reason"]): (int(row["count"]), row["until"]) for row in rows}


async def tell(journal: Journal, account_id: str) -> dict[str, Any]:
    """How the account stands, for JSON: ``id``, ``state`` (ok, quota, catching-up, stopped).

    Unless it is ok: ``detail``, ``remedy``, ``until`` and how many posts are ``waiting``.
    """
    account = await find(journal, account_id)
    reasons = [*_SHOWN_WAITS, *([account.stopped_code] if account.stopped_code else [])]
    waits = {reason: await waiting(journal, account_id, [reason]) for reason in reasons}
    return _told(account, waits)


async def tell_all(journal: Journal, account_ids: Collection[str]) -> list[dict[str, Any]]:
    """``tell`` of each of them, with its ``username``; two queries, however many they are."""
    waits: dict[str, dict[str, tuple[int, float | None]]] = {}
    for (whose, reason), wait in (await waiting_by_account(journal)).items():
        waits.setdefault(whose, {})[reason] = wait
    return [
        _told(account, waits.get(account.id, {})) | {"username": account.username}
        for account in await listed(journal, account_ids)
    ]


def _told(account: Account, waits: Mapping[str, tuple[int, float | None]]) -> dict[str, Any]:
    if account.stopped_code is not None:
        count, _ = waits.get(account.stopped_code, (0, None))
        return {
            "id": account.id,
            "state": "stopped",
            "reason": account.stopped_code,
            "detail": account.stopped_detail,
            "remedy": account.stopped_remedy,
            "since": iso(account.stopped_at or 0.0),
            "until": iso(account.stopped_until) if account.stopped_until else None,
            "waiting": count,
        }
    for reason, detail in _SHOWN_WAITS.items():
        count, until = waits.get(reason, (0, None))
        if count:
            return {
                "id": account.id,
                "state": reason,
                "detail": detail,
                "remedy": "Nothing to do: mediawatch goes on by itself.",
                "until": iso(until) if until else None,
                "waiting": count,
            }
    return {"id": account.id, "state": "ok"}
