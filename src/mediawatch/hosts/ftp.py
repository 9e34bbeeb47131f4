"""The web host reached by FTP: whole files under names that nobody can guess.

A file is stored under a temporary name, its size is asked for, and only then it gets its public
name: Meta, a cache or a visitor never sees half a file.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import quote

from aioftp import StreamThrottle
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_attempt

from mediawatch.clock import Clock
from mediawatch.config import FtpSettings
from mediawatch.errors import HostProblem, from_os_error
from mediawatch.hosts.base import Capabilities, Finding, HostUnavailable, PublicObject, new_key
from mediawatch.hosts.ftp_check import FtpCheck, not_whole
from mediawatch.hosts.ftp_connection import HostKnowledge, warn_of_plain_text
from mediawatch.hosts.ftp_dialer import Dialer
from mediawatch.hosts.ftp_errors import TlsSessionRefused
from mediawatch.hosts.ftp_pool import FtpPool
from mediawatch.hosts.ftp_session import FtpSession
from mediawatch.hosts.ftp_tls import TlsMemory
from mediawatch.log import Log, silent

_TRIES = 3
_LONGEST_WAIT = 5.0  # seconds; longer pauses are the pipeline's affair


class FtpHost:
    """A MediaHost (base.py) on an FTP server.

    ``remember_tls``: a file that notes which hosts speak TLS, None to remember only until the
    end of the process. ``sleep`` is what the pauses between tries are made with.
    Raises StorageProblem if that file cannot be read.
    """

    def __init__(
        self,
        settings: FtpSettings,
        *,
        clock: Clock,
        log: Log | None = None,
        remember_tls: Path | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._settings = settings
        self._sleep = sleep
        self._known = HostKnowledge(TlsMemory(remember_tls, settings), log=log or silent())
        if settings.tls == "off":
            warn_of_plain_text(self._known.log, settings.host)
        self._known.passive.command = settings.passive
        self._known.throttle = StreamThrottle.from_limits(None, settings.max_rate or None)
        self._dialer = Dialer(settings, self._known, clock)
        self._pool = FtpPool(self._dialer, settings.connections, clock, self._known.log)
        self._renames = settings.rename == "auto"
        self._litter: list[str] = []

    @property
    def caps(self) -> Capabilities:
        """What the host can do, as far as is known by now."""
        return Capabilities(atomic=self._renames, encrypted=self._known.encrypted)

    @property
    def connections(self) -> int:
        """How many connections are used at most: the setting, or fewer if the host wants so."""
        return self._pool.size

    def url_for(self, key: str) -> str:
        """The public address of ``key``."""
        return f"{self._settings.public_url.rstrip('/')}/{quote(key, safe='')}"

    async def warm(self) -> None:
        """Open a connection ahead of need, if none is open. Raises HostProblem."""
        await self._pool.warm()

    async def check(self) -> list[Finding]:
        """Connect, TLS, login, write, SIZE, rename, delete: one finding each."""
        session: FtpSession | None = None
        try:
            if self._dialer.refused:
                self._dialer.raise_if_paused()
            session = await self._dialer.new_session()
            check = FtpCheck(session, self._settings)
            findings = await check.run()
            if check.problem is not None:
                self._dialer.failed(check.problem)
        except HostProblem as problem:
            return [Finding("connect", False, problem.message, problem.remedy)]
        finally:
            if session is not None:
                await session.quit(1.0)
        return findings

    async def put(self, path: Path, key: str) -> PublicObject:
        """Store ``path`` under ``key``, whole or not at all; three tries within seconds.

        Raises HostProblem, and StorageProblem if the file cannot be read.
        """
        size = await asyncio.to_thread(_size, path)

        async def once(session: FtpSession) -> None:
            await self._put(session, path, key, size)

        await self._retrying(once)
        return PublicObject(key, self.url_for(key), size)

    async def delete(self, key: str) -> None:
        """Remove ``key``; fine if it is not there. Raises HostProblem."""

        async def once(session: FtpSession) -> None:
            await session.delete(key)

        await self._retrying(once)

    def try_now(self) -> None:
        """Forget the pause after a failure. A password that was refused is not tried again."""
        self._dialer.end_pause()

    async def close(self) -> None:
        """Say goodbye on all connections, within three seconds."""
        await self._pool.close()

    async def _retrying(self, work: Callable[[FtpSession], Awaitable[None]]) -> None:
        tries = AsyncRetrying(
            stop=stop_after_attempt(_TRIES),
            wait=self._wait,
            retry=retry_if_exception(self._may_pass_soon),
            sleep=self._sleep,
            reraise=True,
        )
        await tries(self._pool.run, work)

    def _may_pass_soon(self, error: BaseException) -> bool:
        passing = isinstance(error, HostUnavailable | TlsSessionRefused)
        return passing and self._dialer.pause() <= _LONGEST_WAIT

    def _wait(self, state: RetryCallState) -> float:
        return max(self._dialer.pause(), random.uniform(0.25, 0.5) * 2.0**state.attempt_number)

    async def _put(self, session: FtpSession, path: Path, key: str, size: int) -> None:
        # After a lost answer the file may be there already.
        if await session.size(key) == size:
            return
        if self._renames and not await self._put_aside(session, path, key, size):
            self._known.log.info(
                f"The FTP host {self._settings.host} renames nothing: files are stored under "
                "their final name at once.",
                action="host",
            )
            self._renames = False
        if not self._renames:
            # The name is known to nobody yet, so nobody sees the file grow.
            await self._store_whole(session, path, key, size)
        while self._litter:
            await session.discard(self._litter.pop())

    async def _put_aside(self, session: FtpSession, path: Path, key: str, size: int) -> bool:
        part = new_key(".part")
        try:
            await self._store_whole(session, path, part, size)
            if await session.rename(part, key):
                return True
        except BaseException:
            # Never write twice to one name after a break: the server may still be writing.
            self._litter.append(part)
            raise
        self._litter.append(part)
        return False

    async def _store_whole(self, session: FtpSession, path: Path, name: str, size: int) -> None:
        await session.store(path, name)
        there = await session.size(name)
        if there != size:
            raise not_whole(self._settings.host, there, size)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError as error:
        raise from_os_error(error, f"read {path}") from error
