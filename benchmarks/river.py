"""The river beside its peers, in one run: ``python benchmarks/river.py [--pictures 300]``.

Everything is on loopback and below one temporary folder, which is removed. CPU and memory are
read from /proc, so on Linux only. The exit status is 1 if a bar is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import statistics
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import bare_pillow
import quiet
import report
import throughput
from pictures import make_pictures, mix

RIVER = "river, from settled"
#: What is compared: posts or pictures a second, out of the figures of a round.
RATES: dict[str, Callable[[dict[str, Any]], float]] = {
    RIVER: lambda run: run["river"]["posts_per_second"],
    "river, from dropped": lambda run: run["river"]["posts_per_second_with_settle"],
    "bare Pillow, as written": lambda run: run["as written"]["pictures_per_second"],
    "bare Pillow, shrunk first": lambda run: run["shrunk first"]["pictures_per_second"],
    "sequential script": lambda run: run["script"]["posts_per_second"],
}


def measure(root: Path, count: int, rounds: int) -> dict[str, Any]:
    """All figures; the peers take turns with the river, so that noise meets them alike."""
    load = {"start": _load()}
    _say(f"making {count} pictures")
    sources = make_pictures(root / "pictures", count)
    runs = [_round(root / f"round-{number}", sources) for number in range(rounds)]
    _say("a quiet daemon")
    calm = quiet.quiet(root / "quiet")
    rates = {
        name: round(statistics.median(rate(run) for run in runs), 2) for name, rate in RATES.items()
    }
    peers = {name: rate for name, rate in rates.items() if not name.startswith("river")}
    return {
        "pictures": count,
        "megabytes": round(sum(source.stat().st_size for source in sources) / 1e6),
        "mix": mix(),
        "cores": os.cpu_count(),
        "python": sys.version.split()[0],
        "rates": rates,
        "ratios": {name: round(rates[RIVER] / rate, 2) for name, rate in peers.items()},
        "rounds": runs,
        **calm,
        "help_ms": quiet.help_ms(),
        "load_average": {**load, "end": _load()},
    }


def _round(root: Path, sources: Sequence[Path]) -> dict[str, Any]:
    _say("the river")
    figures = {"river": throughput.river(root / "river", sources)}
    for way in bare_pillow.WAYS:
        _say(f"bare Pillow, {way}")
        figures[way] = bare_pillow.convert_all(sources, root / way, way)
    _say("the sequential script")
    figures["script"] = throughput.sequential(root / "script", sources)
    shutil.rmtree(root)
    return figures


def _load() -> float | None:
    return round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None


def _say(what: str) -> None:
    print(f"… {what}", file=sys.stderr, flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description="The river beside its peers, in one run.")
    parser.add_argument("--pictures", type=int, default=300, help="how many (%(default)s)")
    parser.add_argument("--rounds", type=int, default=1, help="turns of each (%(default)s)")
    parser.add_argument("--json", type=Path, help="write all figures here")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # clean up then, too
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
