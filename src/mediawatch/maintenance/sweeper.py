"""Finds what lost its wake-up: ready posts, due posts, posts whose worker died."""

from __future__ import annotations

from mediawatch import crash
from mediawatch.clock import Clock
from mediawatch.engine.base import JobEngine
from mediawatch.journal import accounts, posts
from mediawatch.journal.database import Journal
from mediawatch.model.lifecycle import PRIORITY

#: Posts woken in one sweep at the most.
BATCH = 100
#: Seconds by which the clock for dates may fall behind the steady one before waits follow it.
SET_BACK = 30.0


class Sweeper:
    """The safety net behind every wake-up, and what fills the queue at the start."""

    def __init__(self, journal: Journal, engine: JobEngine, clock: Clock) -> None:
        self._journal = journal
        self._engine = engine
        self._clock = clock
        self._ahead = self._date_ahead()

    async def run_once(self) -> bool:
        """Wake what can be worked on. True if there may be more than was woken."""
        await self._follow_the_clock()
        found = await posts.workable(self._journal, now=self._clock.now(), limit=BATCH)
        for post_id, stage in found:
            self._engine.wake(post_id, PRIORITY[stage])
        return len(found) == BATCH

    async def _follow_the_clock(self) -> None:
        """A clock that is set back by hours must not make every wait longer by hours.

        One that is set forward ends waits early, which harms nobody: the quiet window after an
        unknown outcome goes by the steady clock as well.
        """
        ahead = self._date_ahead()
        set_back = self._ahead - ahead
        if set_back > SET_BACK:
            now = self._clock.now()
            await self._journal.apply(
                [*posts.set_back(set_back, now), *accounts.set_back(set_back, now)]
            )
            crash.at("waits.brought-forward")
        if abs(set_back) > SET_BACK:
            self._ahead = ahead

    def _date_ahead(self) -> float:
        return self._clock.now() - self._clock.monotonic()
