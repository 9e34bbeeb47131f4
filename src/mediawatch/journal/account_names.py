"""By which names accounts are known here, now and ever: folders in an inbox are called so."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.dialects.sqlite import insert as insert_or_replace

from mediawatch.journal.database import Journal, Statement
from mediawatch.journal.schema import account_names, accounts


@dataclass(frozen=True, slots=True)
class Known:
    """An account as Meta last told of it. ``connected``: it may be posted to by its token in the
    journal, since ``connected_at`` (seconds since the epoch)."""

    id: str
    username: str | None
    connected: bool
    connected_at: float | None


@dataclass(frozen=True, slots=True)
class Name:
    """Whose name it is, and since when; ``key`` is casefolded."""

    key: str
    account_id: str
    since: float


def remember(new: Iterable[Name]) -> Statement:
    """From now on these names are those of their accounts."""
    added = insert_or_replace(account_names)
    said = {name: added.excluded[name] for name in ("account_id", "since")}
    return Statement(
        added.on_conflict_do_update(index_elements=["name_key"], set_=said),
        values=[
            {"name_key": name.key, "account_id": name.account_id, "since": name.since}
            for name in new
        ],
    )


async def known(journal: Journal) -> list[Known]:
    """Every account that ever had a post or was connected, in the order of their ids."""
    rows = await journal.read(
        select(
            accounts.c.id,
            accounts.c.username,
            accounts.c.connected_at,
            accounts.c.disconnected_at,
        ).order_by(accounts.c.id)
    )
    return [
        Known(
            row["id"],
            row["username"],
            row["connected_at"] is not None and row["disconnected_at"] is None,
            row["connected_at"],
        )
        for row in rows
    ]


async def names(journal: Journal) -> dict[str, Name]:
    """Every name that was ever remembered, by its key."""
    rows = await journal.read(select(account_names))
    return {row["name_key"]: Name(row["name_key"], row["account_id"], row["since"]) for row in rows}
