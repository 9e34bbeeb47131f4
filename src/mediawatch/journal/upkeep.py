"""What housekeepers ask and write of posts that are done: links, first comments, old uploads."""

from __future__ import annotations

from sqlalchemy import and_, bindparam, or_, select, update

from mediawatch.journal.database import Journal, Statement
from mediawatch.journal.post_items import item_from_row
from mediawatch.journal.posts import load
from mediawatch.journal.schema import items, posts
from mediawatch.model.lifecycle import FINAL, State
from mediawatch.model.posts import Item, Post

#: Asked every ten seconds. Without its state: by that all posts that were ever done would be read.
_LACK_COMMENT = (
    select(posts)
    .where(
        posts.c.published_at >= bindparam("since"),
        posts.c.wishes.is_not(None),
        posts.c.comment_id.is_(None),
        posts.c.comment_tries < bindparam("tries"),
    )
    .order_by(posts.c.published_at)
)


def record_link(post_id: str, permalink: str) -> Statement:
    """The public address of a published post."""
    return Statement(update(posts).where(posts.c.id == post_id).values(permalink=permalink))


def ask_comment(post: Post, now: float) -> Statement:
    """The first comment is about to be asked for; Conflicts if somebody else asks meanwhile."""
    return Statement(
        update(posts)
        .where(posts.c.id == post.id, posts.c.comment_tries == post.comment_tries)
        .values(comment_asked_at=now, comment_tries=post.comment_tries + 1),
        rows=1,
    )


def look_later_for_comment(post: Post, now: float, tries: int) -> Statement:
    """Whether the first comment is there was not told: it is asked for again later, until it was
    tried too often."""
    facts = {"comment_asked_at": now, "comment_tries": tries}
    return Statement(update(posts).where(posts.c.id == post.id).values(facts), rows=1)


def give_up_comment(post: Post, tries: int) -> Statement:
    """The first comment cannot be written: as if it had been tried so often."""
    return Statement(update(posts).where(posts.c.id == post.id).values(comment_tries=tries), rows=1)


def record_comment(post_id: str, comment_id: str) -> Statement:
    """The first comment is there."""
    return Statement(update(posts).where(posts.c.id == post_id).values(comment_id=comment_id))


async def without_comment(
    journal: Journal, *, since: float, tries: int, limit: int = 20
) -> list[Post]:
    """Posts published after that time that lack the first comment that is wished for, and were
    tried less often than that."""
    found = await load(journal, _LACK_COMMENT, {"since": since, "tries": tries})
    lacking = [post for post in found if post.wishes.first_comment is not None]
    return [post for post in lacking if post.state is State.DONE][:limit]


async def without_link(journal: Journal, *, since: float, limit: int = 20) -> list[Post]:
    """Posts published after that time whose link is not known."""
    return await load(
        journal,
        select(posts)
        .where(
            posts.c.state == State.DONE,
            posts.c.media_id.is_not(None),
            posts.c.permalink.is_(None),
            posts.c.published_at >= since,
        )
        .order_by(posts.c.published_at)
        .limit(limit),
    )


async def uploads_to_delete(
    journal: Journal,
    *,
    ended_before: float | None,
    broken_before: float,
    held_before: float,
    skip: int = 0,
    limit: int = 100,
) -> list[Item]:
    """Items whose upload nobody needs any more, the oldest first, without the first ``skip``.

    Their post ended before that time (None: never mind when); or it failed or was cancelled
    before the upload was done; or it is held since before that time.
    """
    before = posts.c.updated_at
    broken = and_(posts.c.state.in_([State.FAILED, State.CANCELLED]), items.c.public_url.is_(None))
    due = [
        and_(broken, before <= broken_before),
        and_(posts.c.state == State.HELD, before <= held_before),
    ]
    if ended_before is not None:
        due.append(and_(posts.c.state.in_(list(FINAL)), before <= ended_before))
    query = (
        select(items)
        .join(posts, posts.c.id == items.c.post_id)
        .where(
            items.c.remote_key.is_not(None),
            or_(*due),
        )
        .order_by(posts.c.updated_at, posts.c.id, items.c.position)
        .offset(skip)
        .limit(limit)
    )
    return [item_from_row(row) for row in await journal.read(query)]
