"""What every job engine promises, tried on each implementation."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from mediawatch.engine.base import JobEngine
from mediawatch.engine.memory import STAND_INS, MemoryEngine

Make = Callable[[int], JobEngine]


@pytest.fixture(params=[MemoryEngine])
def make(request: pytest.FixtureRequest) -> Make:
    return request.param  # type: ignore[no-any-return]


class Handled:
    """A handler that notes what it is given, and works on it until it is let go."""

    def __init__(self, *, blocked: bool = False) -> None:
        self.seen: list[str] = []
        self.cancelled: list[str] = []
        self.now = 0
        self.most = 0
        self._changed = asyncio.Condition()
        self._go = asyncio.Event()
        if not blocked:
            self._go.set()

    async def __call__(self, post_id: str) -> None:
        self.now += 1
        self.most = max(self.most, self.now)
        async with self._changed:
            self.seen.append(post_id)
            self._changed.notify_all()
        try:
            await self._go.wait()
        except asyncio.CancelledError:
            self.cancelled.append(post_id)
            raise
        finally:
            self.now -= 1

    def let_go(self) -> None:
        self._go.set()

    async def count(self, number: int) -> None:
        async with asyncio.timeout(10), self._changed:
            await self._changed.wait_for(lambda: len(self.seen) >= number)


@asynccontextmanager
async def at_work(engine: JobEngine, handler: Handled, workers: int = 1) -> AsyncIterator[None]:
    task = asyncio.create_task(engine.run(handler, workers))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})


async def test_a_wake_up_reaches_a_worker(make: Make) -> None:
    """What is woken is worked on, once."""
    engine, handler = make(4), Handled()
    async with at_work(engine, handler):
        engine.wake("a", 1)
        engine.wake("a", 1)
        engine.wake("b", 1)
        await handler.count(2)

    assert ["a", "b"] == handler.seen


async def test_later_stages_go_first(make: Make) -> None:
    """Finish what has begun: the lower priority number is taken first."""
    engine, handler = make(4), Handled()
    for post_id, priority in (("convert", 6), ("archive", 1), ("publish", 3)):
        engine.wake(post_id, priority)
    async with at_work(engine, handler):
        await handler.count(3)

    assert ["archive", "publish", "convert"] == handler.seen


async def test_no_more_at_once_than_workers(make: Make) -> None:
    """Two workers work on two posts at a time."""
    engine, handler = make(8), Handled(blocked=True)
    for number in range(6):
        engine.wake(str(number), 1)
    async with at_work(engine, handler, workers=2):
        await handler.count(2)
        handler.let_go()
        await handler.count(6)

    assert 2 == handler.most


async def test_a_full_queue_holds_the_folder_back(make: Make) -> None:
    """``room`` waits while the queue is full, and a wake-up without room is dropped."""
    engine, handler = make(2), Handled(blocked=True)
    for post_id in ("a", "b", "dropped"):
        engine.wake(post_id, 1)
    waiting = asyncio.create_task(engine.room())
    await asyncio.sleep(0)
    assert not waiting.done()

    async with at_work(engine, handler):
        await asyncio.wait_for(waiting, 10)
        handler.let_go()
        await handler.count(2)

    assert ["a", "b"] == handler.seen


async def test_hungry_when_little_is_queued(make: Make) -> None:
    """``hungry`` waits while more than half of the queue is filled."""
    engine, handler = make(2), Handled(blocked=True)
    engine.wake("a", 1)
    engine.wake("b", 1)
    waiting = asyncio.create_task(engine.hungry())
    await asyncio.sleep(0)
    assert not waiting.done()

    async with at_work(engine, handler):
        handler.let_go()
        await asyncio.wait_for(waiting, 10)


async def test_a_wake_up_for_later_comes_later(make: Make) -> None:
    """A timed wake-up comes when its time has come; a later one replaces it."""
    engine, handler = make(4), Handled()
    async with at_work(engine, handler):
        engine.wake("late", 1, after=0.05)
        engine.wake("later", 1, after=3600)
        engine.wake("now", 1)
        await handler.count(2)
        engine.wake("later", 1)
        await handler.count(3)

    assert ["now", "late", "later"] == handler.seen


async def test_stopping_cancels_what_is_under_way(make: Make) -> None:
    """When the engine is cancelled, handlers are cancelled, and awaited."""
    engine, handler = make(4), Handled(blocked=True)
    async with at_work(engine, handler):
        engine.wake("a", 1)
        await handler.count(1)

    assert ["a"] == handler.cancelled


async def test_a_post_that_takes_long_does_not_hold_up_the_others() -> None:
    """A worker that is busy for long has a stand-in, up to a bound; afterwards all is as before."""
    engine, handler = MemoryEngine(40, patience=0.01), Handled(blocked=True)
    for number in range(STAND_INS + 5):
        engine.wake(f"{number:02}", 1)
    async with at_work(engine, handler):
        await handler.count(1 + STAND_INS)
        handler.let_go()
        await handler.count(STAND_INS + 5)
        assert 1 + STAND_INS == handler.most

        handler.most = 0
        for number in range(5):
            engine.wake(f"after {number}", 1)
        await handler.count(STAND_INS + 10)

    assert 1 == handler.most


async def test_no_stand_in_begins_anything_while_it_stops() -> None:
    """What must not be cut off takes its time at the end; nothing new is begun meanwhile."""
    engine, begun = MemoryEngine(4, patience=0.01), []
    at_it, long_enough = asyncio.Event(), asyncio.Event()

    async def handler(post_id: str) -> None:
        begun.append(post_id)
        at_it.set()
        try:
            await asyncio.Event().wait()
        finally:
            await long_enough.wait()

    running = asyncio.create_task(engine.run(handler, 1))
    engine.wake("a", 1)
    await at_it.wait()
    running.cancel()
    engine.wake("b", 1)
    asyncio.get_running_loop().call_later(0.05, long_enough.set)
    await asyncio.wait({running})

    assert ["a"] == begun
