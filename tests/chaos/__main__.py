"""``python -m tests.chaos``: rounds of chaos, several side by side; exit 1 if one failed."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from tests.chaos.plan import plan
from tests.chaos.round import Round
from tests.chaos.sabotage import RULES, SABOTAGE
from tests.support.nursery import nursery


def main() -> int:
    """Play the rounds that are asked for; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--rounds", type=int, default=25)
    parser.add_argument("--seed", type=int, default=1, help="of the first round")
    parser.add_argument("--jobs", type=int, default=2, help="rounds side by side")
    parser.add_argument(
        "--sabotage", choices=list(SABOTAGE), help="a mistake that the daemon is made to make"
    )
    parser.add_argument("--share", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    seeds = range(asked.seed, asked.seed + asked.rounds)
    if asked.share:
        asyncio.run(play(seeds, asked.sabotage))
        return 0
    return report(run(seeds, asked.jobs, asked.sabotage), asked.sabotage)


async def play(seeds: range, sabotage: str | None) -> None:
    """Play one round after another, and print a line of JSON for each."""
    logging.disable(logging.CRITICAL)  # servers that are killed have much to say
    async with nursery() as children:
        for seed in seeds:
            root = Path(tempfile.mkdtemp(prefix=f"mediawatch-chaos-{seed}-")) / "round"
            drawn = plan(seed)
            if sabotage is not None:
                evil = {**drawn.simulator, "republish": "evil"}
                drawn = replace(drawn, rules=(RULES[sabotage],), simulator=evil)
            told = asdict(await Round(drawn, children, root, sabotage=sabotage).play())
            if not told["problems"] or sabotage is not None:
                shutil.rmtree(root.parent, ignore_errors=True)
            print(json.dumps({**told, "folder": str(root)}), flush=True)


def run(seeds: range, jobs: int, sabotage: str | None = None) -> list[dict[str, Any]]:
    """Play the rounds in ``jobs`` processes; what each reports."""
    at_work = []
    for job in range(min(jobs, len(seeds))):
        share = seeds[job * len(seeds) // jobs : (job + 1) * len(seeds) // jobs]
        words = ["--share", "--seed", str(share.start), "--rounds", str(len(share))]
        if sabotage:
            words += ["--sabotage", sabotage]
        at_work.append(
            subprocess.Popen(
                [sys.executable, "-m", "tests.chaos", *words],
                cwd=Path(__file__).parents[2],
                stdout=subprocess.PIPE,
                text=True,
            )
        )
    said = [process.communicate()[0] for process in at_work]
    if any(process.returncode for process in at_work):
        raise RuntimeError("the harness itself broke: what it said stands above")
    return [json.loads(line) for out in said for line in out.splitlines()]


def report(told: list[dict[str, Any]], sabotage: str | None = None) -> int:
    """Say how the rounds went; 1 if one failed."""
    failed = [one for one in told if one["problems"]]
    for one in failed:
        print(f"round {one['seed']} failed:")
        for problem in one["problems"]:
            print(f"  {problem}")
        again = f" ARGS='--sabotage \"{sabotage}\"'" if sabotage else ""
        print(f"  its folder: {one['folder']}")
        print(f"  to play it again: make chaos ROUNDS=1 SEED={one['seed']}{again}")
    decided: Counter[str] = Counter()
    for one in told:
        decided.update(one["decided"])
    sums = {
        key: sum(one[key] for one in told) for key in ("files", "posts", "kills", "faults", "cuts")
    }
    longest = max((one["seconds"] for one in told), default=0)
    seeds = [one["seed"] for one in told]
    print(
        f"{len(told)} rounds (seeds {min(seeds)} to {max(seeds)}), {len(failed)} failed; "
        + ", ".join(f"{count} {key}" for key, count in sums.items())
        + f"; the longest took {longest} s; a person decided: {dict(decided) or 'nothing'}"
    )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
