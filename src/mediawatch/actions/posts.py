"""What may be asked of posts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from mediawatch import crash
from mediawatch.actions.permission import (
    accounts_for,
    require,
    require_account,
    visible_accounts,
)
from mediawatch.clock import Clock, iso
from mediawatch.errors import Conflict, MediawatchError
from mediawatch.journal import accounts, attempts, audit, post_items, posts, standing
from mediawatch.journal.attempts import Attempt
from mediawatch.journal.database import Journal, Statement
from mediawatch.model.lifecycle import Event, Publication, Stage, State
from mediawatch.model.people import Actor, Right
from mediawatch.model.posts import JOURNAL_RESTORED, Post, shown_as


class NoSuchPost(MediawatchError):
    """No post, or more than one, has this id."""

    code = "no-such-post"


class NotPossible(MediawatchError):
    """The post is not in a state in which this can be asked."""

    code = "not-possible"


async def find(journal: Journal, actor: Actor, prefix: str, right: Right = Right.READ) -> Post:
    """The post whose id begins so, of those that the actor may see.

    Raises NoSuchPost if none or several do, and NotAllowed if they have not this right to it.
    """
    digits = prefix.strip().lower()
    # What is no text at all, as a terminal may send it, cannot even be looked up.
    found = await posts.find_by_prefix(journal, digits) if digits.isalnum() else []
    seen = await visible_accounts(journal, actor)
    if seen is not None:
        found = [post for post in found if post.account_id in seen]
    if len(found) == 1:
        await require_account(journal, actor, found[0].account_id, right)
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


async def retry(
    journal: Journal,
    clock: Clock,
    actor: Actor,
    prefix: str,
    *,
    now: bool = False,
    approved: bool = False,
) -> Post:
    """Have a post tried again now: one that is held, waits, failed or was cancelled.

    ``now``: even if it is planned for later; what is held for being late goes out in any case. A
    post whose publication was asked is asked after first, and never sent blindly. ``approved``:
    with that a person says yes to a post that waits for just this.
    Raises NoSuchPost, NotAllowed and NotPossible.
    """
    post = await find(journal, actor, prefix, Right.POST)
    if _awaits_a_yes(post) and not approved:
        raise NotPossible(
            f"{post.detail} Trying it again is no approval.",
            remedy=f"`mediawatch posts release {post.id}` has it published.",
        )
    event = _TRIED_AGAIN_BY.get(post.state)
    if event is None:
        raise NotPossible(
            f"{post.name} is {shown_as(post)}; there is nothing to try again.",
            remedy="`mediawatch posts show` tells where it stands.",
        )
    # An upload's address is made anew: the settings may be what was mended.
    anew = [
        post_items.record_item(replace(item, public_url=None, container_id=None), item)
        for item in post.items
        if post.stage is Stage.CONTAINER
    ]
    # What its account was stopped for is mended, says who has one of its posts tried again.
    released = standing.release(post.account_id, post.reason or "", now=clock.now())
    told = "A person had it tried again."
    planned = post.wishes.publish_at is not None and (now or post.reason == "late")
    facts: dict[str, Any] = {"moved_to": clock.now()} if planned else {}
    if _awaits_a_yes(post):
        facts["awaits"] = None
        told = "A person approved it."
    return await _move(journal, clock, actor, post, event, told, [*anew, *released], **facts)


def _awaits_a_yes(post: Post) -> bool:
    """Whether it is held for nothing but a person's word."""
    return post.awaits is not None and post.state is State.HELD and post.reason == post.awaits[0]


async def retry_all(journal: Journal, clock: Clock, actor: Actor) -> list[Post]:
    """Have every post tried again that is held, failed or waits for a person to mend something.

    Those of the accounts to which the actor may post; not those that an older journal takes for
    unpublished, or that wait for an approval: each of them needs a look first. Raises NotAllowed.
    """
    require(actor, Right.POST)
    may = await accounts_for(journal, actor, Right.POST)
    stuck = await posts.listed(journal, states=[State.HELD, State.FAILED], limit=10_000)
    parked = await posts.listed(journal, states=[State.WAITING], limit=10_000)
    retried = []
    for post in [*stuck, *(post for post in parked if post.parked)]:
        if may is not None and post.account_id not in may:
            continue
        if post.reason == JOURNAL_RESTORED or _awaits_a_yes(post):
            continue
        try:
            retried.append(await retry(journal, clock, actor, post.id))
        except NotPossible:
            continue  # it moved on by itself meanwhile
    return retried


