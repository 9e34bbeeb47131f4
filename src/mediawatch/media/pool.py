"""Worker processes that can be killed: one bad picture never holds up the others.

A thread cannot be stopped, and the standard library's process pool breaks as a whole when one
process dies; here each picture has a process to itself, which time-out or cancellation ends at
once. The daemon itself never decodes.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from types import TracebackType
from typing import Self

from mediawatch.media.order import ImageOptions, Prepared
from mediawatch.media.process import Worker


class Preparer:
    """Up to ``workers`` processes that turn files into what Instagram takes.

    ``workers``: default one a core. ``timeout``: seconds for one file. ``memory``: bytes of
    address space of one worker (POSIX only). ``recycle``: files after which a process is
    replaced. ``idle``: seconds after which a process without work ends, so that a quiet daemon
    holds no decoder memory. An async context manager; no process starts before there is work.
    """

    def __init__(
        self,
        workers: int | None = None,
        *,
        timeout: float = 30.0,
        memory: int = 1 << 30,
        recycle: int = 200,
        idle: float = 60.0,
    ) -> None:
        self._workers = tuple(
            Worker(timeout=timeout, memory=memory, recycle=recycle, idle=idle)
            for _ in range(workers or os.cpu_count() or 1)
        )
        # Last in, first out: under light load the same process works and the others can end.
        self._free: asyncio.LifoQueue[Worker] = asyncio.LifoQueue()
        for worker in self._workers:
            self._free.put_nowait(worker)
        self._closed = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    @property
    def pids(self) -> tuple[int, ...]:
        """The ids of the processes that wait or work."""
        return tuple(worker.pid for worker in self._workers if worker.pid is not None)

    @property
    def busy(self) -> int:
        """How many processes work on a file, or are being started for one."""
        return len(self._workers) - self._free.qsize()

    async def prepare(self, source: Path, target: Path, options: ImageOptions) -> Prepared:
        """Convert ``source`` to a JPEG at ``target``; one call at a time for one target.

        Raises Rejected (with ``timeout`` among the codes), NotYetSupported, SourceProblem,
        StorageProblem, and PreparationProblem if the process died. When a cancelled call
        returns, its process is gone.
        """
        if self._closed:
            raise RuntimeError("The preparer is closed.")
        worker = await self._free.get()
        try:
            return await worker.prepare(source, target, options)
        finally:
            self._free.put_nowait(worker)

    async def warm(self) -> None:
        """Start the processes that are missing, ahead of need. Cheap if none are.

        Raises PreparationProblem if one cannot start.
        """
        cold = []
        for worker in [self._free.get_nowait() for _ in range(self._free.qsize())]:
            if worker.pid is None and not self._closed:
                cold.append(worker)
            else:
                self._free.put_nowait(worker)
        try:
            starts = (worker.start() for worker in cold)
            outcomes = await asyncio.gather(*starts, return_exceptions=True)
        finally:
            for worker in cold:
                self._free.put_nowait(worker)
        for outcome in outcomes:
            if outcome is not None:
                raise outcome

    async def close(self) -> None:
        """Let running calls finish, then end every process. To be quick, cancel the calls first."""
        if self._closed:
            return
        self._closed = True
        try:
            for _ in self._workers:
                worker = await self._free.get()
                await worker.stop()
        finally:
            for worker in self._workers:
                worker.signal_kill()
