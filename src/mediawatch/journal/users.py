"""People who may log in."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, exists, func, insert, literal, or_, select, update

from mediawatch.journal.database import Journal, Row, Statement
from mediawatch.journal.schema import accounts, users
from mediawatch.model.people import Role, User


def name_key(name: str) -> str:
    """By this a name is known: capital letters make no difference."""
    return name.casefold()


def add(user: User, *, first: bool = False) -> Statement:
    """A new user; a Conflict if the name is taken. ``first``: also if there is any other."""
    values = {
        "id": user.id,
        "name": user.name,
        "name_key": name_key(user.name),
        "role": user.role.value,
        "password_hash": user.password_hash,
        "language": user.language,
        "created_at": user.created_at,
    }
    taken = exists().where(users.c.name_key == values["name_key"])
    if first:
        taken = exists(select(users.c.id))
    row = select(*(literal(value) for value in values.values())).where(~taken)
    return Statement(insert(users).from_select(list(values), row), rows=1)


def adopt() -> Statement:
    """Accounts that are nobody's go to the one who has been owner here for longest."""
    eldest = (
        select(users.c.id)
        .where(users.c.role == Role.OWNER.value)
        .order_by(users.c.created_at, users.c.id)
        .limit(1)
        .scalar_subquery()
    )
    return Statement(update(accounts).where(accounts.c.owner_id.is_(None)).values(owner_id=eldest))


def hand_over(user_id: str, to: str) -> Statement:
    """All accounts of one user become another's."""
    return Statement(update(accounts).where(accounts.c.owner_id == user_id).values(owner_id=to))


def set_password(user_id: str, password_hash: str) -> Statement:
    """Another password, or the same hashed anew."""
    return Statement(
        update(users).where(users.c.id == user_id).values(password_hash=password_hash), rows=1
    )


def set_role(user_id: str, role: Role) -> Statement:
    """Another role; a Conflict if nobody would be owner then."""
    change = update(users).where(users.c.id == user_id).values(role=role.value)
    if role is not Role.OWNER:
        change = change.where(_another_owner(user_id))
    return Statement(change, rows=1)


def remove(user_id: str) -> Statement:
    """With sessions, keys and shares. A Conflict if accounts are left that are theirs, or if nobody
    would be owner then while others remain."""
    owns = exists().where(accounts.c.owner_id == user_id)
    alone = select(func.count()).select_from(users).scalar_subquery() == 1
    return Statement(
        delete(users).where(users.c.id == user_id, ~owns, or_(alone, _another_owner(user_id))),
        rows=1,
    )


def _another_owner(user_id: str) -> Any:
    other = users.alias()
    return exists().where(other.c.role == Role.OWNER.value, other.c.id != user_id)


async def any_there(journal: Journal) -> bool:
    """Whether anybody may log in."""
    return bool(await journal.read(select(users.c.id).limit(1)))


async def by_name(journal: Journal, name: str) -> User | None:
    """The user of that name."""
    found = await journal.read(select(users).where(users.c.name_key == name_key(name)))
    return user_of(found[0]) if found else None


async def by_id(journal: Journal, user_id: str) -> User | None:
    """The user of that id."""
    found = await journal.read(select(users).where(users.c.id == user_id))
    return user_of(found[0]) if found else None


async def listed(journal: Journal) -> list[User]:
    """Everybody, by name."""
    return [user_of(row) for row in await journal.read(select(users).order_by(users.c.name_key))]


def user_of(row: Row) -> User:
    """A row as what it means."""
    return User(
        id=row["id"],
        name=row["name"],
        role=Role(row["role"]),
        password_hash=row["password_hash"],
        created_at=row["created_at"],
        language=row["language"],
    )
