"""aioftp's client, put right where it cannot talk to the servers that hosts run.

As it comes, aioftp does the TLS handshake of a data connection before it sends STOR; vsftpd,
ProFTPD and Pure-FTPd answer the handshake only after STOR (RFC 4217 section 10), so both sides
wait for each other. It also asks the name server a second time for the data connection, takes
plain text behind the reply to AUTH TLS for a reply inside TLS, and has no limits of its own.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
import ssl
from concurrent.futures import Executor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Literal, cast

import aioftp
from aioftp.common import Code
from aioftp.errors import InvalidCommand

from mediawatch.hosts.ftp_errors import DataUnreachable
from mediawatch.hosts.ftp_line import ControlLine
from mediawatch.hosts.ftp_transfer import DataTls, Transfer

_EYEBALLS_DELAY = 0.25  # seconds before the next address of the host is tried beside the first
_KEEPALIVE = {"TCP_KEEPIDLE": 30, "TCP_KEEPINTVL": 10, "TCP_KEEPCNT": 3}

#: The code of a reply and its text.
Answer = tuple[str, str]


class PlaintextBehindTls(aioftp.AIOFTPException):
    """Plain text followed the reply to AUTH TLS: somebody put words into the server's mouth."""


@dataclass
class PassiveMode:
    """How data connections are asked for; shared by all connections to a host, which learn."""

    command: Literal["auto", "epsv", "pasv"] = "auto"


def quiet_debug_log() -> None:
    """Keep aioftp from logging what it sends: it shows the user name and the password's length."""
    log = logging.getLogger("aioftp.client")
    log.setLevel(max(log.level, logging.INFO))


