"""Pictures beside naive Pillow, pyvips, vipsthumbnail, ImageMagick and the floor, in one run.

12 MP WebP is what the bars are about; the other formats are told beside the same peers. Everybody
takes turns, in another order each round, and the best of the rounds counts: on a busy machine
only ratios mean something, and those of CPU time most.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from image_peers import CORES, Run, can_read, peers
from pictures import Kind, picture
from processes import Others, memory, own_cpu, waited_for_core
from rich.console import Console
from rich.table import Table

from mediawatch.media.order import ImageOptions
from mediawatch.media.pool import Preparer

OURS = "mediawatch, worker processes"
SIZE = (4032, 3024)
PIXELS = SIZE[0] * SIZE[1]
FORMATS: dict[str, dict[str, object]] = {
    "webp": {"quality": 80, "method": 3},
    "jpg": {"quality": 92},
    "png": {"compress_level": 3},
    "avif": {"quality": 65, "speed": 9},
    "heic": {"quality": 60, "format": "HEIF", "enc_params": {"preset": "ultrafast"}},
    "tif": {"compression": "tiff_lzw"},
}
#: Peer -> our rate divided by its rate must be at least this, for 12 MP WebP.
BARS = {
    "naive Pillow, one after the other": 3.2,
    "pyvips, threads": 0.85,
    "vipsthumbnail": 0.9,
    "ImageMagick": 2.0,
    "dwebp and cjpeg, the floor": 0.72,
}
MEMORY_PER_PIXEL, MEMORY_BESIDES = 17, 40e6  # bytes
LAG_P99_MS, LAG_MAX_MS = 5.0, 50.0


def make_files(folder: Path, suffix: str, count: int, scenes: int = 4) -> list[Path]:
    """So many names of a few different pictures: names cost no time, and nobody keeps results."""
    from pillow_heif import register_heif_opener

    register_heif_opener()
    folder.mkdir(parents=True)
    made = []
    for number in range(min(count, scenes)):
        image = picture(Kind("bench", 1, SIZE), random.Random(number))
        file = folder / f"scene-{number}.{suffix}"
        image.save(file, **FORMATS[suffix])
        made.append(file)
    for number in range(len(made), count):
        file = folder / f"copy-{number}.{suffix}"
        os.link(made[number % len(made)], file)
        made.append(file)
    return made


class Lag(NamedTuple):
    """How late the loop was, and how long no core was free for it meanwhile. Milliseconds."""

    late: float
    waited: float

    @property
    def own(self) -> float:
        """What is left if the machine is not to blame."""
        return max(0.0, self.late - self.waited)


async def _lags(found: list[Lag]) -> None:
    """How late the loop is, every few milliseconds."""
    while True:
        due, waited = time.perf_counter() + 0.005, waited_for_core()
        await asyncio.sleep(0.005)
        late = time.perf_counter() - due
        found.append(Lag(late * 1000, (waited_for_core() - waited) * 1000))


async def _convert(files: Sequence[Path], out: Path) -> tuple[Run, list[Lag]]:
    lags: list[Lag] = []
    async with Preparer(CORES, timeout=120) as preparer:
        await preparer.warm()
        before = sum(own_cpu(pid) or 0.0 for pid in preparer.pids)
        ticking = asyncio.create_task(_lags(lags))
        started = time.perf_counter()
        await asyncio.gather(
            *(preparer.prepare(f, out / f"{f.name}.jpg", ImageOptions()) for f in files)
        )
        wall = time.perf_counter() - started
        ticking.cancel()
        after = sum(own_cpu(pid) or 0.0 for pid in preparer.pids)
    return Run(wall, after - before), lags


async def _peak(file: Path, out: Path) -> float | None:
    """Bytes that one worker holds at the most, for that picture."""
    async with Preparer(1, timeout=120) as preparer:
        await preparer.prepare(file, out / "peak.jpg", ImageOptions())
        found = memory(preparer.pids[0])
    return None if found is None else found * 1e6


def compare(
    files: Sequence[Path], out: Path, pyvips: Path, rounds: int
) -> tuple[dict[str, list[Run]], dict[str, str], list[Lag]]:
    """The runs of each, why some are missing, and the lags of our loop."""
    able, missing = peers(pyvips)
    if files[0].suffix != ".webp":
        able.pop("dwebp and cjpeg, the floor", None)
        missing.pop("dwebp and cjpeg, the floor", None)
    for name in list(able):
        if not can_read(able[name], files[0], out):
            del able[name]
            missing[name] = f"cannot read {files[0].suffix}"
    lags: list[Lag] = []
    runs: dict[str, list[Run]] = {name: [] for name in (OURS, *able)}
    rng = random.Random(1)
    for _ in range(rounds):
        for name in rng.sample(list(runs), len(runs)):
            if name == OURS:
                run, seen = asyncio.run(_convert(files, out))
                lags += seen
            else:
                run = able[name](files, out)
            runs[name].append(run)
    return runs, missing, lags


def show(
    console: Console, suffix: str, count: int, runs: dict[str, list[Run]], missing: dict[str, str]
) -> bool:
    """A table for one format; whether its bars are met."""
    table = Table(title=f"12 MP {suffix}, {count} files, {CORES} cores, best of {len(runs[OURS])}")
    for column in ("", "pictures/s", "CPU ms each", "ours is, by rate", "by CPU", "bar", ""):
        table.add_column(column, justify="left" if column in {"", "bar"} else "right")
    best = {name: min(run.wall for run in done) for name, done in runs.items()}
    cpu = {name: statistics.median(run.cpu for run in done) for name, done in runs.items()}
    met = True
    for name in runs:
        rate, by_cpu = best[name] / best[OURS], cpu[name] / cpu[OURS]
        bar = BARS.get(name) if suffix == "webp" else None
        passed = bar is None or rate >= bar
        met = met and passed
        table.add_row(
            name, f"{count / best[name]:.2f}", f"{1000 * cpu[name] / count:.0f}",
            "" if name == OURS else f"{rate:.2f} x", "" if name == OURS else f"{by_cpu:.2f} x",
            "" if bar is None else f">= {bar}", "" if bar is None else "pass" if passed else "MISS",
        )  # fmt: skip
    console.print(table)
    for name, reason in missing.items():
        console.print(f"left out: {name}: {reason}")
    return met


def show_webp(console: Console, peak: float | None, lags: list[Lag]) -> bool:
    """Memory of a worker and lag of the loop, with their bars."""
    allowed = MEMORY_PER_PIXEL * PIXELS + MEMORY_BESIDES
    small = peak is None or peak <= allowed
    if peak is not None:
        console.print(
            f"peak of a worker: {peak / 1e6:.0f} MB, {peak / PIXELS:.1f} bytes a pixel "
            f"(bar {allowed / 1e6:.0f} MB): {'pass' if small else 'MISS'}"
        )
    p99, most = _p99_and_most([lag.late for lag in lags])
    quick = p99 < LAG_P99_MS and most < LAG_MAX_MS
    console.print(
        f"loop lag: p99 {p99:.1f} ms, at most {most:.1f} ms "
        f"(bars {LAG_P99_MS:g} and {LAG_MAX_MS:g}): {'pass' if quick else 'MISS'}"
    )
    if any(lag.waited for lag in lags):
        p99, most = _p99_and_most([lag.own for lag in lags])
        console.print(
            f"without the time in which no core was free: p99 {p99:.1f} ms, at most {most:.1f} ms"
        )
    return small and quick


def _p99_and_most(values: list[float]) -> tuple[float, float]:
    return statistics.quantiles(values, n=100)[-1], max(values)


def main() -> int:
    """Run it; exit status 1 if a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("formats", nargs="*", default=list(FORMATS), help="webp jpg png ...")
    parser.add_argument("--files", type=int, default=40, help="WebP files (the bars speak of 200)")
    parser.add_argument("--others", type=int, default=6, help="files of each other format")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--pyvips", type=Path, default=Path(".peers/bin/python"))
    chosen = parser.parse_args()
    console = Console(width=None if sys.stdout.isatty() else 110)
    root = Path(tempfile.mkdtemp(prefix="bench-images-"))
    met = True
    try:
        for suffix in chosen.formats:
            count = chosen.files if suffix == "webp" else chosen.others
            files = make_files(root / suffix, suffix, count)
            out = root / f"{suffix}-out"
            out.mkdir()
            with Others() as others:
                runs, missing, lags = compare(files, out, chosen.pyvips, chosen.rounds)
            met = show(console, suffix, count, runs, missing) and met
            console.print(f"other programs took {others.percent} % of this machine meanwhile")
            if suffix == "webp":
                met = show_webp(console, asyncio.run(_peak(files[0], out)), lags) and met
            shutil.rmtree(root / suffix)
            shutil.rmtree(out)
    finally:
        shutil.rmtree(root, ignore_errors=True)
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
