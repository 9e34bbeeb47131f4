"""Real FTP servers on loopback: pyftpdlib in a thread, aioftp's own, ProFTPD as whoever runs us.

pyftpdlib proves nothing for TLS: it takes the handshake of a data connection before STOR, which
no other server does. ProFTPD with session reuse required is the judge for that.
"""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import signal
import socket
import ssl
import subprocess
import threading
import time
import warnings
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aioftp
import pytest
import trustme

from mediawatch.config import FtpSettings
from tests.support.web_host import web_host

with warnings.catch_warnings():  # pyftpdlib is built on asyncore
    warnings.simplefilter("ignore", DeprecationWarning)
    from pyftpdlib.authorizers import DummyAuthorizer
    from pyftpdlib.handlers import FTPHandler, TLS_FTPHandler
    from pyftpdlib.servers import FTPServer

USER, PASSWORD = "ftptest", "s3cret-Pa55"
PASSIVE_PORTS = "40000 49999"  # many: a port that was used a moment ago cannot be used again


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
    process: subprocess.Popen[bytes] | None = None

    def settings(self, **changes: Any) -> FtpSettings:
        """Settings that reach this server."""
        values: dict[str, Any] = {
            "host": "localhost" if self.ca else "127.0.0.1",
            "port": self.port,
            "user": USER,
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

    def kill_sessions(self) -> int:
        """Kill the processes that serve connections (ProFTPD only); returns how many."""
        assert self.process is not None
        pid = self.process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        for child in children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(child), signal.SIGKILL)
        return len(children)


@contextmanager
def pyftpd(folder: Path, certificates: Certificates | None = None) -> Iterator[FtpServer]:
    """pyftpdlib in a thread; with ``certificates`` TLS is required."""
    users = DummyAuthorizer()
    users.add_user(USER, PASSWORD, str(folder), perm="elradfmwMT")
    attributes: dict[str, Any] = {"authorizer": users}
    if certificates is not None:
        attributes |= {
            "certfile": str(certificates.both),
            "tls_control_required": True,
            "tls_data_required": True,
        }
    base = FTPHandler if certificates is None else TLS_FTPHandler
    server = FTPServer(("127.0.0.1", 0), type("Handler", (base,), attributes))
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


def proftpd_binary() -> str:
    """The path of ProFTPD. Skips the test if there is none, unless all tests are required."""
    path = shutil.which("proftpd") or shutil.which("proftpd", path="/usr/sbin:/usr/local/sbin")
    if path is not None:
        return path
    reason = "ProFTPD is not installed (apt-get install proftpd-core proftpd-mod-crypto)"
    if os.environ.get("MEDIAWATCH_REQUIRE_ALL") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


@contextmanager
def proftpd(
    folder: Path,
    certificates: Certificates | None = None,
    *,
    implicit: bool = False,
    extra: str = "",
) -> Iterator[FtpServer]:
    """ProFTPD, run by whoever runs the tests. With ``certificates``: TLS required on control
    and data connections, with session reuse. ``extra``: more lines for its configuration."""
    binary = proftpd_binary()
    place = folder.parent / f"{folder.name}-proftpd"
    place.mkdir()
    port = _free_port()
    configuration = place / "proftpd.conf"
    configuration.write_text(_proftpd_conf(place, folder, port, certificates, implicit) + extra)
    with (place / "output.log").open("wb") as output:
        process = subprocess.Popen(
            [binary, "-n", "-q", "-c", str(configuration)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    server = FtpServer(
        port,
        folder,
        ("implicit" if implicit else "explicit") if certificates else "off",
        certificates.ca if certificates else None,
        process,
    )
    try:
        _wait_for(port, process, place / "output.log")
        yield server
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _proftpd_conf(
    place: Path, folder: Path, port: int, certificates: Certificates | None, implicit: bool
) -> str:
    import grp  # not on Windows
    import pwd

    user, group = pwd.getpwuid(os.getuid()), grp.getgrgid(os.getgid())
    hashed = subprocess.run(
        ["openssl", "passwd", "-6", "-stdin"],
        input=PASSWORD,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()
    accounts = place / "passwd"
    accounts.write_text(f"{USER}:{hashed}:{user.pw_uid}:{user.pw_gid}::{folder}:/bin/false\n")
    accounts.chmod(0o600)
    lines = f"""\
ServerName test
ServerType standalone
DefaultAddress 127.0.0.1
SocketBindTight on
Port {port}
UseIPv6 off
User {user.pw_name}
Group {group.gr_name}
Umask 022
AuthOrder mod_auth_file.c
AuthUserFile {accounts}
RequireValidShell off
UseReverseDNS off
WtmpLog off
TransferLog none
SystemLog {place}/system.log
PidFile {place}/pid
ScoreboardFile {place}/scoreboard
PassivePorts {PASSIVE_PORTS}
AllowOverwrite on
<IfModule mod_delay.c>
DelayEngine off
</IfModule>
<IfModule mod_ctrls.c>
ControlsEngine off
</IfModule>
"""
    if os.getuid() == 0:
        lines += "RootLogin on\nDefaultRoot ~\n"
    if certificates is None:
        return lines
    return f"""\
LoadModule mod_tls.c
{lines}TLSEngine on
TLSRequired on
TLSProtocol TLSv1.2 TLSv1.3
TLSECCertificateFile {certificates.chain}
TLSECCertificateKeyFile {certificates.key}
{"TLSOptions UseImplicitSSL" if implicit else ""}
"""


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + 10
    while True:
        try:
            with socket.create_connection(("127.0.0.1", port), 1):
                return
        except OSError:
            if process.poll() is not None or time.monotonic() > end:
                pytest.fail(f"ProFTPD did not start: {log.read_text()}")
            time.sleep(0.02)


@dataclass
class PublishedFolder:
    """An FTP server and a web server over the same folder: a web host in small."""

    ftp: FtpServer
    public_url: str

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
            yield PublishedFolder(ftp, f"{web.url}/upload")
