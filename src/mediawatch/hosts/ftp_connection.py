"""Reaching the FTP host: connect, check whom we talk to, log in."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import PurePosixPath

import aioftp

from mediawatch.clock import Clock
from mediawatch.config import FtpSettings
from mediawatch.config.values import is_loopback
from mediawatch.errors import HostProblem
from mediawatch.hosts.base import HostRefused
from mediawatch.hosts.ftp_client import Answer, FtpClient, PassiveMode, PlaintextBehindTls
from mediawatch.hosts.ftp_errors import (
    FOREIGN,
    Scene,
    Stage,
    broke_down,
    from_exception,
    reply_code,
)
from mediawatch.hosts.ftp_tls import (
    TlsMemory,
    inspect_certificate,
    pin_matches,
    server_name,
    untrusted,
)
from mediawatch.hosts.ftp_transfer import Rate
from mediawatch.log import Log, silent

_THREADS = 16  # as many as there can be connections; each is started when it is needed first


@dataclass
class HostKnowledge:
    """What all connections to one host share and learn. ``takes_packets``: it reads commands
    that come together; ``data_refused``: how many data connections running it refused."""

    memory: TlsMemory
    passive: PassiveMode = field(default_factory=PassiveMode)
    rate: Rate = field(default_factory=Rate)
    threads: Executor = field(default_factory=lambda: ThreadPoolExecutor(_THREADS, "ftp"))
    encrypted: bool | None = None
    lacks_size: bool = False
    takes_packets: bool = True
    data_refused: int = 0
    logged_in: int = 0
    log: Log = field(default_factory=silent)


class FtpConnection:
    """A control connection up to the login. Every method raises HostProblem."""

    def __init__(
        self, settings: FtpSettings, context: ssl.SSLContext, known: HostKnowledge, clock: Clock
    ) -> None:
        self._settings = settings
        self._context = context
        self._known = known
        self._clock = clock
        self._client = FtpClient(
            connect_timeout=settings.connect_timeout,
            server_name=server_name(settings),
            implicit_tls=context if settings.tls == "implicit" else None,
            passive=known.passive,
        )
        self._folder = str(PurePosixPath(settings.upload_dir, "_"))[:-1]
        self._born = self._used = clock.monotonic()
        self._answers_when_taken = 0
        self._logged_in = False

    @property
    def encrypted(self) -> bool:
        """Whether the control connection runs over TLS."""
        return self._client.tls is not None

    def _doing(self, stage: Stage) -> _Doing:
        """Turn whatever is raised within for the other side's sake into a HostProblem."""
        return _Doing(self, stage)

    def problem(self, error: Exception, stage: Stage) -> HostProblem:
        """The HostProblem that one of the FOREIGN exceptions stands for."""
        scene = Scene(
            self._settings.host,
            stage,
            others=self._known.logged_in,
            encrypted=self.encrypted,
            again=self._known.data_refused > 0,
            secret=self._settings.password.get_secret_value(),
        )
        problem = from_exception(error, scene)
        self._known.data_refused += problem.code == "ftp-data-refused"
        return problem

    async def _command(self, stage: Stage, text: str, *codes: str) -> tuple[str, str]:
        """Send one command. Returns the reply's code and its text."""
        with self._doing(stage):
            async with asyncio.timeout(self._settings.io_timeout):
                code, info = await self._client.command(text, codes)
        return str(code), " ".join(info)

    async def _packet(self, *commands: str) -> list[Answer]:
        """Send ``commands`` at once, or one after the other if the host does not take that.

        Gives the answer to each, whatever its code; a goodbye (421) is raised. Within _doing.
        """
        before = self._client.answers
        try:
            with self._client.within(self._settings.io_timeout):
                if self._known.takes_packets:
                    return await self._client.packet(*commands)
                return [(await self._client.packet(command))[0] for command in commands]
        except TimeoutError:
            # It read the first and threw the others away.
            self._known.takes_packets &= self._client.answers == before
            raise

    async def open(self) -> None:
        """Connect, secure, log in."""
        try:
            await self.connect()
            await self.secure()
            await self.login()
        except BaseException:
            self.abort()
            raise

    async def connect(self) -> None:
        """Reach the host and read its greeting; in implicit mode over TLS."""
        limit = self._settings.connect_timeout + self._settings.io_timeout
        with self._doing(Stage.CONNECT):
            async with _certificate_shown(self._settings), asyncio.timeout(limit):
                await self._client.connect(self._settings.host, self._settings.port)
        self._born = self._used = self._clock.monotonic()

    async def secure(self) -> None:
        """Switch to TLS as the settings want it, and check whom we talk to."""
        if self._settings.tls in {"auto", "explicit"}:
            limit = self._settings.connect_timeout + self._settings.io_timeout
            with self._doing(Stage.TLS):
                async with _certificate_shown(self._settings), asyncio.timeout(limit):
                    await self._start_tls()
        connection = self._client.tls
        self._known.encrypted = connection is not None
        if connection is None:
            return
        if not pin_matches(self._settings, connection):
            certificate = await inspect_certificate(self._settings)
            raise untrusted(self._settings, "it is not the one in ftp.tls_pin_sha256", certificate)
        await self._known.memory.remember()

    async def _start_tls(self) -> None:
        host = self._settings.host
        try:
            await self._client.upgrade_to_tls(self._context)
        except aioftp.StatusCodeError as refusal:
            if not reply_code(refusal).startswith("5") or broke_down(refusal):
                raise
            if self._settings.tls == "explicit":
                raise
            if self._known.memory.seen or self._tls_expected():
                raise HostRefused(
                    f"The FTP host {host} refuses TLS, though it should have it"
                    " (it had it before, or the settings name its certificate).",
                    remedy="Ask the host what changed. The password was not sent: somebody "
                    "between you and the host may be trying to read it.",
                    code="ftp-no-tls",
                ) from None
            if self._known.encrypted is None:
                warn_of_plain_text(self._known.log, host)
        except PlaintextBehindTls:
            raise HostRefused(
                f"Somebody put words into the talk with the FTP host {host} before TLS began.",
                remedy="Nothing was sent. Try from another network, and tell the host.",
                code="ftp-tls-tampered",
            ) from None

    def _tls_expected(self) -> bool:
        settings = self._settings
        return bool(settings.tls_pin_sha256 or settings.tls_server_name or settings.tls_ca_file)

    async def login(self) -> None:
        """Give user name and password, ask for protected data connections and binary files."""
        settings = self._settings
        with self._doing(Stage.LOGIN):
            async with asyncio.timeout(settings.io_timeout):
                code, _ = await self._client.command(f"USER {settings.user}", ("230", "331"))
                if code == "331":
                    password = settings.password.get_secret_value()
                    await self._client.command(f"PASS {password}", ("230", "202"), censor_after=5)
        if self.encrypted:
            with self._doing(Stage.TLS):
                async with asyncio.timeout(settings.io_timeout):
                    await self._client.protect()
        await self._command(Stage.LOGIN, "TYPE I", "200")
        if not settings.upload_dir.isascii():
            # Most take UTF-8 without being asked; some of those say that they do not know this.
            await self._command(Stage.LOGIN, "OPTS UTF8 ON", "2xx", "5xx")
        self._logged_in = True
        self._known.logged_in += 1

    async def quit(self, limit: float) -> None:
        """Say goodbye and close. Never raises, takes at most ``limit`` seconds."""
        try:
            async with asyncio.timeout(limit):
                await self._client.command("QUIT", "2xx")
        except FOREIGN:
            pass
        finally:
            self.abort()

    def abort(self) -> None:
        """Close at once, without a word."""
        self._client.hang_up()
        self._known.logged_in -= self._logged_in
        self._logged_in = False


class _Doing:
    """See FtpConnection._doing. A class, for a dozen are entered for each file."""

    __slots__ = ("_connection", "_stage")

    def __init__(self, connection: FtpConnection, stage: Stage) -> None:
        self._connection = connection
        self._stage = stage

    def __enter__(self) -> None:
        return None

    def __exit__(self, _: object, error: BaseException | None, traceback: object) -> None:
        if isinstance(error, FOREIGN):
            raise self._connection.problem(error, self._stage) from None


@asynccontextmanager
async def _certificate_shown(settings: FtpSettings) -> AsyncIterator[None]:
    """Show the certificate in the error if it is not trusted."""
    try:
        yield
    except ssl.SSLCertVerificationError as error:
        raise untrusted(
            settings, error.verify_message, await inspect_certificate(settings)
        ) from None


def warn_of_plain_text(log: Log, host: str) -> None:
    """Tell that the password can be read on its way; not where it never leaves this machine."""
    if not is_loopback(host):
        log.warning(
            f"The FTP host {host} is talked to without TLS: the password travels readable.",
            action="no-tls",
            remedy="Ask the host for FTP over TLS, and leave ftp.tls at its default.",
        )
