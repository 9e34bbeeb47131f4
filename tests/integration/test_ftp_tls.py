"""FTP over TLS: order of the data handshake, session reuse, trust, and no way back to plain."""

from __future__ import annotations

import asyncio
import hashlib
import ssl
from pathlib import Path
from typing import Any

import pytest

from mediawatch.clock import SystemClock
from mediawatch.errors import Handling, HostProblem, StorageProblem
from mediawatch.hosts.base import HostRefused, HostUnavailable, TlsUntrusted
from mediawatch.hosts.ftp import FtpHost
from mediawatch.hosts.ftp_connection import HostKnowledge
from mediawatch.hosts.ftp_session import FtpSession
from mediawatch.hosts.ftp_tls import TlsMemory, make_context
from mediawatch.hosts.ftp_transfer import LocalFile
from tests.support.ftp_daemons import PROFTPD, VSFTPD, Rules, ftp_daemon
from tests.support.ftp_servers import Certificates, make_certificates, pyftpd
from tests.support.scripted_ftp import ScriptedFtp, scripted_ftp


@pytest.fixture
def certificates(tmp_path: Path) -> Certificates:
    return make_certificates(tmp_path / "tls")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    served = tmp_path / "served"
    served.mkdir()
    return served


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    file = tmp_path / "picture.jpg"
    file.write_bytes(b"\xff\xd8" + b"picture" * 100_000)
    return file


def sha256(certificates: Certificates) -> str:
    pem = certificates.chain.read_text().partition("-----END CERTIFICATE-----")
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem[0] + pem[1])).hexdigest()


async def no_pause(_: float) -> None:
    await asyncio.sleep(0)


def quick(settings: Any, remember: Path | None = None) -> FtpHost:
    return FtpHost(settings, clock=SystemClock(), remember_tls=remember, sleep=no_pause)


def tls_settings(fake: ScriptedFtp, certificates: Certificates, **changes: Any) -> Any:
    return fake.settings(tls="explicit", tls_ca_file=certificates.ca, **changes)


async def test_stor_precedes_the_client_hello(certificates: Certificates, picture: Path) -> None:
    """The TLS handshake of a data connection begins only after STOR was answered: vsftpd,
    ProFTPD and Pure-FTPd never answer it before."""
    async with scripted_ftp(certificates.server_context()) as fake:
        host = quick(tls_settings(fake, certificates, connect_timeout=0.3))
        with pytest.raises(HostUnavailable):  # the fake does no TLS on data connections
            await host.put(picture, "a.jpg")
        await host.close()
    begun = [event.split(" ")[0] for event in fake.events]
    assert ["STOR", "client-hello"] == begun[begun.index("STOR") :][:2]
    assert "data" not in begun


@pytest.mark.parametrize("kind", [VSFTPD, PROFTPD])
@pytest.mark.parametrize("implicit", [False, True])
async def test_session_is_resumed(
    kind: str, implicit: bool, tmp_path: Path, certificates: Certificates, picture: Path
) -> None:
    """Each data connection resumes the TLS session of the control connection, as ProFTPD,
    vsftpd and FileZilla demand."""
    with ftp_daemon(kind, tmp_path, certificates, Rules(implicit=implicit)) as server:
        settings = server.settings()
        known = HostKnowledge(TlsMemory(None, settings))
        session = FtpSession(settings, make_context(settings), known, SystemClock())
        await session.open()
        resumed = []
        for number in range(5):
            await session.store(LocalFile.read(picture), f"{number}.jpg")
            resumed.append(session.resumed)
        await session.quit(1)
    assert [True] * 5 == resumed


async def test_many_files_over_tls(
    tmp_path: Path, certificates: Certificates, picture: Path
) -> None:
    """Forty files over four connections arrive whole on a server that demands session reuse."""
    with ftp_daemon(PROFTPD, tmp_path, certificates) as server:
        host = quick(server.settings(connections=4))
        await asyncio.gather(*(host.put(picture, f"{n}.jpg") for n in range(40)))
        await host.close()
        assert {f"{n}.jpg": picture.read_bytes() for n in range(40)} == server.files()


async def test_plaintext_behind_234_is_refused(certificates: Certificates, picture: Path) -> None:
    """Text that somebody slipped in before TLS began is never taken for an answer."""
    async with scripted_ftp(certificates.server_context()) as fake:
        fake.script["AUTH"] = [b"234 go on\r\n200 injected\r\n"]
        with pytest.raises(HostRefused) as caught:
            await quick(tls_settings(fake, certificates)).put(picture, "a.jpg")
    assert "ftp-tls-tampered" == caught.value.code
    assert 0 == fake.count("USER")


async def test_a_breakdown_behind_234_is_no_attack(
    certificates: Certificates, picture: Path
) -> None:
    """vsftpd says in plain text that it died, behind 234 too: the connection is given up, and
    the next one does it."""
    async with scripted_ftp(certificates.server_context()) as fake:
        fake.script["AUTH"] = [b"234 go on\r\n500 OOPS: child died\r\n"] * 3
        with pytest.raises(HostUnavailable, match="the server broke down"):
            await quick(tls_settings(fake, certificates)).put(picture, "a.jpg")
    assert 0 == fake.count("USER")


