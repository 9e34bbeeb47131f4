"""After an answer that is no success: ask the other side, and repeat only on proof.

The container's status is the first witness: PUBLISHED is success; FINISHED, after the quiet
window, is proof that nothing happened; ERROR or EXPIRED needs the account's listing to say so
twice. What cannot be read is read again. "The newest media" is never taken for ours.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from mediawatch.config import PublishSettings
from mediawatch.errors import GraphProblem, Handling
from mediawatch.graph.errors import GraphError
from mediawatch.graph.publishing import ContainerStatus, Publishing
from mediawatch.journal import accounts
from mediawatch.model.kinds import PostKind
from mediawatch.model.lifecycle import Event
from mediawatch.pipeline.containers import LOST_CONTAINER
from mediawatch.pipeline.listed import WIDE_MARGIN, candidates
from mediawatch.pipeline.outcomes import Done, Hold, Outcome, Reason, WaitUntil, in_doubt
from mediawatch.pipeline.work import Work

#: Seconds after which a container that cannot be read will not be readable any more.
UNREADABLE_AFTER = 25 * 3600.0
#: Seconds between the two listings that must both lack the post.
ABSENT_FOR = 300.0
#: Meta's code for a container that it still works on.
NOT_READY = 9007
#: Seconds between reads while the media is not listed yet.
READ_AGAIN = (5.0, 10.0, 20.0, 30.0, 60.0)
#: Until so many seconds after the asking: seconds between reads while the outcome is unknown.
READ_AGAIN_AFTER = ((30.0, 5.0), (3600.0, 60.0))
#: Seconds back to which Meta counts publications (Meta: Content Publishing Limit, ``since``).
QUOTA_REACHES_BACK = 86400.0
#: Seconds that a story is listed (Meta: IG User Stories).
STORY_LIFE = 86400.0
#: Listings without the media after which a person is asked.
MAX_LISTINGS = 20

Released = Callable[[str, Work], Awaitable[None]]


class Reconcile:
    """Finds out what came of a publish call. It never sends one."""

    def __init__(self, settings: PublishSettings, released: Released) -> None:
        self._settings = settings
        self._released = released
        #: When each post was asked for, on the clock that never jumps; lost with the process.
        self._asked: dict[str, float] = {}

    def asked(self, work: Work) -> None:
        """The call is about to be sent."""
        self._asked[work.post.id] = work.clock.monotonic()

    async def after_clear_refusal(
        self, work: Work, api: Publishing, refusal: GraphError
    ) -> Outcome:
        """Meta said no before doing anything. The container must agree; then the error rules."""
        try:
            status = (await api.container(_container(work))).status_code
        except GraphProblem as error:
            return await self._unreadable(work, api, error)
        if status is ContainerStatus.PUBLISHED:
            return await self.found_published(work)
        attempts = work.post.attempts
        contradicted = refusal.number == NOT_READY and status is ContainerStatus.FINISHED
        if contradicted and attempts > 0:
            return await self._ask_again(work)  # else it would be asked for ever
        if status in {ContainerStatus.FINISHED, ContainerStatus.IN_PROGRESS}:
            await self._denied(work, attempts=max(attempts, int(contradicted)))
            raise refusal
        return await self.after_unknown_outcome(work, api)

    async def after_unknown_outcome(self, work: Work, api: Publishing) -> Outcome:
        """The call may have taken effect, or still may."""
        try:
            status = (await api.container(_container(work))).status_code
        except GraphProblem as error:
            lost = isinstance(error, GraphError) and error.number == LOST_CONTAINER
            if lost and self._quiet_for(work) <= 0:
                return await self._dead_container(work, api, "lost")
            return await self._unreadable(work, api, error)
        if status is ContainerStatus.PUBLISHED:
            return await self.found_published(work)
        if self._quiet_for(work) > 0:
            return await self._read_again(work)
        if status is ContainerStatus.FINISHED:
            return await self._ask_again(work)
        if status in {ContainerStatus.ERROR, ContainerStatus.EXPIRED}:
            return await self._dead_container(work, api, status.lower())
        return await self._read_again(work)

    async def _ask_again(self, work: Work) -> Outcome:
        """It did not happen. The first time the same container is asked for at once; then as
        whatever fails is tried again, for each asking keeps the account from all other posts."""
        name, attempts = work.post.name, work.post.attempts
        if attempts > 0:
            await self._denied(work)
            raise GraphProblem(
                f"Meta was asked to publish {name}, and did not.",
                code="not-published",
                remedy="Nothing to do: Meta may be unwell, and mediawatch asks again by itself.",
            )
        work.log.info(
            f"{name} was not published; asking again with the same container.", action="reconcile"
        )
        await self._denied(work, attempts=1)
        return Done()

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
        fitting = (await candidates(work, api)).fitting
        if len(fitting) == 1:
            media = fitting[0]
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
        asked = work.post.publish_asked_at or 0.0
        if work.post.kind is PostKind.STORY and work.clock.now() - asked > STORY_LIFE:
            # It was live for certain, and no listing will ever tell which it was.
            free = accounts.unlock(work.post.account_id, work.post.id, published_at=asked)
            await work.write(Event.ADVANCE, published_at=asked, extra=[free])
            await self._released(work.post.account_id, work)
            return Done()
        reads = work.post.container_reads + 1
        await work.write(container_reads=reads)
        if fitting or reads >= MAX_LISTINGS:
            found = f"{len(fitting)} media fit" if fitting else "the listing lacks it"
            return Hold(
                Reason(
                    "which-media",
                    f"{work.post.name} is on Instagram, but {found}, so its link is not known.",
                    "Nothing is lost and nothing is sent again. Name the right one: "
                    f"`mediawatch posts confirm {work.post.id} --media ID`, or leave out --media "
                    "to have the original filed without its link.",
                )
            )
        return WaitUntil(
            work.clock.now() + READ_AGAIN[min(reads, len(READ_AGAIN)) - 1],
            Reason("listing", "It is on Instagram; the account's listing does not show it yet."),
        )

    async def _unreadable(self, work: Work, api: Publishing, error: GraphProblem) -> Outcome:
        """The witness does not speak: ask again, for as long as it can be expected to."""
        if error.handling is Handling.PARK:
            raise error  # a person must mend the token or the account, and is told how
        if error.code == "rate-limit":
            raise error  # it is asked as soon as calls are allowed again
        post = work.post
        work.log.info(
            f"The container of {post.name} cannot be read: {error.message}", action="reconcile"
        )
        since = post.container_at or post.publish_asked_at or work.clock.now()
        if work.clock.now() - since < UNREADABLE_AFTER:
            return await self._read_again(work)
        fitting = (await candidates(work, api)).fitting
        if fitting and post.kind is not PostKind.STORY:
            return await self.found_published(work)
        return in_doubt(post, "Meta does not know its container any more.")

    async def _dead_container(self, work: Work, api: Publishing, status: str) -> Outcome:
        """I1: a new container needs proof that nothing of the old one is live: two listings that
        lack the post, and Meta's count of what was published since."""
        post, now = work.post, work.clock.now()
        listed = await candidates(work, api)
        if listed.fitting and post.kind is PostKind.STORY:
            return in_doubt(post, "a story is listed that may be it.")  # nothing tells them apart
        if listed.fitting:
            return await self.found_published(work)
        if not listed.complete:
            return in_doubt(post, "its account has too many newer posts to look through.")
        if post.absent_at is None:
            await work.write(absent_at=now)
            return WaitUntil(now + ABSENT_FOR, self._unknown(work))
        if now - post.absent_at < ABSENT_FOR:
            return WaitUntil(post.absent_at + ABSENT_FOR, self._unknown(work))
        if post.rebuilds > 0:
            return in_doubt(post, f"its second container is {status} too.")
        if (await candidates(work, api, margin=WIDE_MARGIN)).fitting:
            return in_doubt(
                post,
                "one like it is listed that is older than the asking. If it is this one, the "
                "clock of this machine is wrong.",
            )
        if await self._counted_more(work, api):
            return in_doubt(
                post, "it is not listed, but Meta counts a post more than mediawatch made."
            )
        items = [replace(item, container_id=None) for item in post.items]
        await self._denied(work, Event.REBUILD, items=items, container_id=None, rebuilds=1)
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

    async def _counted_more(self, work: Work, api: Publishing) -> bool:
        """Whether the account published more since the asking than our other posts explain."""
        asked = work.post.publish_asked_at or work.clock.now()
        since = max(math.floor(asked), math.ceil(work.clock.now() - QUOTA_REACHES_BACK))
        used = (await api.quota(since=since)).quota_usage
        slots = await accounts.slots(work.journal, work.post.account_id, since=since - 1)
        return used > sum(at != asked for at in slots)

    def _quiet_for(self, work: Work) -> float:
        """I5: for so many seconds nothing is concluded from FINISHED, and nothing is sent.

        Both clocks must agree that they are over: the one for dates may be set forward while
        the call is under way. After a restart the call is over, and only that one is left.
        """
        window = self._settings.doubtful_for
        now = work.clock.now()
        left = (work.post.publish_asked_at or now) + window - now
        asked = self._asked.get(work.post.id)
        if asked is not None:
            left = max(left, asked + window - work.clock.monotonic())
        return min(left, window)  # nor may a clock that was set back make it longer

    async def _read_again(self, work: Work) -> WaitUntil:
        now, quiet = work.clock.now(), self._quiet_for(work)
        if quiet <= 0:
            await self._let_others_on(work)
        since = now - (work.post.publish_asked_at or now)
        pause = next((pause for limit, pause in READ_AGAIN_AFTER if since < limit), 600.0)
        return WaitUntil(now + (min(pause, quiet) if quiet > 0 else pause), self._unknown(work))

    async def _let_others_on(self, work: Work) -> None:
        """I3 lasts as long as the call can take effect. A post that stays unknown for hours must
        not keep the account's others back; each is still told apart by its own container."""
        post = work.post
        if (await accounts.find(work.journal, post.account_id)).publishing == post.id:
            await work.write(extra=[accounts.unlock(post.account_id, post.id)])
            await self._released(post.account_id, work)

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
