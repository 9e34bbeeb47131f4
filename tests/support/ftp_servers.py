"""FTP servers inside the test's own process: pyftpdlib in a thread, and aioftp's own.

Quick, and the same everywhere, but no proof for TLS: pyftpdlib takes the handshake of a data
connection before STOR, which no other server does. For that there is ftp_daemons.py.
"""

from __future__ import annotations

import logging
import ssl
import tempfile
import threading
import warnings
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aioftp
import trustme

from mediawatch.config import FtpSettings
from tests.support.web_host import WebHost, web_host

with warnings.catch_warnings():  # pyftpdlib is built on asyncore
    warnings.simplefilter("ignore", DeprecationWarning)
    from pyftpdlib.authorizers import DummyAuthorizer
    from pyftpdlib.filesystems import AbstractedFS
    from pyftpdlib.handlers import FTPHandler, TLS_FTPHandler
    from pyftpdlib.ioloop import IOLoop
    from pyftpdlib.servers import FTPServer

USER, PASSWORD = "ftptest", "s3cret-Pa55"
#: Users of pyftpd with the same password: one may not write, one may not delete, one is given
#: nothing back, and one gets files as text.
READER, KEEPER, GIVER, TEXTER = "reader", "keeper", "giver", "texter"


@dataclass(frozen=True)
class Certificates:
    """A private authority and a server certificate of it, as files."""

    ca: Path
    chain: Path
    key: Path
    both: Path

    def server_context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.chain, self.key)
        return context


def make_certificates(folder: Path, *names: str) -> Certificates:
    """Certificates for ``names``, or for localhost and 127.0.0.1."""
    folder.mkdir(parents=True, exist_ok=True)
    authority = trustme.CA()
    issued = authority.issue_cert(*(names or ("localhost", "127.0.0.1")))
    found = Certificates(
        *(folder / name for name in ("ca.pem", "chain.pem", "key.pem", "both.pem"))
    )
    authority.cert_pem.write_to_path(found.ca)
    found.chain.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
    issued.private_key_pem.write_to_path(found.key)
    issued.private_key_and_cert_chain_pem.write_to_path(found.both)
    found.key.chmod(0o600)
    return found


@dataclass
class FtpServer:
    """A running server: where it listens and which folder it serves as ``/``."""

    port: int
    folder: Path
    tls: str = "off"
    ca: Path | None = None
    user: str = USER

    def settings(self, **changes: Any) -> FtpSettings:
        """Settings that reach this server."""
        values: dict[str, Any] = {
            "host": "localhost" if self.ca else "127.0.0.1",
            "port": self.port,
            "user": self.user,
            "password": PASSWORD,
            "upload_dir": "/upload",
            "public_url": "http://127.0.0.1:1/upload",
            "tls": self.tls,
            "tls_ca_file": self.ca,
            "connect_timeout": 5,
            "io_timeout": 5,
            "reply_timeout": 10,
        }
        return FtpSettings(**values | changes)

    def names(self) -> set[str]:
        """The names in the upload folder, temporary ones too."""
        upload = self.folder / "upload"
        return {file.name for file in upload.iterdir()} if upload.is_dir() else set()

    def files(self) -> dict[str, bytes]:
        """What lies in the upload folder. Not while something is uploaded."""
        return {name: (self.folder / "upload" / name).read_bytes() for name in self.names()}


class _TextForOne(AbstractedFS):  # type: ignore[misc]
    """TEXTER's files come with the ends of lines that a Unix has."""

    def open(self, filename: str, mode: str) -> Any:
        file = super().open(filename, mode)
        if "r" not in mode or self.cmd_channel.username != TEXTER:
            return file
        with file:
            content = file.read()
        other = tempfile.NamedTemporaryFile()  # noqa: SIM115 - the server closes it
        other.write(content.replace(b"\r\n", b"\n"))
        other.seek(0)
        return other


@contextmanager
def pyftpd(folder: Path, certificates: Certificates | None = None) -> Iterator[FtpServer]:
    """pyftpdlib in a thread; with ``certificates`` TLS is required."""
    users = DummyAuthorizer()
    users.add_user(USER, PASSWORD, str(folder), perm="elradfmwMT")
    users.add_user(READER, PASSWORD, str(folder), perm="elr")
    users.add_user(KEEPER, PASSWORD, str(folder), perm="elrafmwMT")
    users.add_user(GIVER, PASSWORD, str(folder), perm="eladfmwMT")
    users.add_user(TEXTER, PASSWORD, str(folder), perm="elradfmwMT")
    attributes: dict[str, Any] = {"authorizer": users, "abstracted_fs": _TextForOne}
    if certificates is not None:
        attributes |= {
            "certfile": str(certificates.both),
            "tls_control_required": True,
            "tls_data_required": True,
        }
    base = FTPHandler if certificates is None else TLS_FTPHandler
    # A loop of its own, so that several can run in one process.
    server = FTPServer(("127.0.0.1", 0), type("Handler", (base,), attributes), IOLoop())
    stop = threading.Event()

    def serve() -> None:
        while not stop.is_set():
            server.ioloop.loop(timeout=0.02, blocking=False)
        server.close_all()

    thread = threading.Thread(target=serve, name="pyftpdlib", daemon=True)
    thread.start()
    try:
        yield FtpServer(
            server.address[1],
            folder,
            "explicit" if certificates else "off",
            certificates.ca if certificates else None,
        )
    finally:
        stop.set()
        thread.join(10)


@asynccontextmanager
async def aioftpd(folder: Path) -> AsyncIterator[FtpServer]:
    """aioftp's own server: plain, and without SIZE."""
    logging.getLogger("aioftp.server").setLevel(logging.CRITICAL)
    server = aioftp.Server([aioftp.User(USER, PASSWORD, base_path=folder)])
    await server.start("127.0.0.1", 0)
    try:
        yield FtpServer(server.server.sockets[0].getsockname()[1], folder)
    finally:
        await server.close()


@dataclass
class PublishedFolder:
    """An FTP server and a web server over the same folder: a web host in small."""

    ftp: FtpServer
    public_url: str
    web: WebHost

    def settings(self, **changes: Any) -> FtpSettings:
        """Settings with the right ``public_url``."""
        return self.ftp.settings(public_url=self.public_url, **changes)


@asynccontextmanager
async def published_folder(
    folder: Path, certificates: Certificates | None = None
) -> AsyncIterator[PublishedFolder]:
    """pyftpdlib and a web server over ``folder``; uploads go to its ``upload`` folder."""
    (folder / "upload").mkdir(parents=True, exist_ok=True)
    with pyftpd(folder, certificates) as ftp:
        async with web_host(folder) as web:
            yield PublishedFolder(ftp, f"{web.url}/upload", web)
