"""All pictures dropped at once: the river, and the script that does one after the other."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import stages
from neighbours import ACCOUNT, TOKEN, Neighbours, neighbours
from processes import Child, Others, memory, own_cpu, tree_cpu
from watched import SETTLE, WORKERS, Daemon, watched

_ENDINGS = ("archive", "hold", "fail")
_SCRIPT = Path(__file__).with_name("sequential.py")


def stage_copies(sources: Sequence[Path], folder: Path) -> list[Path]:
    """Copies to be renamed or worked on, safe on the disk before any clock starts."""
    folder.mkdir(parents=True)
    copies = [Path(shutil.copy(source, folder)) for source in sources]
    if hasattr(os, "sync"):
        os.sync()  # or the journal's flushes would pay for our copies
    return copies


def limit(count: int) -> float:
    """Seconds that so many pictures may take before a run is given up."""
    return 60.0 + 2.0 * count


def river(root: Path, sources: Sequence[Path]) -> dict[str, Any]:
    """Drop them all into the inbox of a daemon; figures of the run, with what went wrong."""
    with neighbours(root) as place, watched(root, place) as daemon:
        staged = stage_copies(sources, root / "staged")
        before = _cpu(daemon, place)
        dropped = {}

        def ended() -> bool:
            return sum(daemon.count(action) for action in _ENDINGS) >= len(sources)

        with Others() as others:
            for path in staged:
                daemon.drop(path)
                dropped[path.name] = time.time()
            daemon.child.until(ended, limit(len(sources)), "The river does not come to its end")
        after = _cpu(daemon, place)
        first, last = min(dropped.values()), max(dropped.values())
        times = sorted(media["time"] for media in place.published())
        settled = {name: at + SETTLE for name, at in dropped.items()}
        return {
            "posts_per_second": _rate(len(times), last + SETTLE, times),
            "posts_per_second_with_settle": _rate(len(times), first, times),
            "first_published_after_settled": round(times[0] - last - SETTLE, 3) if times else None,
            "dropping_seconds": round(last - first, 3),
            "problems": _problems(daemon, place, sources),
            "stages_ms": stages.split(daemon.lines(), settled, WORKERS),
            "cpu_ms_per_post": _per_post(before, after, len(sources)),
            "daemon_peak_mb": memory(daemon.child.pid),
            "others_percent": others.percent,
        }


def sequential(root: Path, sources: Sequence[Path]) -> dict[str, Any]:
    """The script over the same pictures, beside neighbours of the same kind."""
    with neighbours(root) as place:
        stage_copies(sources, root / "download")
        settings = root / "settings.json"
        folders = {"folder": str(root / "download"), "processed": str(root / "processed")}
        address = {"graph_url": place.graph_url, "account": ACCOUNT, "token": TOKEN}
        settings.write_text(json.dumps(place.ftp | folders | address), "utf-8")
        before = place.cpu()
        with Others() as others, Child([_SCRIPT, settings], root / "script.out") as script:
            used = script.finish(limit(len(sources)))
        after = place.cpu()
        times = [media["time"] for media in place.published()]
        if len(times) != len(sources):
            raise RuntimeError(f"The script published {len(times)} of {len(sources)}.")
        return {
            "posts_per_second": _rate(len(times), float(script.last_words()), times),
            "cpu_ms_per_post": _per_post(
                before | {"script": 0.0}, after | {"script": used}, len(sources)
            ),
            "others_percent": others.percent,
        }


def _rate(count: int, since: float, times: Sequence[float]) -> float:
    return round(count / (max(times) - since), 2) if times else 0.0


def _per_post(before: dict[str, float], after: dict[str, float], count: int) -> dict[str, float]:
    return {name: round((after[name] - before[name]) * 1000 / count, 1) for name in after}


def _cpu(daemon: Daemon, place: Neighbours) -> dict[str, float]:
    pid = daemon.child.pid
    return {"daemon": own_cpu(pid) or 0.0, "converters": tree_cpu(pid) or 0.0, **place.cpu()}


def _problems(daemon: Daemon, place: Neighbours, sources: Sequence[Path]) -> list[str]:
    """Every way in which the run was not: each picture once, its original filed, nothing left."""
    state = place.state()
    names = {source.name for source in sources}
    captions = Counter(media["caption"] for media in state["publications"])
    filed = {path.name for path in daemon.processed.iterdir()} if daemon.processed.exists() else ()
    left = {path.name for path in daemon.inbox.iterdir() if not path.name.startswith(".")}
    problems = {
        "never published": sorted(names - set(captions)),
        "published more than once": sorted(name for name, times in captions.items() if times > 1),
        "published though never dropped": sorted(set(captions) - names),
        "asked to publish a published container": state["republish_calls"] or [],
        "original not in processed/": sorted(names.difference(filed)),
        "left in the inbox": sorted(left),
        "the daemon complained": daemon.complaints(),
    }
    return [f"{what}: {found}" for what, found in problems.items() if found]
