"""Finds what lost its wake-up: ready posts, due posts, posts whose worker died."""

from __future__ import annotations

from mediawatch.clock import Clock
from mediawatch.engine.base import JobEngine
from mediawatch.journal import posts
from mediawatch.journal.database import Journal
from mediawatch.model.lifecycle import PRIORITY

#: Posts woken in one sweep at the most.
BATCH = 100


class Sweeper:
    """The safety net behind every wake-up, and what fills the queue at the start."""

    def __init__(self, journal: Journal, engine: JobEngine, clock: Clock) -> None:
        self._journal = journal
        self._engine = engine
        self._clock = clock

    async def run_once(self) -> bool:
        """Wake what can be worked on. True if there may be more than was woken."""
        found = await posts.workable(self._journal, now=self._clock.now(), limit=BATCH)
        for post_id, stage in found:
            self._engine.wake(post_id, PRIORITY[stage])
        return len(found) == BATCH
