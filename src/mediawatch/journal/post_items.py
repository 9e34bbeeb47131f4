"""What is written and read of the files of a post."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from sqlalchemy import Update, bindparam, delete, insert, select, update

from mediawatch.journal.database import Journal, Row, Statement
from mediawatch.journal.schema import items
from mediawatch.model.posts import Item

_ITEM_COLUMNS = [column.name for column in items.c]
_ITEM_FACTS = tuple(name for name in _ITEM_COLUMNS if name not in {"post_id", "position"})
_ADD_ITEM = insert(items)


def record_item(item: Item, before: Item | None = None) -> Statement:
    """Write an item as it is now; only what changed, if ``before`` is known."""
    changed = tuple(
        name
        for name in _ITEM_FACTS
        if before is None or getattr(item, name) != getattr(before, name)
    )
    values = {name: getattr(item, name) for name in changed or _ITEM_FACTS[:1]}
    return Statement(
        _item_sql(changed or _ITEM_FACTS[:1]),
        rows=1,
        values={**values, "at_post": item.post_id, "at_position": item.position},
    )


@cache
def _item_sql(facts: tuple[str, ...]) -> Update:
    return (
        update(items)
        .where(
            items.c.post_id == bindparam("at_post"), items.c.position == bindparam("at_position")
        )
        .values({name: bindparam(name) for name in facts})
    )


def add_item(item: Item) -> Statement:
    """A file that goes with a post from now on."""
    return Statement(
        _ADD_ITEM, rows=1, values={name: getattr(item, name) for name in _ITEM_COLUMNS}
    )


def forget_item(post_id: str, position: int) -> Statement:
    """A file does not go with its post any more; nothing else is done to it."""
    return Statement(
        delete(items).where(items.c.post_id == post_id, items.c.position == position), rows=1
    )


def exchange_items(before: Sequence[Item], after: Sequence[Item]) -> list[Statement]:
    """One post has other items from now on; those of the same position are changed."""
    old, new = ({item.position: item for item in items} for items in (before, after))
    return [
        *(forget_item(item.post_id, item.position) for item in before if item.position not in new),
        *(record_item(item, old[item.position]) for item in after if item.position in old),
        *(add_item(item) for item in after if item.position not in old),
    ]


async def items_of(journal: Journal, post_id: str) -> tuple[Item, ...]:
    """The items of one post, in order."""
    rows = await journal.read(
        select(items).where(items.c.post_id == post_id).order_by(items.c.position)
    )
    return tuple(item_from_row(row) for row in rows)


def item_from_row(row: Row) -> Item:
    """An item out of its row."""
    return Item(**{**row, "changes": tuple(row["changes"])})
