"""One process: a bounded priority queue of asyncio, and timers."""

from __future__ import annotations

import asyncio
import itertools
from collections import OrderedDict

from mediawatch.engine.base import Handler

#: Workers that may be out at a time with a post that takes long, beside those who go on.
STAND_INS = 16


class MemoryEngine:
    """See JobEngine. ``size``: posts that may be queued; memory stays flat behind it.

    ``patience``: seconds after which a worker that is still busy with one post has a stand-in:
    a few posts whose host or Graph call hangs do not hold up all others.
    """

    def __init__(self, size: int, *, patience: float = 5.0) -> None:
        self._patience = patience
        self._out = 0
        self._queue: asyncio.PriorityQueue[tuple[int, int, str]] = asyncio.PriorityQueue(size)
        self._order = itertools.count()
        self._queued: set[str] = set()
        self._timers: OrderedDict[str, asyncio.TimerHandle] = OrderedDict()
        self._changed = asyncio.Condition()

    def wake(self, post_id: str, priority: int, after: float = 0.0) -> None:
        """See JobEngine.wake."""
        if earlier := self._timers.pop(post_id, None):
            earlier.cancel()
        if after > 0:
            loop = asyncio.get_running_loop()
            self._timers[post_id] = loop.call_later(after, self._due, post_id, priority)
        elif post_id not in self._queued and not self._queue.full():
            self._queued.add(post_id)
            self._queue.put_nowait((priority, next(self._order), post_id))

    def _due(self, post_id: str, priority: int) -> None:
        self._timers.pop(post_id, None)
        self.wake(post_id, priority)

    async def room(self) -> int:
        """See JobEngine.room."""
        async with self._changed:
            await self._changed.wait_for(lambda: not self._queue.full())
        return self._queue.maxsize - self._queue.qsize()

    async def hungry(self) -> None:
        """See JobEngine.hungry."""
        async with self._changed:
            await self._changed.wait_for(self._is_low)

    def _is_low(self) -> bool:
        return self._queue.qsize() * 2 < self._queue.maxsize

    async def run(self, handler: Handler, workers: int) -> None:
        """See JobEngine.run."""
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(workers):
                    group.create_task(self._work(handler, group), name="worker")
        finally:
            for timer in self._timers.values():
                timer.cancel()
            self._timers.clear()

    async def _work(self, handler: Handler, group: asyncio.TaskGroup) -> None:
        relieved, worker = False, asyncio.current_task()

        def relieve() -> None:
            nonlocal relieved
            stopping = worker is None or worker.cancelling()
            if self._out < STAND_INS and not stopping:
                self._out += 1
                relieved = True
                group.create_task(self._work(handler, group), name="worker")

        while not relieved:  # its place is taken: it leaves when it is done
            _, _, post_id = await self._queue.get()
            self._queued.discard(post_id)
            await self._tell()
            impatience = asyncio.get_running_loop().call_later(self._patience, relieve)
            try:
                await handler(post_id)
            finally:
                impatience.cancel()
                self._out -= relieved

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()
