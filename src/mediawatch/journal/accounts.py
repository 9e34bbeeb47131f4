"""Accounts: the lock around an unknown outcome, and the slots of the publishing quota."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import delete, exists, func, literal, select, update
from sqlalchemy.dialects.sqlite import insert as insert_or_skip

from mediawatch.journal.database import Journal, Statement
from mediawatch.journal.schema import accounts, quota_slots
from mediawatch.model.accounts import Login


@dataclass(frozen=True, slots=True)
class Account:
    """What the journal knows of an account.

    ``publishing``: the post whose publication was asked and not yet answered for certain.
    ``quota_window``: seconds; ``quota_read_at``: when Meta was last asked for the quota.
    ``quota_elsewhere``: publications that Meta counted then and that are none of ours.
    ``asks``: how often Meta was asked to publish, ever (journal/witness.py).
    ``owner_id``: the user whose account it is. From ``username`` on: as Meta told it when it was
    connected (``login``: facebook or instagram; ``granted``: permissions; ``meta_user_id``:
    the person who logged in, as the app knows them). The rest is told in journal/standing.py.
    """

    id: str
    publishing: str | None = None
    last_published_at: float | None = None
    quota_total: int | None = None
    quota_window: int | None = None
    quota_read_at: float | None = None
    asks: int = 0
    quota_elsewhere: int = 0
    token_digest: str | None = None
    stopped_at: float | None = None
    stopped_until: float | None = None
    stopped_code: str | None = None
    stopped_detail: str | None = None
    stopped_remedy: str | None = None
    released_at: float | None = None
    owner_id: str | None = None
    username: str | None = None
    login: Login | None = None
    kind: str | None = None
    page_id: str | None = None
    page_name: str | None = None
    granted: list[str] | None = None
    meta_user_id: str | None = None
    connected_at: float | None = None
    disconnected_at: float | None = None

    @property
    def quota_ours(self) -> int:
        """How many publications within the window are left for mediawatch, used or not."""
        return max(0, (self.quota_total or 0) - self.quota_elsewhere)


@dataclass(frozen=True, slots=True)
class Identity:
    """Who an account is, as Meta tells it."""

    username: str
    login: Login
    kind: str
    page_id: str | None
    page_name: str | None
    granted: list[str] | None
    meta_user_id: str


def connect(account_id: str, who: Identity, *, owner_id: str | None, now: float) -> Statement:
    """The account, there or not, is connected since now. It keeps the owner that it has."""
    told = {name: getattr(who, name) for name in Identity.__slots__}
    told |= {"connected_at": now, "disconnected_at": None}
    return Statement(
        insert_or_skip(accounts)
        .values(id=account_id, owner_id=owner_id, **told)
        .on_conflict_do_update(
            index_elements=["id"],
            set_={**told, "owner_id": func.coalesce(accounts.c.owner_id, owner_id)},
        ),
        rows=1,
    )


def disconnect(account_id: str, *, now: float) -> Statement:
    """The account is disconnected since now."""
    return Statement(
        update(accounts).where(accounts.c.id == account_id).values(disconnected_at=now), rows=1
    )


def reconnect(account_id: str) -> Statement:
    """The account is disconnected no more."""
    return Statement(
        update(accounts).where(accounts.c.id == account_id).values(disconnected_at=None), rows=1
    )


def ensure(account_id: str) -> Statement:
    """The account's row, if it is not there yet."""
    return Statement(insert_or_skip(accounts).values(id=account_id).on_conflict_do_nothing())


def lock(account_id: str, post_id: str) -> Statement:
    """At most one post of an account may have an unknown outcome: this one, from now on."""
    return Statement(
        update(accounts)
        .where(
            accounts.c.id == account_id,
            accounts.c.publishing.is_(None) | (accounts.c.publishing == post_id),
        )
        .values(publishing=post_id, asks=accounts.c.asks + 1),
        rows=1,
    )


def count_asks(account_id: str, asks: int) -> Statement:
    """Publication was asked so often, as the witness beside the journal knows."""
    return Statement(update(accounts).where(accounts.c.id == account_id).values(asks=asks), rows=1)


def unlock(account_id: str, post_id: str, *, published_at: float | None = None) -> Statement:
    """The outcome of this post is known; the next one may be asked."""
    values: dict[str, object] = {"publishing": None}
    if published_at is not None:
        values["last_published_at"] = published_at
    return Statement(
        update(accounts)
        .where(accounts.c.id == account_id, accounts.c.publishing == post_id)
        .values(**values)
    )