class FtpClient(aioftp.Client):
    """One control connection and, one at a time, its data connections.

    ``server_name`` is the name that certificates are checked for. ``tls`` is the TLS layer of the
    control connection, None while it is plain; ``offer`` is an answer to EPSV that came ahead of
    need. The caller limits the time of every call, and translates what aioftp, asyncio and ssl
    raise (ftp_connection.py).
    """

    def __init__(
        self,
        *,
        connect_timeout: float,
        server_name: str,
        implicit_tls: ssl.SSLContext | None = None,
        passive: PassiveMode | None = None,
    ) -> None:
        # No socket_timeout: aioftp would pay for it with a task for each line. The callers limit
        # whole commands instead, which also ends replies that never end.
        super().__init__(connection_timeout=connect_timeout, ssl=implicit_tls)
        quiet_debug_log()
        self._server_name = server_name
        self._limit = connect_timeout
        self._passive = passive or PassiveMode()
        self.tls: ssl.SSLObject | None = None
        self._session: ssl.SSLSession | None = None
        self.offer: Answer | None = None

    @property
    def answers(self) -> int:
        """How many lines the server has sent, goodbyes (421) aside."""
        return self._line.answers if self._stream is not None else 0

    def within(self, seconds: float) -> AbstractContextManager[None]:
        """Limit the time of all replies that are awaited meanwhile."""
        return self._line.within(seconds)

    @property
    def session(self) -> ssl.SSLSession | None:
        """The TLS session that data connections are to resume, None if there is none. Kept:
        Python takes a fifth of a millisecond to copy it."""
        if self._session is None and self.tls is not None:
            self._session = self.tls.session
        return self._session

    def forget_session(self) -> None:
        """Ask TLS for the session again next time: this one was not resumed."""
        self._session = None

    def unread(self) -> bool:
        """Whether the server has said something that nobody asked for, or has hung up."""
        return self._line.ended() or bool(self._line.unread())

    def hang_up(self) -> None:
        """Close at once, without a word."""
        if self._stream is not None:
            self._line.abort()

    async def connect(self, host: str, port: int = 21) -> list[str]:  # type: ignore[override]
        """Connect and read the greeting; in implicit mode over TLS from the first byte."""
        self.server_host, self.server_port = host, port
        async with asyncio.timeout(self.connection_timeout):
            transport, self._line = await asyncio.get_running_loop().create_connection(
                ControlLine,
                host,
                port,
                ssl=self.ssl,
                server_hostname=self._server_name if self.ssl else None,
                happy_eyeballs_delay=_EYEBALLS_DELAY,
            )
        # No throttle here: commands must not queue behind the bytes of other uploads.
        self._stream = cast(aioftp.ThrottleStreamIO, self._line)
        self.tls = transport.get_extra_info("ssl_object")
        _keep_alive(transport.get_extra_info("socket"))
        peer = transport.get_extra_info("peername")
        if peer is None:
            raise ConnectionResetError
        self._peer: tuple[Any, ...] = peer
        _, info = await self.command(None, "220", "120")
        return info

    async def parse_line(self) -> tuple[Code, str]:
        """One line from the server. Hosts also write Latin-1, which must not end an upload."""
        text = self._text(await self._line.line())
        return Code(text[:3]), text[3:]

    def _text(self, line: bytes) -> str:
        return line.decode(self.encoding, "replace").rstrip()

    async def upgrade_to_tls(self, sslcontext: ssl.SSLContext | None = None) -> None:
        """AUTH TLS and the handshake; PBSZ and PROT follow after the login (``protect``)."""
        await self.command("AUTH TLS", "234")
        if behind := self._line.unread():
            if behind.startswith(b"500 OOPS"):
                # vsftpd died just now. Whoever put these words there gains nothing by it.
                raise ConnectionResetError(errno.ECONNRESET, "the server broke down")
            raise PlaintextBehindTls
        context = sslcontext or ssl.create_default_context()
        await self._line.start_tls(context, self._server_name, self._limit)
        self.tls = self._line.transport.get_extra_info("ssl_object")

    async def protect(self) -> None:
        """Ask for TLS on data connections; needed in implicit mode too."""
        await self._send_tls_protection_commands()

    async def packet(self, *commands: str) -> list[Answer]:
        """Send ``commands`` at once and read the answer to each, in order.

        Raises StatusCodeError for a goodbye (421).
        """
        if "\n".join(commands).splitlines() != [*commands]:
            raise InvalidCommand
        self._line.send(*commands)
        await self._line.wait(len(commands))
        return [self._at_hand() or await self.answer() for _ in commands]

    async def answer(self) -> Answer:
        """The next reply, whatever its code. Raises StatusCodeError for a goodbye (421)."""
        if answer := self._at_hand():
            return answer
        code, info = await self.parse_response()
        return _no_goodbye(str(code), " ".join(info))

    def _at_hand(self) -> Answer | None:
        line = self._line.reply_at_hand()
        if line is None:
            return None
        text = self._text(line)
        return _no_goodbye(text[:3], text[3:])

    def asks_with_epsv(self) -> bool:
        """Whether EPSV is what data connections are asked for with."""
        return self._passive.command != "pasv"

    async def open_data(self, threads: Executor) -> Transfer:
        """Open a data connection. TLS waits until STOR is answered (``data_tls``)."""
        offer, self.offer = self.offer, None
        if self.asks_with_epsv():
            if offer is None:
                [offer] = await self.packet("EPSV")
            code, text = offer
            if code == "229":
                try:
                    return await self._connect_data(self.parse_epsv_response(text)[1], threads)
                except OSError:
                    # Firewalls that know only PASV leave the port of EPSV shut.
                    if self._passive.command == "epsv":
                        raise
            elif self._passive.command == "epsv" or not code.startswith("5"):
                raise aioftp.StatusCodeError(Code("229"), Code(code), [text])
        _, port = await self._do_pasv()
        transfer = await self._connect_data(port, threads)
        self._passive.command = "pasv"
        return transfer

    async def _connect_data(self, port: int, threads: Executor) -> Transfer:
        # To the very machine that we talk to: its name may have several addresses, and the
        # address inside a PASV reply is wrong behind NAT.
        try:
            family = socket.AF_INET6 if ":" in self._peer[0] else socket.AF_INET
            address = (self._peer[0], port, *self._peer[2:])
            return await Transfer.connect(family, address, threads, self._limit)
        except OSError as error:
            raise DataUnreachable(error.errno, error.strerror) from error

    def data_tls(self) -> DataTls | None:
        """How data connections do TLS, None if they are plain."""
        if self.tls is None:
            return None
        context = self.tls.context
        checked = context.verify_mode is ssl.CERT_REQUIRED
        certificate = None if checked else self.tls.getpeercert(True) or b""
        return DataTls(context, self.session, self._server_name, certificate, self._limit)


def _no_goodbye(code: str, text: str) -> Answer:
    if code == "421":
        raise aioftp.StatusCodeError(Code("2xx"), Code(code), [text])
    return code, text


def _keep_alive(control: socket.socket) -> None:
    """Routers forget a connection that is silent while a long upload runs beside it."""
    control.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _KEEPALIVE.items():
        option = getattr(socket, name, None)
        if option is not None:
            control.setsockopt(socket.IPPROTO_TCP, option, value)
