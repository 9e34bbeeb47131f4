"""Whom we trust: TLS settings, the pinned certificate, and the memory that a host has TLS."""

from __future__ import annotations

import asyncio
import hashlib
import os
import ssl
from dataclasses import asdict, dataclass
from pathlib import Path

from mediawatch import crash
from mediawatch.config import FtpSettings
from mediawatch.errors import from_os_error
from mediawatch.hosts.base import HostRefused, TlsUntrusted
from mediawatch.hosts.ftp_client import FtpClient
from mediawatch.hosts.ftp_errors import FOREIGN


@dataclass(frozen=True, slots=True)
class Certificate:
    """What a person needs to know of a certificate in order to trust it."""

    sha256: str
    subject: str = ""
    names: tuple[str, ...] = ()


def server_name(settings: FtpSettings) -> str:
    """The name that the certificate must bear."""
    return settings.tls_server_name or settings.host


def make_context(settings: FtpSettings) -> ssl.SSLContext:
    """The rules of trust. Reads the system's roots from disk: tens of milliseconds.

    With a pin the certificate itself is the trust (``check_pin``), names and roots are not asked;
    without TLS nobody is.
    Raises HostRefused if the CA file cannot be used.
    """
    if settings.tls_pin_sha256 or settings.tls == "off":
        return _without_roots()
    try:
        context = ssl.create_default_context(cafile=settings.tls_ca_file)
    except OSError as error:  # ssl.SSLError, for a file that holds no certificate, is one too
        raise HostRefused(
            f"The file of trusted certificates {settings.tls_ca_file} cannot be used: "
            f"{error.strerror or error}.",
            remedy="Name a readable PEM file in ftp.tls_ca_file.",
            code="ftp-ca-file",
        ) from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _without_roots() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _only(der: bytes) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.load_verify_locations(cadata=der)
    return context


def pin_matches(settings: FtpSettings, connection: ssl.SSLObject) -> bool:
    """Whether the certificate is the pinned one; true if none is pinned."""
    pin = settings.tls_pin_sha256.replace(":", "").lower()
    return not pin or pin == fingerprint(connection.getpeercert(True) or b"")


def fingerprint(der: bytes) -> str:
    """SHA-256 of a certificate in hexadecimal digits, as browsers and openssl show it."""
    return hashlib.sha256(der).hexdigest()


async def inspect_certificate(settings: FtpSettings) -> Certificate | None:
    """Fetch the host's certificate to show it: nothing is sent, neither user nor password.

    Python gives names only of certificates that it trusts, so a second handshake trusts exactly
    the one that was seen in the first. None if the host cannot be asked.
    """
    try:
        async with asyncio.timeout(settings.connect_timeout):
            der = (await _shake_hands(settings, _without_roots())).getpeercert(True) or b""
    except FOREIGN:
        return None
    try:
        async with asyncio.timeout(settings.connect_timeout):
            decoded = (await _shake_hands(settings, _only(der))).getpeercert() or {}
    except FOREIGN:
        return Certificate(fingerprint(der))  # out of date, so Python shows no names
    subject = ", ".join("=".join(pair) for part in decoded.get("subject", ()) for pair in part)
    names = tuple(str(pair[1]) for pair in decoded.get("subjectAltName", ()))
    return Certificate(fingerprint(der), subject, names)


async def _shake_hands(settings: FtpSettings, context: ssl.SSLContext) -> ssl.SSLObject:
    implicit = settings.tls == "implicit"
    client = FtpClient(
        connect_timeout=settings.connect_timeout,
        server_name=server_name(settings),
        implicit_tls=context if implicit else None,
    )
    try:
        await client.connect(settings.host, settings.port)
        if not implicit:
            await client.upgrade_to_tls(context)
        if client.tls is None:
            raise ConnectionResetError
        return client.tls
    finally:
        client.hang_up()


def untrusted(settings: FtpSettings, reason: str, certificate: Certificate | None) -> TlsUntrusted:
    """The error that shows the certificate, and the two settings that can make it trusted."""
    shown = ""
    if certificate is not None:
        names = ", ".join(certificate.names) or "none"
        shown = (
            f" The certificate: subject {certificate.subject or 'unknown'}, names {names}, "
            f"SHA-256 {certificate.sha256}."
        )
    return TlsUntrusted(
        f"The certificate of the FTP host {settings.host} is not to be trusted: {reason}.{shown}",
        remedy=(
            "If one of these names is your host's, set ftp.tls_server_name to it; if the host "
            "confirms the SHA-256, set ftp.tls_pin_sha256 to it. Otherwise talk to the host: "
            "somebody may be listening in."
        ),
        code="ftp-tls-untrusted",
        certificate=None if certificate is None else asdict(certificate),
    )


class TlsMemory:
    """Which hosts have ever spoken TLS with us: there we never go back to plain text.

    Kept in ``file``, one ``host:port`` a line, or in memory if that is None.
    Raises StorageProblem if the file cannot be read or written: forgetting would open the door
    to whoever strips TLS away.
    """

    def __init__(self, file: Path | None, settings: FtpSettings) -> None:
        self._file = file
        self._host = f"{settings.host.lower()}:{settings.port}"
        self.seen = self._host in self._read()

    def _read(self) -> list[str]:
        if self._file is None:
            return []
        try:
            # Bytes that are no text stand for no host, and must not keep us from starting.
            return self._file.read_text(encoding="utf-8", errors="replace").splitlines()
        except FileNotFoundError:
            return []
        except OSError as error:
            raise from_os_error(error, f"read {self._file}") from error

    async def remember(self) -> None:
        """Note for good that this host speaks TLS."""
        if self.seen:
            return
        self.seen = True
        if self._file is not None:
            await asyncio.to_thread(self._append, self._file)

    def _append(self, file: Path) -> None:
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            with file.open("a", encoding="utf-8") as lines:
                lines.write(f"{self._host}\n")
                lines.flush()
                os.fsync(lines.fileno())
            crash.at("tls.remembered")
        except OSError as error:
            raise from_os_error(error, f"write {file}") from error
