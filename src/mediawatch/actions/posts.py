"""What may be asked of posts."""

from __future__ import annotations

from dataclasses import replace

from mediawatch.clock import Clock
from mediawatch.errors import Conflict, MediawatchError
from mediawatch.journal import posts
from mediawatch.journal.database import Journal
from mediawatch.model.lifecycle import Event, Stage, State
from mediawatch.model.posts import Post, shown_as


class NoSuchPost(MediawatchError):
    """No post, or more than one, has this id."""

    code = "no-such-post"


class NotPossible(MediawatchError):
    """The post is not in a state in which this can be asked."""

    code = "not-possible"


async def find(journal: Journal, prefix: str) -> Post:
    """The post whose id begins so. Raises NoSuchPost if none or several do."""
    found = await posts.find_by_prefix(journal, prefix.strip().lower()) if prefix.strip() else []
    if len(found) == 1:
        return found[0]
    if found:
        raise NoSuchPost(
            f"{len(found)} posts have an id that begins with {prefix}.",
            remedy="Type more of the id.",
        )
    raise NoSuchPost(f"There is no post {prefix}.", remedy="`mediawatch posts list` shows the ids.")


_TRIED_AGAIN_BY = {
    State.HELD: Event.RELEASE,
    State.WAITING: Event.DUE,
    State.FAILED: Event.REOPEN,
    State.CANCELLED: Event.REOPEN,
}


async def retry(journal: Journal, clock: Clock, prefix: str) -> Post:
    """Have a post tried again now: one that is held, waits, failed or was cancelled.

    A post whose publication was asked is asked after first, and never sent blindly.
    Raises NoSuchPost and NotPossible.
    """
    post = await find(journal, prefix)
    event = _TRIED_AGAIN_BY.get(post.state)
    if event is None:
        raise NotPossible(
            f"{post.name} is {shown_as(post)}; there is nothing to try again.",
            remedy="`mediawatch posts show` tells where it stands.",
        )
    after, statement = posts.move(
        post, event, now=clock.now(), attempts=0, rebuilds=0, wait_until=None, parked=False
    )
    # An upload's address is made anew: the settings may be what was mended.
    anew = [
        posts.record_item(replace(item, public_url=None), item)
        for item in post.items
        if post.stage is Stage.CONTAINER
    ]
    try:
        await journal.apply([statement, *anew])
    except Conflict as error:
        raise NotPossible(
            f"{post.name} moved on in the meantime, or the same picture is another post already.",
            remedy="`mediawatch posts list` shows how things stand now.",
        ) from error
    return after


async def retry_all(journal: Journal, clock: Clock) -> list[Post]:
    """Have every post tried again that is held, failed or waits for a person to mend something."""
    stuck = await posts.listed(journal, states=[State.HELD, State.FAILED], limit=10_000)
    parked = await posts.listed(journal, states=[State.WAITING], limit=10_000)
    retried = []
    for post in [*stuck, *(post for post in parked if post.parked)]:
        try:
            retried.append(await retry(journal, clock, post.id))
        except NotPossible:
            continue  # it moved on by itself meanwhile
    return retried
