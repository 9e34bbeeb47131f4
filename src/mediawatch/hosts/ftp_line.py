"""The control connection of FTP: commands out, lines in, and how long they are waited for.

asyncio's streams take several turns of the event loop for the replies to one packet and a timer
for each limit, which is half of what uploading a small picture costs. Here whoever waits is woken
once, when all replies are there, and one timer does for the whole connection.
"""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from contextlib import AbstractContextManager
from typing import cast

_LONGEST_LINE = 64 << 10  # bytes; no server's line is nearly as long
_MOST_LINES = 50_000  # that nobody has asked for yet

_GOODBYE = b"421"  # nothing that matters comes after it


class ControlLine(asyncio.Protocol):
    """One control connection. ``answers`` counts the lines that came, goodbyes (421) aside.

    Whoever waits gets what the connection was lost for (OSError, ssl.SSLError), TimeoutError
    when ``within`` is over, and ValueError if the server talks without end.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._lines: deque[bytes] = deque()
        self._begun = b""
        self._lost: BaseException | None = None
        self._ending = False
        self._waiter: asyncio.Future[None] | None = None
        self._wanted = 0
        self._until: float | None = None
        self._timer: asyncio.TimerHandle | None = None
        self.answers = 0

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection is there, over TLS if it is to be from its first byte."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Some bytes came: whole lines, halves, several at once."""
        *whole, self._begun = (self._begun + data).split(b"\n")
        for line in whole:
            self._ending |= line.startswith(_GOODBYE)
            self.answers += not self._ending
            self._lines.append(line)
        if len(self._begun) > _LONGEST_LINE or len(self._lines) > _MOST_LINES:
            self._lose(ValueError("the server talks without end"))
            self.abort()
        elif self._enough(self._wanted):
            self._wake()

    def _enough(self, wanted: int) -> bool:
        return len(self._lines) >= (1 if self._ending else wanted)

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing more will come; what came is still there to be read."""
        self._lose(exc or ConnectionResetError())
        if self._timer is not None:
            self._timer.cancel()

    def _lose(self, why: BaseException) -> None:
        self._lost = self._lost or why
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    # What the client calls.

    @property
    def transport(self) -> asyncio.Transport:
        """The connection as asyncio knows it."""
        if self._transport is None:
            raise ConnectionResetError
        return self._transport

    async def start_tls(self, context: ssl.SSLContext, server_name: str, limit: float) -> None:
        """Go on over TLS. ``limit``: seconds for the handshake."""
        transport = await self._loop.start_tls(
            self.transport,
            self,
            context,
            server_hostname=server_name,
            ssl_handshake_timeout=limit,
        )
        # asyncio has none to give if the connection is lost at the very end of the handshake.
        if transport is None:
            raise ConnectionResetError
        self._transport = transport

    def unread(self) -> bytes:
        """What came and was not asked for yet."""
        return b"".join(line + b"\n" for line in self._lines) + self._begun

    def ended(self) -> bool:
        """Whether the connection is lost or being closed."""
        return self._lost is not None or self.transport.is_closing()

    def send(self, *commands: str) -> None:
        """Send ``commands`` in one packet."""
        self.transport.write("".join(f"{command}\r\n" for command in commands).encode())

    async def write(self, data: bytes) -> None:
        """Send ``data``: what aioftp calls."""
        self.transport.write(data)

    def within(self, seconds: float) -> AbstractContextManager[None]:
        """Limit the time of all waiting that is done meanwhile. Who ran out of time has to give
        the connection up, since its replies may still come."""
        return _Within(self, seconds)

    def shorten(self, seconds: float) -> float | None:
        """Let all waiting end in ``seconds``, or when it had to already. Gives the limit that
        was, for ``restore``."""
        before, until = self._until, self._loop.time() + seconds
        self._until = until = until if before is None else min(before, until)
        if self._timer is None or self._timer.when() > until:
            self._set_timer(until)
        return before

    def restore(self, until: float | None) -> None:
        """Let all waiting end at ``until``, on the loop's clock; None for no limit."""
        self._until = until

    def _set_timer(self, when: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_at(when, self._ring)

    def _ring(self) -> None:
        self._timer = None
        if self._until is None:
            return
        if self._until > self._loop.time():
            self._set_timer(self._until)
        else:
            self._lose(TimeoutError())

    async def wait(self, lines: int = 1) -> None:
        """Wait until so many lines are there; less are if the server said goodbye or was lost."""
        while self._lost is None and not self._enough(lines):
            self._wanted, self._waiter = lines, self._loop.create_future()
            try:
                await self._waiter
            finally:
                self._wanted, self._waiter = 0, None

    async def line(self) -> bytes:
        """The next line, without its end."""
        if not self._lines:
            await self.wait()
        if not self._lines:
            raise self._lost or ConnectionResetError
        return self._lines.popleft()

    def reply_at_hand(self) -> bytes | None:
        """The next line if it is there and a whole reply, as nearly all are, else None."""
        if self._lines and self._lines[0][:3].isdigit() and self._lines[0][3:4] != b"-":
            return self._lines.popleft()
        return None

    def abort(self) -> None:
        """Close at once, without a word."""
        if self._transport is not None:
            self._transport.abort()


class _Within:
    """See ControlLine.within. A class, for four are entered for each file."""

    __slots__ = ("_before", "_line", "_seconds")

    def __init__(self, line: ControlLine, seconds: float) -> None:
        self._line = line
        self._seconds = seconds

    def __enter__(self) -> None:
        self._before = self._line.shorten(self._seconds)

    def __exit__(self, *_: object) -> None:
        self._line.restore(self._before)
