"""Keys for programs. A key is known by its digest; what it says is shown once."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import insert, or_, select, update

from mediawatch.journal.database import Journal, Row, Statement
from mediawatch.journal.schema import api_keys, users
from mediawatch.journal.users import user_of
from mediawatch.model.people import Right, User

#: Seconds between two notes that a key was used.
USED_EVERY = 60.0


@dataclass(frozen=True, slots=True)
class ApiKey:
    """``scope``: the most that may be done with it. ``ends_at``: None for never."""

    id: str
    user_id: str
    name: str
    scope: Right
    created_at: float
    used_at: float | None
    ends_at: float | None
    revoked_at: float | None


def add(key: ApiKey, digest: str) -> Statement:
    """A new key."""
    return Statement(
        insert(api_keys).values(
            id=key.id,
            user_id=key.user_id,
            name=key.name,
            digest=digest,
            scope=key.scope.value,
            created_at=key.created_at,
            ends_at=key.ends_at,
        )
    )


def used(key_id: str, now: float) -> Statement:
    """Somebody came in with it."""
    return Statement(update(api_keys).where(api_keys.c.id == key_id).values(used_at=now))


def revoke(key_id: str, now: float) -> Statement:
    """Nobody comes in with it any more. A Conflict if that was so already."""
    return Statement(
        update(api_keys)
        .where(api_keys.c.id == key_id, api_keys.c.revoked_at.is_(None))
        .values(revoked_at=now),
        rows=1,
    )


async def find(journal: Journal, digest: str, *, now: float) -> tuple[ApiKey, User] | None:
    """The key, if it is good, and whose it is."""
    found = await journal.read(
        select(api_keys).where(
            api_keys.c.digest == digest,
            api_keys.c.revoked_at.is_(None),
            or_(api_keys.c.ends_at.is_(None), api_keys.c.ends_at > now),
        )
    )
    if not found:
        return None
    who = await journal.read(select(users).where(users.c.id == found[0]["user_id"]))
    return (_key_of(found[0]), user_of(who[0])) if who else None


async def listed(journal: Journal, user_id: str | None) -> list[ApiKey]:
    """Those of a user, or of everybody; the newest first."""
    wanted = select(api_keys).order_by(api_keys.c.created_at.desc(), api_keys.c.id)
    if user_id is not None:
        wanted = wanted.where(api_keys.c.user_id == user_id)
    return [_key_of(row) for row in await journal.read(wanted)]


def _key_of(row: Row) -> ApiKey:
    return ApiKey(
        id=row["id"],
        user_id=row["user_id"],
        name=row["name"],
        scope=Right(row["scope"]),
        created_at=row["created_at"],
        used_at=row["used_at"],
        ends_at=row["ends_at"],
        revoked_at=row["revoked_at"],
    )
