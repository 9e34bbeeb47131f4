"""The web host reached by FTP: whole files under names that nobody can guess.

A file is stored under a temporary name, its size is asked for, and only then it gets its public
name: Meta, a cache or a visitor never sees half a file.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path, PurePosixPath
from urllib.parse import quote

from tenacity import AsyncRetrying, RetryCallState, stop_after_attempt

from mediawatch.clock import Clock
from mediawatch.config import FtpSettings
from mediawatch.errors import HostProblem
from mediawatch.hosts.base import (
    Capabilities,
    HostFull,
    HostUnavailable,
    PublicObject,
)
from mediawatch.hosts.ftp_check import FtpCheck
from mediawatch.hosts.ftp_connection import HostKnowledge, warn_of_plain_text
from mediawatch.hosts.ftp_dialer import Dialer
from mediawatch.hosts.ftp_errors import TlsSessionRefused
from mediawatch.hosts.ftp_pool import FtpPool
from mediawatch.hosts.ftp_reader import FileReader
from mediawatch.hosts.ftp_session import FtpSession
from mediawatch.hosts.ftp_tls import TlsMemory
from mediawatch.hosts.ftp_transfer import Rate
from mediawatch.hosts.ftp_upload import FtpUpload, Renames, part_names
from mediawatch.log import Log, silent
from mediawatch.metrics import Metrics
from mediawatch.model.findings import Finding, failed

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
        metrics: Metrics | None = None,
    ) -> None:
        self._settings = settings
        self._sleep = sleep
        self._metrics = metrics or Metrics()
        self._known = HostKnowledge(TlsMemory(remember_tls, settings), log=log or silent())
        if settings.tls == "off":
            warn_of_plain_text(self._known.log, settings.host)
        self._known.passive.command = settings.passive
        self._known.rate = Rate(settings.max_rate)
        self._dialer = Dialer(settings, self._known, clock)
        self._pool = FtpPool(self._dialer, settings.connections, clock, self._known.log)
        self._renames = Renames(settings.rename == "auto", clock)
        self._reader = FileReader()
        self._uploads: dict[str, FtpUpload] = {}  # those that are not done yet

    @property
    def caps(self) -> Capabilities:
        """What the host can do, as far as is known by now."""
        return Capabilities(atomic=self._renames.allowed(), encrypted=self._known.encrypted)

    @property
    def problem(self) -> HostProblem | None:
        """Why the last connection failed; None if none did since one worked."""
        return self._dialer.problem

    @property
    def connections(self) -> int:
        """How many connections are used at most: the setting, or fewer if the host wants so."""
        return self._pool.size

    @property
    def sent(self) -> int:
        """A number that grows with the bytes that are sent of large files."""
        return self._known.rate.taken

    def url_for(self, key: str) -> str:
        """The public address of ``key``."""
        return f"{self._settings.public_url.rstrip('/')}/{quote(key, safe='')}"

    async def warm(self) -> None:
        """Open a connection ahead of need, if none is open. Raises HostProblem."""
        await self._pool.warm()

    async def check(self) -> list[Finding]:
        """Connect, TLS, login, write, SIZE, read back, rename, delete: one finding each."""
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
            return [failed("connect", problem)]
        finally:
            if session is not None:
                await session.quit(1.0)
        return findings

    async def look_around(self, *names: str) -> tuple[str, list[str]]:
        """The folder where a login begins, and which of ``names`` are folders in it.

        Raises HostProblem; one of TLS shows the certificate in its details.
        """
        session = await self._dialer.new_session()
        await session.open()
        try:
            home = await session.home()
            there = [n for n in names if await session.is_folder(str(PurePosixPath(home, n)))]
        finally:
            await session.quit(1.0)
        return home, there

    async def put(self, path: Path, key: str) -> PublicObject:
        """Store ``path`` under ``key``, whole or not at all; three tries within seconds.

        Raises HostProblem, and StorageProblem if the file cannot be read.
        """
        file = await self._reader.read(path)
        upload = self._uploads.setdefault(key, FtpUpload(key, self._renames))
        try:
            await self._retrying("upload", lambda session: upload.run(session, file))
        except HostFull:
            # What is there of it takes up room that others could use.
            with suppress(HostProblem):
                await self._pool.run(upload.clean)
            raise
        del self._uploads[key]
        return PublicObject(key, self.url_for(key), file.size, pieced=upload.pieced)

    async def delete(self, key: str) -> None:
        """Remove ``key`` and whatever broken uploads left of it; fine if nothing is there.

        Raises HostProblem.
        """

        async def once(session: FtpSession) -> None:
            await session.delete(key)
            await session.discard(*part_names(key))

        await self._retrying("delete", once)
        self._uploads.pop(key, None)

    def try_now(self) -> None:
        """Forget the pause after a failure. A password that was refused is not tried again."""
        self._dialer.end_pause()

    async def close(self) -> None:
        """Say goodbye on all connections, within three seconds."""
        await self._pool.close()
        self._reader.close()

    async def _retrying(
        self, operation: str, work: Callable[[FtpSession], Awaitable[None]]
    ) -> None:
        failed: list[HostProblem] = []

        async def once() -> None:
            if failed:
                raise failed.pop()
            try:
                await self._pool.run(work)
            except HostProblem:
                self._metrics.ftp_operations.labels(operation, "error").inc()
                raise
            self._metrics.ftp_operations.labels(operation, "ok").inc()

        # Most uploads need no second try, and tenacity would cost them a tenth of their time: it
        # is told of the first try only when that failed.
        try:
            await once()
            return
        except HostProblem as problem:
            failed.append(problem)
        tries = AsyncRetrying(
            stop=stop_after_attempt(_TRIES),
            wait=self._wait,
            retry=self._may_pass_soon,
            sleep=self._sleep,
            reraise=True,
        )
        await tries(once)

    def _may_pass_soon(self, state: RetryCallState) -> bool:
        error = state.outcome.exception() if state.outcome else None
        # For a refused TLS session a new connection is the one cure.
        cured = isinstance(error, TlsSessionRefused) and state.attempt_number == 1
        passing = cured or isinstance(error, HostUnavailable)
        return passing and self._dialer.pause() <= _LONGEST_WAIT

    def _wait(self, state: RetryCallState) -> float:
        return max(self._dialer.pause(), random.uniform(0.25, 0.5) * 2.0**state.attempt_number)
