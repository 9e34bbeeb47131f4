"""After an answer that is no success: ask the other side, and repeat only on proof.

The container's status is the first witness: PUBLISHED is success; FINISHED, after the quiet
window, is proof that nothing happened; ERROR or EXPIRED needs the account's listing to say so
twice. What cannot be read is read again. "The newest media" is never taken for ours.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from mediawatch.config import PublishSettings
from mediawatch.errors import GraphProblem
from mediawatch.graph.errors import GraphError
from mediawatch.graph.publishing import ContainerStatus, PublishedMedia, Publishing
from mediawatch.journal import accounts, posts
from mediawatch.model.lifecycle import Event
from mediawatch.pipeline.outcomes import Done, Hold, Outcome, Reason, WaitUntil
from mediawatch.pipeline.work import Work

#: Seconds between the two listings that must both lack the post.
ABSENT_FOR = 300.0
#: Seconds that Meta's clock may be behind ours.
CLOCK_MARGIN = 60.0
#: Seconds between reads while the outcome is unknown, and while the media is not listed yet.
READ_AGAIN = (5.0, 10.0, 20.0, 30.0, 60.0)
#: Listings without the media after which a person is asked.
MAX_LISTINGS = 20

Released = Callable[[str, Work], Awaitable[None]]


class Reconcile:
    """Finds out what came of a publish call. It never sends one."""

    def __init__(self, settings: PublishSettings, released: Released) -> None:
        self._settings = settings
        self._released = released

    async def after_clear_refusal(
        self, work: Work, api: Publishing, refusal: GraphError
    ) -> Outcome:
        """Meta said no before doing anything. The container must agree; then the error rules."""
        try:
            status = (await api.container(_container(work))).status_code
        except GraphProblem:
            return self._read_again(work)
        if status is ContainerStatus.PUBLISHED:
            return await self.found_published(work)
        if status in {ContainerStatus.FINISHED, ContainerStatus.IN_PROGRESS}:
            await self._denied(work)
            raise refusal
        return await self.after_unknown_outcome(work, api)

    async def after_unknown_outcome(self, work: Work, api: Publishing) -> Outcome:
        """The call may have taken effect, or still may."""
        try:
            status = (await api.container(_container(work))).status_code
        except GraphProblem as error:
            work.log.info(
                f"The container of {work.post.name} cannot be read: {error.message}",
                action="reconcile",
            )
            return self._read_again(work)
        if status is ContainerStatus.PUBLISHED:
            return await self.found_published(work)
        if self._quiet_until(work) > work.clock.now():
            return self._read_again(work)
        if status is ContainerStatus.FINISHED:
            work.log.info(
                f"{work.post.name} was not published; asking again with the same container.",
                action="reconcile",
            )
            await self._denied(work)
            return Done()
        if status in {ContainerStatus.ERROR, ContainerStatus.EXPIRED}:
            return await self._dead_container(work, api, status)
        return self._read_again(work)

    async def found_published(self, work: Work) -> Outcome:
        """The container reads PUBLISHED: live for certain. The media id is still to be found."""
        asked_at = work.post.publish_asked_at or work.post.container_at
        work.log.info(f"{work.post.name} is on Instagram after all.", action="reconcile")
        await work.write(
            Event.CONFIRM, publish_asked_at=asked_at, container_reads=0, absent_at=None
        )
        return Done()

    async def bind(self, work: Work, api: Publishing) -> Outcome:
        """Bind the post to exactly one new media of the listing."""
        candidates = await self._candidates(work, api)
        if len(candidates) == 1:
            media = candidates[0]
            await work.write(
                Event.ADVANCE,
                media_id=media.id,
                permalink=media.permalink,
                published_at=work.post.publish_asked_at,
                extra=[
                    accounts.unlock(
                        work.post.account_id, work.post.id, published_at=work.clock.now()
                    )
                ],
            )
            work.log.info(
                f"{work.post.name} is on Instagram ({media.id}).",
                action="publish",
                media_id=media.id,
            )
            await self._released(work.post.account_id, work)
            return Done()
        reads = work.post.container_reads + 1
        await work.write(container_reads=reads)
        if candidates or reads >= MAX_LISTINGS:
            found = f"{len(candidates)} media fit" if candidates else "the listing lacks it"
            return Hold(
                Reason(
                    "which-media",
                    f"{work.post.name} is on Instagram, but {found}, so its link is not known.",
                    "Nothing is lost and nothing is sent again; look at the account.",
                )
            )
        return WaitUntil(
            work.clock.now() + READ_AGAIN[min(reads, len(READ_AGAIN)) - 1],
            Reason("listing", "It is on Instagram; the account's listing does not show it yet."),
        )

    async def _dead_container(
        self, work: Work, api: Publishing, status: ContainerStatus
    ) -> Outcome:
        """I1: a new container needs proof that nothing of the old one is live."""
        post, now = work.post, work.clock.now()
        if await self._candidates(work, api):
            return await self.found_published(work)
        if post.absent_at is None:
            await work.write(absent_at=now)
            return WaitUntil(now + ABSENT_FOR, self._unknown(work))
        if now - post.absent_at < ABSENT_FOR:
            return WaitUntil(post.absent_at + ABSENT_FOR, self._unknown(work))
        if post.rebuilds > 0:
            return Hold(
                Reason(
                    "unknown-outcome",
                    f"Meta dropped a second container of {post.name} ({status}) after it was "
                    "asked to publish it.",
                    "Look at the account: if the post is not there, "
                    f"`mediawatch posts retry {post.id}`.",
                )
            )
        await self._denied(work, Event.REBUILD, container_id=None, rebuilds=1)
        return Done()

    async def _denied(self, work: Work, *then: Event, **facts: Any) -> None:
        """It did not happen: free the account and the quota slot."""
        post = work.post
        await work.write(
            Event.DENY,
            *then,
            publish_asked_at=None,
            absent_at=None,
            container_reads=0,
            extra=[
                accounts.unlock(post.account_id, post.id),
                accounts.give_slot_back(post.id, post.generation),
            ],
            **facts,
        )
        await self._released(post.account_id, work)

    async def _candidates(self, work: Work, api: Publishing) -> list[PublishedMedia]:
        """Media that may be ours: not in the journal, same caption, not older than the asking."""
        post = work.post
        since = (post.publish_asked_at or post.container_at or 0.0) - CLOCK_MARGIN
        listed = [
            media
            for media in await api.recent()
            if media.timestamp is not None
            and media.timestamp.timestamp() >= since
            and media.caption.strip() == post.caption.strip()
        ]
        known = await posts.known_media(
            work.journal, post.account_id, [media.id for media in listed]
        )
        return [media for media in listed if media.id not in known]

    def _quiet_until(self, work: Work) -> float:
        """I5: before this nothing is concluded from FINISHED, and nothing is sent."""
        asked_at = work.post.publish_asked_at or work.clock.now()
        return asked_at + self._settings.publish_timeout + self._settings.quiet_window

    def _read_again(self, work: Work) -> WaitUntil:
        now = work.clock.now()
        quiet = self._quiet_until(work)
        since = now - (work.post.publish_asked_at or now)
        at = now + (READ_AGAIN[0] if since < 30 else READ_AGAIN[-1])
        return WaitUntil(min(at, quiet) if quiet > now else at, self._unknown(work))

    def _unknown(self, work: Work) -> Reason:
        return Reason(
            "unknown-outcome",
            f"Whether {work.post.name} was published is not known yet; Meta is being asked.",
            "Nothing to do; do not post it by hand meanwhile.",
        )


def _container(work: Work) -> str:
    if work.post.container_id is None:
        raise AssertionError("a publication was asked without a container")
    return work.post.container_id
