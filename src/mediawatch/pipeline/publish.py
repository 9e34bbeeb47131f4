"""Stages publish and confirm: the heart. Meta is asked to publish once.

The container's id is the key: it goes from FINISHED to PUBLISHED once. Intent, account lock and
quota slot are durable before the call (I2, I3); only 200 with a media id is success; whatever
else comes back is asked after before anything is sent again (pipeline/reconcile.py).
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial

from mediawatch import crash
from mediawatch.config import PublishSettings
from mediawatch.errors import Conflict, GraphProblem
from mediawatch.graph.client import GraphClient
from mediawatch.graph.errors import GraphError, of_container
from mediawatch.graph.publishing import ContainerStatus, Publishing
from mediawatch.graph.verdicts import REBUILDS, Verdict
from mediawatch.journal import accounts, attempts, posts
from mediawatch.journal.accounts import Account
from mediawatch.journal.attempts import Attempt
from mediawatch.journal.witness import Witness
from mediawatch.model import schedule
from mediawatch.model.lifecycle import PRIORITY, Event, Publication, Stage
from mediawatch.model.posts import ACCOUNT_BUSY, Item, Post
from mediawatch.pipeline import quota
from mediawatch.pipeline.containers import LOST_CONTAINER, Containers
from mediawatch.pipeline.direct import Direct, SendsVideos, no_videos
from mediawatch.pipeline.outcomes import Done, Hold, Outcome, Reason, WaitUntil
from mediawatch.pipeline.planned import Planned
from mediawatch.pipeline.reconcile import Reconcile
from mediawatch.pipeline.standing import Standing
from mediawatch.pipeline.uninterrupted import uninterrupted
from mediawatch.pipeline.work import Work
from mediawatch.tokens import Tokens

#: Codes with which Meta refuses before it does anything. Still asked after, but at once.
CLEAR_REFUSALS = {9, 10, 25, 102, 190, 9007, *range(200, 300)}
#: Reads that say "container not found" before it is believed: Meta says so too early at times.
LOST_AFTER = 2
#: Seconds that a worker stands in line for the account before it does something else.
IN_LINE = 2.0

Wake = Callable[[str, int], None]


class Publish:
    """Makes the container, and has it published.

    ``upload`` gives an item its public address anew, when the upload was deleted meanwhile;
    ``direct`` sends videos to Meta without one, for accounts for which ``sends_videos``; ``gap``:
    seconds that the inbox of a post wants between two of its account.
    """

    def __init__(
        self,
        client: GraphClient,
        tokens: Tokens,
        settings: PublishSettings,
        *,
        wake: Wake,
        witness: Witness,
        upload: Callable[[Work, Item], Awaitable[Item]],
        standing: Standing,
        direct: Direct | None = None,
        sends_videos: SendsVideos = no_videos,
        gap: Callable[[Post], float] | None = None,
    ) -> None:
        self._gap = gap or (lambda _post: settings.min_gap)
        self._standing = standing
        self._containers = Containers(settings, upload, direct, sends_videos)
        self._planned = Planned(settings, self._gap)
        self._client = client
        self._tokens = tokens
        self._settings = settings
        self._wake = wake
        self._witness = witness
        #: Accounts for which a post was turned away since the last one was woken.
        self._turned_away: set[str] = set()
        self._asking: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._reconcile = Reconcile(settings, self.released)

    async def api(self, work: Work) -> Publishing:
        """The publishing calls of this post's account, each recorded for its log."""
        return Publishing(
            self._client, await self._tokens.caller(work.post.account_id, work.record)
        )

    async def container(self, work: Work) -> Outcome:
        """Stage container (pipeline/containers.py)."""
        if wait := await self._planned.before_container(work):
            return wait
        return await self._containers.make(work, await self.api(work))

    async def publish(self, work: Work) -> Outcome:
        """Stage publish: never send first when the outcome of an earlier call is unknown."""
        api = await self.api(work)
        if work.post.publication is Publication.ASKED:
            return await self._reconcile.after_unknown_outcome(work, api)
        post, now = work.post, work.clock.now()
        if post.container_id is None:
            return await self._anew(work, "its container is not known")
        old = schedule.container_is_stale(post.container_at or 0.0, now)
        try:
            container = await api.container(post.container_id)
        except GraphError as error:
            # Nothing was asked of it, so nothing of it can be live.
            if old or (error.number == LOST_CONTAINER and post.attempts >= LOST_AFTER):
                return await self._anew(work, "Meta does not know its container any more")
            raise
        if old and container.status_code is not ContainerStatus.PUBLISHED:
            return await self._anew(work, "its container is a day old")
        match container.status_code:
            case ContainerStatus.FINISHED:
                return await self._ask_in_turn(work, api)
            case ContainerStatus.IN_PROGRESS:
                reads = post.container_reads + 1
                await work.write(container_reads=reads)
                at = now + self._containers.poll_delay(reads)
                return self._containers.still_processing(work, at)
            case ContainerStatus.PUBLISHED:
                return await self._reconcile.found_published(work)
            case ContainerStatus.EXPIRED:
                return await self._anew(work, "its container expired")
            case ContainerStatus.ERROR:
                return await self._anew(work, container.status, of_container(container.subcode))

    async def confirm(self, work: Work) -> Outcome:
        """Stage confirm: live for certain; find out which media it is."""
        return await self._reconcile.bind(work, await self.api(work))

    async def released(self, account_id: str, work: Work) -> None:
        """The account is free: wake who was turned away."""
        if account_id not in self._turned_away:
            return
        self._turned_away.discard(account_id)
        free = posts.account_is_free(account_id, work.clock.now())
        freed = (await work.journal.apply([free]))[0]
        crash.at("account.freed")
        for row in freed:
            self._wake(row["id"], PRIORITY[Stage(row["stage"])])

    # Asking.

    async def _ask_in_turn(self, work: Work, api: Publishing) -> Outcome:
        turn = self._asking[work.post.account_id]
        try:
            async with asyncio.timeout(IN_LINE):
                await turn.acquire()
        except TimeoutError:
            return self._account_busy(work, None)
        try:
            account = await quota.read(work, api)
            if wait := (
                await self._planned.before_asking(work)
                or await self._standing.not_now(work)
                or await self._not_yet(work, account)
            ):
                return wait
            try:
                await self._intend(work, account)
            except Conflict:
                return await self._why_not(work, account.id)
            return await uninterrupted(self._ask(work, api), limit=20.0)
        finally:
            turn.release()

    async def _not_yet(self, work: Work, account: Account) -> WaitUntil | None:
        now = work.clock.now()
        min_gap = self._gap(work.post)
        turn = schedule.turn(now, min_gap, account.last_published_at)
        if min_gap and turn > now:
            return WaitUntil(
                turn, Reason("min-gap", "The account published a moment ago (publish.min_gap).")
            )
        if account.publishing not in {None, work.post.id}:
            return self._account_busy(work, account.publishing)
        return await quota.full(work, account)

    async def _intend(self, work: Work, account: Account) -> None:
        """I2: one durable commit with intent, fence, account lock and quota slot."""
        post, now = work.post, work.clock.now()
        started = Attempt(Stage.PUBLISH, "started", f"POST /{account.id}/media_publish", now)
        await work.write(
            Event.ASK,
            publish_asked_at=now,
            # Long enough that nobody takes the post over while the call is under way.
            lease=self._settings.publish_timeout + 60.0,
            extra=[
                # Only with the intent: a refused one was never started.
                attempts.add(post, started),
                accounts.lock(account.id, post.id),
                accounts.take_slot(
                    account.id,
                    post.id,
                    post.generation,
                    now=now,
                    total=account.quota_ours,
                    window=float(account.quota_window or 86400),
                ),
            ],
        )
        await asyncio.to_thread(self._witness.record, account.id, account.asks + 1)

    async def _why_not(self, work: Work, account_id: str) -> Outcome:
        """The intent was refused: by a fence (then this read conflicts too), lock or quota."""
        await work.write()
        account = await accounts.find(work.journal, account_id)
        return await quota.full(work, account) or self._account_busy(work, account.publishing)

    async def _ask(self, work: Work, api: Publishing) -> Outcome:
        post = work.post
        if post.container_id is None:
            raise AssertionError("a post without a container cannot have been asked for")
        self._reconcile.asked(work)
        work.log.debug(f"Asking Meta to publish {post.name}.", action="ask")
        try:
            media_id = await api.publish(post.container_id, timeout=self._settings.publish_timeout)
        except GraphProblem as error:
            return await self._not_answered(work, api, error)
        now = work.clock.now()
        await work.write(
            Event.CONFIRM,
            Event.ADVANCE,
            media_id=media_id,
            published_at=now,
            rebuilds=0,
            extra=[accounts.unlock(post.account_id, post.id, published_at=now)],
        )
        work.log.info(
            f"{post.name} is on Instagram ({media_id}).", action="publish", media_id=media_id
        )
        await self.released(post.account_id, work)
        return Done()

    async def _not_answered(self, work: Work, api: Publishing, error: GraphProblem) -> Outcome:
        await self._standing.told(work, error)
        if isinstance(error, GraphError) and error.number in CLEAR_REFUSALS:
            return await self._reconcile.after_clear_refusal(work, api, error)
        work.log.warning(
            f"Whether {work.post.name} was published is unknown: {error.message}",
            action="unknown-outcome",
            remedy="mediawatch asks Meta, and sends nothing again without proof.",
        )
        return await self._reconcile.after_unknown_outcome(work, api)

    # Containers.

    async def _anew(self, work: Work, why: str, verdict: Verdict | None = None) -> Outcome:
        """A new container; nothing was asked of the old one, so nothing of it can be live."""
        post = work.post
        rebuild = partial(
            work.write,
            Event.REBUILD,
            # The address too is made anew, from the settings of today.
            items=[replace(item, public_url=None, container_id=None) for item in post.items],
            container_id=None,
            rebuilds=post.rebuilds + 1,
        )
        if verdict is not None and verdict.rebuilds == 0:
            # Whoever does what the remedy says must not be told of the dead one again.
            await rebuild()
            return Hold(Reason(verdict.code, f"Meta cannot use {post.name}: {why}", verdict.remedy))
        if post.rebuilds >= (verdict.rebuilds if verdict else REBUILDS):
            remedy = f"{verdict.remedy} " if verdict else ""
            return Hold(
                Reason(
                    "container-failed",
                    f"Meta made nothing of {post.rebuilds + 1} containers of {post.name}: {why}.",
                    f"{remedy}Then `mediawatch posts retry {post.id}`.",
                )
            )
        work.log.info(f"A new container is made for {post.name}: {why}.", action="container")
        await rebuild()
        return Done()

    def _account_busy(self, work: Work, other: str | None) -> WaitUntil:
        self._turned_away.add(work.post.account_id)
        which = f"Post {other}" if other else "Another post"
        return WaitUntil(
            work.clock.now() + 30.0,
            Reason(ACCOUNT_BUSY, f"{which} of this account is being published first."),
        )
