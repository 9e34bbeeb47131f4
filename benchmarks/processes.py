"""Child processes: started, asked what they cost, and ended by their id."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

#: Settings of whoever runs the benchmark must not reach the daemon under test.
OURS = ("MEDIAWATCH_", "FTP_", "ACCESS_TOKEN", "IG_USER_ID", "AUTO_DOWNLOAD_DIR")
_PROC = Path("/proc")
_CAN_COUNT = sys.platform == "linux"


class TooSlow(Exception):
    """Something did not happen in its time."""


class Child:
    """A Python process for as long as the context lasts. What it says goes to ``says``.
    ``within``: a command that runs another one in its own surroundings, like nsenter."""

    def __init__(
        self, arguments: Sequence[str | Path], says: Path, within: Sequence[str] = ()
    ) -> None:
        self._arguments = [*within, sys.executable, *map(str, arguments)]
        self.says = says

    def __enter__(self) -> Self:
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith(OURS)
        }
        with self.says.open("wb") as out:
            self._process = subprocess.Popen(
                self._arguments, stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=environment
            )
        self.pid = self._process.pid
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._process.terminate()
        try:
            self._process.wait(15)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def until(self, condition: Callable[[], bool], limit: float, what: str) -> None:
        """Wait for the condition. Raises TooSlow after ``limit`` seconds, or when it ends."""
        end = time.monotonic() + limit
        while not condition():
            ended = self._process.poll()
            if ended is not None or time.monotonic() > end:
                why = f"it took over {limit:.0f} s" if ended is None else f"exit status {ended}"
                raise TooSlow(f"{what}: {why}. Its last words: {self.last_words()}")
            time.sleep(0.02)

    def last_words(self) -> str:
        """The end of what it said."""
        return self.says.read_text("utf-8", "replace")[-1500:]

    def finish(self, limit: float) -> float:
        """Wait until it ends by itself; the CPU seconds that it used."""
        used = 0.0

        def ended() -> bool:
            nonlocal used
            used = max(used, own_cpu(self.pid) or 0.0)
            return self._process.poll() == 0

        self.until(ended, limit, "A script did not come to its end")
        return used


def waited_for_core() -> float:
    """Seconds that this thread could have run and no core was free; 0 where nobody tells."""
    try:
        with open("/proc/thread-self/schedstat", encoding="ascii") as file:
            return int(file.read().split()[1]) / 1e9
    except OSError:
        return 0.0


def own_cpu(pid: int) -> float | None:
    """CPU seconds of the process itself, all its threads; None where it cannot be told."""
    return _seconds(pid, 13, 14)


def precise_cpu(pid: int) -> float:
    """CPU seconds of the process itself, to the nanosecond, where the clock's ticks of
    ``own_cpu`` are too coarse. Of threads that have ended nothing is counted. Linux only."""
    found = 0
    for task in (_PROC / str(pid) / "task").iterdir():
        try:
            found += int((task / "schedstat").read_text().split()[0])
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found / 1e9


def tree_cpu(pid: int) -> float | None:
    """CPU seconds of its children, those that have ended too; None where it cannot be told."""
    ended = _seconds(pid, 15, 16)
    if ended is None:
        return None
    return ended + sum((own_cpu(child) or 0.0) + (tree_cpu(child) or 0.0) for child in _sons(pid))


class Others:
    """How much of the machine other programs took while the context lasted, in percent of all
    cores; a virtual machine's stolen time is among it. Figures of a busy machine are worth less.
    """

    percent: float | None = None

    def __enter__(self) -> Self:
        self._before = _machine()
        return self

    def __exit__(self, *_: object) -> None:
        total, busy, ours = (
            after - before for after, before in zip(_machine(), self._before, strict=True)
        )
        if total:
            self.percent = round(max(0.0, busy - ours) / total * 100, 1)


def _machine() -> tuple[float, float, float]:
    """CPU seconds of all cores together: all, those that were busy, those of our processes."""
    if not _CAN_COUNT:
        return 0.0, 0.0, 0.0
    first = (_PROC / "stat").read_text().partition("\n")[0]
    values = [int(value) / os.sysconf("SC_CLK_TCK") for value in first.split()[1:9]]
    idle, pid = values[3] + values[4], os.getpid()
    return sum(values), sum(values) - idle, (own_cpu(pid) or 0.0) + (tree_cpu(pid) or 0.0)


def memory(pid: int, field: str = "VmHWM") -> float | None:
    """Resident memory in MB: the peak (VmHWM) or now (VmRSS)."""
    if not _CAN_COUNT:
        return None
    for line in (_PROC / str(pid) / "status").read_text().splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) * 1024 / 1e6
    return None


def _seconds(pid: int, *fields: int) -> float | None:
    """Fields of /proc/PID/stat, counted from 0 as in proc(5) less one."""
    if not _CAN_COUNT:
        return None
    try:
        stat = (_PROC / str(pid) / "stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    # The name, field 1, may hold blanks; what follows its bracket does not.
    values = stat.rpartition(")")[2].split()
    return sum(int(values[field - 2]) for field in fields) / os.sysconf("SC_CLK_TCK")


def _sons(pid: int) -> list[int]:
    found: list[int] = []
    for task in (_PROC / str(pid) / "task").glob("*/children"):
        try:
            found += map(int, task.read_text().split())
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found
