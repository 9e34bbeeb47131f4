"""Files that lay in the inbox at the very first start, and wait there for a person's word."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import bindparam, delete, func, insert, select
from sqlalchemy.dialects.sqlite import insert as insert_or_skip

from mediawatch.journal.database import Journal, Statement
from mediawatch.journal.schema import FilePath, milestones, withheld

_FIRST_LOOK = "first-look"
_ADD = insert(withheld)
_FORGET = delete(withheld).where(withheld.c.name == bindparam("gone", type_=FilePath))


# Writes.


def add(sealed: Iterable[tuple[str, str]]) -> list[Statement]:
    """Withhold these names; the seal tells later whether it is still the same file."""
    rows = [{"name": name, "seal": seal} for name, seal in sealed]
    return [Statement(_ADD, rows=len(rows), values=rows)] if rows else []


def forget(names: Iterable[str]) -> list[Statement]:
    """These are gone, or are other files now."""
    rows = [{"gone": name} for name in names]
    return [Statement(_FORGET, values=rows)] if rows else []


def forget_all() -> Statement:
    """Nothing is withheld any more."""
    return Statement(delete(withheld))


def looked(now: float) -> Statement:
    """The first look at the inbox is over, with all that it decided."""
    mark = insert_or_skip(milestones).values(name=_FIRST_LOOK, at=now)
    return Statement(mark.on_conflict_do_nothing())


# Reads.


async def was_looked(journal: Journal) -> bool:
    """Whether the first look is over."""
    query = select(milestones.c.at).where(milestones.c.name == _FIRST_LOOK)
    return bool(await journal.read(query))


async def page(journal: Journal, after: str | None, limit: int) -> list[tuple[str, str]]:
    """The next names and seals, in the order of their bytes: all of them may be too many."""
    query = select(withheld.c.name, withheld.c.seal).order_by(withheld.c.name).limit(limit)
    if after is not None:
        query = query.where(withheld.c.name > after)
    return [(str(row["name"]), row["seal"]) for row in await journal.read(query)]


async def count(journal: Journal) -> int:
    """How many files are withheld."""
    rows = await journal.read(select(func.count().label("count")).select_from(withheld))
    return int(rows[0]["count"])
