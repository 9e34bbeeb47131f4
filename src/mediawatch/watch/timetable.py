"""Gives posts of an inbox with weekly slots the next free one, unless somebody wished a time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from mediawatch.clock import Clock
from mediawatch.config import Inbox
from mediawatch.journal import posts
from mediawatch.journal.database import Journal
from mediawatch.model.schedule import free_slots
from mediawatch.model.wishes import Wishes

#: Gives wishes a time, if they have none.
Plan = Callable[[Wishes], Wishes]


class Timetable:
    """One for all inboxes: those of one account share its slots."""

    def __init__(self, journal: Journal, clock: Clock) -> None:
        self._journal, self._clock = journal, clock
        self._one_at_a_time = asyncio.Lock()

    @asynccontextmanager
    async def plan(
        self, inbox: Inbox, account_id: str, *, but: str | None = None
    ) -> AsyncIterator[Plan]:
        """How wishes get a time; what is planned so must be written down before the context ends.

        ``but``: a post whose own slot is free for it. Raises JournalError.
        """
        if inbox.slots is None:
            yield lambda wishes: wishes
            return
        async with self._one_at_a_time:
            taken = await posts.planned_times(self._journal, account_id, but=but)
            free = free_slots(inbox.slots, self._clock.now(), taken)

            def planned(wishes: Wishes) -> Wishes:
                if wishes.publish_at is not None:
                    return wishes
                note = "It takes the next free slot of its inbox."
                return wishes.merge(Wishes(publish_at=next(free), publish_note=note))

            yield planned
