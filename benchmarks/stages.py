"""Where the time of a post goes, told by the daemon's own log lines."""

from __future__ import annotations

import heapq
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

#: The log line that ends each stage. A post waits in the folder until it is claimed, and then
#: until a worker takes it; the address is fetched ("reach") between upload and container.
ENDS = {
    "in the folder": "claim",
    "waits for a worker": "taken",
    "convert": "convert",
    "upload": "upload",
    "reach, container": "container",
    "publish": "publish",
    "archive": "archive",
}


def split(
    lines: Sequence[Mapping[str, Any]], settled: Mapping[str, float], workers: int
) -> dict[str, dict[str, float]]:
    """Median and 95th percentile of each stage in ms. ``settled``: when each file had."""
    posts: dict[str, dict[str, float]] = {}
    for line in lines:
        if line.get("post") and line["action"] in ENDS.values():
            times = posts.setdefault(line["post"], {})
            times[line["action"]] = line["at"]
            if line["action"] == "claim":
                times["settled"] = settled[line["file"]]
    whole = [times for times in posts.values() if len(times) == len(ENDS)]
    _add_taken(whole, workers)
    spans: dict[str, list[float]] = {}
    for times in whole:
        before = times["settled"]
        for stage, end in ENDS.items():
            spans.setdefault(stage, []).append((times[end] - before) * 1000)
            before = times[end]
    return {stage: summary(values) for stage, values in spans.items()}


def _add_taken(posts: list[dict[str, float]], workers: int) -> None:
    """When a worker took each post: it stays with it to the end, and the queue is in order."""
    free = [float("-inf")] * workers
    for times in sorted(posts, key=lambda times: times["claim"]):
        times["taken"] = min(max(times["claim"], heapq.heappop(free)), times["convert"])
        heapq.heappush(free, times["archive"])


def summary(values: Sequence[float]) -> dict[str, float]:
    """Median and 95th percentile."""
    p95 = statistics.quantiles(values, n=20)[-1] if len(values) > 1 else values[0]
    return {"median": round(statistics.median(values), 1), "p95": round(p95, 1)}
