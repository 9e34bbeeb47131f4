"""The watchdog of the event loop: it sees what blocks; and the figures say it."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from mediawatch.metrics import BUSY_TICK, Metrics, watch_loop
from tests.support.figures import figures


@asynccontextmanager
async def watched(metrics: Metrics) -> AsyncIterator[None]:
    """The watchdog looks at this loop meanwhile."""
    task = asyncio.create_task(watch_loop(metrics))
    await asyncio.sleep(2 * BUSY_TICK)
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def test_a_block_is_seen_and_told() -> None:
    """Something has the loop for 0.2 s: the longest block says so, and one lag is that long."""
    metrics = Metrics()
    async with watched(metrics):
        time.sleep(0.2)  # noqa: ASYNC251 - this is the block
        await asyncio.sleep(2 * BUSY_TICK)

    seen = figures(metrics.text({}).decode())
    assert 0.2 - BUSY_TICK <= seen["mediawatch_loop_longest_block_seconds"]
    assert 0.2 - BUSY_TICK <= seen["mediawatch_loop_lag_seconds_sum"]
    slow = seen["mediawatch_loop_lag_seconds_count"]
    slow -= seen['mediawatch_loop_lag_seconds_bucket{le="0.1"}']
    assert 1 <= slow


async def test_a_short_block_does_not_hide_a_longer_one() -> None:
    """The longest stays the longest."""
    metrics = Metrics()
    async with watched(metrics):
        for seconds in (0.2, 0.05):
            time.sleep(seconds)  # noqa: ASYNC251
            await asyncio.sleep(2 * BUSY_TICK)

    seen = figures(metrics.text({}).decode())
    assert 0.2 - BUSY_TICK <= seen["mediawatch_loop_longest_block_seconds"]


def test_no_label_names_a_file_or_an_id() -> None:
    """Calls of a container, a media and an account count under one word each."""
    metrics = Metrics()
    for path in ("17841400000000001/media_publish", "17900000000000002", "17900000000000003"):
        metrics.graph_call(path, "ok")

    text = metrics.text({"mediawatch_posts": {"done": 3}}).decode()
    seen = figures(text)
    assert 1 == seen['mediawatch_graph_calls_total{endpoint="media_publish",outcome="ok"}']
    assert 2 == seen['mediawatch_graph_calls_total{endpoint="node",outcome="ok"}']
    assert 3 == seen['mediawatch_posts{state="done"}']
    assert "178414" not in text
    assert "179000" not in text
