"""The bytes of a file on a data connection: in a thread, in time, and broken off cleanly."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from mediawatch.errors import StorageProblem
from mediawatch.hosts.ftp_transfer import DataTls, LocalFile, Rate, Transfer
from tests.support.ftp_servers import Certificates, make_certificates

SMALL, LARGE = b"small picture" * 1000, b"large picture" * 2_000_000


class Far:
    """The other end: takes one connection, and reads it when it is told to."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = self._listener.getsockname()

    def accept(self) -> socket.socket:
        return self._listener.accept()[0]

    def read(self, context: ssl.SSLContext | None = None) -> bytes:
        """All that comes until its end, over TLS if there is a ``context``."""
        connection: Any = self.accept()
        if context is not None:
            connection = context.wrap_socket(connection, server_side=True)
        with connection:
            return b"".join(iter(lambda: connection.recv(1 << 20), b""))

    def close(self) -> None:
        self._listener.close()


@pytest.fixture
def far() -> Iterator[Far]:
    end = Far()
    yield end
    end.close()


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1, "ftp") as executor:
        yield executor


@pytest.fixture
async def transfer(far: Far, threads: ThreadPoolExecutor) -> AsyncIterator[Transfer]:
    connected = await Transfer.connect(socket.AF_INET, far.address, threads, 5.0)
    yield connected
    connected.abort()


@pytest.fixture
def certificates(tmp_path: Path) -> Certificates:
    return make_certificates(tmp_path / "tls")


def a_file(folder: Path, content: bytes) -> LocalFile:
    path = folder / "picture.jpg"
    path.write_bytes(content)
    return LocalFile.read(path)


def data_tls(context: ssl.SSLContext, certificate: bytes | None) -> DataTls:
    return DataTls(context, None, "localhost", certificate, 5.0)


@pytest.mark.parametrize("content", [b"", SMALL, LARGE])
@pytest.mark.parametrize("limit", [0, 1_000_000_000])
async def test_all_bytes_and_the_end_arrive(
    transfer: Transfer, far: Far, tmp_path: Path, content: bytes, limit: int
) -> None:
    """Every byte arrives, and then the end, while our side stays open for a last word."""
    reading = asyncio.create_task(asyncio.to_thread(far.read))
    file = a_file(tmp_path, content)
    await transfer.send(file, 0, tls=None, rate=Rate(limit), limit=5)
    assert content == await asyncio.wait_for(reading, 5)
    assert transfer.resumed is None


@pytest.mark.parametrize("content", [SMALL, LARGE])
async def test_only_the_rest_is_sent(
    transfer: Transfer, far: Far, tmp_path: Path, content: bytes
) -> None:
    """What is gone on with begins at the offset."""
    reading = asyncio.create_task(asyncio.to_thread(far.read))
    await transfer.send(a_file(tmp_path, content), 1000, tls=None, rate=Rate(), limit=5)
    assert content[1000:] == await asyncio.wait_for(reading, 5)


async def test_no_progress_is_an_error(transfer: Transfer, far: Far, tmp_path: Path) -> None:
    """A server that takes no more bytes is waited for only so long."""
    with far.accept(), pytest.raises(TimeoutError):
        await transfer.send(a_file(tmp_path, LARGE), 0, tls=None, rate=Rate(), limit=0.1)


async def test_breaking_off_frees_the_thread(
    transfer: Transfer, far: Far, threads: ThreadPoolExecutor, tmp_path: Path
) -> None:
    """A transfer that is broken off ends at once, though its thread waited for the server."""
    file = a_file(tmp_path, LARGE)
    with far.accept() as connection:
        sending = asyncio.create_task(transfer.send(file, 0, tls=None, rate=Rate(), limit=60))
        await asyncio.to_thread(connection.recv, 1, socket.MSG_PEEK)  # it is on its way
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        transfer.abort()
        free = await asyncio.wait_for(asyncio.wrap_future(threads.submit(threading.get_ident)), 5)
    assert threading.get_ident() != free


async def test_breaking_off_ends_a_wait_for_the_rate(
    transfer: Transfer, far: Far, threads: ThreadPoolExecutor, tmp_path: Path
) -> None:
    """A limit on the rate does not keep a broken off transfer alive."""
    file = a_file(tmp_path, LARGE)
    with far.accept() as connection:
        sending = asyncio.create_task(transfer.send(file, 0, tls=None, rate=Rate(1000), limit=5))
        await asyncio.to_thread(connection.recv, 1, socket.MSG_PEEK)
        transfer.abort()
        with pytest.raises(ConnectionError):
            await asyncio.wait_for(sending, 5)


async def test_a_file_that_is_gone(transfer: Transfer, tmp_path: Path) -> None:
    """A file that vanishes before it is sent is our problem, not the server's."""
    file = a_file(tmp_path, LARGE)
    file.path.unlink()
    with pytest.raises(StorageProblem):
        await transfer.send(file, 0, tls=None, rate=Rate(), limit=5)


@pytest.mark.parametrize("content", [SMALL, LARGE])
async def test_tls_carries_all_bytes(
    transfer: Transfer, far: Far, tmp_path: Path, certificates: Certificates, content: bytes
) -> None:
    """Over TLS the same bytes arrive, with the mark that nothing was cut off."""
    context = ssl.create_default_context(cafile=certificates.ca)
    reading = asyncio.create_task(asyncio.to_thread(far.read, certificates.server_context()))
    tls = data_tls(context, None)
    await transfer.send(a_file(tmp_path, content), 0, tls=tls, rate=Rate(), limit=5)
    assert content == await asyncio.wait_for(reading, 5)
    assert transfer.resumed is False


async def test_another_certificate_is_refused(
    transfer: Transfer, far: Far, tmp_path: Path, certificates: Certificates
) -> None:
    """Where a pin is the trust, nothing is sent to whoever shows another certificate on the data
    connection than on the control connection."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    reading = asyncio.create_task(asyncio.to_thread(far.read, certificates.server_context()))
    with pytest.raises(OSError, match="another certificate"):
        await transfer.send(
            a_file(tmp_path, SMALL), 0, tls=data_tls(context, b"ours"), rate=Rate(), limit=5
        )
    transfer.abort()
    try:
        received = await asyncio.wait_for(reading, 5)
    except ssl.SSLError:
        received = b""
    assert b"" == received


def test_the_rate_is_shared() -> None:
    """Whoever takes bytes makes the next one wait for its turn."""
    rate = Rate(1000)
    waits = [rate.reserve(500) for _ in range(3)]
    assert [0.0, 0.5, 1.0] == pytest.approx(waits, abs=0.1)
    assert 0.0 == Rate().reserve(1 << 30)
