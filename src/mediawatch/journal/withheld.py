"""Files that lay in an inbox at its very first start, and wait there for a person's word."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

from sqlalchemy import (
    LargeBinary,
    Text,
    bindparam,
    delete,
    func,
    insert,
    literal,
    select,
    type_coerce,
    update,
)
from sqlalchemy.dialects.sqlite import insert as insert_or_skip

from mediawatch.journal.database import Journal, Statement
from mediawatch.journal.schema import FilePath, milestones, withheld

#: The milestone of the inbox of journals that knew one only, and whose its rows are.
_FIRST_LOOK, _THE_ONE = "first-look", b""
_ADD = insert(withheld)
_FORGET = delete(withheld).where(
    withheld.c.inbox == bindparam("of", type_=FilePath),
    withheld.c.name == bindparam("gone", type_=FilePath),
)


# Writes.


def adopt(inbox: Path) -> list[Statement]:
    """What an older mediawatch knew of its one inbox belongs to this one."""
    mark = select(literal(_milestone(inbox), Text), milestones.c.at).where(
        milestones.c.name == _FIRST_LOOK
    )
    return [
        Statement(
            update(withheld)
            .where(type_coerce(withheld.c.inbox, LargeBinary) == _THE_ONE)
            .values(inbox=inbox)
        ),
        Statement(
            insert_or_skip(milestones).from_select(["name", "at"], mark).on_conflict_do_nothing()
        ),
        Statement(delete(milestones).where(milestones.c.name == _FIRST_LOOK)),
    ]


def add(inbox: Path, sealed: Iterable[tuple[str, str]]) -> list[Statement]:
    """Withhold these names; the seal tells later whether it is still the same file."""
    rows = [{"inbox": inbox, "name": name, "seal": seal} for name, seal in sealed]
    return [Statement(_ADD, rows=len(rows), values=rows)] if rows else []


def forget(inbox: Path, names: Iterable[str]) -> list[Statement]:
    """These are gone, or are other files now."""
    rows = [{"of": inbox, "gone": name} for name in names]
    return [Statement(_FORGET, values=rows)] if rows else []


def forget_all(inbox: Path | None = None) -> Statement:
    """Nothing is withheld any more, in this inbox or in any."""
    gone = delete(withheld)
    return Statement(gone if inbox is None else gone.where(withheld.c.inbox == inbox))


def looked(inbox: Path, now: float) -> Statement:
    """The first look at the inbox is over, with all that it decided."""
    mark = insert_or_skip(milestones).values(name=_milestone(inbox), at=now)
    return Statement(mark.on_conflict_do_nothing())


# Reads.


async def was_looked(journal: Journal, inbox: Path) -> bool:
    """Whether the first look is over."""
    query = select(milestones.c.at).where(milestones.c.name == _milestone(inbox))
    return bool(await journal.read(query))


async def page(
    journal: Journal, inbox: Path, after: str | None, limit: int
) -> list[tuple[str, str]]:
    """The next names and seals, in the order of their bytes: all of them may be too many."""
    query = (
        select(withheld.c.name, withheld.c.seal)
        .where(withheld.c.inbox == inbox)
        .order_by(withheld.c.name)
        .limit(limit)
    )
    if after is not None:
        query = query.where(withheld.c.name > after)
    return [(str(row["name"]), row["seal"]) for row in await journal.read(query)]


async def count(journal: Journal, inbox: Path | None = None) -> int:
    """How many files are withheld, in this inbox or in all."""
    query = select(func.count().label("count")).select_from(withheld)
    if inbox is not None:
        query = query.where(withheld.c.inbox == inbox)
    return int((await journal.read(query))[0]["count"])


def _milestone(inbox: Path) -> str:
    """Names of milestones are text, which a path need not be."""
    return f"{_FIRST_LOOK} {hashlib.sha256(os.fsencode(inbox)).hexdigest()[:32]}"
