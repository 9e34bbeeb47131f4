"""Rounds of chaos, as many as wanted: ``python -m tests.chaos --rounds 1000 --seed 1 --jobs 2``."""

from __future__ import annotations

import argparse
import asyncio
import logging
import shutil
import sys
import tempfile
from pathlib import Path

from tests.chaos.round import Report, play
from tests.support.nursery import nursery


async def rounds(
    seeds: range,
    folder: Path,
    *,
    jobs: int,
    sabotage: str | None = None,
    stop_at_first: bool = False,
) -> list[Report]:
    """Play these rounds, so many side by side. What went wrong is told at once, with the command
    that plays it again, and its folder is kept."""
    left, reports = iter(seeds), []
    done = asyncio.Event()

    async def work() -> None:
        async with nursery() as nursed:
            for seed in left:
                if done.is_set():
                    return
                place = folder / f"seed-{seed}"
                report = await play(seed, place, nursed, sabotage=sabotage)
                reports.append(report)
                tell(report, place, sabotage)
                if not report.wrong:
                    shutil.rmtree(place)
                elif stop_at_first:
                    done.set()

    await asyncio.gather(*(work() for _ in range(jobs)))
    return reports


def tell(report: Report, place: Path, sabotage: str | None) -> None:
    """A line for each round, and all of it for one that went wrong."""
    print(
        f"seed {report.seed}: {report.files} files, {report.published} published, "
        f"{report.kills} kills, {report.decided} decided by a person, {report.seconds:.1f} s"
        + (" WRONG" if report.wrong else ""),
        flush=True,
    )
    if not report.wrong:
        return
    for sentence in report.wrong:
        print(f"  {sentence}")
    again = f"make chaos ROUNDS=1 SEED={report.seed}"
    if sabotage is not None:
        again = f"python -m tests.chaos --rounds 1 --seed {report.seed} --sabotage '{sabotage}'"
    print(f"  again: {again}\n  kept:  {place}", flush=True)


def main() -> int:
    """Play, and sum up. The exit code is 1 if anything went wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=25)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--sabotage")
    wanted = parser.parse_args()
    logging.getLogger("pyftpdlib").disabled = True
    seeds = range(wanted.seed, wanted.seed + wanted.rounds)
    folder = Path(tempfile.mkdtemp(prefix="mediawatch-chaos-"))
    reports = asyncio.run(rounds(seeds, folder, jobs=wanted.jobs, sabotage=wanted.sabotage))
    wrong = sorted(report.seed for report in reports if report.wrong)
    print(
        f"{len(reports)} rounds (seeds {seeds.start} to {seeds.stop - 1}): "
        f"{sum(r.files for r in reports)} files, {sum(r.published for r in reports)} published, "
        f"{sum(r.kills for r in reports)} kills, {sum(r.decided for r in reports)} decided by a "
        f"person; wrong: {wrong or 'none'}"
    )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
