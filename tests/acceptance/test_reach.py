"""A web host that does not serve what was uploaded: found out before Meta is asked for anything.

Real FTP server, web server and simulator; the fault table is shared with the unit tests.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from mediawatch.config import FtpSettings
from mediawatch.hosts.base import new_key
from mediawatch.hosts.ftp import FtpHost
from mediawatch.hosts.reach import Reach
from mediawatch.log import silent
from mediawatch.model.lifecycle import Stage, State
from mediawatch.model.posts import Item, Post
from mediawatch.pipeline.fetchable import Fetchable
from mediawatch.pipeline.outcomes import Outcome
from mediawatch.pipeline.runner import Runner
from mediawatch.pipeline.upload import Upload
from mediawatch.pipeline.work import Work
from tests.support.ftp_servers import PublishedFolder, published_folder, pyftpd
from tests.support.pictures import jpeg
from tests.support.publishing import Bench, bench
from tests.support.river import River
from tests.support.web_faults import (
    HTTP_FAULTS,
    META,
    TLS_FAULTS,
    Certificates,
    Fault,
    saying,
    to_meta,
)
from tests.support.web_host import web_host

PICTURE = jpeg(400, 320)
POST = "00000000beac"


class Shore:
    """A picture that is prepared, and the river from there on: upload, fetch, container, on."""

    def __init__(
        self, bench: Bench, ftp: FtpSettings, session: aiohttp.ClientSession, limit: float
    ) -> None:
        self.bench = bench
        #: What happens to the web host between the upload and the call to Meta.
        self.meanwhile: Callable[[], None] = lambda: None
        reach = Reach(session, delays=(0,), limit=limit, clock=bench.clock)
        self._fetchable = Fetchable(bench.publish.container, reach)
        self.host = FtpHost(ftp, clock=bench.clock)
        self.runner = Runner(
            bench.journal,
            bench.engine,
            bench.clock,
            silent(),
            steps={
                Stage.UPLOAD: Upload(self.host, reach, host_name=ftp.host, prepare=_prepared),
                Stage.CONTAINER: self._container,
                Stage.PUBLISH: bench.publish.publish,
                Stage.CONFIRM: bench.publish.confirm,
                Stage.ARCHIVE: bench._file,
            },
            set_aside=bench._set_aside,
            retry_delays=(60.0, 300.0),
        )

    async def _container(self, work: Work) -> Outcome:
        self.meanwhile()
        return await self._fetchable(work)

    async def advance(self, folder: Path) -> Post:
        """A post that stands before its upload, after one worker has had it."""
        picture = folder / "prepared.jpg"
        picture.write_bytes(PICTURE)
        item = Item(
            POST,
            0,
            "beach.jpg",
            Path("/nowhere/beach.jpg"),
            "00",
            1,
            prepared=picture,
            prepared_sha256=hashlib.sha256(PICTURE).hexdigest(),
            prepared_size=len(PICTURE),
            remote_key=new_key(),
        )
        await self.bench.post(id=POST, stage=Stage.UPLOAD, items=(item,))
        await self.runner.advance(POST)
        return await self.bench.find(POST)

    @property
    def calls(self) -> int:
        """How often Meta was asked for anything at all."""
        return sum(self.bench.simulator.state.asked.values())


async def _prepared(_: Work, item: Item) -> Item:
    raise AssertionError(f"{item.name} is prepared already")


@asynccontextmanager
async def shore(
    folder: Path, ftp: FtpSettings, *, limit: float = 5.0, trust: Certificates | None = None
) -> AsyncIterator[Shore]:
    """The river from the upload on, with a journal in ``folder``."""
    connector = aiohttp.TCPConnector(ssl=trust.trusting) if trust else None
    async with bench(folder) as river, aiohttp.ClientSession(connector=connector) as session:
        made = Shore(river, ftp, session, limit)
        try:
            yield made
        finally:
            await made.host.close()


def _stands(post: Post, *, parked: bool, code: str, says: str, remedy: str) -> None:
    """It waits before its container, parked for a person or for a moment, and says why."""
    assert (Stage.UPLOAD, State.WAITING) == (post.stage, post.state)
    assert (parked, code) == (post.parked, post.reason)
    assert says in (post.detail or "")
    assert remedy in (post.remedy or "")
    assert (0 if parked else 1) == post.attempts


@pytest.fixture
async def host(tmp_path: Path) -> AsyncIterator[PublishedFolder]:
    async with published_folder(tmp_path / "host") as published:
        yield published


@pytest.mark.parametrize("fault", HTTP_FAULTS, ids=repr)
async def test_no_call_is_spent_on_a_picture_that_cannot_be_fetched(
    host: PublishedFolder, tmp_path: Path, fault: Fault
) -> None:
    """Whatever the web server does instead of serving the picture: Meta is asked for nothing,
    the post is parked or tried again as the cause deserves, and it says what to do."""
    host.web.fault = fault.answer
    limit = 0.3 if fault.code == "url-too-slow" else 5.0
    async with shore(tmp_path, host.settings(), limit=limit) as river:
        post = await river.advance(tmp_path)
        assert 0 == river.calls
    _stands(post, parked=fault.parked, code=fault.code, says=fault.says, remedy=fault.remedy)


async def test_no_call_is_spent_on_a_picture_that_is_changed_on_the_way(
    host: PublishedFolder, tmp_path: Path
) -> None:
    """The same length, other bytes."""
    host.web.fault = saying(200, bytes(len(PICTURE)), Content_Type="image/jpeg")
    async with shore(tmp_path, host.settings()) as river:
        post = await river.advance(tmp_path)
        assert 0 == river.calls
    _stands(
        post,
        parked=True,
        code="url-other-content",
        says="something else than the file",
        remedy="optimisers",
    )


@pytest.mark.parametrize(("which", "says", "remedy"), TLS_FAULTS)
async def test_no_call_is_spent_behind_a_certificate_that_meta_would_not_trust(
    tmp_path: Path, which: str, says: str, remedy: str
) -> None:
    """Self-signed, expired, of another name, of an authority that nobody knows."""
    certificates, folder = Certificates(), tmp_path / "host"
    (folder / "upload").mkdir(parents=True)
    with pyftpd(folder) as server:
        async with web_host(folder, tls=getattr(certificates, which)()) as web:
            ftp = server.settings(public_url=f"{web.url}/upload")
            async with shore(tmp_path, ftp, trust=certificates) as river:
                post = await river.advance(tmp_path)
                assert 0 == river.calls
    _stands(post, parked=True, code="url-untrusted", says=says, remedy=remedy)


def _as_https(url: str) -> str:
    return url.replace("http:", "https:")


def _with_unknown_name(url: str) -> str:
    return "http://mediawatch.invalid/upload"


def _with_nobody_there(url: str) -> str:
    return "http://127.0.0.1:1/upload"


@pytest.mark.parametrize(
    ("address", "parked", "code", "says", "remedy"),
    [
        (_as_https, True, "url-no-https", "does not speak https", "Write http://"),
        (_with_unknown_name, False, "url-unreachable", "is not found", "Check the name"),
        (_with_nobody_there, False, "url-unreachable", "cannot be fetched", "ftp.public_url"),
    ],
)
async def test_no_call_is_spent_on_an_address_that_leads_nowhere(
    host: PublishedFolder,
    tmp_path: Path,
    address: Callable[[str], str],
    parked: bool,
    code: str,
    says: str,
    remedy: str,
) -> None:
    """ftp.public_url is wrong in its scheme, its name or its port."""
    async with shore(tmp_path, host.ftp.settings(public_url=address(host.public_url))) as river:
        post = await river.advance(tmp_path)
        assert 0 == river.calls
    _stands(post, parked=parked, code=code, says=says, remedy=remedy)


async def test_no_call_is_spent_against_a_robots_txt(host: PublishedFolder, tmp_path: Path) -> None:
    """It names Meta's fetcher, so Meta would refuse."""
    host.ftp.folder.joinpath("robots.txt").write_text(f"User-agent: {META}\nDisallow: /upload/\n")
    async with shore(tmp_path, host.settings()) as river:
        post = await river.advance(tmp_path)
        assert 0 == river.calls
    _stands(
        post,
        parked=True,
        code="url-robots",
        says="robots.txt forbids Meta's fetcher",
        remedy="Add two lines",
    )


