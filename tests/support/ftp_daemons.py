"""The FTP servers that most hosts run, on loopback: vsftpd, ProFTPD, Pure-FTPd from Debian.

fetch_ftp_servers.sh unpacks them. They demand TLS on every connection when they are given
certificates, and vsftpd and ProFTPD that data connections resume the TLS session.
Run by root, vsftpd and Pure-FTPd give up their rights for those of ``daemon``, as they do on
hosts; ProFTPD runs as whoever runs the tests. Pure-FTPd needs root.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.support.ftp_servers import PASSWORD, USER, Certificates, FtpServer

_UNPACKED = Path(__file__).parents[2] / ".cache" / "ftp-servers"
_LIBRARY = _UNPACKED / "usr/lib/proftpd"
_PORTS = (40000, 49999)  # many: a port that was used a moment ago cannot be used again
_SERVANT = "daemon"  # a user of every Debian, who may do nothing

#: The kinds of server.
VSFTPD, PROFTPD, PURE_FTPD = "vsftpd", "proftpd", "pure-ftpd"
KINDS = (VSFTPD, PROFTPD, PURE_FTPD)


@dataclass(frozen=True)
class Rules:
    """How a server is set up. ``limit``: connections an address may have, 0 for many. ``idle``:
    seconds without a command after which it hangs up (Pure-FTPd knows only minutes).
    ``address``: what it calls itself in the answer to PASV, as behind NAT. ``ports``: for data
    connections. ``listen``: the address it serves. ``lines``: more of its own configuration, or
    arguments."""

    implicit: bool = False
    limit: int = 0
    idle: int = 0
    address: str = ""
    listen: str = "127.0.0.1"
    ports: tuple[int, int] = _PORTS
    lines: tuple[str, ...] = ()


@dataclass
class FtpDaemon(FtpServer):
    """A running server of processes, which can be killed."""

    command: list[str] = field(default_factory=list)
    log: Path = Path("output.log")
    listen: str = "127.0.0.1"
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, for the first time or again, and wait until it listens."""
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                # Should the tests be killed, it goes with them.
                ["setpriv", "--pdeathsig", "KILL", *self.command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self._wait_until_it_listens(self.process)

    def leave(self, name: str, content: bytes) -> None:
        """Put a file into the upload folder as if it had been uploaded."""
        file = self.folder / "upload" / name
        file.write_bytes(content)
        os.chown(file, file.parent.stat().st_uid, -1)

    def sessions(self) -> list[int]:
        """The processes that serve connections; vsftpd and Pure-FTPd have several for each."""
        return [] if self.process is None else _descendants(self.process.pid)

    def kill_sessions(self) -> int:
        """Kill all processes that serve connections; returns how many."""
        return sum(_kill(pid) for pid in self.sessions())

    def kill_a_session(self, chance: random.Random) -> bool:
        """Kill one of the processes that serve connections. False if there is none."""
        sessions = self.sessions()
        return bool(sessions) and _kill(chance.choice(sessions))

    def kill(self) -> None:
        """End all of it at once."""
        process, self.process = self.process, None
        if process is None:
            return
        # Sessions leave the process group; the listener reaps them while it lives.
        for pid in _descendants(process.pid):
            _kill(pid)
        process.kill()
        process.wait()

    def _wait_until_it_listens(self, process: subprocess.Popen[bytes]) -> None:
        end = time.monotonic() + 10
        while True:
            try:
                with socket.create_connection((self.listen, self.port), 1) as probe:
                    probe.settimeout(0.0 if self.tls == "implicit" else 5.0)
                    with contextlib.suppress(BlockingIOError):
                        probe.recv(1)
                return
            except OSError:
                if process.poll() is not None or time.monotonic() > end:
                    pytest.fail(f"{self.command[0]} did not start: {self.log.read_text()}")
                time.sleep(0.02)


@contextmanager
def ftp_daemon(
    kind: str,
    place: Path,
    certificates: Certificates | None = None,
    rules: Rules | None = None,
) -> Iterator[FtpDaemon]:
    """A server of that kind, its configuration and log below ``place``. With ``certificates``
    it demands TLS. Skips the test where it cannot run."""
    require(kind)
    rules = rules or Rules()
    configure: dict[str, Callable[[_Order], list[str]]] = {
        VSFTPD: _vsftpd,
        PROFTPD: _proftpd,
        PURE_FTPD: _pure_ftpd,
    }
    port = _free_port(rules.listen)
    own = place / f"{kind}-{port}"
    own.mkdir()
    with _served(kind, own) as folder:
        order = _Order(own, folder, port, certificates, rules)
        server = FtpDaemon(
            port,
            folder,
            ("implicit" if rules.implicit else "explicit") if certificates else "off",
            certificates.ca if certificates else None,
            "anonymous" if kind == VSFTPD else USER,
            configure[kind](order),
            own / "output.log",
            rules.listen,
        )
        try:
            server.start()
            yield server
        finally:
            server.kill()


def require(kind: str) -> None:
    """Skip the test where this server cannot run, unless all tests are required."""
    reason = ""
    if sys.platform != "linux":
        reason = f"{kind} is run on Linux only"
    elif not (_UNPACKED / "usr/sbin" / kind).is_file():
        reason = f"{kind} is not there: run tests/support/fetch_ftp_servers.sh"
    elif kind == PURE_FTPD and os.geteuid() != 0:
        reason = "Pure-FTPd can only be started by root"
    if reason and os.environ.get("MEDIAWATCH_REQUIRE_ALL") == "1":
        pytest.fail(reason)
    if reason:
        pytest.skip(reason)


@dataclass(frozen=True)
class _Order:
    place: Path
    folder: Path
    port: int
    certificates: Certificates | None
    rules: Rules


def _vsftpd(order: _Order) -> list[str]:
    # Its "anonymous" with a list of passwords needs neither a user of the system nor PAM.
    me = _SERVANT if os.geteuid() == 0 else _user_name()
    empty, passwords = order.place / "empty", order.place / "passwords"
    empty.mkdir()
    passwords.write_text(f"{PASSWORD}\n")
    low, high = order.rules.ports
    lines = [
        "listen=YES",
        "listen_ipv6=NO",
        f"listen_address={order.rules.listen}",
        f"listen_port={order.port}",
        "background=NO",
        "anonymous_enable=YES",
        "local_enable=NO",
        "write_enable=YES",
        "anon_upload_enable=YES",
        "anon_mkdir_write_enable=YES",
        "anon_other_write_enable=YES",
        "anon_world_readable_only=NO",
        "anon_umask=022",
        f"anon_root={order.folder}",
        "secure_email_list_enable=YES",
        f"email_password_file={passwords}",
        f"secure_chroot_dir={empty}",
        "allow_writeable_chroot=YES",
        f"pasv_min_port={low}",
        f"pasv_max_port={high}",
        "connect_from_port_20=NO",
        "seccomp_sandbox=NO",
        f"max_per_ip={order.rules.limit}",
        f"idle_session_timeout={order.rules.idle or 300}",
        *(f"{key}={me}" for key in ("ftp_username", "nopriv_user", "guest_username")),
    ]
    if os.geteuid() != 0:
        lines.append("run_as_launching_user=YES")
    if order.rules.address:
        lines.append(f"pasv_address={order.rules.address}")
    if order.certificates is not None:
        lines += [
            "ssl_enable=YES",
            "allow_anon_ssl=YES",
            "force_anon_logins_ssl=YES",
            "force_anon_data_ssl=YES",
            "require_ssl_reuse=YES",
            "ssl_ciphers=HIGH",
            f"rsa_cert_file={order.certificates.both}",
            f"rsa_private_key_file={order.certificates.both}",
            f"implicit_ssl={'YES' if order.rules.implicit else 'NO'}",
        ]
    configuration = order.place / "vsftpd.conf"
    configuration.write_text("\n".join([*lines, *order.rules.lines, ""]))
    return [str(_UNPACKED / "usr/sbin/vsftpd"), str(configuration)]


def _proftpd(order: _Order) -> list[str]:
    import grp  # not on Windows

    group = grp.getgrgid(os.getgid()).gr_name
    accounts = order.place / "passwd"
    accounts.write_text(
        f"{USER}:{_hashed()}:{os.getuid()}:{os.getgid()}::{order.folder}:/bin/false\n"
    )
    accounts.chmod(0o600)
    low, high = order.rules.ports
    lines = [
        *order.rules.lines,  # of two lines about the same ProFTPD obeys the first
        "ServerName test",
        "ServerType standalone",
        f"DefaultAddress {order.rules.listen}",
        "SocketBindTight on",
        f"Port {order.port}",
        "UseIPv6 off",
        f"User {_user_name()}",
        f"Group {group}",
        "Umask 022",
        "AuthOrder mod_auth_file.c",
        f"AuthUserFile {accounts}",
        "RequireValidShell off",
        "UseReverseDNS off",
        "WtmpLog off",
        "TransferLog none",
        f"SystemLog {order.place}/system.log",
        f"PidFile {order.place}/pid",
        f"ScoreboardFile {order.place}/scoreboard",
        f"PassivePorts {low} {high}",
        "AllowOverwrite on",
        "AllowStoreRestart on",
        "DelayEngine off",
        "ControlsEngine off",
        f"TimeoutIdle {order.rules.idle or 300}",
    ]
    if os.geteuid() == 0:
        lines += ["RootLogin on", "DefaultRoot ~"]
    if order.rules.limit:
        lines.append(f'MaxClientsPerHost {order.rules.limit} "too many connections from you"')
    if order.rules.address:
        lines.append(f"MasqueradeAddress {order.rules.address}")
    if order.certificates is not None:
        lines = [f"ModulePath {_LIBRARY}", "LoadModule mod_tls.c", *lines]
        lines += [
            "TLSEngine on",
            "TLSRequired on",
            "TLSProtocol TLSv1.2 TLSv1.3",
            f"TLSECCertificateFile {order.certificates.chain}",
            f"TLSECCertificateKeyFile {order.certificates.key}",
        ]
    if order.rules.implicit:
        lines.append("TLSOptions UseImplicitSSL")
    configuration = order.place / "proftpd.conf"
    configuration.write_text("\n".join([*lines, ""]))
    return [str(_UNPACKED / "usr/sbin/proftpd"), "-n", "-q", "-c", str(configuration)]


def _pure_ftpd(order: _Order) -> list[str]:
    import pwd  # not on Windows

    servant = pwd.getpwnam(_SERVANT)
    users, database = order.place / "users", order.place / "users.pdb"
    # pure-pw's own hash costs three seconds a login.
    who = f"{USER}:{_hashed()}:{servant.pw_uid}:{servant.pw_gid}"
    users.write_text(f"{who}::{order.folder}/./::::::::::::\n")
    subprocess.run(
        [str(_UNPACKED / "usr/bin/pure-pw"), "mkdb", str(database), "-f", str(users)],
        check=True,
        capture_output=True,
    )
    low, high = order.rules.ports
    command = [str(_UNPACKED / "usr/sbin/pure-ftpd"), "-S"]
    command += [f"{order.rules.listen},{order.port}"]
    command += ["-4", "-E", "-H", "-l", f"puredb:{database}", "-c", "200", "-u", "1", "-I", "5"]
    command += ["-p", f"{low}:{high}", "-g", str(order.place / "pid")]
    if order.rules.limit:
        command += ["-C", str(order.rules.limit)]
    if order.rules.address:
        command += ["-P", order.rules.address]
    if order.certificates is not None:
        command += ["-Y", "3", "-2", str(order.certificates.both)]
    return [*command, *order.rules.lines]


@contextmanager
def _served(kind: str, own: Path) -> Iterator[Path]:
    """The folder that the server shows as ``/``; it may write in ``upload`` there."""
    if os.geteuid() != 0 or kind == PROFTPD:
        folder = own / "served"
        (folder / "upload").mkdir(parents=True)
        yield folder
        return
    # The servant must get there, and pytest shuts its own folders to others.
    with tempfile.TemporaryDirectory(prefix="mediawatch-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # vsftpd refuses to serve a folder that it might write into
        (folder / "upload").mkdir()
        os.chown(folder / "upload", _uid(), -1)
        yield folder


def _uid() -> int:
    import pwd  # not on Windows

    return pwd.getpwnam(_SERVANT).pw_uid


def _user_name() -> str:
    import pwd  # not on Windows

    return pwd.getpwuid(os.getuid()).pw_name


def _hashed() -> str:
    return subprocess.run(
        ["openssl", "passwd", "-6", "-stdin"],
        input=PASSWORD,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()


def _free_port(address: str) -> int:
    with socket.socket() as probe:
        probe.bind((address, 0))
        port: int = probe.getsockname()[1]
        return port


def _descendants(pid: int) -> list[int]:
    """Children first, then theirs; those that ended meanwhile are left out."""
    found: list[int] = []
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            found += [int(child) for child in (task / "children").read_text().split()]
    return found + [below for child in found for below in _descendants(child)]


def _kill(pid: int) -> bool:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True
