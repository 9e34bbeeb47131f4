"""Processes of mediawatch that start in a moment: one nursery for all tests of a pytest process.

What is forked is the command as its users have it, but for the imports, which are done already.
Synchronous, since it outlives the loop of any test; used from one thread. POSIX only.
"""

from __future__ import annotations

import atexit
import json
import os
import select
import signal
import subprocess
import sys
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

from tests.support.daemon import PATIENCE, environment
from tests.support.nursery import Order

#: Changes with each test, and nobody asks for it.
_OF_NO_MATTER = "PYTEST_CURRENT_TEST"


class Forked:
    """A process that was forked; to be asked as one of ``subprocess``."""

    def __init__(self, pid: int, nursery: _Nursery) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._nursery = nursery

    def poll(self) -> int | None:
        """The exit code, negative for a signal; None while it runs."""
        self._nursery.listen(0)
        return self.returncode

    def wait(self) -> int:
        """The exit code, once there is one. Blocks."""
        while self.returncode is None:
            self._nursery.listen(PATIENCE)
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send a signal, if it still runs."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it without a warning."""
        self.send_signal(signal.SIGKILL)


class _Nursery:
    def __init__(self) -> None:
        self.environment = _environment()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.nursery"],
            cwd=Path(__file__).parents[2],
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self._heard = b""
        self._begun: list[Forked] = []
        self._running: dict[int, Forked] = {}
        atexit.register(self.close)

    def start(self, order: Order) -> Forked:
        """Start a child."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(asdict(order)).encode() + b"\n")
        self._process.stdin.flush()
        while not self._begun:
            self.listen(PATIENCE)
        return self._begun.pop()

    def listen(self, limit: float) -> None:
        """Take note of what the nursery says, for so many seconds if it says nothing."""
        assert self._process.stdout is not None
        told = self._process.stdout.fileno()
        while select.select([told], [], [], limit)[0]:
            read = os.read(told, 1 << 16)
            assert read, "the nursery is gone"
            *lines, self._heard = (self._heard + read).split(b"\n")
            for line in lines:
                self._note(json.loads(line))
            limit = 0

    def _note(self, said: dict[str, Any]) -> None:
        pid = said["pid"]
        if "code" in said:
            self._running.pop(pid).returncode = said["code"]
        else:
            self._running[pid] = Forked(pid, self)
            self._begun.append(self._running[pid])

    def close(self) -> None:
        """End it, and all that it started."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()


def can_fork() -> bool:
    """Whether what is forked finds the environment in which it would be started now."""
    return sys.platform != "win32" and _nursery().environment == _environment()


def fork(words: tuple[str, ...], folder: Path, output: Path, errors: Path | None = None) -> Forked:
    """``mediawatch WORDS`` in ``folder``, which prints to the end of these files."""
    order = Order(words, str(folder), str(output), errors=errors and str(errors), as_users=True)
    return _nursery().start(order)


def _environment() -> dict[str, str]:
    return {name: value for name, value in environment().items() if name != _OF_NO_MATTER}


@cache
def _nursery() -> _Nursery:
    return _Nursery()
