"""FTP server and web server over one folder: a web host as Meta sees it."""

from __future__ import annotations

from pathlib import Path

import aiohttp
import pytest

from mediawatch.clock import SystemClock
from mediawatch.hosts.base import new_key
from mediawatch.hosts.ftp import FtpHost
from mediawatch.hosts.reach import Reach
from mediawatch.hosts.reach_problems import UrlRefused
from tests.support.ftp_servers import published_folder


async def test_what_is_put_is_seen_by_the_world(tmp_path: Path) -> None:
    """The address that put gives serves the very file; after delete it does not."""
    picture = tmp_path / "picture.jpg"
    picture.write_bytes(b"\xff\xd8" + bytes(range(256)) * 1000)
    async with published_folder(tmp_path / "www") as web, aiohttp.ClientSession() as session:
        host = FtpHost(web.settings(), clock=SystemClock())
        reach = Reach(session, delays=(0,))
        stored = await host.put(picture, new_key())
        await reach.prove(stored.url, picture, "image/jpeg")
        await host.delete(stored.key)
        with pytest.raises(UrlRefused, match="is not there") as caught:
            await reach.prove(stored.url, picture, "image/jpeg")
        await host.close()
    assert "url-not-found" == caught.value.code
    assert "ftp.public_url" in caught.value.remedy
