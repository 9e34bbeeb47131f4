"""FtpHost against the servers that most hosts run: limits, breaks, full disks, NAT, resuming."""

from __future__ import annotations

import asyncio
import ftplib
import os
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from mediawatch.clock import SystemClock
from mediawatch.hosts.base import CredentialsRefused, HostFull
from mediawatch.hosts.ftp import FtpHost
from tests.support.ftp_daemons import (
    KINDS,
    PROFTPD,
    PURE_FTPD,
    VSFTPD,
    FtpDaemon,
    Rules,
    ftp_daemon,
)
from tests.support.ftp_servers import PASSWORD, make_certificates

SMALL = b"\xff\xd8" + b"picture" * 100_000
LARGE = bytes(range(256)) * (12 << 12)  # 12 MiB: enough to be gone on with

kinds = pytest.mark.parametrize("kind", KINDS)


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    file = tmp_path / "picture.jpg"
    file.write_bytes(SMALL)
    return file


@pytest.fixture
def large(tmp_path: Path) -> Path:
    file = tmp_path / "large.jpg"
    file.write_bytes(LARGE)
    return file


@asynccontextmanager
async def a_host(server: FtpDaemon, **changes: Any) -> AsyncIterator[FtpHost]:
    """A host that uses the server, and is closed at the end."""
    host = FtpHost(server.settings(**changes), clock=SystemClock())
    try:
        yield host
    finally:
        await host.close()


async def until_it_grows(server: FtpDaemon, task: asyncio.Task[Any] | None, size: int) -> None:
    """Return when so many bytes of some file have arrived; the upload must still be on."""
    upload = server.folder / "upload"
    while max((file.stat().st_size for file in upload.iterdir()), default=0) < size:
        assert task is None or not task.done()
        await asyncio.sleep(0.01)


async def until_all_are_on(server: FtpDaemon, sessions: int) -> None:
    """Return when so many sessions of the server live: on a busy machine some log in late."""
    while len(server.sessions()) < sessions:  # noqa: ASYNC110 - as below
        await asyncio.sleep(0.01)


async def until_it_hangs_up(server: FtpDaemon) -> None:
    """Return when no session of the server is left."""
    while server.sessions():  # noqa: ASYNC110 - another process cannot set an event
        await asyncio.sleep(0.05)


@kinds
async def test_a_limit_is_found_and_kept(kind: str, tmp_path: Path, picture: Path) -> None:
    """A host that allows three connections says so in its own way (421, 530): the pool shrinks
    to what it allows, and all files arrive."""
    with ftp_daemon(kind, tmp_path, rules=Rules(limit=3)) as server:
        async with a_host(server, connections=6) as host:
            # A refusal may come when the others have brought all there is: then there is more.
            names = []
            while not names or (host.connections > 3 and len(names) < 200):
                more = [f"{len(names) + n}.jpg" for n in range(20)]
                await asyncio.gather(*(host.put(picture, name) for name in more))
                names += more
            assert host.connections <= 3
        assert set(names) == server.names()


@kinds
@pytest.mark.parametrize("encrypted", [False, True])
async def test_sessions_killed_in_mid_upload(
    kind: str, encrypted: bool, tmp_path: Path, large: Path
) -> None:
    """Server processes that die in mid-upload cost nothing but time: all files arrive, whole,
    and no temporary file stays."""
    certificates = make_certificates(tmp_path / "tls") if encrypted else None
    with ftp_daemon(kind, tmp_path, certificates) as server:
        async with a_host(server, max_rate=60_000_000) as host:
            uploads = [asyncio.create_task(host.put(large, f"{n}.jpg")) for n in range(4)]
            await until_it_grows(server, uploads[0], 1 << 20)
            await until_all_are_on(server, 4)
            assert server.kill_sessions() >= 4
            await asyncio.gather(*uploads)
        assert {f"{n}.jpg" for n in range(4)} == server.names()
        assert {LARGE} == set(server.files().values())


