"""One post in the hands of one worker."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from mediawatch import crash
from mediawatch.clock import Clock
from mediawatch.errors import Conflict, JournalError
from mediawatch.graph.client import Exchange
from mediawatch.journal import attempts, post_items, posts
from mediawatch.journal.attempts import Attempt
from mediawatch.journal.database import Journal, Statement
from mediawatch.log import Log
from mediawatch.model.lifecycle import Event, State, walk
from mediawatch.model.posts import Item, Post

#: Seconds until a post whose worker fell silent may be taken over. Every write renews it.
LEASE = 120.0
_WRITTEN: dict[tuple[Event, ...], str] = {  # what a write is called at a crash point
    (Event.ADVANCE,): "post.advanced",
    (Event.SNOOZE,): "post.waits",
    (Event.RETRY,): "post.retries",
    (Event.HOLD,): "post.held",
    (Event.FAIL,): "post.failed",
    (Event.INTERRUPT,): "post.interrupted",
    (Event.FINISH,): "post.done",
    (Event.REBUILD,): "container.dropped",
    (Event.ASK,): "publish.asked",
    (Event.CONFIRM, Event.ADVANCE): "publish.recorded",
    (Event.CONFIRM,): "publish.found",
    (Event.DENY,): "publish.denied",
    (Event.DENY, Event.REBUILD): "publish.denied",
}
#: Seconds between two tries to write down what a step has done.
TRY_AGAIN = 1.0


class Work:
    """The post as the journal has it, and the only way for a step to change it.

    Each write is one durable transaction that carries the fence of the claim: after another
    worker took over, it raises Conflict and changes nothing.
    """

    def __init__(self, journal: Journal, clock: Clock, log: Log, post: Post) -> None:
        self.journal = journal
        self.clock = clock
        self.log = log.bind(post=post.id)
        self.post = post
        #: When there was last a sign of life, on the monotonic clock.
        self.moved_at = clock.monotonic()
        self._log_lines: list[Statement] = []

    async def write(
        self,
        *events: Event,
        items: Sequence[Item] = (),
        extra: Sequence[Statement] = (),
        lease: float = LEASE,
        patient: bool = True,
        **facts: Any,
    ) -> None:
        """Record the events and facts, the changed ``items`` and ``extra`` statements together.

        While the journal cannot be written this waits, so that nothing a step has done is
        forgotten; not if it is not ``patient``, and never with an intent to publish: that counts
        from the moment it was made, and is made anew. Then JournalError is raised.
        """
        now = self.clock.now()
        if Event.ADVANCE in events:
            facts = {"reason": None, "detail": None, "remedy": None, "attempts": 0, **facts}
        runs_on = walk(self.post.position, *events).state is State.RUNNING
        after, statement = posts.move(
            self.post, *events, now=now, lease_until=now + lease if runs_on else None, **facts
        )
        known = {item.position: item for item in self.post.items}
        statements = [
            statement,
            *(post_items.record_item(item, known.get(item.position)) for item in items),
        ]
        lines, self._log_lines = self._log_lines, []
        try:
            await self._apply([*statements, *lines, *extra], patient and Event.ASK not in events)
        except BaseException:
            self._log_lines = lines + self._log_lines
            raise
        crash.at(_WRITTEN.get(events, "post.noted"))
        self.moved()
        changed = {item.position: item for item in items}
        self.post = replace(
            after, items=tuple(changed.get(item.position, item) for item in after.items)
        )

    def moved(self) -> None:
        """Say that a long step is not stuck."""
        self.moved_at = self.clock.monotonic()

    async def _apply(self, statements: Sequence[Statement], patient: bool) -> None:
        while True:
            try:
                await self.journal.apply(statements)
                return
            except Conflict:
                raise
            except JournalError:
                if not patient:
                    raise
            await asyncio.sleep(TRY_AGAIN)

    def record(self, exchange: Exchange) -> None:
        """Keep an exchange with Meta for the publishing log; it goes with the next write."""
        self.note(
            Attempt(
                stage=self.post.stage,
                status=_status(exchange),
                endpoint=exchange.endpoint,
                at=self.clock.now() - exchange.duration_ms / 1000,
                request=exchange.request,
                response=exchange.response,
                error=exchange.error,
                duration_ms=exchange.duration_ms,
            )
        )

    def note(self, attempt: Attempt) -> None:
        """A line of the publishing log, to go with the next write."""
        self._log_lines.append(attempts.add(self.post, attempt))

    def tell(self, status: str, detail: str) -> None:
        """What happened, in a sentence for the post's history; it goes with the next write."""
        self.note(Attempt(self.post.stage, status, "", self.clock.now(), detail=detail))

    @property
    def first(self) -> Item:
        """The only item of a single picture."""
        return self.post.items[0]


def _status(exchange: Exchange) -> str:
    if exchange.error is not None:
        return "error"
    response = exchange.response or {}
    if response.get("status_code") == "IN_PROGRESS":
        return "processing"
    if exchange.endpoint.startswith("POST") and exchange.endpoint.endswith("/media"):
        return "container_created"
    return "success"
