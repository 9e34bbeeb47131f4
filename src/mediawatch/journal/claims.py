"""The posts of files that are claimed together: written before the renames, and ready after.

Much of a storm's cost is here: a post is a tuple on its way, and each step one write for all.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import bindparam, update

from mediawatch.journal.database import NewRows, Statement
from mediawatch.journal.schema import items, posts
from mediawatch.model.kinds import PostKind
from mediawatch.model.lifecycle import Event, Position, Publication, Stage, State, walk
from mediawatch.model.wishes import Wishes

#: Where a post stands while its file is renamed: nobody else may work on it.
CLAIMED = Position(Stage.CONVERT, State.RUNNING, Publication.NOT_ASKED)
#: And where it stands when the file has arrived.
ARRIVED = walk(CLAIMED, Event.INTERRUPT)
_FENCE = 1

_ARRIVE = (
    update(posts)
    .where(
        posts.c.id.in_(bindparam("at_ids", expanding=True)),
        posts.c.fence == _FENCE,
        posts.c.stage == CLAIMED.stage,
        posts.c.state == CLAIMED.state,
    )
    .values(
        stage=ARRIVED.stage,
        state=ARRIVED.state,
        updated_at=bindparam("now"),
        lease_until=None,
    )
)
_ARRIVE_ITEM = (
    update(items)
    .where(items.c.post_id.in_(bindparam("at_ids", expanding=True)), items.c.moving_to.is_not(None))
    .values(source=items.c.moving_to, moving_to=None)
)


class NewCompanion(NamedTuple):
    """A file that goes with the one of a post. ``sha256`` in hex, ``size`` in bytes."""

    name: str
    source: Path
    target: Path
    sha256: str
    size: int


class NewPost(NamedTuple):
    """A post of one file, which lies at ``source`` and is to be renamed to ``target``.

    ``sha256`` in hex, ``size`` in bytes. ``companions`` are its items from position 1 on.
    """

    id: str
    kind: PostKind
    name: str
    caption: str
    content_key: str
    wishes: Wishes | None
    refusal: tuple[str, str, str] | None
    source: Path
    target: Path
    sha256: str
    size: int
    companions: tuple[NewCompanion, ...] = ()
    awaits: tuple[str, str, str] | None = None


def intend(
    new: Sequence[NewPost], account_id: str, inbox: Path, *, now: float, lease_until: float
) -> list[NewRows]:
    """The posts, each with its item, and the moves that are to come. Conflicts, and writes none,
    if the account has the same content already."""
    (
        ids,
        kinds,
        names,
        captions,
        keys,
        wishes,
        refusals,
        sources,
        targets,
        digests,
        sizes,
        _,
        awaits,
    ) = zip(*new, strict=True)
    along = [
        (post.id, position, *companion)
        for post in new
        for position, companion in enumerate(post.companions, start=1)
    ]
    wished = {"wishes": wishes, "refusal": refusals, "awaits": awaits}
    return [
        NewRows(
            posts,
            {
                "id": ids,
                "kind": kinds,
                "name": names,
                "caption": captions,
                "content_key": keys,
                # What is nowhere set is left to the database: each value costs time.
                **{name: told for name, told in wished.items() if any(told)},
            },
            shared={
                "account_id": account_id,
                "inbox": inbox,
                "stage": CLAIMED.stage,
                "state": CLAIMED.state,
                "created_at": now,
                "updated_at": now,
                "fence": _FENCE,
                "lease_until": lease_until,
                "attempts": 0,
                "parked": False,
                "container_reads": 0,
                "generation": 0,
                "rebuilds": 0,
            },
        ),
        NewRows(
            items,
            {
                "post_id": ids,
                "name": names,
                "source": sources,
                "moving_to": targets,
                "sha256": digests,
                "size": sizes,
            },
            shared={"position": 0, "changes": ()},
        ),
        *([_companions(along)] if along else []),
    ]


def _companions(along: Sequence[tuple[Any, ...]]) -> NewRows:
    columns = ("post_id", "position", "name", "source", "moving_to", "sha256", "size")
    values = dict(zip(columns, zip(*along, strict=True), strict=True))
    return NewRows(items, values, shared={"changes": ()})


def arrive(ids: Sequence[str], now: float, *, companions: int = 0) -> list[Statement]:
    """The files of these new posts lie where they were to be moved, with so many ``companions``:
    the posts are ready.

    Conflicts, and writes none, if any of them is not as it was intended.
    """
    return [
        Statement(_ARRIVE, rows=len(ids), values={"at_ids": list(ids), "now": now}),
        Statement(_ARRIVE_ITEM, rows=len(ids) + companions, values={"at_ids": list(ids)}),
    ]
