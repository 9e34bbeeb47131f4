"""Who may connect, and when: one at a time while none of us is logged in, with growing pauses
after failures, and never again once the host refused the password."""

from __future__ import annotations

import asyncio
import copy
import random
import ssl

from mediawatch.clock import Clock
from mediawatch.config import FtpSettings
from mediawatch.errors import Handling, HostProblem
from mediawatch.hosts.base import CredentialsRefused, TooManyConnections
from mediawatch.hosts.ftp_connection import HostKnowledge
from mediawatch.hosts.ftp_session import FtpSession
from mediawatch.hosts.ftp_tls import make_context

_LONGEST_PAUSE = 300.0  # seconds
_SHORTEST_WAIT = 1.0  # seconds that a post is sent away for; shorter pauses are waited out here


class Dialer:
    """Opens sessions. A circuit breaker for the host, not for the file: while it is open every
    caller gets the last problem at once, and no connection is made. That the host is away is
    nobody's fault: such problems are handled by waiting, which spends no attempt."""

    def __init__(self, settings: FtpSettings, known: HostKnowledge, clock: Clock) -> None:
        self._settings = settings
        self._known = known
        self._clock = clock
        self._context: ssl.SSLContext | None = None
        self._proved = False
        self._probing = asyncio.Lock()
        self._problem: HostProblem | None = None
        self._failures = 0
        self._closed_until = 0.0

    @property
    def refused(self) -> bool:
        """Whether the host refused our password: then it is left alone for good."""
        return isinstance(self._problem, CredentialsRefused)

    @property
    def problem(self) -> HostProblem | None:
        """Why the host could not be used when it was last tried; None if it could."""
        return self._problem

    def pause(self) -> float:
        """Seconds until the next connection may be tried; 0 if at once."""
        if self.refused:
            return float("inf")
        return max(0.0, self._closed_until - self._clock.monotonic()) if self._problem else 0.0

    def end_pause(self) -> None:
        """The next connection may be tried at once; not if the host refused our password."""
        self._closed_until = 0.0

    def raise_if_paused(self) -> None:
        """Raise the last problem again while no connection may be tried."""
        if self._problem is not None and self.pause() > 0:
            raise self._waiting(self._problem)

    def _waiting(self, problem: HostProblem) -> HostProblem:
        problem = copy.copy(problem)
        if problem.handling is Handling.RETRY:
            problem.handling = Handling.WAIT
        if not self.refused:
            problem.retry_after = max(self.pause(), _SHORTEST_WAIT)
        return problem

    async def dial(self) -> FtpSession:
        """A new session, connected and logged in. Raises HostProblem."""
        if not (self._proved and self._known.logged_in):
            async with self._probing:
                if not (self._proved and self._known.logged_in):
                    return await self._dial()
        return await self._dial()

    async def new_session(self) -> FtpSession:
        """A session that is not connected yet, for a check step by step."""
        if self._context is None:
            self._context = await asyncio.to_thread(make_context, self._settings)
        return FtpSession(self._settings, self._context, self._known, self._clock)

    async def _dial(self) -> FtpSession:
        self.raise_if_paused()
        try:
            session = await self.new_session()
            await session.open()
        except HostProblem as problem:
            if self._known.logged_in and isinstance(problem, TooManyConnections):
                raise
            self.failed(problem)
            raise self._waiting(problem) from None
        if self._problem is not None:
            self._known.log.info(
                f"The FTP host {self._settings.host} can be used again.", action="host"
            )
        self._proved = True
        self._problem, self._failures = None, 0
        return session

    def failed(self, problem: HostProblem) -> None:
        """Note that the host could not be used; the next try waits 1, 2, 4 … 300 s, jittered."""
        self._proved = False
        if self.refused:
            return
        if self._problem is None or self._problem.code != problem.code:
            self._known.log.warning(
                f"No uploads for now: {problem.message}", action="host", remedy=problem.remedy
            )
        self._problem = copy.copy(problem)
        longest = min(_LONGEST_PAUSE, 2.0**self._failures)
        self._failures = min(self._failures + 1, 10)
        self._closed_until = self._clock.monotonic() + longest * random.uniform(0.5, 1.0)
