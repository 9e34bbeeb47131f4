"""What is counted and timed, in the form that Prometheus reads; and how long the loop is blocked.

Two kinds: what happens is counted where it happens, and what is, is asked for when somebody reads
(``PRESENT``); what is not known then is left out, never told as 0. A registry of our own: nothing
is told but what stands here. No label holds a file name, an id or a secret, so that their number
stays small.
"""

from __future__ import annotations

import asyncio
import platform
import time
from collections.abc import Callable, Iterable, Iterator, Mapping

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.registry import Collector

from mediawatch import __version__

#: Content type of ``Metrics.text``.
CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
#: Seconds between two looks of the watchdog at the loop while there is work, and while not. A
#: block is told too short by as much at the most.
BUSY_TICK = 0.01
IDLE_TICK = 2.0

_LAG = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
_COMMIT = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)
_STEP = (0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0)
_WAY = (1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 900.0, 3600.0, 21_600.0, 86_400.0)
_SCAN = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0)

#: A figure as it is now: one value, or one for each value of its label; None is not known.
Figure = float | None | Mapping[str, float]

#: What is asked for when somebody reads: name -> what it is, and its label if it has one. Names
#: that end in ``_total`` were counted by somebody else.
PRESENT: dict[str, tuple[str, str | None]] = {
    "mediawatch_posts": ("Posts in each state.", "state"),
    "mediawatch_due_posts": ("Posts that wait for a worker: ready, or due.", None),
    "mediawatch_oldest_due_post_seconds": (
        "For how long the first of them could have been worked on; 0 if there is none.",
        None,
    ),
    "mediawatch_accounts": (
        "Accounts in each state: connected, disconnected, token_expired, error.",
        "state",
    ),
    "mediawatch_account_stopped": ("How many accounts are stopped; 0 if none is.", None),
    "mediawatch_publishing_quota_posts": (
        "Posts that Meta allows in its window, of the account that has used most of them.",
        None,
    ),
    "mediawatch_publishing_quota_used_posts": ("How many of them it has used.", None),
    "mediawatch_rate_limit_used_ratio": (
        "How much of the fullest of Meta's limits of calls is used, 0 to 1, as last told.",
        "scope",
    ),
    "mediawatch_token_expires_timestamp_seconds": (
        "When the first of the access tokens ends.",
        None,
    ),
    "mediawatch_folder_free_bytes": ("Free room on the disk of a folder.", "folder"),
    "mediawatch_folder_size_bytes": ("Size of the disk of a folder.", "folder"),
    "mediawatch_journal_size_bytes": ("Size of the journal with its write-ahead log.", None),
    "mediawatch_converters_busy": ("Converter processes at work.", None),
    "mediawatch_folder_events": ("1 if changes in the folder are announced, 0 if polled.", None),
    "mediawatch_settling_files": ("Files that are looked at until they stand still.", None),
    "mediawatch_ignored_files": ("Files in the folder that are ignored.", None),
    "mediawatch_withheld_files": ("Files that are held back since the first start.", None),
    "mediawatch_untold_alerts": ("Alerts that have not reached every address yet.", None),
    "mediawatch_ready": ("1 if every check of /readyz passes, else 0.", None),
    "mediawatch_hints_total": ("Announced changes of the folder.", None),
    "mediawatch_hint_overflows_total": ("How often the system dropped announcements.", None),
    "mediawatch_hints_missed_total": (
        "Scans that found new files which nothing had announced.",
        None,
    ),
}


class Metrics:
    """The figures of one daemon. May be raised from any thread."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._registry = registry = CollectorRegistry()
        self._present = _Present()
        registry.register(self._present)
        ProcessCollector(registry=registry)
        self.build = Info("mediawatch_build", "What is running.", registry=registry)
        self.build.info({"version": __version__, "python": platform.python_version()})
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
        self.scans = Histogram(
            "mediawatch_folder_scan_seconds",
            "Time of a listing of the folder.",
            registry=registry,
            buckets=_SCAN,
        )
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
        self.step_seconds = Histogram(
            "mediawatch_step_seconds",
            "Time of a step that was done, by stage; waits between two tries are no part of it.",
            ["stage"],
            registry=registry,
            buckets=_STEP,
        )
        self.way_seconds = Histogram(
            "mediawatch_settled_to_published_seconds",
            "From a whole file to a live post, of posts that were planned for no time.",
            registry=registry,
            buckets=_WAY,
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
        self.ftp_operations = Counter(
            "mediawatch_ftp_operations",
            "What was done on the web host, by operation (upload, delete) and outcome (ok, error); "
            "each try counts.",
            ["operation", "outcome"],
            registry=registry,
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
        self.alerts = Counter(
            "mediawatch_alert_messages",
            "Messages to the owner, by outcome: sent, failed.",
            ["outcome"],
            registry=registry,
        )

    def text(self, present: Mapping[str, Figure]) -> bytes:
        """All figures. ``present``: those of ``PRESENT`` as they are now."""
        self._present.figures = dict(present)
        return generate_latest(self._registry)

    def names(self) -> set[str]:
        """Every figure by its name, as it stands in the text without the suffixes of histograms."""
        counted = {_name(metric) for metric in self._registry.collect()}
        return counted | PRESENT.keys()

    def graph_call(self, path: str, outcome: str) -> None:
        """A call of ``path``, such as ``17841…/media_publish``; a bare id counts as "node"."""
        last = path.rpartition("/")[2]
        self.graph_calls.labels("node" if last.isdecimal() else last, outcome).inc()


def _name(metric: Metric) -> str:
    return metric.name + {"counter": "_total", "info": "_info"}.get(metric.type, "")


class _Present(Collector):
    """Figures that somebody else knows, as they were last handed over."""

    def __init__(self) -> None:
        self.figures: dict[str, Figure] = {}

    def collect(self) -> Iterable[Metric]:
        return list(self._families())

    def _families(self) -> Iterator[Metric]:
        for name, figure in self.figures.items():
            what, label = PRESENT[name]
            counted = name.endswith("_total")
            family = (CounterMetricFamily if counted else GaugeMetricFamily)(
                name, what, labels=[label] if label else []
            )
            if isinstance(figure, Mapping):
                for value, amount in figure.items():
                    family.add_metric([value], amount)
            elif figure is not None:
                family.add_metric([], figure)
            if family.samples:
                yield family


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
