"""Kept connections: connecting costs more than sending a picture."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import TypeVar

from mediawatch.clock import Clock
from mediawatch.hosts.base import HostUnavailable, TooManyConnections
from mediawatch.hosts.ftp_dialer import Dialer
from mediawatch.hosts.ftp_session import FtpSession
from mediawatch.log import Log

_QUIET = 600.0  # seconds without a refusal before one more connection is risked
_GOODBYE = 3.0  # seconds

Result = TypeVar("Result")


class Slots:
    """A semaphore whose size may change while tasks wait for it."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.used = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def acquire(self) -> None:
        """Wait for a free slot and take it."""
        while self.used >= self.size:
            turn = asyncio.get_running_loop().create_future()
            self._waiting.append(turn)
            try:
                await turn
            except asyncio.CancelledError:
                if turn in self._waiting:
                    self._waiting.remove(turn)
                else:
                    self.wake()  # it was our turn: pass it on
                raise
        self.used += 1

    def release(self) -> None:
        """Give a slot back."""
        self.used -= 1
        self.wake()

    def wake(self) -> None:
        """Let as many tasks try again as there are free slots."""
        for _ in range(self.size - self.used):
            if self._waiting:
                turn = self._waiting.popleft()
                if not turn.done():
                    turn.set_result(None)


class FtpPool:
    """Up to ``size`` sessions, fewer while the host wants it so.

    A session serves one piece of work at a time and is kept only after a clean end.
    """

    def __init__(self, dialer: Dialer, size: int, clock: Clock, log: Log) -> None:
        self._dialer = dialer
        self._largest = size
        self._slots = Slots(size)
        self._clock = clock
        self._log = log
        self._kept: list[FtpSession] = []
        self._grow_at = 0.0
        self._closed = False

    @property
    def size(self) -> int:
        """How many connections are used at most, as the host has taught us."""
        return self._slots.size

    async def run(self, work: Callable[[FtpSession], Awaitable[Result]]) -> Result:
        """Do ``work`` with a session; waits for one to be free.

        If a kept connection turns out to be dead before the server answered anything, the work
        is begun anew on another one: nobody notices.
        """
        while True:
            await self._take_slot()
            try:
                return await self._use(work)
            except TooManyConnections:
                if not self._shrink():
                    raise
            finally:
                self._slots.release()

    async def warm(self) -> None:
        """See to it that a connection is open before it is needed."""
        self._drop_stale()
        if not self._kept and not self._slots.used:
            await self.run(_nothing)

    async def close(self) -> None:
        """Say goodbye on all kept connections; those in use are closed when their work ends."""
        self._closed = True
        kept, self._kept = self._kept, []
        await asyncio.gather(*(session.quit(_GOODBYE) for session in kept))
        await asyncio.sleep(0)  # lets the closed transports go

    async def _take_slot(self) -> None:
        if self._slots.size < self._largest and self._clock.monotonic() >= self._grow_at:
            self._slots.size += 1
            self._grow_at = self._clock.monotonic() + _QUIET
            self._slots.wake()
        await self._slots.acquire()

    async def _use(self, work: Callable[[FtpSession], Awaitable[Result]]) -> Result:
        self._drop_stale()
        while self._kept:
            session = self._kept.pop()
            session.take()
            try:
                return await self._do(session, work)
            except HostUnavailable:
                if session.answered():
                    raise
        session = await self._dialer.dial()
        return await self._do(session, work)

    async def _do(
        self, session: FtpSession, work: Callable[[FtpSession], Awaitable[Result]]
    ) -> Result:
        try:
            result = await work(session)
        except BaseException:
            session.abort()
            raise
        session.rest()
        if self._closed:
            session.abort()
        else:
            self._kept.append(session)
        return result

    def _drop_stale(self) -> None:
        for session in [session for session in self._kept if not session.usable()]:
            self._kept.remove(session)
            session.abort()

    def _shrink(self) -> bool:
        others = self._slots.used - 1
        if others < 1:
            return False
        self._slots.size = min(self._slots.size, others)
        self._grow_at = self._clock.monotonic() + _QUIET
        self._log.info(
            f"The FTP host wants fewer connections: {self._slots.size} from now on.", action="host"
        )
        return True


async def _nothing(_: FtpSession) -> None:
    """Work for a session that is opened ahead of need."""
