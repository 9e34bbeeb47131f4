"""FTP uploads beside lftp and curl, in one run: ``python benchmarks/ftp.py [--rounds 5]``.

The servers are real ones, unpacked by tests/support/fetch_ftp_servers.sh. What they serve lies in
memory where there is room; the files lie on a disk, written a moment ago, as the daemon's own do:
the system has them in memory still. Clients take turns, the first one changes, and every upload
is compared with its source afterwards. A long way (20 ms there and back) needs root, and is left
out with a reason otherwise. The exit status is 1 if a bar is missed.
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
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import ftp_report
from delay_tunnel import Way, long_way, missing
from ftp_clients import CLIENTS, Job, Taken
from ftp_place import Place, place

#: Server, and whether it demands TLS.
SERVERS = [("vsftpd", False), ("vsftpd", True), ("proftpd", True)]
_MEMORY = Path("/dev/shm")
_AGAIN = 4  # times at most that a turn is taken until the machine is quiet enough
_MB = 1_000_000


@dataclass(frozen=True)
class Trial:
    """What is uploaded by whom; ``bar``: the time that we may take, as a multiple of lftp's."""

    name: str
    files: int
    size: int
    clients: Sequence[str]
    bar: float
    connections: int = 4
    round_trip: float = 0.0


TRIALS = {
    "large": Trial("one file of 500 MB", 1, 500 * _MB, ("mediawatch", "lftp", "curl"), 1.1),
    "many": Trial("1,000 files of 200 KB", 1000, 200_000, ("mediawatch", "lftp"), 1.3),
    "far": Trial("100 files, 20 ms away", 100, 200_000, ("mediawatch", "lftp"), 1.25, 4, 0.02),
}


def measure(
    root: Path,
    disk: Path,
    trials: Sequence[str],
    servers: Sequence[int],
    rounds: int,
    quiet: float,
) -> Any:
    """All figures, one row for each trial on each server."""
    start = _load()
    rows, skipped = [], []
    for key in trials:
        trial = TRIALS[key]
        if trial.round_trip and (why := missing()):
            skipped.append(f"{trial.name}: left out, {why}")
            continue
        source = disk / key
        _make_files(source, trial)
        for number in servers:
            folder = root / f"{key}-{number}"
            folder.mkdir()
            rows.append(_row(folder, trial, source, SERVERS[number], rounds, quiet))
            _say(f"{rows[-1]['ratio']:.2f} times lftp's")
            shutil.rmtree(folder)
        shutil.rmtree(source)
    return {
        "cores": os.cpu_count(),
        "python": sys.version.split()[0],
        "in_memory": root.is_relative_to(_MEMORY),
        "rows": rows,
        "skipped": skipped,
        "load_average": {"start": start, "end": _load()},
    }


def _make_files(folder: Path, trial: Trial) -> None:
    """Bytes that nothing can compress, other ones in each file."""
    folder.mkdir()
    for number in range(trial.files):
        (folder / f"file-{number:04d}.jpg").write_bytes(os.urandom(trial.size))
    os.sync()  # nothing is left to be written while the clients are at it


def _row(
    root: Path, trial: Trial, source: Path, server: tuple[str, bool], rounds: int, quiet: float
) -> dict[str, Any]:
    kind, tls = server
    runs: dict[str, list[Taken]] = {name: [] for name in trial.clients}
    way = long_way(trial.round_trip, root) if trial.round_trip else nullcontext(Way())
    with way as there, place(root, kind, tls=tls, way=there) as served:
        job = Job(served, source, trial.connections, there.near, root)
        for number in range(rounds):
            turn = number % len(trial.clients)
            for name in (*trial.clients[turn:], *trial.clients[:turn]):
                _say(f"{trial.name}, {kind}{' with TLS' if tls else ''}: {name}")
                runs[name].append(_turn(name, job, quiet))
    seconds = {
        name: statistics.median(run.seconds for run in taken) for name, taken in runs.items()
    }
    return {
        "trial": trial.name,
        "server": kind,
        "tls": tls,
        "bar": trial.bar,
        "seconds": seconds,
        "ratio": seconds["mediawatch"] / seconds["lftp"],
        "runs": {name: [asdict(run) for run in taken] for name, taken in runs.items()},
    }


def _turn(name: str, job: Job, quiet: float) -> Taken:
    """One upload; made again while others take more than ``quiet`` percent of the machine."""
    for _ in range(_AGAIN):
        taken = CLIENTS[name](job)
        _compare(name, job.source, job.place)
        job.place.empty()
        if (taken.others or 0.0) <= quiet:
            break
    return taken


def _compare(name: str, source: Path, served: Place) -> None:
    """Raise RuntimeError unless exactly the source's files are there, byte for byte."""
    wanted = {path.name: path.stat().st_size for path in source.iterdir()}
    if wanted != served.sizes():
        raise RuntimeError(f"{name} did not upload every file, or something else too.")
    for path in source.iterdir():
        if path.read_bytes() != served.read(path.name):
            raise RuntimeError(f"{name} uploaded {path.name} with other bytes.")


def _load() -> float:
    return round(os.getloadavg()[0], 2)


def _say(what: str) -> None:
    print(f"… {what}", file=sys.stderr, flush=True)


def _folder() -> Path | None:
    """Memory, if all of a large trial fits there twice and more."""
    room = shutil.disk_usage(_MEMORY).free if _MEMORY.is_dir() else 0
    return _MEMORY if room > 3 * 500 * _MB else None


def main() -> int:
    parser = argparse.ArgumentParser(description="FTP uploads beside lftp and curl, in one run.")
    parser.add_argument("trials", nargs="*", help=f"of {', '.join(TRIALS)}; all if left out")
    parser.add_argument("--rounds", type=int, default=5, help="turns of each (%(default)s)")
    parser.add_argument("--servers", type=int, nargs="+", default=range(len(SERVERS)))
    parser.add_argument(
        "--quiet", type=float, default=100.0, help="percent that others may take in a turn"
    )
    parser.add_argument("--json", type=Path, help="write all figures here")
    given = parser.parse_args()
    if lacking := [tool for tool in ("lftp", "curl") if shutil.which(tool) is None]:
        parser.error(f"not installed: {', '.join(lacking)}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # clean up then, too
    root = Path(tempfile.mkdtemp(prefix="mediawatch-bench-", dir=_folder()))
    root.chmod(0o755)  # servers give up their rights, and must get there still
    disk = Path(tempfile.mkdtemp(prefix="mediawatch-bench-"))
    trials = given.trials or list(TRIALS)
    try:
        figures = measure(root, disk, trials, given.servers, given.rounds, given.quiet)
    finally:
        shutil.rmtree(root, ignore_errors=True)
        shutil.rmtree(disk, ignore_errors=True)
    if given.json:
        given.json.write_text(json.dumps(figures, indent=2) + "\n", "utf-8")
    return 0 if ftp_report.show(figures) else 1


if __name__ == "__main__":
    sys.exit(main())
