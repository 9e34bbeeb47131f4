"""What an idle daemon costs: ``python benchmarks/idle.py [--minutes 10]``.

Three daemons with default settings, side by side: one whose folder is empty, one that would tell
its owner of trouble as well, and one with 10,000 files that it ignores. Nobody calls their API. CPU
and memory are read from /proc, so on Linux only. The exit status is 1 if a bar is missed.
"""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from neighbours import neighbours
from processes import Others, memory, precise_cpu
from watched import Daemon, watched

#: Percent of one core; and MB that may be added after the first minute.
CPU_BAR, GROWTH_BAR = 0.5, 2.0
IGNORED = 10_000
#: Seconds after the start before anything is measured, and between two looks at the memory.
REST, LOOK = 5.0, 5.0


def measure(root: Path, minutes: float) -> dict[str, Any]:
    """Figures of all daemons, over the same minutes."""
    with ExitStack() as stack:
        place = stack.enter_context(neighbours(root / "neighbours"))
        daemons = {
            "empty folder": stack.enter_context(watched(root / "empty", place)),
            "the same, with alerts": stack.enter_context(
                watched(root / "alerts", place, alerts={"urls": ["json://127.0.0.1:9"]})
            ),
            "10,000 ignored files": stack.enter_context(watched(root / "full", place)),
        }
        _fill(daemons["10,000 ignored files"], root / "documents")
        time.sleep(REST)
        with Others() as others:
            found = observe(daemons, minutes * 60)
    return {"minutes": minutes, "others_percent": others.percent, "daemons": found}


def _fill(daemon: Daemon, prepared: Path) -> None:
    prepared.mkdir()
    for number in range(IGNORED):
        (prepared / f"document-{number:05d}.pdf").write_bytes(b"%PDF-1.7\n%%EOF\n")
    for path in sorted(prepared.iterdir()):
        daemon.drop(path)
    daemon.child.until(
        lambda: daemon.count("ignored") >= IGNORED, 180, "The ignored files are not looked at"
    )


def observe(daemons: dict[str, Daemon], seconds: float) -> dict[str, Any]:
    """CPU and memory of each, over the same seconds."""
    pids = {name: daemon.child.pid for name, daemon in daemons.items()}
    before = {name: precise_cpu(pid) for name, pid in pids.items()}
    looks: dict[str, list[tuple[float, float]]] = {name: [] for name in pids}
    began = time.monotonic()
    while (passed := time.monotonic() - began) < seconds:
        for name, pid in pids.items():
            looks[name].append((passed, memory(pid, "VmRSS") or 0.0))
        time.sleep(min(LOOK, max(0.0, seconds - passed)))
    after, passed = {name: precise_cpu(pid) for name, pid in pids.items()}, time.monotonic() - began
    return {
        name: {
            "cpu_percent": round((after[name] - before[name]) / passed * 100, 3),
            "rss_mb_at_start": round(looks[name][0][1], 1),
            "rss_mb_at_end": round(looks[name][-1][1], 1),
            "growth_mb": round(_growth(looks[name], seconds), 2),
        }
        for name in pids
    }


def _growth(looks: list[tuple[float, float]], seconds: float) -> float:
    """MB that were added after the first minute, or after a fifth of a shorter time."""
    late = [rss for passed, rss in looks if passed >= min(60.0, seconds / 5)]
    return max(late) - late[0] if late else 0.0


def show(figures: dict[str, Any]) -> bool:
    """Print a table; whether every bar is kept."""
    kept = True
    print(f"Idle for {figures['minutes']:g} minutes; others took {figures['others_percent']} %.")
    print(f"{'':24}{'% of a core':>12}{'MB at start':>13}{'MB at end':>11}{'growth':>9}")
    for name, found in figures["daemons"].items():
        well = found["cpu_percent"] < CPU_BAR and found["growth_mb"] < GROWTH_BAR
        kept = kept and well
        print(
            f"{name:24}{found['cpu_percent']:12.3f}{found['rss_mb_at_start']:13.1f}"
            f"{found['rss_mb_at_end']:11.1f}{found['growth_mb']:9.2f}  {'✅' if well else '❌'}"
        )
    print(f"Bars: below {CPU_BAR} % of a core, growth after the first minute < {GROWTH_BAR} MB.")
    return kept


def main() -> int:
    parser = argparse.ArgumentParser(description="What an idle daemon costs.")
    parser.add_argument("--minutes", type=float, default=10.0, help="how long (%(default)s)")
    parser.add_argument("--json", type=Path, help="write all figures here")
    given = parser.parse_args()
    if not sys.platform.startswith("linux"):
        print("CPU and memory are read from /proc: this needs Linux.", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # clean up then, too
    root = Path(tempfile.mkdtemp(prefix="mediawatch-idle-"))
    try:
        figures = measure(root, given.minutes)
    finally:
        shutil.rmtree(root, ignore_errors=True)
    if given.json:
        given.json.write_text(json.dumps(figures, indent=2) + "\n", "utf-8")
    return 0 if show(figures) else 1


if __name__ == "__main__":
    sys.exit(main())
