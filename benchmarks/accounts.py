"""What a thousand accounts cost an idle daemon: ``python benchmarks/accounts.py [--minutes 5]``.

Three daemons with default settings, side by side: one with one account; one to which 1,000 are
connected; and one with as many, each with a folder of its own in the inbox. All would tell their
owner of trouble. CPU and memory are read from /proc, so on Linux only. The exit status is 1 if a
bar is missed; the bars are what the many cost more than the one, in the same minutes.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from idle import REST, observe
from neighbours import Neighbours, neighbours
from processes import Others
from watched import Daemon, watched

#: Percent of one core, and MB, that the accounts may cost; MB that may be added after a minute.
CPU_BAR, MEMORY_BAR, GROWTH_BAR = 0.5, 8.0, 2.0
ACCOUNTS = 1000
ONE, MANY, FOLDERS = "one account", "1,000 accounts", "the same, with folders"


def measure(root: Path, minutes: float) -> dict[str, Any]:
    """Figures of all daemons, over the same minutes."""
    with ExitStack() as stack:
        place = stack.enter_context(neighbours(root / "neighbours"))
        daemons = {
            ONE: stack.enter_context(_daemon(root / "one", place)),
            MANY: stack.enter_context(_daemon(root / "many", place, accounts=ACCOUNTS)),
            FOLDERS: stack.enter_context(
                _daemon(root / "folders", place, accounts=ACCOUNTS, folders=True)
            ),
        }
        time.sleep(REST)
        with Others() as others:
            found = observe(daemons, minutes * 60)
    return {"minutes": minutes, "others_percent": others.percent, "daemons": found}


@contextmanager
def _daemon(
    root: Path, place: Neighbours, *, accounts: int = 0, folders: bool = False
) -> Iterator[Daemon]:
    inbox = root / "download"
    inbox.mkdir(parents=True)
    if folders:
        for number in range(accounts):
            (inbox / f"account{number:04d}").mkdir()
    asyncio.run(_connect(root / "data", accounts))
    with watched(root, place, alerts={"urls": ["json://127.0.0.1:9"]}) as daemon:
        yield daemon


async def _connect(data: Path, count: int) -> None:
    """Rows as accounts leave them that were connected by logging in."""
    from sqlalchemy import insert

    from mediawatch.journal.database import Statement
    from mediawatch.journal.schema import accounts
    from mediawatch.journal.sqlite import SqliteJournal

    data.mkdir(mode=0o700)
    rows = [
        {
            "id": f"{17841400000010000 + number}",
            "username": f"account{number:04d}",
            "login": "facebook",
            "connected_at": time.time(),
        }
        for number in range(count)
    ]
    async with SqliteJournal(data / "journal.db") as journal:
        if rows:
            await journal.apply([Statement(insert(accounts), rows=len(rows), values=rows)])


def show(figures: dict[str, Any]) -> bool:
    """Print a table; whether every bar is kept."""
    kept, found = True, figures["daemons"]
    print(f"Idle for {figures['minutes']:g} minutes; others took {figures['others_percent']} %.")
    print(f"{'':24}{'% of a core':>12}{'MB at end':>11}{'growth':>9}")
    for name, each in found.items():
        more = each["cpu_percent"] - found[ONE]["cpu_percent"]
        heavier = each["rss_mb_at_end"] - found[ONE]["rss_mb_at_end"]
        well = more < CPU_BAR and heavier < MEMORY_BAR and each["growth_mb"] < GROWTH_BAR
        kept = kept and well
        print(
            f"{name:24}{each['cpu_percent']:12.3f}{each['rss_mb_at_end']:11.1f}"
            f"{each['growth_mb']:9.2f}  {'✅' if well else '❌'}"
        )
    print(
        f"Bars: the many cost less than {CPU_BAR} % of a core and {MEMORY_BAR:g} MB more than the "
        f"one; growth after the first minute < {GROWTH_BAR:g} MB."
    )
    return kept


def main() -> int:
    parser = argparse.ArgumentParser(description="What a thousand accounts cost an idle daemon.")
    parser.add_argument("--minutes", type=float, default=5.0, help="how long (%(default)s)")
    parser.add_argument("--json", type=Path, help="write all figures here")
    given = parser.parse_args()
    if not sys.platform.startswith("linux"):
        print("CPU and memory are read from /proc: this needs Linux.", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # clean up then, too
    root = Path(tempfile.mkdtemp(prefix="mediawatch-accounts-"))
    try:
        figures = measure(root, given.minutes)
    finally:
        shutil.rmtree(root, ignore_errors=True)
    if given.json:
        given.json.write_text(json.dumps(figures, indent=2) + "\n", "utf-8")
    return 0 if show(figures) else 1


if __name__ == "__main__":
    sys.exit(main())
