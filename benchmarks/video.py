"""Videos beside the programs that people would use: ffmpeg and cp, in one run, taking turns.

    python benchmarks/video.py [transcode|remux|cancel ...] [--rounds 5] [--megabytes 300]

Bars are ratios of medians of processor time, so that a machine which others use too says
something; wall times are told beside them. Needs ffmpeg, the program.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from mediawatch.media.order import ImageOptions, Purpose, VideoOptions
from mediawatch.media.pool import Preparer
from mediawatch.media.rules import VideoLimits

CORES = os.cpu_count() or 1
#: As in media/rules.py, but for the size: a large file is copied here.
LARGE = VideoOptions(reel=VideoLimits(3, 36_000, 8 << 30, 0.01, 10))
TRANSCODE_BAR, REMUX_BAR, COPY_BAR, CANCEL_BAR = 1.10, 1.15, 2.6, 50.0
_SCENE = "testsrc2=size=1920x1080:rate=30,noise=alls=12:allf=t,format=yuv420p"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", default=["transcode", "remux", "cancel"])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=6, help="length of the clip to encode")
    parser.add_argument("--megabytes", type=int, default=900, help="size of the file to copy")
    parser.add_argument("--json", type=Path, help="write the figures here too")
    chosen = parser.parse_args()
    if shutil.which("ffmpeg") is None:
        print("ffmpeg is not there: install it to measure beside it.")
        return 1
    with tempfile.TemporaryDirectory(prefix="mediawatch-bench-") as folder:
        place = Path(folder)
        figures: dict[str, Any] = {"cores": CORES, "load": os.getloadavg()}
        if "transcode" in chosen.parts:
            figures["transcode"] = transcode(place, chosen.rounds, chosen.seconds)
        if "remux" in chosen.parts:
            figures["remux"] = remux(place, chosen.rounds, chosen.megabytes)
        if "cancel" in chosen.parts:
            figures["cancel"] = asyncio.run(cancel(place, chosen.rounds))
    if chosen.json:
        chosen.json.write_text(json.dumps(figures, indent=1), encoding="utf-8")
    return 0 if show(figures) else 1


def transcode(place: Path, rounds: int, seconds: int) -> dict[str, Any]:
    """HEVC at 1080p to H.264, at the same preset and threads."""
    source, target = place / "hevc.mov", place / "out.mp4"
    ffmpeg("-f", "lavfi", "-i", _SCENE, "-f", "lavfi", "-i", "sine=440", "-t", str(seconds),
           "-c:v", "libx265", "-x265-params", "log-level=error", "-preset", "ultrafast",
           "-c:a", "aac", str(source))  # fmt: skip
    ways = {
        "mediawatch": lambda: prepare(source, target, VideoOptions()),
        "ffmpeg": lambda: ffmpeg(
            "-threads", str(CORES), "-i", str(source), "-c:v", "libx264", "-preset", "veryfast",
            "-crf", "21", "-profile:v", "high", "-maxrate", "20M", "-bufsize", "40M", "-g", "60",
            "-threads", str(CORES), "-c:a", "aac", "-b:a", "128k", "-ar", "48000", "-ac", "2",
            "-movflags", "+faststart", str(target)),
    }  # fmt: skip
    return take_turns(ways, rounds)


def remux(place: Path, rounds: int, megabytes: int) -> dict[str, Any]:
    """A large file that fits: only its index moves."""
    source, target = place / "h264.mov", place / "out.mp4"
    clip = place / "clip.mov"
    ffmpeg("-f", "lavfi", "-i", _SCENE, "-f", "lavfi", "-i", "sine=440", "-t", "5", "-c:v",
           "libx264", "-preset", "ultrafast", "-b:v", "16M", "-maxrate", "18M", "-bufsize", "9M",
           "-c:a", "aac", str(clip))  # fmt: skip
    times = max(1, megabytes * 1_000_000 // clip.stat().st_size)
    ffmpeg("-stream_loop", str(times), "-i", str(clip), "-c", "copy", str(source))
    ways = {
        "mediawatch": lambda: prepare(source, target, LARGE),
        "mediawatch, the copying alone": lambda: copied(source, target),
        "ffmpeg": lambda: ffmpeg("-i", str(source), "-c", "copy", "-movflags", "+faststart",
                                 str(target)),
        "cp": lambda: subprocess.run(["cp", str(source), str(target)], check=True),
    }  # fmt: skip
    figures = take_turns(ways, rounds)
    figures["megabytes"] = round(source.stat().st_size / 1e6)
    return figures


def prepare(source: Path, target: Path, options: VideoOptions) -> None:
    """The whole of it, as the worker does it: probe, check, convert, verify, hash."""
    run_python(
        "import sys, json, pathlib\n"
        "from mediawatch.media import wire\n"
        "from mediawatch.media.order import Purpose\n"
        "from mediawatch.media.video.prepare import prepare_video\n"
        "options = wire.video_options(json.loads(sys.argv[3]))\n"
        "prepare_video(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), options,"
        f" Purpose({Purpose.REEL.value!r}), lambda *_: None)\n",
        str(source), str(target), json.dumps(asdict(options)),
    )  # fmt: skip


def copied(source: Path, target: Path) -> None:
    """What ffmpeg does, and no more: no check, no hash, no wait for the disk."""
    run_python(
        "import sys, pathlib\n"
        "from mediawatch.media.probe import sniff_file\n"
        "from mediawatch.media.rules import VideoLimits\n"
        "from mediawatch.media.video.plan import plan\n"
        "from mediawatch.media.video.probe import probe\n"
        "from mediawatch.media.video.remux import remux\n"
        "source = pathlib.Path(sys.argv[1])\n"
        "with source.open('rb') as file: facts = probe(source, file, sniff_file(source))\n"
        "decided = plan(facts, VideoLimits(3, 36_000, 8 << 30, 0.01, 10))\n"
        "assert decided.copies, decided\n"
        "remux(source, pathlib.Path(sys.argv[2]), facts, decided, lambda _: None)\n",
        str(source), str(target),
    )  # fmt: skip


def run_python(program: str, *arguments: str) -> None:
    subprocess.run([sys.executable, "-c", program, *arguments], check=True)


def ffmpeg(*arguments: str) -> None:
    command = ["ffmpeg", "-v", "error", "-y", "-nostdin", *arguments]
    subprocess.run(command, check=True)


def take_turns(ways: dict[str, Callable[[], object]], rounds: int) -> dict[str, Any]:
    """Wall and processor seconds of each way, one after the other, round after round."""
    measured: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            before, began = children(), time.perf_counter()
            way()
            measured[name].append((time.perf_counter() - began, children() - before))
    return {
        "ways": {
            name: {
                "best_wall": min(wall for wall, _ in each),
                "median_wall": statistics.median(wall for wall, _ in each),
                "median_cpu": statistics.median(cpu for _, cpu in each),
            }
            for name, each in measured.items()
        }
    }


def children() -> float:
    """Processor seconds of all processes that ended and that we waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