async def test_a_picture_that_can_be_fetched_is_published(
    host: PublishedFolder, tmp_path: Path
) -> None:
    """The control for all of the above: the same river, with nothing in the way."""
    async with shore(tmp_path, host.settings()) as river:
        post = await river.advance(tmp_path)
        assert State.DONE == post.state, post
        assert river.calls
        assert ["Hello"] == river.bench.published


# Meta refuses all the same.

NOT_FETCHED = {"on": "create", "do": "error", "code": 9004, "subcode": 2207052}


@pytest.mark.parametrize(
    ("robots", "fault", "parked", "code", "says", "remedy"),
    [
        ("User-agent: *\nDisallow: /\n", None, True, "url-robots", "Disallow: /", "two lines"),
        ("", to_meta(saying(403)), True, "url-bot-rule", "not to Meta's fetcher", META),
        ("", None, False, "not-fetchable", "9004/2207052", "bars Meta's network"),
    ],
)
async def test_metas_refusal_is_explained_with_what_is_seen_from_here(
    host: PublishedFolder,
    tmp_path: Path,
    robots: str,
    fault: object,
    parked: bool,
    code: str,
    says: str,
    remedy: str,
) -> None:
    """9004/2207052 after our own check passed: robots.txt and a bot rule that came since are
    looked for, and told; where nothing is to be seen, that is told too."""
    host.ftp.folder.joinpath("robots.txt").write_text(robots)
    async with shore(tmp_path, host.settings()) as river:
        river.bench.simulator.script(NOT_FETCHED)
        river.meanwhile = lambda: setattr(host.web, "fault", fault)
        post = await river.advance(tmp_path)
    assert (Stage.CONTAINER, State.WAITING, parked) == (post.stage, post.state, post.parked)
    assert code == post.reason
    assert "9004/2207052" in (post.detail or "")
    assert says in (post.detail or "")
    assert remedy in (post.remedy or "")


