"""A storm of files, and what it costs: ``python benchmarks/storm.py [--files 100000]``.

So many tiny JPEGs come into the inbox at once, as fast as another process can rename them there.
The real watcher finds them, the real intake writes each into a real journal (durably, before the
rename) and claims it; only publishing is off: nothing works on the posts, and nothing holds the
folder back. Beside it, in the same run, before and after: a bare scan-and-rename of the same files
(list the folder, stat each, rename it into another folder on the same disk, one by one).

CPU is that of the whole process, in user and kernel mode; memory is resident memory, its peak
against the moment before the storm. Linux only. The exit status is 1 if a bar is missed.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import io
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from PIL import Image

#: What is promised.
MEMORY_BAR, CPU_BAR = 60.0, 4.0
#: Nothing may take longer, in seconds.
LIMIT = 900.0
ACCOUNT = "17841400000000001"


def main() -> int:
    """Measure, tell, and say whether the bars are met."""
    arguments = _arguments()
    if arguments.role:
        return _child(arguments.role, Path(arguments.folder))
    with tempfile.TemporaryDirectory(prefix="mediawatch-storm-", dir=arguments.folder) as folder:
        figures = _measure(Path(folder), arguments.files)
    _tell(figures)
    if arguments.json:
        Path(arguments.json).write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    return 0 if figures["met"] else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--folder", help="where to work, on the disk that is to be measured")
    parser.add_argument("--json", help="write the figures into this file too")
    parser.add_argument("--role", choices=["bare", "intake"], help=argparse.SUPPRESS)
    return parser.parse_args()


def _measure(root: Path, files: int) -> dict[str, Any]:
    there, inbox = root / "prepared", root / "download"
    _make(there, files)
    inbox.mkdir()
    away = root / "renamed"
    away.mkdir()
    bare = [_bare(root, there, away), _bare(root, away, there)]
    intake = _storm(root, there, inbox)
    claimed = inbox / ".mediawatch" / "work"
    lost = files - intake["posts"]
    left = [name for name in os.listdir(inbox) if name != ".mediawatch"]
    _gather(claimed, there)
    bare += [_bare(root, there, away), _bare(root, away, there)]
    cpu = statistics.median(run["cpu"] for run in bare)
    ratio = intake["cpu"] / cpu
    grown = intake["peak_mb"] - intake["rss_mb"]
    return {
        "files": files,
        "bare": bare,
        "intake": intake,
        "lost": lost,
        "left": len(left),
        "cpu_ratio": round(ratio, 2),
        "grown_mb": round(grown, 1),
        "cpu_us_per_file": {
            "bare": round(cpu / files * 1e6, 1),
            "intake": round(intake["cpu"] / files * 1e6, 1),
        },
        "met": lost == 0 and not left and grown < MEMORY_BAR and ratio <= CPU_BAR,
    }


def _tell(figures: dict[str, Any]) -> None:
    bare, intake, each = figures["bare"], figures["intake"], figures["cpu_us_per_file"]
    rows = [
        ("files dropped", f"{figures['files']:,}", ""),
        ("missed", f"{figures['lost']} lost, {figures['left']} left", "0"),
        ("memory grows by", f"{figures['grown_mb']:.1f} MB", f"< {MEMORY_BAR:g} MB"),
        ("CPU, times that of bare", f"{figures['cpu_ratio']:.2f}", f"<= {CPU_BAR:g}"),
        ("CPU a file, intake", f"{each['intake']:.1f} us", ""),
        ("CPU a file, bare", f"{each['bare']:.1f} us", ""),
        ("bare, each run", ", ".join(f"{run['cpu']:.2f} s" for run in bare), ""),
        ("drop took", f"{intake['drop']:.1f} s", ""),
        ("dropped to all claimed", f"{intake['wall']:.1f} s", ""),
        ("commits of the journal", f"{intake['commits']:,}", ""),
    ]
    for name, value, bar in rows:
        print(f"{name:<26} {value:<34} {bar}")


# The files.


def _make(folder: Path, files: int) -> None:
    """Tiny JPEGs, whole ones, each with a number in a comment so that no two are the same."""
    out = io.BytesIO()
    Image.new("RGB", (8, 8), (200, 120, 40)).save(out, "JPEG")
    picture = out.getvalue()
    folder.mkdir()
    for number in range(files):
        text = b"%08d" % number
        comment = b"\xff\xfe" + (len(text) + 2).to_bytes(2, "big") + text
        (folder / f"picture-{number:06}.jpg").write_bytes(picture[:2] + comment + picture[2:])


def _gather(work: Path, folder: Path) -> None:
    for parent, _, names in os.walk(work):
        for name in names:
            os.rename(os.path.join(parent, name), folder / name)


# The processes.


def _bare(root: Path, source: Path, target: Path) -> dict[str, Any]:
    (root / "order.json").write_text(json.dumps([str(source), str(target)]))
    done = _start("bare", root).communicate(timeout=LIMIT)[0]
    return dict(json.loads(done))


def _storm(root: Path, there: Path, inbox: Path) -> dict[str, Any]:
    child = _start("intake", root)
    try:
        assert child.stdout is not None
        assert child.stdin is not None
        assert child.stdout.readline() == "watching\n"
        started = time.monotonic()
        names = os.listdir(there)
        for name in names:
            os.rename(there / name, inbox / name)
        drop = time.monotonic() - started
        child.stdin.write(f"{len(names)}\n")
        child.stdin.flush()
        found = dict(json.loads(child.communicate(timeout=LIMIT)[0]))
    finally:
        child.kill()
        child.wait()
    return {**found, "drop": round(drop, 2), "wall": round(found["ended"] - started, 2)}


def _start(role: str, root: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, __file__, "--role", role, "--folder", str(root)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def _child(role: str, root: Path) -> int:
    found = _scan_and_rename(root) if role == "bare" else asyncio.run(_intake(root))
    print(json.dumps(found), flush=True)
    return 0


def _scan_and_rename(root: Path) -> dict[str, Any]:
    source, target = json.loads((root / "order.json").read_text())
    started, cpu = time.monotonic(), time.process_time()
    with os.scandir(source) as entries:
        names = [entry.name for entry in entries]
    for name in names:
        os.stat(f"{source}/{name}", follow_symlinks=False)
        os.rename(f"{source}/{name}", f"{target}/{name}")
    return {
        "cpu": round(time.process_time() - cpu, 3),
        "wall": round(time.monotonic() - started, 3),
        "files": len(names),
    }


class _Off:
    """A job engine that nobody works for."""

    def wake(self, post_id: str, priority: int, after: float = 0.0) -> None:
        """Publishing is off."""

    async def room(self) -> int:
        return 1_000_000


async def _intake(root: Path) -> dict[str, Any]:
    from mediawatch.app import inspect
    from mediawatch.clock import SystemClock
    from mediawatch.config import LogSettings, PublishSettings, WatchSettings
    from mediawatch.config.inboxes import inboxes
    from mediawatch.journal import accounts, posts
    from mediawatch.journal.ownership import Ownership
    from mediawatch.journal.sqlite import SqliteJournal
    from mediawatch.log import open_log
    from mediawatch.model.lifecycle import State
    from mediawatch.watch.intake import Intake
    from mediawatch.watch.watcher import Watcher
    from mediawatch.watch.withheld import Withheld

    settings = WatchSettings(folder=root / "download")
    clock = SystemClock()
    log = open_log(LogSettings(format="json", file=root / "mediawatch.log"))
    engine = _Off()

    taken = 0

    def count(_name: str, _post_id: str, _again: bool) -> None:
        nonlocal taken
        taken += 1

    def report(action: str, message: str, **fields: Any) -> None:
        log.info(message, action=action, **fields)

    async with SqliteJournal(root / "data" / "journal.db") as journal:
        with Ownership(root / "data", settings.folder, now=clock.now()) as ownership:
            await journal.apply([accounts.ensure(ACCOUNT)])
            intake = Intake(
                inboxes(settings, PublishSettings()).first,
                ACCOUNT,
                journal=journal,
                engine=engine,
                clock=clock,
                log=log,
                own=ownership.require_inbox,
                taken=count,
                backlog=None,
            )
            watcher = Watcher(
                settings,
                clock=clock,
                inspect=inspect,
                room=intake.room,
                take=intake.take,
                report=report,
                withheld=Withheld(journal, clock, settings.folder, settings.hold_above, report),
            )
            async with asyncio.TaskGroup() as tasks:
                watching = tasks.create_task(watcher.run())
                while watcher.state.mode != "events" or watcher.state.last_scan is None:
                    await asyncio.sleep(0.05)
                gc.freeze()  # as the daemon does, once it is at work
                rss, cpu, commits = _resident_mb(), time.process_time(), journal.commits
                print("watching", flush=True)
                files = int(await asyncio.to_thread(sys.stdin.readline))
                end = time.monotonic() + LIMIT
                while taken < files and time.monotonic() < end:  # to ask the journal would cost CPU
                    await asyncio.sleep(0.25)
                found = {
                    "ended": time.monotonic(),
                    "cpu": round(time.process_time() - cpu, 3),
                    "rss_mb": round(rss, 1),
                    "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
                    "commits": journal.commits - commits,
                    "posts": await posts.count(journal, [State.READY]),
                    "hints": watcher.state.hints,
                    "overflows": watcher.state.overflows,
                }
                watching.cancel()
    return found


def _resident_mb() -> float:
    with open("/proc/self/statm", encoding="ascii") as statm:
        return int(statm.read().split()[1]) * resource.getpagesize() / (1 << 20)


if __name__ == "__main__":
    sys.exit(main())
