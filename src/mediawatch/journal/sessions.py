"""Who is logged in, and where. A session is known by the digest of its cookie."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import delete, insert, select, update

from mediawatch.journal.database import Journal, Statement
from mediawatch.journal.schema import sessions, users
from mediawatch.journal.users import user_of
from mediawatch.model.people import User

#: Seconds after which a session ends that was not used, and one that was.
IDLE, ABSOLUTE = 7 * 86_400.0, 30 * 86_400.0
#: Seconds between two notes that a session was used.
SEEN_EVERY = 60.0


@dataclass(frozen=True, slots=True)
class Session:
    """``address`` and ``agent``: where it began, for people."""

    digest: str = field(repr=False)
    user_id: str
    created_at: float
    seen_at: float
    ends_at: float
    address: str
    agent: str

    @property
    def id(self) -> str:
        """By this a person names it; nobody gets in with it."""
        return self.digest[:12]


def begin(digest: str, user_id: str, *, now: float, address: str, agent: str) -> Statement:
    """A new session."""
    return Statement(
        insert(sessions).values(
            digest=digest,
            user_id=user_id,
            created_at=now,
            seen_at=now,
            ends_at=now + ABSOLUTE,
            address=address,
            agent=agent[:200],
        )
    )


def seen(digest: str, now: float) -> Statement:
    """It was used."""
    return Statement(update(sessions).where(sessions.c.digest == digest).values(seen_at=now))


def end(digest: str) -> Statement:
    """It is over."""
    return Statement(delete(sessions).where(sessions.c.digest == digest))


def end_all(user_id: str, *, but: str = "") -> Statement:
    """All of a user, but perhaps the one that asks for it."""
    return Statement(
        delete(sessions).where(sessions.c.user_id == user_id, sessions.c.digest != but)
    )


def forget_ended(now: float) -> Statement:
    """Those that are over anyway."""
    over = (sessions.c.ends_at <= now) | (sessions.c.seen_at <= now - IDLE)
    return Statement(delete(sessions).where(over))


async def find(journal: Journal, digest: str, *, now: float) -> tuple[Session, User] | None:
    """The session, if it is not over, and whose it is."""
    found = await journal.read(
        select(sessions).where(
            sessions.c.digest == digest, sessions.c.ends_at > now, sessions.c.seen_at > now - IDLE
        )
    )
    if not found:
        return None
    who = await journal.read(select(users).where(users.c.id == found[0]["user_id"]))
    return (Session(**found[0]), user_of(who[0])) if who else None


async def listed(journal: Journal, user_id: str, *, now: float) -> list[Session]:
    """Those of a user that are not over, the one used last first."""
    found = await journal.read(
        select(sessions)
        .where(
            sessions.c.user_id == user_id,
            sessions.c.ends_at > now,
            sessions.c.seen_at > now - IDLE,
        )
        .order_by(sessions.c.seen_at.desc())
    )
    return [Session(**row) for row in found]
