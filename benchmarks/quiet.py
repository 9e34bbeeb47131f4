"""A daemon with little to do: how quick it is with one picture, and what it costs with none."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import time
from pathlib import Path
from typing import Any

import stages
from neighbours import Neighbours, neighbours
from pictures import make_small_jpegs
from processes import Others, memory, own_cpu
from watched import SETTLE, Daemon, watched

REPEATS = 15
IGNORED = 10_000
#: Seconds that the idle daemon is observed: at least one rescan of the folder (30 s) is in it.
OBSERVED = 31.0


def quiet(root: Path) -> dict[str, Any]:
    """Latency first, then the cost of ignored files, of the same daemon."""
    small = make_small_jpegs(root / "small", REPEATS)
    with neighbours(root) as place, watched(root, place) as daemon:
        with Others() as others:
            latency = _latency(daemon, place, small)
        return {
            "latency_ms": latency | {"others_percent": others.percent},
            "idle": _idle(daemon, root / "documents"),
        }


def _latency(daemon: Daemon, place: Neighbours, small: list[Path]) -> dict[str, Any]:
    waits = []
    for number, path in enumerate(small, 1):
        daemon.drop(path)
        dropped = time.time()

        def filed(number: int = number) -> bool:
            return daemon.count("archive") == number

        daemon.child.until(filed, 30, f"{path.name} is not published")
        waits.append((place.published()[-1]["time"] - dropped - SETTLE) * 1000)
        time.sleep(0.3)
    return {**stages.summary(waits), "all": [round(wait, 1) for wait in waits]}


def _idle(daemon: Daemon, prepared: Path) -> dict[str, Any]:
    prepared.mkdir()
    for number in range(IGNORED):
        (prepared / f"document-{number:05d}.pdf").write_bytes(b"%PDF-1.7\n%%EOF\n")
    started = time.monotonic()
    for path in sorted(prepared.iterdir()):
        daemon.drop(path)
    daemon.child.until(
        lambda: daemon.count("ignored") >= IGNORED, 180, "The ignored files are not looked at"
    )
    looked_at = time.monotonic() - started
    time.sleep(3)
    pid = daemon.child.pid
    before, started = own_cpu(pid), time.monotonic()
    time.sleep(OBSERVED)
    after, seconds = own_cpu(pid), time.monotonic() - started
    percent = None
    if before is not None and after is not None:
        percent = round((after - before) / seconds * 100, 2)
    return {
        "looked_at_after_seconds": round(looked_at, 1),
        "cpu_percent": percent,
        "rss_mb": memory(pid, "VmRSS"),
    }


def help_ms(runs: int = 7) -> dict[str, float]:
    """Wall time of ``mediawatch --help``."""
    script = Path(sysconfig.get_path("scripts"), "mediawatch")
    command = [str(script)] if script.exists() else [sys.executable, "-m", "mediawatch"]
    times = []
    for _ in range(runs):
        started = time.perf_counter()
        subprocess.run([*command, "--help"], check=True, capture_output=True)
        times.append((time.perf_counter() - started) * 1000)
    return stages.summary(times)
