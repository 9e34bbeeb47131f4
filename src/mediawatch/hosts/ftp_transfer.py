"""The bytes of one file on a data connection.

They are sent by a thread: neither a slow disk nor TLS nor a full socket then holds up whatever
else goes on, and no block costs a turn of the event loop. Only a small file that needs no TLS is
sent by the loop itself, since handing it to a thread would take longer.
"""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import ssl
import stat
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Executor, Future
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mediawatch.errors import from_os_error

_BLOCK = 256 << 10  # bytes on the way from the disk to the socket at a time

#: As the control connection's socket tells it; its length depends on the family.
Address = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A file of ours, its size in bytes, and all that is in it, or nothing if it is not small."""

    path: Path
    size: int
    content: bytes | bytearray

    @classmethod
    def in_memory(cls, path: Path) -> LocalFile | None:
        """The file ``path`` if all that is wanted of it is in the system's memory, else None.
        Raises OSError, EOPNOTSUPP where the system does not tell."""
        if sys.platform != "linux":
            return None
        # Else a named pipe is waited for.
        number = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            found = os.fstat(number)
            if not stat.S_ISREG(found.st_mode):
                return None
            content = bytearray(found.st_size if found.st_size <= _BLOCK else 0)
            there = os.preadv(number, [content], 0, os.RWF_NOWAIT)
        finally:
            os.close(number)
        return cls(path, found.st_size, content) if there == len(content) else None

    @classmethod
    def read(cls, path: Path) -> LocalFile:
        """Look at the file ``path``, in a thread. Raises StorageProblem."""
        try:
            with path.open("rb", buffering=0) as file:
                size = os.fstat(file.fileno()).st_size
                return cls(path, size, file.read(size) if size <= _BLOCK else b"")
        except OSError as error:
            raise from_os_error(error, f"read {path}") from error

    @property
    def whole(self) -> bool:
        """Whether ``content`` is all of it."""
        return len(self.content) == self.size

    def blocks(self, offset: int, largest: int) -> Iterator[memoryview]:
        """All bytes from ``offset`` on. A block is good until the next one is asked for.
        Raises StorageProblem."""
        if self.whole:
            content = memoryview(self.content)
            yield from (content[at : at + largest] for at in range(offset, self.size, largest))
            return
        room = memoryview(bytearray(largest))
        try:
            with self.path.open("rb", buffering=0) as file:
                file.seek(offset)
                while count := file.readinto(room):
                    yield room[:count]
        except OSError as error:
            raise from_os_error(error, f"read {self.path}") from error


class Rate:
    """At most ``limit`` bytes a second for all transfers together; 0 is no limit. ``taken``: the
    bytes of all until now, by which a slow transfer is told from one that stands still."""

    def __init__(self, limit: int = 0) -> None:
        self.limit = limit
        self.block = min(_BLOCK, limit or _BLOCK)
        self.taken = 0
        self._free_at = 0.0
        self._reserving = threading.Lock()

    def reserve(self, size: int) -> float:
        """Take ``size`` bytes; they may be sent after so many seconds."""
        self.taken += size
        if not self.limit:
            return 0.0
        with self._reserving:
            now = time.monotonic()
            turn = max(now, self._free_at)
            self._free_at = turn + size / self.limit
        return turn - now


@dataclass(frozen=True, slots=True)
class DataTls:
    """How data connections do TLS: with the ``session`` of the control connection. If it is not
    resumed, the server must show ``certificate`` (DER), unless the context checks whom it trusts.
    """

    context: ssl.SSLContext
    session: ssl.SSLSession | None
    server_name: str
    certificate: bytes | None
    limit: float


def _connected_at_once(data: socket.socket, address: Address) -> bool:
    """Begin to connect. A server on this machine has answered by the second look, which spares
    several turns of the event loop. Elsewhere than on Linux nothing is begun: what waits for the
    connection does not take one over."""
    if sys.platform != "linux":
        return False
    return data.connect_ex(address) == 0 or data.connect_ex(address) == 0


class Transfer:
    """One data connection, and one file on it. ``resumed`` tells whether it resumed the TLS
    session, None if it did no TLS. What fails on the connection is raised as OSError."""

    def __init__(self, connected: socket.socket, threads: Executor) -> None:
        self._socket = connected
        self._threads = threads
        self._working: Future[Any] | None = None
        self._given_up = threading.Event()
        self.resumed: bool | None = None

    @classmethod
    async def connect(
        cls, family: int, address: Address, threads: Executor, limit: float
    ) -> Transfer:
        """A data connection to ``address``, within ``limit`` seconds; its bytes will be sent by
        one of ``threads``."""
        data = socket.socket(family, socket.SOCK_STREAM)
        try:
            data.setblocking(False)
            data.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if not _connected_at_once(data, address):
                async with asyncio.timeout(limit):
                    await asyncio.get_running_loop().sock_connect(data, address)
        except BaseException:
            data.close()
            raise
        return cls(data, threads)

    async def send(
        self, file: LocalFile, offset: int, *, tls: DataTls | None, rate: Rate, limit: float
    ) -> None:
        """Send everything from ``offset`` on, and the mark of its end; before that, shake hands
        if there is ``tls``. ``limit``: seconds without any progress. The connection stays open
        for what the server may still have to say. Also raises StorageProblem.
        """
        if tls is None and not rate.limit and file.whole:
            await self._send_at_once(memoryview(file.content)[offset:], limit)
            self._socket.shutdown(socket.SHUT_WR)
            return
        self._working = self._threads.submit(self._send, file, offset, tls, rate, limit)
        await asyncio.wrap_future(self._working)

    async def receive(self, most: int, *, tls: DataTls | None, limit: float) -> bytes:
        """What comes until its end, at most ``most`` bytes; before that, shake hands if there is
        ``tls``. ``limit``: seconds without any progress."""
        self._working = self._threads.submit(self._receive, most, tls, limit)
        return await asyncio.wrap_future(self._working)

    async def _send_at_once(self, content: memoryview, limit: float) -> None:
        with suppress(BlockingIOError):
            content = content[self._socket.send(content) :]
        if content:
            async with asyncio.timeout(limit):
                await asyncio.get_running_loop().sock_sendall(self._socket, content)

    def close(self) -> None:
        """Close what was used to its end."""
        self._socket.close()

    def abort(self) -> None:
        """Break off: whatever was not sent is lost."""
        self._given_up.set()
        with suppress(OSError):
            # Not that of SSLSocket, which would go on without TLS.
            socket.socket.shutdown(self._socket, socket.SHUT_RDWR)
        if self._working is None:
            self._socket.close()
            return
        # While its thread runs, the number of the socket must not go to another one.
        self._working.cancel()
        self._working.add_done_callback(lambda _: self._socket.close())

    # In the thread.

    def _send(
        self, file: LocalFile, offset: int, tls: DataTls | None, rate: Rate, limit: float
    ) -> None:
        if tls is not None:
            self._shake_hands(tls)
        self._socket.settimeout(limit)
        for block in file.blocks(offset, rate.block):
            self._wait(rate.reserve(len(block)))
            left = block
            while left:
                left = left[self._socket.send(left) :]
        self._end()

    def _receive(self, most: int, tls: DataTls | None, limit: float) -> bytes:
        if tls is not None:
            self._shake_hands(tls)
        self._socket.settimeout(limit)
        content = b""
        while len(content) < most and (block := self._socket.recv(most - len(content))):
            content += block
        with suppress(OSError):  # the server has closed it altogether
            self._end()
        return content

    def _wait(self, seconds: float) -> None:
        if self._given_up.wait(seconds) if seconds else self._given_up.is_set():
            raise ConnectionAbortedError(errno.ECONNABORTED, os.strerror(errno.ECONNABORTED))

    def _shake_hands(self, tls: DataTls) -> None:
        self._socket.settimeout(tls.limit)
        self._socket = data = tls.context.wrap_socket(
            self._socket,
            server_hostname=tls.server_name,
            session=tls.session,
            do_handshake_on_connect=False,
        )
        self._wait(0)
        data.do_handshake()
        self.resumed = data.session_reused
        proved = self.resumed or tls.certificate is None
        if not proved and data.getpeercert(True) != tls.certificate:
            raise OSError(errno.ECONNABORTED, "the data connection shows another certificate")

    def _end(self) -> None:
        """Mark the end. The server's own mark is not waited for: its reply on the control
        connection tells more, and some never send it."""
        self._socket.settimeout(0)
        if isinstance(self._socket, ssl.SSLSocket):
            # Nor is one that hangs up at once, without a mark of its own, to be blamed for it.
            with suppress(ssl.SSLWantReadError, ssl.SSLEOFError):
                self._socket.unwrap()
        socket.socket.shutdown(self._socket, socket.SHUT_WR)
