"""What every media host must keep, whatever server stands behind it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from mediawatch.clock import SystemClock
from mediawatch.errors import StorageProblem
from mediawatch.hosts.base import MediaHost, new_key
from mediawatch.hosts.ftp import FtpHost
from tests.support.ftp_daemons import PROFTPD, PURE_FTPD, VSFTPD, Rules, ftp_daemon
from tests.support.ftp_servers import FtpServer, aioftpd, make_certificates, pyftpd


@dataclass
class Rig:
    """A host and the server behind it."""

    host: MediaHost
    server: FtpServer


@pytest.fixture(
    params=[
        "aioftp",
        "pyftpdlib",
        "pyftpdlib tls",
        *(f"{kind}{tls}" for kind in (VSFTPD, PROFTPD, PURE_FTPD) for tls in ("", " tls")),
        *(f"{kind} implicit" for kind in (VSFTPD, PROFTPD)),
    ]
)
async def rig(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Rig]:
    kind, _, tls = request.param.partition(" ")
    certificates = make_certificates(tmp_path / "tls") if tls else None
    folder = tmp_path / "served"
    folder.mkdir()
    async with AsyncExitStack() as stack:
        server: FtpServer
        match kind:
            case "aioftp":
                server = await stack.enter_async_context(aioftpd(folder))
            case "pyftpdlib":
                server = stack.enter_context(pyftpd(folder, certificates))
            case _:
                rules = Rules(implicit=tls == "implicit")
                server = stack.enter_context(ftp_daemon(kind, tmp_path, certificates, rules))
        host = FtpHost(server.settings(), clock=SystemClock())
        stack.push_async_callback(host.close)
        yield Rig(host, server)


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    file = tmp_path / "picture.jpg"
    file.write_bytes(bytes(range(256)) * 5000)
    return file


async def test_stored_file_is_whole_and_alone(rig: Rig, picture: Path) -> None:
    """put stores every byte under the key, and leaves no temporary file behind."""
    key = new_key()
    stored = await rig.host.put(picture, key)
    assert rig.server.files() == {key: picture.read_bytes()}
    assert (stored.key, stored.size) == (key, picture.stat().st_size)
    assert stored.url == rig.host.url_for(key)


async def test_put_may_be_repeated(rig: Rig, picture: Path) -> None:
    """The same file under the same key twice is one file, and no error."""
    key = new_key()
    assert await rig.host.put(picture, key) == await rig.host.put(picture, key)
    assert list(rig.server.files()) == [key]


async def test_put_replaces_what_a_crash_left(rig: Rig, picture: Path) -> None:
    """A file of another size under the key is not taken for the upload."""
    key = new_key()
    (rig.server.folder / "upload").mkdir(exist_ok=True)
    (rig.server.folder / "upload" / key).write_bytes(b"half")
    await rig.host.put(picture, key)
    assert rig.server.files() == {key: picture.read_bytes()}


async def test_empty_file(rig: Rig, tmp_path: Path) -> None:
    """A file of no bytes is a file too."""
    empty = tmp_path / "empty"
    empty.touch()
    assert (await rig.host.put(empty, "empty.txt")).size == 0
    assert rig.server.files() == {"empty.txt": b""}


async def test_delete_removes_and_forgives(rig: Rig, picture: Path) -> None:
    """delete removes the key; a key that is not there is no error."""
    key = new_key()
    await rig.host.put(picture, key)
    await rig.host.delete(key)
    await rig.host.delete(key)
    assert rig.server.files() == {}


async def test_local_file_that_is_gone(rig: Rig, tmp_path: Path) -> None:
    """A file of ours that cannot be read is our problem, not the host's."""
    with pytest.raises(StorageProblem, match=r"gone\.jpg"):
        await rig.host.put(tmp_path / "gone.jpg", new_key())


async def test_check_tells_each_step_and_cleans_up(rig: Rig) -> None:
    """check tries all that put and delete need, one finding a step, and leaves nothing behind."""
    findings = await rig.host.check()
    steps = ["connect", "TLS", "login", "write", "TLS session", "SIZE"]
    steps += ["read back", "rename", "delete"]
    assert [(step, True) for step in steps] == [(f.name, f.ok) for f in findings], findings
    assert rig.server.files() == {}


async def test_close_may_be_repeated(rig: Rig, picture: Path) -> None:
    """close takes leave of a used host, and does nothing the second time."""
    await rig.host.put(picture, "picture.jpg")
    await rig.host.close()
    await rig.host.close()
    assert {"picture.jpg": picture.read_bytes()} == rig.server.files()
