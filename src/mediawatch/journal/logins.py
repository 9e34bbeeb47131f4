"""Logins at Meta that somebody has begun: found by the digest of their state, each good once, for
the one browser and the one person that began it."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, delete, func, insert, select, update

from mediawatch.journal.database import Journal, Statement
from mediawatch.journal.schema import logins_under_way as table
from mediawatch.model.accounts import Login

#: Seconds for which a login is good, and again for which its answer is.
LASTS = 600.0
#: Logins that one browser may have under way; the oldest go.
MOST = 10


@dataclass(frozen=True, slots=True)
class LoginUnderWay:
    """``session_digest``: of the cookie of the browser that began it. ``user_id``: None for whoever
    has this machine. ``sealed``: the verifier, once answered the grant, too. ``answered_at``: when
    Meta sent the browser back; None until then."""

    state_digest: str
    session_digest: str = field(repr=False)
    user_id: str | None
    login: Login
    sealed: bytes = field(repr=False)
    key_id: str
    redirect_uri: str
    created_at: float
    answered_at: float | None

    @property
    def id(self) -> str:
        """By this an address of ours names it; nobody gets in with it."""
        return self.state_digest[:16]


def begin(login: LoginUnderWay) -> list[Statement]:
    """A new one; those of its browser that are too many go."""
    values = {name: getattr(login, name) for name in LoginUnderWay.__slots__}
    kept = (
        select(table.c.state_digest)
        .where(table.c.session_digest == login.session_digest)
        .order_by(table.c.created_at.desc())
        .limit(MOST - 1)
    )
    too_many = (table.c.session_digest == login.session_digest) & ~table.c.state_digest.in_(kept)
    return [Statement(delete(table).where(too_many)), Statement(insert(table).values(**values))]


def claim(state_digest: str, session_digest: str, *, now: float) -> Statement:
    """Meta has answered: from now on its state is used up. Gives the row, or nothing if this
    browser has no such login, or it was answered before, or has run out."""
    return Statement(
        update(table)
        .where(
            table.c.state_digest == state_digest,
            table.c.session_digest == session_digest,
            table.c.answered_at.is_(None),
            table.c.created_at > now - LASTS,
            table.c.created_at <= now,
        )
        .values(answered_at=now)
        .returning(*table.c)
    )


def answer(state_digest: str, sealed: bytes, key_id: str) -> Statement:
    """What came of it, sealed, in place of what it began with."""
    return Statement(
        update(table)
        .where(table.c.state_digest == state_digest)
        .values(sealed=sealed, key_id=key_id),
        rows=1,
    )


def forget(state_digest: str) -> Statement:
    """It is over. Gives its digest, or nothing if it was before."""
    return Statement(
        delete(table).where(table.c.state_digest == state_digest).returning(table.c.state_digest)
    )


def forget_ended(now: float) -> Statement:
    """Those that have run out."""
    return Statement(delete(table).where(_ended(now)))


def _ended(now: float) -> ColumnElement[bool]:
    last = func.coalesce(table.c.answered_at, table.c.created_at)
    return (last <= now - LASTS) | (last > now)


async def any_ended(journal: Journal, *, now: float) -> bool:
    """Whether there are such."""
    return bool(await journal.read(select(table.c.login).where(_ended(now)).limit(1)))


async def find_answered(
    journal: Journal, login_id: str, session_digest: str, *, now: float
) -> LoginUnderWay | None:
    """The one of this browser that has been answered, if that is still good."""
    rows = await journal.read(
        select(table).where(
            func.substr(table.c.state_digest, 1, 16) == login_id,
            table.c.session_digest == session_digest,
            table.c.answered_at > now - LASTS,
            table.c.answered_at <= now,
        )
    )
    return LoginUnderWay(**rows[0]) if rows else None
