"""Web hosts that other tools could not get a picture onto, or left half a one on.

Real FTP servers from Debian, with a web server over the same folder.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from mediawatch.simulator import Simulator, SimulatorOptions
from tests.acceptance.test_disks import fill
from tests.integration.test_ftp_daemons import a_small_disk
from tests.support.ftp_daemons import PROFTPD, VSFTPD, Rules, ftp_daemon
from tests.support.ftp_servers import FtpServer, PublishedFolder, make_certificates
from tests.support.pictures import jpeg
from tests.support.river import River
from tests.support.simulator import TOKEN, USER
from tests.support.web_host import web_host

#: An address that is nobody's (RFC 5737): what a server behind NAT may take for its own.
NOWHERE = "192.0.2.1"


@asynccontextmanager
async def river_to(root: Path, ftp: FtpServer, **settings: str) -> AsyncIterator[River]:
    """A river whose web host is this server, with a web server over the same folder.

    ``settings``: more of the table ``[ftp]``, which last until the next ``configure``.
    """
    options = SimulatorOptions(token=TOKEN, users=(USER,))
    place = root / "river"
    place.mkdir()
    async with web_host(ftp.folder) as web, Simulator(options) as simulator:
        river = River(place, simulator, PublishedFolder(ftp, f"{web.url}/upload", web))
        if ftp.ca is not None:
            settings |= {"host": "localhost", "tls": ftp.tls, "tls_ca_file": str(ftp.ca)}
        river.configure(ftp={"user": ftp.user, **settings}, publish={"retry_delays": ["1h"]})
        yield river


@pytest.mark.parametrize("kind", [VSFTPD, PROFTPD])
async def test_a_server_behind_nat_that_demands_session_reuse_gets_every_picture(
    tmp_path: Path, kind: str
) -> None:
    """FTP over TLS, each data connection resuming the session of its control connection, at the
    address that we reached it at and not at the one that it names: each picture is published at
    the first try, and lies there whole."""
    certificates = make_certificates(tmp_path / "tls")
    with ftp_daemon(kind, tmp_path, certificates, Rules(address=NOWHERE)) as ftp:
        async with river_to(tmp_path, ftp, passive="pasv") as river:
            originals = river.drop_pictures(6)
            async with river.daemon():
                await river.arrived(originals)
            assert sorted(originals.values()) == sorted(ftp.files().values())


async def test_a_host_whose_disk_fills_up_shows_no_half_picture(tmp_path: Path) -> None:
    """At four fifths of the picture its disk is full: that is said, nothing lies under the final
    name, and nothing is asked of Meta; with room again the picture is published."""
    picture = jpeg(1400, 1100, quality=95)
    with ftp_daemon(PROFTPD, tmp_path) as ftp, a_small_disk(ftp, "4m") as upload:
        filler = fill(upload)
        os.truncate(filler, filler.stat().st_size - len(picture) * 4 // 5)
        async with river_to(tmp_path, ftp) as river:
            river.drop("beach.jpg", picture)
            async with river.daemon():
                post = await river.post("beach.jpg", state="waiting", reason="ftp-disk-full")
                assert "has no space left" in (post.detail or "")
                assert "Free some space" in (post.remedy or "")
                assert [] == list(upload.glob("*.jpg"))
                assert 0 == river.simulator.state.calls
                filler.unlink()
                assert 0 == (await river.run("posts", "retry", post.id)).code
                await river.arrived({"beach.jpg": picture})
            assert [picture] == list(ftp.files().values())