async def cancel(place: Path, rounds: int) -> dict[str, Any]:
    """From the call that cancels to the moment at which the process is gone, milliseconds."""
    source = place / "long.avi"
    ffmpeg("-f", "lavfi", "-i", _SCENE, "-t", "8", "-c:v", "mpeg4", "-b:v", "20M", str(source))
    waits = []
    async with Preparer(1) as preparer:
        for _ in range(rounds):
            begun = asyncio.Event()
            job = asyncio.create_task(
                preparer.prepare(
                    source, place / "out.mp4", ImageOptions(),
                    on_progress=lambda share, begun=begun: begun.set() if share else None,
                )
            )  # fmt: skip
            await begun.wait()
            began = time.perf_counter()
            job.cancel()
            await asyncio.wait({job})
            waits.append((time.perf_counter() - began) * 1000)
    return {"median_ms": statistics.median(waits), "worst_ms": max(waits)}


def show(figures: dict[str, Any]) -> bool:
    """Print the figures and the bars; whether all are met."""
    console = Console(width=None if sys.stdout.isatty() else 110)
    load = ", ".join(f"{each:.1f}" for each in figures["load"])
    console.print(f"{figures['cores']} cores, load average {load} at the start")
    bars: list[tuple[str, float, float, str]] = []
    for part in ("transcode", "remux"):
        if part not in figures:
            continue
        ways = figures[part]["ways"]
        table = Table(title=part)
        for column in ("", "best wall, s", "median wall, s", "median CPU, s"):
            table.add_column(column, justify="right" if column else "left")
        for name, each in ways.items():
            table.add_row(name, *(f"{each[key]:.2f}" for key in each))
        console.print(table)
        if part == "transcode":
            cpu = {name: each["median_cpu"] for name, each in ways.items()}
            bars.append((f"{part} / ffmpeg", cpu["mediawatch"] / cpu["ffmpeg"], TRANSCODE_BAR, "x"))
        else:
            # A copy waits for memory and disk more than it computes.
            wall = {name: each["best_wall"] for name, each in ways.items()}
            ours = wall["mediawatch, the copying alone"]
            bars.append((f"{part} / ffmpeg", ours / wall["ffmpeg"], REMUX_BAR, "x"))
            bars.append((f"{part} / cp", ours / wall["cp"], COPY_BAR, "x"))
    if "cancel" in figures:
        each = figures["cancel"]
        console.print(f"cancel to process gone, worst: {each['worst_ms']:.1f} ms")
        bars.append(("cancel to process gone", each["median_ms"], CANCEL_BAR, "ms"))
    result = Table()
    for column in ("bar", "measured", "wanted", ""):
        result.add_column(column)
    for name, value, limit, unit in bars:
        met = "pass" if value <= limit else "MISS"
        result.add_row(name, f"{value:.2f} {unit}", f"<= {limit:g} {unit}", met)
    console.print(result)
    return all(value <= limit for _, value, limit, _ in bars)


if __name__ == "__main__":
    sys.exit(main())
