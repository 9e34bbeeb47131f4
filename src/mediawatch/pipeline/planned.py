"""Posts that are to go out at a time: containers shortly before it, the call not before it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from mediawatch.clock import iso
from mediawatch.config import PublishSettings
from mediawatch.journal import accounts
from mediawatch.model import schedule
from mediawatch.model.posts import SCHEDULED, Post
from mediawatch.model.schedule import Held, NextSlot, Wait
from mediawatch.pipeline.outcomes import Reason, WaitUntil
from mediawatch.pipeline.work import Work


class Planned:
    """Keeps a post back until its time (model/schedule.py decides). ``gap``: seconds that its
    inbox wants between two posts of the account."""

    def __init__(self, settings: PublishSettings, gap: Callable[[Post], float]) -> None:
        self._settings = settings
        self._gap = gap

    async def before_container(self, work: Work) -> WaitUntil | None:
        """None if a container may be made now. Raises Rejected if it is too late for a post."""
        slot = await self._slot(work)
        if slot is None:
            return None
        video = any(item.is_video for item in work.post.items)
        start = schedule.containers_from(slot, video=video)
        return _wait(slot, start) if work.clock.now() < start else None

    async def before_asking(self, work: Work) -> WaitUntil | None:
        """None if it may be published now. Raises Rejected if it is too late for a post."""
        slot = await self._slot(work)
        return None if slot is None else _wait(slot, slot.timestamp())

    async def _slot(self, work: Work) -> datetime | None:
        """When it is to go out, if that is still to come."""
        post, now = work.post, work.clock.now()
        if post.wishes.publish_at is None:
            return None
        account = await accounts.find(work.journal, post.account_id)
        decision = schedule.due(
            post.wishes.publish_at,
            now,
            late=self._settings.late,
            late_after=self._settings.late_after,
            min_gap=self._gap(post),
            last_published_at=account.last_published_at,
            moved_to=_moved_to(post),
        )
        match decision:
            case Held(why):
                raise why
            case NextSlot(at, message):
                work.tell("moved", message)
                work.log.warning(message, action="wait")
                await work.write(moved_to=at.timestamp())
                return at
            case Wait(gap=False):
                return _moved_to(post) or post.wishes.publish_at
            case _:
                return None


def _moved_to(post: Post) -> datetime | None:
    if post.moved_to is None or post.wishes.publish_at is None:
        return None
    at = datetime.fromtimestamp(post.moved_to, UTC)
    return at.astimezone(post.wishes.publish_at.tzinfo)


def _wait(slot: datetime, until: float) -> WaitUntil:
    told = f"It is planned for {slot:%Y-%m-%d %H:%M} ({iso(slot.timestamp())})."
    return WaitUntil(until, Reason(SCHEDULED, told, "Nothing to do."))