async def test_untrusted_certificate_is_shown(tmp_path: Path, picture: Path) -> None:
    """A certificate of another name is refused before the login, and shown with its names and
    SHA-256, so that the settings can name it."""
    other = make_certificates(tmp_path / "other", "shared-host.example")
    async with scripted_ftp(other.server_context()) as fake:
        with pytest.raises(TlsUntrusted) as caught:
            await quick(tls_settings(fake, other)).put(picture, "a.jpg")
    assert (Handling.HOLD, "ftp-tls-untrusted") == (caught.value.handling, caught.value.code)
    assert "shared-host.example" in caught.value.message
    assert sha256(other) in caught.value.message
    assert ["shared-host.example"] == list(caught.value.details["certificate"]["names"])
    assert (0, 0) == (fake.count("USER"), fake.count("STOR"))


async def test_server_name_makes_it_trusted(tmp_path: Path, picture: Path) -> None:
    """tls_server_name is the name that the certificate of a shared host is checked for."""
    other = make_certificates(tmp_path / "other", "shared-host.example")
    with ftp_daemon(PROFTPD, tmp_path, other) as server:
        host = quick(server.settings(tls_server_name="shared-host.example"))
        await host.put(picture, "a.jpg")
        await host.close()
        assert {"a.jpg": picture.read_bytes()} == server.files()


async def test_pin_makes_it_trusted(tmp_path: Path, picture: Path) -> None:
    """tls_pin_sha256 trusts exactly one certificate, whatever its name and issuer."""
    other = make_certificates(tmp_path / "other", "shared-host.example")
    with ftp_daemon(PROFTPD, tmp_path, other) as server:
        pinned = server.settings(tls_ca_file=None, tls_pin_sha256=sha256(other).upper())
        host = quick(pinned)
        await host.put(picture, "a.jpg")
        await host.close()
        assert {"a.jpg": picture.read_bytes()} == server.files()


async def test_wrong_pin_ends_before_the_login(certificates: Certificates, picture: Path) -> None:
    """With another certificate than the pinned one the user name is not even sent."""
    async with scripted_ftp(certificates.server_context()) as fake:
        settings = fake.settings(tls="explicit", tls_pin_sha256="ab" * 32)
        with pytest.raises(TlsUntrusted, match=sha256(certificates)):
            await quick(settings).put(picture, "a.jpg")
    assert 0 == fake.count("USER")


async def test_auto_uses_tls_and_remembers_it(
    folder: Path, certificates: Certificates, tmp_path: Path, picture: Path
) -> None:
    """tls = "auto" takes TLS where there is some, and never goes back to plain text on that
    host, not even after a restart."""
    memory = tmp_path / "data" / "tls_seen"
    async with scripted_ftp() as fake:
        with pyftpd(folder, certificates) as server:
            fake_port, server_port = fake.port, server.port
            host = quick(server.settings(tls="auto"), memory)
            await host.put(picture, "a.jpg")
            await host.close()
            assert host.caps.encrypted
        assert [f"localhost:{server_port}"] == memory.read_text().splitlines()
        memory.write_text(f"127.0.0.1:{fake_port}\n")
        stripped = quick(fake.settings(tls="auto"), memory)
        with pytest.raises(HostRefused, match="refuses TLS") as caught:
            await stripped.put(picture, "b.jpg")
    assert "ftp-no-tls" == caught.value.code
    assert 0 == fake.count("USER")


async def test_auto_goes_on_in_plain_where_tls_was_never_seen(
    tmp_path: Path, picture: Path
) -> None:
    """tls = "auto" uploads in plain text to a host that has no TLS, and says so."""
    memory = tmp_path / "tls_seen"
    async with scripted_ftp() as fake:
        host = quick(fake.settings(tls="auto"), memory)
        await host.put(picture, "a.jpg")
        await host.close()
    assert host.caps.encrypted is False
    assert {"/a.jpg": picture.read_bytes()} == fake.files
    assert not memory.exists()


@pytest.mark.parametrize(
    "changes", [{"tls": "explicit"}, {"tls": "auto", "tls_pin_sha256": "ab" * 32}]
)
async def test_plain_is_never_taken_unasked(picture: Path, changes: dict[str, str]) -> None:
    """No TLS on a host whose TLS the settings ask for: held, and nothing secret was sent."""
    async with scripted_ftp() as fake:
        with pytest.raises(HostRefused) as caught:
            await quick(fake.settings(**changes)).put(picture, "a.jpg")
    assert ("ftp-no-tls", 0) == (caught.value.code, fake.count("USER"))


async def test_unusable_ca_file(tmp_path: Path, picture: Path) -> None:
    """A tls_ca_file that is missing or no certificate is named in the error."""
    for ca in (tmp_path / "missing.pem", picture):
        async with scripted_ftp() as fake:
            with pytest.raises(HostProblem, match=ca.name) as caught:
                await quick(fake.settings(tls="explicit", tls_ca_file=ca)).put(picture, "a.jpg")
        assert "ftp-ca-file" == caught.value.code


def test_unreadable_memory_is_no_licence(tmp_path: Path) -> None:
    """If it cannot be read whether TLS was seen, plain text is not assumed to be fine."""
    folder_in_its_place = tmp_path / "tls_seen"
    folder_in_its_place.mkdir()
    with pytest.raises(StorageProblem):
        quick(ScriptedFtp().settings(port=21), folder_in_its_place)
