"""Takes a post from stage to stage until it waits, ends, or belongs to somebody else."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from mediawatch import crash
from mediawatch.clock import Clock
from mediawatch.engine.base import JobEngine
from mediawatch.errors import (
    Conflict,
    Handling,
    JournalError,
    MediawatchError,
    from_os_error,
)
from mediawatch.journal import accounts, post_items, posts
from mediawatch.journal.database import Journal, Statement
from mediawatch.log import Log
from mediawatch.metrics import Metrics
from mediawatch.model.lifecycle import PRIORITY, Event, Publication, Stage, State
from mediawatch.model.posts import ACCOUNT_BUSY, Post
from mediawatch.pipeline.outcomes import (
    Done,
    GiveUp,
    Hold,
    Outcome,
    Reason,
    RetryAt,
    WaitUntil,
)
from mediawatch.pipeline.retry import decide
from mediawatch.pipeline.uninterrupted import uninterrupted
from mediawatch.pipeline.work import LEASE, Work

#: What a step's outcome is called in the figures.
_OUTCOMES = {Done: "done", WaitUntil: "wait", RetryAt: "retry", Hold: "hold", GiveUp: "fail"}

#: Seconds that a clean stop gives to an original that is just being set aside.
APART = 10.0

Step = Callable[[Work], Awaitable[Outcome]]
#: Files the original of a post that is held or given up, with a note beside it.
SetAside = Callable[[Work, str, Reason], Awaitable[None]]


class Runner:
    """The handler of the job engine. ``steps`` has one step a stage."""

    def __init__(
        self,
        journal: Journal,
        engine: JobEngine,
        clock: Clock,
        log: Log,
        *,
        steps: Mapping[Stage, Step],
        set_aside: SetAside,
        retry_delays: Sequence[float],
        metrics: Metrics | None = None,
    ) -> None:
        self._journal = journal
        self._engine = engine
        self._clock = clock
        self._log = log
        self._steps = steps
        self._set_aside = set_aside
        self._retry_delays = retry_delays
        self._metrics = metrics or Metrics()
        self._claimed: set[str] = set()
        self._in_hand: dict[str, Work] = {}
        #: When a post last moved, on the monotonic clock.
        self.last_progress = clock.monotonic()

    async def advance(self, post_id: str) -> None:
        """Claim the post and work on it. Raises nothing but cancellation."""
        if post_id in self._claimed:
            return  # this process works on it: whatever the clock says of its lease, it is alive
        self._claimed.add(post_id)
        try:
            await self._advance(post_id)
        finally:
            self._claimed.discard(post_id)

    async def _advance(self, post_id: str) -> None:
        try:
            work = await self._claim(post_id)
            if work is None:
                return
            self._in_hand[post_id] = work
            try:
                while work.post.state is State.RUNNING:
                    stage, began = work.post.stage, self._clock.monotonic()
                    outcome = await self._step(work)
                    took = self._clock.monotonic() - began
                    await self._settle(work, outcome)
                    self._count(stage, outcome, work.post, took)
                    self.last_progress = self._clock.monotonic()
            except asyncio.CancelledError:
                await self._interrupt(work)
                raise
            finally:
                del self._in_hand[post_id]
        except Conflict:
            self._log.debug("Somebody else works on it now.", action="wait", post=post_id)
        except JournalError as error:
            # It cannot be claimed now, and the sweep finds it again. The daemon tells of that once.
            self._log.debug(error.message, action="journal", post=post_id, remedy=error.remedy)
        except MediawatchError as error:  # the lease runs out, and the sweep finds the post
            self._log.error(error.message, action="crash", post=post_id, remedy=error.remedy)
        except Exception as error:  # likewise; the other posts must not suffer for it
            self._log.error(
                "A mistake in mediawatch: the post is taken up again later.",
                action="crash",
                post=post_id,
                exc_info=error,
            )

    @property
    def in_hand(self) -> int:
        """How many posts are being worked on."""
        return len(self._in_hand)

    @property
    def last_sign(self) -> float:
        """When a post last moved or a long step told how far it is, on the monotonic clock."""
        return max([self.last_progress, *(work.moved_at for work in self._in_hand.values())])

    def _count(self, stage: Stage, outcome: Outcome, post: Post, took: float) -> None:
        self._metrics.steps.labels(stage.value, _OUTCOMES[type(outcome)]).inc()
        if isinstance(outcome, Done):
            self._metrics.step_seconds.labels(stage.value).observe(took)
        if post.stage is Stage.ARCHIVE and stage is not Stage.ARCHIVE:
            self._metrics.published.inc()
            planned = post.wishes.publish_at is not None or post.moved_to is not None
            if post.published_at is not None and not planned:
                self._metrics.way_seconds.observe(max(0.0, post.published_at - post.created_at))

    async def renew_leases(self) -> None:
        """Keep the posts in hand from being taken over while a long step is under way."""
        held = [(work.post.id, work.post.fence) for work in self._in_hand.values()]
        if held:
            await self._journal.apply(posts.renew(held, until=self._clock.now() + LEASE))
            crash.at("lease.renewed")

    async def _claim(self, post_id: str) -> Work | None:
        claimed = posts.claim(post_id, now=self._clock.now(), lease=LEASE)
        rows = (await self._journal.apply([claimed]))[0]
        if not rows:
            return None
        crash.at("post.claimed")
        post = posts.from_row(rows[0], await post_items.items_of(self._journal, post_id))
        return Work(self._journal, self._clock, self._log, post)

    async def _step(self, work: Work) -> Outcome:
        try:
            return await self._steps[work.post.stage](work)
        except Conflict:
            raise
        except MediawatchError as error:
            problem = error
        except OSError as error:
            problem = from_os_error(error, f"work on {work.post.name}")
        except Exception as error:  # a mistake of ours must not end the daemon
            work.log.error(
                f"A mistake in mediawatch stopped {work.post.name}: {type(error).__name__}.",
                action="crash",
                exc_info=error,
            )
            problem = MediawatchError(
                f"A mistake in mediawatch itself ({type(error).__name__}).",
                code="bug",
                handling=Handling.RETRY,
                remedy="Please report it with the log.",
            )
        return decide(problem, work.post, self._clock.now(), self._retry_delays)

    async def _settle(self, work: Work, outcome: Outcome) -> None:
        match outcome:
            case Done():
                return
            case WaitUntil(at, reason, parked):
                if reason.code != work.post.reason:
                    work.tell("waiting", f"{reason.detail} {reason.remedy}".strip())
                await self._stop(work, Event.SNOOZE, reason, wait_until=at, parked=parked)
                self._tell_wait(work, outcome)
                self._wake_at(work, at)
                if reason.code == ACCOUNT_BUSY:
                    await self._look_whether_it_is_free(work)
            case RetryAt(at, reason):
                attempts = work.post.attempts + 1
                later = _duration(at - self._clock.now())
                work.tell("retry", f"{reason.detail} Trying again in {later}. {reason.remedy}")
                await self._stop(work, Event.RETRY, reason, wait_until=at, attempts=attempts)
                work.log.warning(
                    f"{work.post.name}: {reason.detail} Trying again in {later}.",
                    action="retry",
                    reason=reason.code,
                    remedy=reason.remedy,
                )
                self._wake_at(work, at)
            case Hold(reason):
                end = self._set_apart(work, Event.HOLD, "held", reason)
                await uninterrupted(end, limit=APART)
            case GiveUp(reason):
                end = self._set_apart(work, Event.FAIL, "failed", reason)
                await uninterrupted(end, limit=APART)

    async def _set_apart(self, work: Work, event: Event, where: str, reason: Reason) -> None:
        """The post stops here, and its original is filed where its owner sees it."""
        free: list[Statement] = []
        if work.post.publication is not Publication.NOT_ASKED:
            free = [accounts.unlock(work.post.account_id, work.post.id)]
        work.tell(where, f"{reason.detail} {reason.remedy}".strip())
        await self._stop(work, event, reason, extra=free)
        if free:
            await self._let_others_on(work)
        await self._put_aside(work, where, reason)

    async def _stop(self, work: Work, event: Event, reason: Reason, **facts: Any) -> None:
        await work.write(
            event, reason=reason.code, detail=reason.detail, remedy=reason.remedy, **facts
        )

    async def _look_whether_it_is_free(self, work: Work) -> None:
        """The account may have been released before the wait was written down: whoever did that
        found nobody to wake."""
        account = await accounts.find(self._journal, work.post.account_id)
        if account.publishing is None:
            await self._let_others_on(work)

    async def _let_others_on(self, work: Work) -> None:
        """The account is free again for what stood in line behind this post."""
        free = posts.account_is_free(work.post.account_id, self._clock.now())
        freed = (await self._journal.apply([free]))[0]
        crash.at("account.freed")
        for row in freed:
            self._engine.wake(row["id"], PRIORITY[Stage(row["stage"])])

    async def _put_aside(self, work: Work, where: str, reason: Reason) -> None:
        tell = work.log.warning if where == "held" else work.log.error
        tell(
            f"{work.post.name} {'needs you' if where == 'held' else 'failed'}: {reason.detail}",
            action="hold" if where == "held" else "fail",
            reason=reason.code,
            remedy=reason.remedy,
        )
        try:
            await self._set_aside(work, where, reason)
        except (MediawatchError, OSError) as error:
            # The state is durable and the original safe in the work folder; the move is
            # finished at the next start.
            work.log.warning(
                f"{work.post.name} stays in the work folder for now: {error}",
                action="archive",
                remedy="It is filed at the next start.",
            )

    async def _interrupt(self, work: Work) -> None:
        """A clean stop spends no attempt; the next start goes on at this stage."""
        if work.post.state is State.RUNNING:
            try:
                await asyncio.shield(work.write(Event.INTERRUPT, patient=False))
            except JournalError:
                return  # the lease runs out, or somebody else has it already

    def _wake_at(self, work: Work, at: float) -> None:
        self._engine.wake(work.post.id, PRIORITY[work.post.stage], max(0.0, at - self._clock.now()))

    def _tell_wait(self, work: Work, wait: WaitUntil) -> None:
        seconds = wait.at - self._clock.now()
        tell = work.log.warning if wait.parked else work.log.info if seconds > 5 else work.log.debug
        tell(
            f"{work.post.name} waits {_duration(seconds)}: {wait.reason.detail}",
            action="wait",
            reason=wait.reason.code,
            remedy=wait.reason.remedy,
        )


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{max(0, seconds):.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