@kinds
async def test_server_killed_in_mid_upload(kind: str, tmp_path: Path, large: Path) -> None:
    """A server that dies and is started again costs nothing but time."""
    with ftp_daemon(kind, tmp_path) as server:
        async with a_host(server, max_rate=30_000_000) as host:
            upload = asyncio.create_task(host.put(large, "a.jpg"))
            await until_it_grows(server, upload, 1 << 20)
            server.kill()
            server.start()
            await upload
        assert {"a.jpg": LARGE} == server.files()


@kinds
@pytest.mark.parametrize("encrypted", [False, True])
async def test_a_large_file_is_gone_on_with(
    kind: str, encrypted: bool, tmp_path: Path, large: Path
) -> None:
    """After a break a large file is sent from where it stopped, and told to be pieced."""
    certificates = make_certificates(tmp_path / "tls") if encrypted else None
    with ftp_daemon(kind, tmp_path, certificates) as server:
        async with a_host(server, max_rate=20_000_000) as host:
            upload = asyncio.create_task(host.put(large, "a.jpg"))
            await until_it_grows(server, upload, 4 << 20)
            server.kill_sessions()
            assert (await upload).pieced
        assert {"a.jpg": LARGE} == server.files()


@kinds
@pytest.mark.parametrize(("content", "pieced"), [(SMALL, False), (LARGE, True)])
async def test_the_next_life_finds_what_a_crash_left(
    kind: str, content: bytes, pieced: bool, tmp_path: Path
) -> None:
    """A daemon that was killed in mid-upload leaves a temporary file; the next one knows its
    name from the key: a large one is gone on with, a small one removed."""
    file = tmp_path / "file.jpg"
    file.write_bytes(content)
    with ftp_daemon(kind, tmp_path) as server:
        async with a_host(server, max_rate=len(content) * 2) as killed:
            upload = asyncio.create_task(killed.put(file, "a.jpg"))
            await until_it_grows(server, upload, len(content) // 3)
            upload.cancel()
            await asyncio.wait({upload})
        assert {"a.part"} == server.names()
        async with a_host(server) as host:
            assert pieced == (await host.put(file, "a.jpg")).pieced
        assert {"a.jpg": content} == server.files()


async def test_a_file_that_is_still_written_gets_another_name(tmp_path: Path, large: Path) -> None:
    """vsftpd says nothing to who stores a file that another connection still writes: it is left
    alone, and the file arrives under a new temporary name."""
    with ftp_daemon(VSFTPD, tmp_path) as server, ftplib.FTP(timeout=5) as other:  # noqa: S321
        other.connect("127.0.0.1", server.port)
        other.login("anonymous", PASSWORD)
        hanging = other.transfercmd("STOR /upload/a.part")
        hanging.sendall(LARGE[: 1 << 20])
        async with a_host(server, connect_timeout=0.3, io_timeout=0.3) as host:
            await until_it_grows(server, None, 1)
            await host.put(large, "a.jpg")
        hanging.close()
        assert {"a.jpg": LARGE} == server.files()


@contextmanager
def a_small_disk(server: FtpDaemon, size: str) -> Iterator[Path]:
    """A disk of that size where the server puts uploads."""
    upload = server.folder / "upload"
    owner = upload.stat()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(upload)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        if os.environ.get("MEDIAWATCH_REQUIRE_ALL") == "1":
            pytest.fail(done.stderr)
        pytest.skip(f"only root may mount: {done.stderr}")
    try:
        os.chown(upload, owner.st_uid, owner.st_gid)
        yield upload
    finally:
        subprocess.run(["umount", "-l", str(upload)], check=True)


@kinds
async def test_disk_full(kind: str, tmp_path: Path, large: Path, picture: Path) -> None:
    """A full disk is said, in whatever words; what arrived of the file does not stay to take up
    room, and a file that fits still arrives."""
    with ftp_daemon(kind, tmp_path) as server, a_small_disk(server, "4m"):
        async with a_host(server) as host:
            with pytest.raises(HostFull, match=r"disk is full|no space left"):
                await host.put(large, "large.jpg")
            assert set() == server.names()
            await host.put(picture, "a.jpg")
        assert {"a.jpg"} == server.names()


@pytest.mark.parametrize("kind", [VSFTPD, PROFTPD])
@pytest.mark.parametrize("encrypted", [False, True])
async def test_idle_time_out_is_not_noticed(
    kind: str, encrypted: bool, tmp_path: Path, picture: Path
) -> None:
    """A server that hangs up on idle connections: the next upload just works."""
    certificates = make_certificates(tmp_path / "tls") if encrypted else None
    with ftp_daemon(kind, tmp_path, certificates, Rules(idle=1)) as server:
        host = FtpHost(server.settings(), clock=SystemClock())
        await host.put(picture, "a.jpg")
        await until_it_hangs_up(server)
        await host.put(picture, "b.jpg")
        await host.close()
        assert {"a.jpg", "b.jpg"} == server.names()


@kinds
@pytest.mark.parametrize("passive", ["epsv", "pasv"])
async def test_wrong_passive_address(
    kind: str, passive: str, tmp_path: Path, picture: Path
) -> None:
    """Behind NAT servers name an address that nobody can reach: it is not used."""
    with ftp_daemon(kind, tmp_path, rules=Rules(address="10.9.8.7")) as server:
        async with a_host(server, passive=passive) as host:
            await host.put(picture, "a.jpg")
        assert {"a.jpg": SMALL} == server.files()


@kinds
async def test_names_that_are_not_ascii(kind: str, tmp_path: Path, picture: Path) -> None:
    """Folders and files may have names of any language, with blanks and quotes."""
    names = ["Größe 大.jpg", 'a "b" c\'d.jpg', "[x] {y} #z%20.jpg"]
    folder = "/upload/Fotos für Ämter/写真 2026"
    with ftp_daemon(kind, tmp_path) as server:
        async with a_host(server, upload_dir=folder) as host:
            for name in names:
                await host.put(picture, name)
            there = server.folder / folder.lstrip("/")
            assert set(names) == {file.name for file in there.iterdir()}
            for name in names:
                await host.delete(name)
            assert [] == list(there.iterdir())


@kinds
async def test_wrong_password(kind: str, tmp_path: Path, picture: Path) -> None:
    """Each server's refusal is understood as one: not tried again, even when asked to."""
    with ftp_daemon(kind, tmp_path) as server:
        # Pure-FTPd takes its time to refuse.
        async with a_host(server, password="not-it", io_timeout=20) as host:
            for _ in range(3):
                with pytest.raises(CredentialsRefused):
                    await host.put(picture, "a.jpg")
                host.try_now()
                server.kill()  # whoever connected now would meet another error


async def test_pure_ftpd_without_overwriting(tmp_path: Path, large: Path) -> None:
    """A server that puts a file that is there already under another name (Pure-FTPd's -r) gets a
    broken file whole."""
    with ftp_daemon(PURE_FTPD, tmp_path, rules=Rules(lines=("-r",))) as server:
        server.leave("a.part", LARGE[: 1 << 20])
        async with a_host(server) as host:
            await host.put(large, "a.jpg")
        assert {"a.jpg": LARGE} == server.files()


async def test_proftpd_without_overwriting(tmp_path: Path, large: Path) -> None:
    """A server that neither overwrites nor goes on with files (ProFTPD's own default) gets a
    broken file anew, under another name."""
    place = tmp_path / "strict"
    place.mkdir()
    rules = Rules(lines=("AllowOverwrite off", "AllowStoreRestart off"))
    with ftp_daemon(PROFTPD, place, rules=rules) as server:
        server.leave("a.part", LARGE[: 1 << 20])
        server.leave("a-2.part", b"older")
        async with a_host(server) as host:
            assert not (await host.put(large, "a.jpg")).pieced
        assert {"a.jpg": LARGE} == server.files()


@pytest.mark.parametrize("tls", ["", "tls"])
async def test_a_drop_box_is_told_and_is_no_failure(tmp_path: Path, tls: str) -> None:
    """A vsftpd that hands nothing out: the check says so, and goes on to its end."""
    certificates = make_certificates(tmp_path / "tls") if tls else None
    rules = Rules(lines=("download_enable=NO",))
    with ftp_daemon(VSFTPD, tmp_path, certificates, rules) as server:
        async with a_host(server) as host:
            findings = {found.name: found for found in await host.check()}
    assert "hands none out" in findings["read back"].detail
    assert all(found.ok for found in findings.values())
    assert findings["delete"].ok