# The daemon itself.


async def test_a_daemon_waits_for_its_web_host_to_be_mended(river: River) -> None:
    """A bot rule: no call is spent on the posts, they lie safe, and the log says it once each;
    with the rule gone the next start publishes them."""
    river.host.web.fault = to_meta(saying(403))
    originals = river.drop_pictures(2)
    async with river.daemon():
        for name in originals:
            post = await river.post(name, state="waiting", parked=True)
            assert "url-bot-rule" == post.reason
            assert META in (post.remedy or "")
        asked = river.simulator.state.snapshot()["asked"]
        assert 0 == asked.get("create", 0) + asked.get("media_publish", 0)
    river.host.web.fault = None
    async with river.daemon():
        await river.arrived(originals)


async def test_a_daemon_tells_why_meta_could_not_fetch(river: River) -> None:
    """Meta refuses with 9004 and robots.txt forbids every fetcher: that is told, and obeyed."""
    (river.host.ftp.folder / "robots.txt").write_text("User-agent: *\nDisallow: /\n")
    river.simulator.script(NOT_FETCHED)
    river.drop_pictures(1)
    async with river.daemon():
        post = await river.post("picture001.jpg", state="waiting", parked=True)
        assert "url-robots" == post.reason
        assert "robots.txt forbids Meta's fetcher" in (post.detail or "")
        assert "Add two lines to robots.txt" in (post.remedy or "")
