"""The river beside its peers, in one run: ``python benchmarks/river.py [--pictures 300]``.

Everything is on loopback and below one temporary folder, which is removed. CPU and memory are
read from /proc, so on Linux only. The exit status is 1 if a bar is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

import bare_pillow
import quiet
import report
import throughput
from pictures import make_pictures, mix


def measure(root: Path, count: int, rounds: int) -> dict[str, Any]:
    """All figures; the peers take turns with the river, so that noise meets them alike."""
    load = {"start": throughput.load()}
    _say(f"making {count} pictures")
    sources = make_pictures(root / "pictures", count)
    rivers, scripts = [], []
    bare: dict[str, list[float]] = {way: [] for way in bare_pillow.WAYS}
    for turn in range(rounds):
        folder = root / f"round-{turn}"
        _say("the river")
        rivers.append(throughput.river(folder / "river", sources))
        for way, rates in bare.items():
            _say(f"bare Pillow, {way}")
            rates.append(bare_pillow.pictures_per_second(sources, folder / way, way))
        _say("the sequential script")
        scripts.append(throughput.sequential(folder / "script", sources))
        shutil.rmtree(folder)
    _say("a quiet daemon")
    calm = quiet.quiet(root / "quiet")
    rates = {
        "river, from settled": _median(rivers, "posts_per_second"),
        "river, from dropped": _median(rivers, "posts_per_second_with_settle"),
        **{f"bare Pillow, {way}": statistics.median(found) for way, found in bare.items()},
        "sequential script": _median(scripts, "posts_per_second"),
    }
    peers = [name for name in rates if not name.startswith("river")]
    return {
        "pictures": count,
        "megabytes": round(sum(source.stat().st_size for source in sources) / 1e6),
        "mix": mix(),
        "cores": os.cpu_count(),
        "python": sys.version.split()[0],
        "rates": {name: round(rate, 2) for name, rate in rates.items()},
        "ratios": {name: round(rates["river, from settled"] / rates[name], 2) for name in peers},
        "river": rivers,
        "sequential": scripts,
        **calm,
        "help_ms": quiet.help_seconds(),
        "load_average": {**load, "end": throughput.load()},
    }


def _median(runs: list[dict[str, Any]], name: str) -> float:
    return statistics.median(run[name] for run in runs)


def _say(what: str) -> None:
    print(f"… {what}", file=sys.stderr, flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description="The river beside its peers, in one run.")
    parser.add_argument("--pictures", type=int, default=300, help="how many (%(default)s)")
    parser.add_argument("--rounds", type=int, default=1, help="turns of each (%(default)s)")
    parser.add_argument("--json", type=Path, help="write all figures here")
    given = parser.parse_args()
    root = Path(tempfile.mkdtemp(prefix="mediawatch-bench-"))
    try:
        figures = measure(root, given.pictures, given.rounds)
    finally:
        shutil.rmtree(root, ignore_errors=True)
    if given.json:
        given.json.write_text(json.dumps(figures, indent=2) + "\n", "utf-8")
    return 0 if report.show(figures) else 1


if __name__ == "__main__":
    sys.exit(main())
