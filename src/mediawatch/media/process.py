"""One worker process: started when needed, ended by closing its stdin, killed when it must be."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from mediawatch.errors import PreparationProblem, from_os_error
from mediawatch.media import wire
from mediawatch.media.order import Prepared, part_file
from mediawatch.media.rules import Reason, reject

_START_SECONDS = 60.0  # a loaded machine may be slow, but not that slow
_FAREWELL_SECONDS = 5.0
_IN_THE_MIDDLE = "The converter stopped in the middle of a file"
_AGAIN = "Nothing to do at first: mediawatch tries again. If it stays, look at memory and disk."

# A process that reads files of strangers gets no password: only what Python and the system need.
_PASSED_ON = frozenset(
    {"PATH", "HOME", "LANG", "TMPDIR", "TEMP", "TMP", "SYSTEMROOT", "LD_LIBRARY_PATH", "TZ"}
)
_PASSED_ON_PREFIXES = ("PYTHON", "LC_", "COVERAGE_")
# Large pages spare tens of thousands of page faults a picture: 1.4 times as fast on WebP.
_MALLOC = "glibc.malloc.hugetlb=1"
# Each thread of a codec would reserve 64 MB of address space for an arena of its own.
_FEW_ARENAS = ":glibc.malloc.arena_max=4"


def environment(environ: Mapping[str, str], *, many_threads: bool = False) -> dict[str, str]:
    """What a worker sees of our environment."""
    passed = {
        name: value
        for name, value in environ.items()
        if name.upper() in _PASSED_ON or name.startswith(_PASSED_ON_PREFIXES)
    }
    return passed | {"GLIBC_TUNABLES": _MALLOC + (_FEW_ARENAS if many_threads else "")}


def _platform_arguments() -> dict[str, Any]:
    if sys.platform == "win32":
        flags = (
            subprocess.CREATE_NO_WINDOW
            | subprocess.CREATE_NEW_PROCESS_GROUP
            | subprocess.BELOW_NORMAL_PRIORITY_CLASS
        )
        return {"creationflags": flags}
    # To Linux a session is a group that has a share of the machine (autogroup, sched(7)): in ours
    # a worker would use up what the event loop needs.
    return {"start_new_session": True}


class _Live(NamedTuple):
    process: asyncio.subprocess.Process
    orders: asyncio.StreamWriter
    answers: asyncio.StreamReader


class Worker:
    """A place for one process at a time. One call at a time.

    The parameters are those of ``Preparer``. ``stall``: for long work that tells how far it is,
    seconds without a word after which it is stopped; ``timeout`` is then the least time that it
    gets, and ``patience`` the seconds for each second that its original lasts.
    """

    def __init__(
        self,
        *,
        timeout: float,
        memory: int,
        recycle: int,
        idle: float,
        stall: float | None = None,
        patience: float = 0.0,
    ) -> None:
        self._timeout = timeout
        self._stall = stall
        self._patience = patience
        self._memory = memory
        self._recycle = recycle
        self._idle = idle
        self._live: _Live | None = None
        self._jobs = 0
        self._retirement: asyncio.TimerHandle | None = None

    @property
    def pid(self) -> int | None:
        """The id of the process that waits or works; None if there is none."""
        live = self._live
        if live is None or live.process.returncode is not None or live.orders.is_closing():
            return None
        return live.process.pid

    async def start(self) -> None:
        """Have a process that is ready for work. Raises PreparationProblem."""
        self._call_off_retirement()
        if self.pid is None:
            await self.stop()
            try:
                await self._spawn()
            except OSError as error:
                problem = from_os_error(error, "start the converter")
                raise PreparationProblem(problem.message, remedy=problem.remedy) from error
            except BaseException:
                await self.kill()
                raise
        self._retire_later()

    async def run(
        self, order: bytes, target: Path, on_progress: Callable[[float], None] | None = None
    ) -> Prepared:
        """Carry out one order of ``wire``. Raises as ``Preparer.prepare`` does."""
        await self.start()
        self._call_off_retirement()
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            async with asyncio.timeout(self._timeout) as limit:
                await self._send(order)
                while (told := wire.told_progress(answer := await self._answer())) is not None:
                    share, seconds = told
                    limit.reschedule(began + max(self._timeout, self._patience * seconds))
                    if on_progress is not None:
                        on_progress(share)
        except BaseException as error:
            await self.kill()
            with suppress(OSError):
                part_file(target).unlink()
            if isinstance(error, TimeoutError):
                waited = round(loop.time() - began, 1)
                is_video = self._stall is not None
                raise reject(Reason.TIMEOUT, video=is_video, seconds=waited) from None
            raise
        self._jobs += 1
        if self._jobs >= self._recycle:
            self._retire()
        else:
            self._retire_later()
        return wire.result(answer)

    async def stop(self) -> None:
        """Let the process end by itself, and wait until it is gone."""
        self._call_off_retirement()
        self._retire()
        try:
            async with asyncio.timeout(_FAREWELL_SECONDS):
                await self._gone()
        except TimeoutError:
            await self.kill()

    async def kill(self) -> None:
        """End the process at once, whatever it does, and wait until it is gone."""
        self.signal_kill()
        await self._gone()

    def signal_kill(self) -> None:
        """End the process at once; do not wait."""
        self._call_off_retirement()
        if self._live is not None and self._live.process.returncode is None:
            with suppress(ProcessLookupError):
                self._live.process.kill()

    async def _spawn(self) -> None:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",  # nothing in the current folder may pose as a module
            "-m",
            "mediawatch.media.worker",
            str(self._memory),
            str(self._stall or self._timeout),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment(os.environ, many_threads=self._stall is not None),
            **_platform_arguments(),
        )
        assert process.stdin is not None  # noqa: S101 - both are pipes
        assert process.stdout is not None  # noqa: S101
        self._live = _Live(process, process.stdin, process.stdout)
        self._jobs = 0
        try:
            async with asyncio.timeout(_START_SECONDS):
                greeting = await process.stdout.readline()
        except TimeoutError:
            greeting = b""
        if greeting != wire.READY:
            raise await self._died("The converter could not start")

    async def _send(self, order: bytes) -> None:
        assert self._live is not None  # noqa: S101 - start() came first
        try:
            self._live.orders.write(order)
            await self._live.orders.drain()
        except ConnectionError:
            raise await self._died(_IN_THE_MIDDLE) from None

    async def _answer(self) -> Any:
        """The next line of the process. Raises TimeoutError if it stalls."""
        assert self._live is not None  # noqa: S101 - start() came first
        try:
            async with asyncio.timeout(self._stall):
                return json.loads(await self._live.answers.readline())
        except (ConnectionError, ValueError, RecursionError):
            raise await self._died(_IN_THE_MIDDLE) from None

    async def _died(self, what: str) -> PreparationProblem:
        live = self._live
        await self.kill()
        status = live.process.returncode if live else None
        return PreparationProblem(
            f"{what} (exit status {status}).", remedy=_AGAIN, exit_status=status
        )

    async def _gone(self) -> None:
        if self._live is not None:
            await self._live.process.wait()
            await self._live.answers.read()  # until its end, the pipe stays open
            self._live = None

    def _retire(self) -> None:
        if self._live is not None:
            self._live.orders.close()

    def _retire_later(self) -> None:
        self._retirement = asyncio.get_running_loop().call_later(self._idle, self._retire)

    def _call_off_retirement(self) -> None:
        if self._retirement is not None:
            self._retirement.cancel()
            self._retirement = None