async def release(journal: Journal, clock: Clock, actor: Actor, prefix: str) -> Post:
    """Have a held post go on, as ``retry`` does, with the approval that it may wait for; a post in
    another state is left alone.

    Raises NoSuchPost, NotAllowed and NotPossible.
    """
    post = await find(journal, actor, prefix, Right.POST)
    if post.state is not State.HELD:
        raise NotPossible(
            f"{post.name} is {shown_as(post)}; it is not held.",
            remedy=f"`mediawatch posts show {post.id}` tells where it stands.",
        )
    return await retry(journal, clock, actor, post.id, approved=True)


async def publish_now(journal: Journal, clock: Clock, actor: Actor, prefix: str) -> Post:
    """Have a post published now that is not yet; one that is, is refused: it would be there twice.

    Raises NoSuchPost, NotAllowed and NotPossible.
    """
    post = await find(journal, actor, prefix, Right.POST)
    if post.state is State.DONE or post.publication is Publication.LIVE:
        raise NotPossible(
            f"{post.name} is published already"
            + (f", since {iso(post.published_at)}." if post.published_at else "."),
            remedy=f"To have it there twice: `mediawatch posts publish {post.id} --again`.",
        )
    return await retry(journal, clock, actor, prefix, now=True, approved=True)


async def confirm(
    journal: Journal, clock: Clock, actor: Actor, prefix: str, media_id: str | None = None
) -> Post:
    """A person looked: the post is on Instagram. Nothing is sent for it again; it is filed.

    ``media_id`` names which media it is, where more than one may be it.
    Raises NoSuchPost, NotAllowed and NotPossible.
    """
    post = await find(journal, actor, prefix, Right.POST)
    in_doubt = post.publication is Publication.ASKED or post.stage is Stage.CONFIRM
    if post.state not in {State.HELD, State.WAITING} or not (
        in_doubt or post.reason == JOURNAL_RESTORED
    ):
        raise NotPossible(
            f"{post.name} is {shown_as(post)}: whether it is on Instagram is not in doubt.",
            remedy=f"`mediawatch posts show {post.id}` tells where it stands.",
        )
    if media_id is not None and not (media_id.isascii() and media_id.isdecimal()):
        raise NotPossible(f"{media_id} is no media id.", remedy="A media id is made of digits.")
    published = post.published_at or post.publish_asked_at or clock.now()
    return await _move(
        journal,
        clock,
        actor,
        post,
        Event.VOUCH,
        "A person confirmed that it is on Instagram.",
        [
            accounts.unlock(post.account_id, post.id, published_at=published),
            posts.account_is_free(post.account_id, clock.now()),
        ],
        media_id=media_id or post.media_id,
        published_at=published,
    )


async def deny(journal: Journal, clock: Clock, actor: Actor, prefix: str, *, quiet: float) -> Post:
    """A person looked: the post is not on Instagram. It is published, once.

    ``quiet``: seconds after the asking within which the call may still take effect.
    Raises NoSuchPost, NotAllowed and NotPossible.
    """
    post = await find(journal, actor, prefix, Right.POST)
    if post.publication is not Publication.ASKED or post.state is State.RUNNING:
        raise NotPossible(
            f"{post.name} is {shown_as(post)}: whether it is on Instagram is not in doubt.",
            remedy=f"`mediawatch posts show {post.id}` tells where it stands.",
        )
    certain_at = (post.publish_asked_at or 0.0) + quiet
    if clock.now() < certain_at:
        raise NotPossible(
            f"Meta may still publish {post.name}: it was asked a moment ago.",
            remedy=f"Look again after {iso(certain_at)}, then deny it.",
        )
    return await _move(
        journal,
        clock,
        actor,
        post,
        Event.DISOWN,
        "A person confirmed that it is not on Instagram.",
        [
            accounts.unlock(post.account_id, post.id),
            accounts.give_slot_back(post.id, post.generation),
            posts.account_is_free(post.account_id, clock.now()),
        ],
        publish_asked_at=None,
        absent_at=None,
        container_reads=0,
    )


async def _move(
    journal: Journal,
    clock: Clock,
    actor: Actor,
    post: Post,
    event: Event,
    told: str,
    extra: Sequence[Statement] = (),
    **facts: Any,
) -> Post:
    """What a person wanted of a post, with a line in its history; Conflict told for people."""
    now = clock.now()
    fresh = {"attempts": 0, "rebuilds": 0, "wait_until": None, "parked": False}
    after, statement = posts.move(post, event, now=now, **fresh, **facts)
    line = attempts.add(post, Attempt(post.stage, event.value, "", now, detail=told))
    try:
        said = audit.record(
            actor, f"post.{event}", post.id, account_id=post.account_id, detail=told, now=now
        )
        await journal.apply([statement, line, said, *extra])
        crash.at("order.recorded")
    except Conflict as error:
        raise NotPossible(
            f"{post.name} moved on in the meantime, or the same picture is another post already.",
            remedy="`mediawatch posts list` shows how things stand now.",
        ) from error
    return after
