"""Daemons as real processes that start in a moment.

A start costs most of a second, nearly all of it imports. Here one process imports everything once
and forks for each daemon: a process of its own, which can be killed like any other. POSIX only.
What the child is made to do otherwise than its users' is told in ``Order`` (see staged.py).
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import gc
import importlib
import json
import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

from tests.support.daemon import PATIENCE, environment

KILLED = -signal.SIGKILL if sys.platform != "win32" else 137


@dataclass(frozen=True, slots=True)
class Order:
    """How a child is started: ``mediawatch WORDS`` in ``folder``, printing to ``output``.

    ``environ``: on top of what users have. ``record``: a file that gets a line for each point that
    is passed and each effect. ``die_after``: so many passages of any point until it dies.
    ``alter``: names of alterations (staged.py), with what they are told. ``errors``: where it
    prints what goes wrong, if not to ``output`` too. ``as_users``: nothing else is arranged.
    """

    words: tuple[str, ...]
    folder: str
    output: str
    environ: Mapping[str, str] = field(default_factory=dict)
    record: str | None = None
    die_after: int | None = None
    alter: Mapping[str, Any] = field(default_factory=dict)
    errors: str | None = None
    as_users: bool = False


class Child:
    """A process that the nursery started."""

    def __init__(self, pid: int, ended: asyncio.Future[int]) -> None:
        self.pid = pid
        self._ended = ended

    @property
    def code(self) -> int | None:
        """The exit code, negative for a signal; None while it runs."""
        return self._ended.result() if self._ended.done() else None

    async def ended(self, limit: float = PATIENCE) -> int:
        """The exit code, once there is one."""
        async with asyncio.timeout(limit):
            return await asyncio.shield(self._ended)

    def signal(self, number: int) -> None:
        """Send a signal, if it still runs."""
        if not self._ended.done():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    async def kill(self) -> None:
        """End it without a warning."""
        self.signal(signal.SIGKILL)
        await self.ended()


class Nursery:
    """Starts children. Made by ``nursery()``."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._started: asyncio.Queue[Child] = asyncio.Queue()
        self._ended: dict[int, asyncio.Future[int]] = {}
        self._one_at_a_time = asyncio.Lock()

    async def start(self, order: Order) -> Child:
        """Start a child."""
        assert self._process.stdin is not None
        async with self._one_at_a_time:
            self._process.stdin.write(json.dumps(asdict(order)).encode() + b"\n")
            await self._process.stdin.drain()
            async with asyncio.timeout(PATIENCE):
                return await self._started.get()

    async def listen(self) -> None:
        """Take note of what the nursery says, until it ends."""
        assert self._process.stdout is not None
        loop = asyncio.get_running_loop()
        while line := await self._process.stdout.readline():
            said = json.loads(line)
            if "code" not in said:
                self._ended[said["pid"]] = loop.create_future()
                self._started.put_nowait(Child(said["pid"], self._ended[said["pid"]]))
            else:
                self._ended.pop(said["pid"]).set_result(said["code"])


@asynccontextmanager
async def nursery() -> AsyncIterator[Nursery]:
    """A nursery; what it started and still runs is killed at its end."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.support.nursery"),
        cwd=Path(__file__).parents[2],
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdin is not None
    opened = Nursery(process)
    listening = asyncio.create_task(opened.listen())
    try:
        yield opened
    finally:
        process.stdin.close()
        await process.wait()
        await listening


# What follows runs in the nursery's own process.


def main() -> None:
    """Fork a child for each order on stdin; say on stdout when one begins and when one ends."""
    import_everything()
    gc.collect()
    gc.freeze()
    wakened, waker = os.pipe()
    os.set_blocking(waker, False)
    signal.set_wakeup_fd(waker)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    children: set[int] = set()
    orders = b""
    while True:
        ready, _, _ = select.select([0, wakened], [], [])
        if wakened in ready:
            os.read(wakened, 4096)
            _reap(children)
        if 0 in ready:
            read = os.read(0, 1 << 16)
            if not read:
                break
            *lines, orders = (orders + read).split(b"\n")
            for line in lines:
                children.add(_fork(Order(**json.loads(line))))
    for pid in children:
        os.kill(pid, signal.SIGKILL)


def import_everything() -> None:
    """What a daemon and the commands import, also what they import late."""
    import mediawatch.cli

    late = ("alembic.command", "cryptography.hazmat.primitives.kdf.scrypt")
    commands = (f"mediawatch.cli.{each.name}" for each in iter_modules(mediawatch.cli.__path__))
    for name in (*late, *commands):
        importlib.import_module(name)
    importlib.import_module("tests.support.staged")


def _reap(children: set[int]) -> None:
    for pid in list(children):
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            children.discard(pid)
            print(json.dumps({"pid": pid, "code": os.waitstatus_to_exitcode(status)}), flush=True)


def _fork(order: Order) -> int:
    pid = os.fork()
    if pid == 0:
        code = 70
        try:
            code = _live(order)
        except BaseException:
            import traceback

            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
    print(json.dumps({"pid": pid}), flush=True)
    return pid


def _live(order: Order) -> int:
    """The child's whole life; its exit code."""
    from mediawatch.cli.main import main as mediawatch
    from mediawatch.crypto import sealed
    from tests.support import staged

    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    nothing = os.open(os.devnull, os.O_RDONLY)
    output = _opened(order.output)
    errors = output if order.errors is None else _opened(order.errors)
    for here, there in ((nothing, 0), (output, 1), (errors, 2)):
        os.dup2(here, there)
    os.chdir(order.folder)
    os.environ.update(order.environ)
    # Nobody guesses the passphrases of tests, and each guess costs as much as a daemon's start.
    sealed.COST = (4, 8, 1)
    if not order.as_users:
        staged.prepare(order)
    sys.argv = ["mediawatch", *order.words]
    try:
        mediawatch()
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    finally:
        # As at the end of any process: it waits for its threads, whose work may be half done.
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
    return 0


def _opened(path: str) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)


if __name__ == "__main__":
    main()