def take_slot(
    account_id: str, post_id: str, generation: int, *, now: float, total: int, window: float
) -> Statement:
    """One of ``total`` publications within ``window`` seconds, or a Conflict if all are taken.

    A slot that this generation has taken before is taken again at no cost.
    """
    used = (
        select(func.count())
        .select_from(quota_slots)
        .where(quota_slots.c.account_id == account_id, quota_slots.c.at > now - window)
        .scalar_subquery()
    )
    mine = exists().where(quota_slots.c.post_id == post_id, quota_slots.c.generation == generation)
    free = select(literal(post_id), literal(generation), literal(account_id), literal(now)).where(
        mine | (used < total)
    )
    taken = insert_or_skip(quota_slots).from_select(
        ["post_id", "generation", "account_id", "at"], free
    )
    return Statement(
        taken.on_conflict_do_update(index_elements=["post_id", "generation"], set_={"at": now}),
        rows=1,
    )


def give_slot_back(post_id: str, generation: int) -> Statement:
    """Only with proof that nothing was published with it."""
    return Statement(
        delete(quota_slots).where(
            quota_slots.c.post_id == post_id, quota_slots.c.generation == generation
        )
    )


def record_quota(
    account_id: str, *, total: int, window: int, elsewhere: int, now: float
) -> Statement:
    """What Meta said of the account's quota."""
    return Statement(
        update(accounts)
        .where(accounts.c.id == account_id)
        .values(
            quota_total=total,
            quota_window=window,
            quota_elsewhere=elsewhere,
            quota_read_at=now,
        ),
        rows=1,
    )


def forget_quota(account_id: str) -> Statement:
    """Meta refused although a slot was free: it is to be asked again before the next call."""
    return Statement(update(accounts).where(accounts.c.id == account_id).values(quota_read_at=None))


def set_back(seconds: float, now: float) -> list[Statement]:
    """The clock was set back by so much, to ``now``: a stop ends no later for it, and nothing was
    done at a time that is still to come. A slot stays at the time of its asking."""
    ends = accounts.c.stopped_until
    done = [accounts.c.last_published_at, accounts.c.released_at]
    slot = quota_slots.c.at
    return [
        Statement(update(accounts).where(ends.is_not(None)).values(stopped_until=ends - seconds)),
        *(Statement(update(accounts).where(at > now).values({at: at - seconds})) for at in done),
        Statement(update(quota_slots).where(slot > now).values(at=slot - seconds)),
    ]


async def find(journal: Journal, account_id: str) -> Account:
    """The account, as far as it is known."""
    rows = await journal.read(select(accounts).where(accounts.c.id == account_id))
    return Account(**rows[0]) if rows else Account(account_id)


async def listed(journal: Journal, ids: Collection[str] | None = None) -> list[Account]:
    """The accounts with these ids, or all, by name."""
    query = select(accounts).order_by(accounts.c.username, accounts.c.id)
    rows = await journal.read(query)
    # Not as parameters: there may be more accounts than a statement takes of those.
    return [Account(**row) for row in rows if ids is None or row["id"] in ids]


async def is_known(journal: Journal, account_id: str) -> bool:
    """Whether there is such an account."""
    return bool(await journal.read(select(accounts.c.id).where(accounts.c.id == account_id)))


async def in_use(journal: Journal, own: str | None) -> list[str]:
    """Ids of the accounts that are posted to. ``own``: of the settings, which is the first."""
    rows = await journal.read(
        select(accounts.c.id)
        .where(accounts.c.connected_at.is_not(None), accounts.c.disconnected_at.is_(None))
        .order_by(accounts.c.id)
    )
    return list(dict.fromkeys([*([own] if own else []), *(row["id"] for row in rows)]))


async def slots_by_account(journal: Journal, *, since: float) -> dict[str, int]:
    """How many slots of each account were taken after that time."""
    rows = await journal.read(
        select(quota_slots.c.account_id, func.count().label("count"))
        .where(quota_slots.c.at > since)
        .group_by(quota_slots.c.account_id)
    )
    return {row["account_id"]: int(row["count"]) for row in rows}


async def slots(journal: Journal, account_id: str, *, since: float) -> list[float]:
    """When the slots taken after that time were taken, oldest first."""
    rows = await journal.read(
        select(quota_slots.c.at)
        .where(quota_slots.c.account_id == account_id, quota_slots.c.at > since)
        .order_by(quota_slots.c.at)
    )
    return [row["at"] for row in rows]
