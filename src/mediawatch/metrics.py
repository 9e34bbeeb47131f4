"""What is counted and timed, in the form that Prometheus reads; and how long the loop is blocked.

A registry of our own: nothing is told but what stands here. No label holds a file name, an id or
a secret, so that their number stays small.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest

#: Content type of ``Metrics.text``.
CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
#: Seconds between two looks of the watchdog at the loop while there is work, and while not. A
#: block is told too short by as much at the most.
BUSY_TICK = 0.01
IDLE_TICK = 2.0

_LAG = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
_COMMIT = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)


class Metrics:
    """The figures of one daemon. May be raised from any thread."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._registry = registry = CollectorRegistry()
        self.loop_lag = Histogram(
            "mediawatch_loop_lag_seconds",
            "How late the event loop woke its watchdog.",
            registry=registry,
            buckets=_LAG,
        )
        self.longest_block = Gauge(
            "mediawatch_loop_longest_block_seconds",
            "The longest lag since the start.",
            registry=registry,
        )
        self.posts = Gauge("mediawatch_posts", "Posts in each state.", ["state"], registry=registry)
        self.files_taken = Counter(
            "mediawatch_files_taken", "Files that became a post.", registry=registry
        )
        self.files_prepared = Counter(
            "mediawatch_files_prepared",
            "Files made ready for Instagram, by where from: converter, cache.",
            ["source"],
            registry=registry,
        )
        self.published = Counter("mediawatch_published", "Posts that went live.", registry=registry)
        self.steps = Counter(
            "mediawatch_steps",
            "Steps of posts, by stage and outcome: done, wait, retry, hold, fail.",
            ["stage", "outcome"],
            registry=registry,
        )
        self.journal_commits = Histogram(
            "mediawatch_journal_commit_seconds",
            "Time of a durable commit; several transactions may share one.",
            registry=registry,
            buckets=_COMMIT,
        )
        self.journal_transactions = Counter(
            "mediawatch_journal_transactions", "Transactions written.", registry=registry
        )
        self.upload_bytes = Counter(
            "mediawatch_upload_bytes", "Bytes of files put on the web host.", registry=registry
        )
        self.upload_seconds = Counter(
            "mediawatch_upload_seconds", "Seconds spent putting them there.", registry=registry
        )
        self.graph_calls = Counter(
            "mediawatch_graph_calls",
            "Calls of the Graph API, by endpoint and outcome: ok, error, no-answer.",
            ["endpoint", "outcome"],
            registry=registry,
        )
        self.converters_busy = Gauge(
            "mediawatch_converters_busy", "Converter processes at work.", registry=registry
        )

    def text(self, posts: Mapping[str, int]) -> bytes:
        """All figures, with the number of posts in each state as they are now."""
        for state, count in posts.items():
            self.posts.labels(state).set(count)
        return generate_latest(self._registry)

    def graph_call(self, path: str, outcome: str) -> None:
        """A call of ``path``, such as ``17841…/media_publish``; a bare id counts as "node"."""
        last = path.rpartition("/")[2]
        self.graph_calls.labels("node" if last.isdecimal() else last, outcome).inc()


async def watch_loop(metrics: Metrics, busy: Callable[[], bool] = lambda: True) -> None:
    """Measure how late this task is woken, until cancelled: so long something else had the loop.

    ``busy`` tells whether to look closely. An idle daemon is left asleep.
    """
    longest = 0.0
    while True:
        tick = BUSY_TICK if busy() else IDLE_TICK
        due = time.perf_counter() + tick
        await asyncio.sleep(tick)
        lag = max(0.0, time.perf_counter() - due)
        metrics.loop_lag.observe(lag)
        if lag > longest:
            longest = lag
            metrics.longest_block.set(lag)
