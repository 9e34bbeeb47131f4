"""Worker processes that can be killed: one bad picture never holds up the others.

A thread cannot be stopped, and the standard library's process pool breaks as a whole when one
process dies; here each picture has a process to itself, which time-out or cancellation ends at
once. The daemon itself never decodes.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from mediawatch.media import wire
from mediawatch.media.order import ImageOptions, Moving, Prepared, Purpose, VideoOptions
from mediawatch.media.process import Worker
from mediawatch.media.rules import Reason, reject

# A video gets six times as long as it lasts, and never less than two minutes.
_VIDEO_SECONDS, _VIDEO_PATIENCE = 120.0, 6.0


class Preparer:
    """Up to ``workers`` processes that turn files into what Instagram takes.

    ``workers``: default one a core. ``timeout``: seconds for one file. ``memory``: bytes of
    address space of one worker (POSIX only). ``recycle``: files after which a process is
    replaced. ``idle``: seconds after which a process without work ends, so that a quiet daemon
    holds no decoder memory. An async context manager; no process starts before there is work.

    Videos and animations have one more process to themselves, so that a long one never holds up
    pictures: ``video`` says what people chose for them, ``video_memory`` bounds its address space,
    ``stall`` is how many seconds it may be silent about its progress.
    """

    def __init__(
        self,
        workers: int | None = None,
        *,
        timeout: float = 30.0,
        memory: int = 1 << 30,
        recycle: int = 200,
        idle: float = 60.0,
        video: VideoOptions | None = None,
        video_memory: int = 2 << 30,
        stall: float = 60.0,
    ) -> None:
        self._video_options = video or VideoOptions()
        self._video = Worker(
            timeout=_VIDEO_SECONDS,
            memory=video_memory,
            recycle=recycle,
            idle=idle,
            stall=stall,
            patience=_VIDEO_PATIENCE,
        )
        self._video_free = asyncio.Lock()
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
        workers = (*self._workers, self._video)
        return tuple(worker.pid for worker in workers if worker.pid is not None)

    @property
    def busy(self) -> int:
        """How many processes work on a file, or are being started for one."""
        return len(self._workers) - self._free.qsize() + self._video_free.locked()

    async def prepare(
        self,
        source: Path,
        target: Path,
        options: ImageOptions,
        *,
        purpose: Purpose = Purpose.FEED,
        on_progress: Callable[[float], None] | None = None,
    ) -> Prepared:
        """Convert ``source`` to a JPEG or an MP4 at ``target``, as its content demands; the result
        says which. One call at a time for one target.

        ``on_progress`` hears of videos what share is done, 0 to 1, about twice a second.

        Raises Rejected (with ``timeout`` among the codes), SourceProblem,
        StorageProblem, and PreparationProblem if the process died. When a cancelled call
        returns, its process is gone.
        """
        try:
            # The daemon opens no file of strangers, not even to tell a video from a picture.
            return await self._picture(wire.request(source, target, options), target)
        except Moving as error:
            if purpose is Purpose.COVER:
                raise reject(Reason.UNSUPPORTED, label="a video") from error
        order = wire.video_request(source, target, self._video_options, purpose)
        return await self._moving(order, target, on_progress)

    def recipe(self, options: ImageOptions, purpose: Purpose) -> dict[str, Any]:
        """All that ``prepare`` takes into account besides the original, as JSON takes it."""
        video = asdict(self._video_options)
        return {"purpose": purpose, "picture": asdict(options), "video": video}

    async def cover(self, source: Path, target: Path, at: float) -> Prepared:
        """A JPEG at ``target`` of the frame of a video that is seen ``at`` so many seconds.

        Past its end, it is the last frame. Raises as ``prepare`` does.
        """
        return await self._moving(wire.cover_request(source, target, at), target)

    async def _picture(self, order: bytes, target: Path) -> Prepared:
        self._require_open()
        worker = await self._free.get()
        try:
            return await worker.run(order, target)
        finally:
            self._free.put_nowait(worker)

    async def _moving(
        self, order: bytes, target: Path, on_progress: Callable[[float], None] | None = None
    ) -> Prepared:
        self._require_open()
        async with self._video_free:
            self._require_open()
            return await self._video.run(order, target, on_progress)

    def _require_open(self) -> None:
        if self._closed:
            raise RuntimeError("The preparer is closed.")

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
            async with self._video_free:
                await self._video.stop()
        finally:
            for worker in (*self._workers, self._video):
                worker.signal_kill()
