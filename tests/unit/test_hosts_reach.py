"""Fetching our own address as Meta would: what is proof, and what is wrong with the rest."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from mediawatch.errors import Handling, HostProblem, StorageProblem
from mediawatch.hosts.reach import DAY, Reach
from tests.support.simulator import Clock
from tests.support.web_faults import (
    HTTP_FAULTS,
    META,
    PAGE,
    TLS_FAULTS,
    Certificates,
    Fault,
    saying,
    to_meta,
)
from tests.support.web_host import WebHost, web_host

NO_PAUSES = (0, 0, 0, 0)
SLOW = "url-too-slow"


class Standing:
    """A clock that only the test moves."""

    def __init__(self) -> None:
        self.time = Clock()

    def now(self) -> float:
        return self.time.now

    def monotonic(self) -> float:
        return self.time.now


class Told:
    """A log that keeps its warnings."""

    def __init__(self) -> None:
        self.warnings: list[str] = []

    def warning(self, message: str, **fields: Any) -> None:
        assert fields["remedy"]
        self.warnings.append(message)


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    folder = tmp_path / "www"
    folder.mkdir()
    file = folder / "a b.jpg"
    file.write_bytes(b"\xff\xd8" + bytes(range(256)) * 1000)
    return file


@pytest.fixture
async def host(picture: Path) -> AsyncIterator[WebHost]:
    async with web_host(picture.parent) as running:
        yield running


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def clock() -> Standing:
    return Standing()


@pytest.fixture
async def reach(clock: Standing, told: Told) -> AsyncIterator[Reach]:
    async with aiohttp.ClientSession() as session:
        yield Reach(session, delays=NO_PAUSES, limit=2, clock=clock, log=told)  # type: ignore[arg-type]


async def problem_of(reach: Reach, url: str, picture: Path) -> HostProblem:
    with pytest.raises(HostProblem) as caught:
        await reach.prove(url, picture, "image/jpeg")
    assert caught.value.remedy
    return caught.value


# Proof.


async def test_a_file_that_is_served_is_proved(host: WebHost, reach: Reach, picture: Path) -> None:
    """One request for the first 64 KiB, as Meta's fetcher would make it, name encoded."""
    await reach.prove(f"{host.url}/a b.jpg", picture, "image/jpeg")
    (request,) = host.pictures
    assert "/a%20b.jpg" == request.raw_path
    assert request.headers["User-Agent"].startswith("facebookexternalhit/1.1")
    assert "identity" == request.headers["Accept-Encoding"]
    assert "bytes=0-65535" == request.headers["Range"]


@pytest.mark.parametrize("size", [1, 65_535, 65_536, 65_537])
async def test_files_around_the_size_of_the_part(
    host: WebHost, reach: Reach, picture: Path, size: int
) -> None:
    """A file shorter, as long as, or a little longer than the part that is asked for."""
    picture.write_bytes(b"\xff" * size)
    await reach.prove(f"{host.url}/a%20b.jpg", picture, "image/jpeg")
    assert 1 == len(host.pictures)


@pytest.mark.parametrize("chunked", [False, True])
async def test_server_without_ranges(
    host: WebHost, reach: Reach, picture: Path, chunked: bool
) -> None:
    """A server that ignores the range, even one that does not tell the length, is fine."""

    async def whole(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "image/jpeg"})
        if not chunked:
            response.content_length = picture.stat().st_size
        await response.prepare(request)
        await response.write(picture.read_bytes())
        await response.write_eof()
        return response

    host.answers["/a b.jpg"] = [whole]
    await reach.prove(f"{host.url}/a b.jpg", picture, "image/jpeg")
    assert [] == host.answers["/a b.jpg"]


@pytest.mark.parametrize("told_of", ["bytes 0-65535/*", "bytes 5-9/10", f"bytes 0-9/{'9' * 30}"])
async def test_a_part_of_an_unknown_whole_proves_nothing(
    host: WebHost, reach: Reach, picture: Path, told_of: str
) -> None:
    """The server does not tell how long the file is: then all of it is fetched, and counted."""
    part = picture.read_bytes()[:65536]
    host.answers["/a b.jpg"] = [saying(206, part, Content_Type="image/jpeg", Content_Range=told_of)]
    await reach.prove(f"{host.url}/a b.jpg", picture, "image/jpeg")
    assert [True, False] == ["Range" in request.headers for request in host.pictures]


async def test_redirect_on_the_same_host(host: WebHost, reach: Reach, picture: Path) -> None:
    """A redirect that stays on the host is followed."""
    host.answers["/old.jpg"] = [saying(301, Location="/a%20b.jpg")]
    await reach.prove(f"{host.url}/old.jpg", picture, "image/jpeg")
    assert ["/old.jpg", "/a b.jpg"] == [request.path for request in host.pictures]


async def test_a_good_certificate_is_proof(picture: Path) -> None:
    """The control for the certificates below."""
    certificates = Certificates()
    async with (
        web_host(picture.parent, tls=certificates.good()) as host,
        _trusting(certificates) as session,
    ):
        await Reach(session, delays=(0,)).prove(f"{host.url}/a b.jpg", picture, "image/jpeg")


# No proof.


@pytest.mark.parametrize("fault", HTTP_FAULTS, ids=repr)
async def test_what_is_no_proof(host: WebHost, picture: Path, fault: Fault) -> None:
    """Each way of not serving the file has its code, its handling, a sentence and a remedy."""
    host.fault = fault.answer
    limit = 0.3 if fault.code == SLOW else 5.0
    async with aiohttp.ClientSession() as session:
        reach = Reach(session, delays=NO_PAUSES, limit=limit)
        problem = await problem_of(reach, f"{host.url}/a b.jpg", picture)
    assert fault.code == problem.code
    assert fault.says in problem.message
    assert fault.remedy in problem.remedy
    assert (Handling.HOLD if fault.parked else Handling.RETRY) == problem.handling


async def test_as_many_bytes_but_others(host: WebHost, reach: Reach, picture: Path) -> None:
    """An optimiser that keeps the length is found out."""
    body = bytes(picture.stat().st_size)
    host.fault = saying(200, body, Content_Type="image/jpeg")
    problem = await problem_of(reach, f"{host.url}/a b.jpg", picture)
    assert ("url-other-content", Handling.HOLD) == (problem.code, problem.handling)
    assert "something else than the file" in problem.message
    assert "optimisers" in problem.remedy


async def test_a_file_without_end_is_not_read_to_its_end(
    host: WebHost, reach: Reach, picture: Path
) -> None:
    """More bytes than the file has, of unknown number: enough is enough."""

    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "image/jpeg"})
        await response.prepare(request)
        while True:
            await response.write(bytes(1 << 16))

    host.fault = endless
    problem = await problem_of(reach, f"{host.url}/a b.jpg", picture)
    assert "url-wrong-length" == problem.code


@pytest.mark.parametrize(("which", "says", "remedy"), TLS_FAULTS)
async def test_a_certificate_that_meta_would_not_trust(
    picture: Path, which: str, says: str, remedy: str
) -> None:
    """Told apart, for each is mended in another way; tried once."""
    certificates = Certificates()
    async with (
        web_host(picture.parent, tls=getattr(certificates, which)()) as host,
        _trusting(certificates) as session,
    ):
        reach = Reach(session, delays=NO_PAUSES)
        problem = await problem_of(reach, f"{host.url}/a b.jpg", picture)
        assert [] == host.requests
    assert ("url-untrusted", Handling.HOLD) == (problem.code, problem.handling)
    assert says in problem.message
    assert remedy in problem.remedy


async def test_https_on_a_port_that_speaks_http(host: WebHost, reach: Reach, picture: Path) -> None:
    """The scheme of ftp.public_url is wrong: told as that."""
    url = host.url.replace("http:", "https:")
    problem = await problem_of(reach, f"{url}/a b.jpg", picture)
    assert ("url-no-https", Handling.HOLD) == (problem.code, problem.handling)
    assert "does not speak https" in problem.message
    assert "http://" in problem.remedy


async def test_http_on_a_port_that_speaks_https(reach: Reach, picture: Path) -> None:
    """The other way round the server hangs up, or answers what is no HTTP."""
    async with web_host(picture.parent, tls=Certificates().good()) as host:
        url = host.url.replace("https:", "http:")
        problem = await problem_of(reach, f"{url}/a b.jpg", picture)
    assert ("url-unreachable", Handling.RETRY) == (problem.code, problem.handling)
    assert "ftp.public_url" in problem.remedy


async def test_a_name_that_nobody_knows(reach: Reach, picture: Path) -> None:
    """RFC 6761: .invalid is never resolved."""
    problem = await problem_of(reach, "http://mediawatch.invalid/a.jpg", picture)
    assert ("url-unreachable", Handling.RETRY) == (problem.code, problem.handling)
    assert "The name mediawatch.invalid is not found" in problem.message
    assert "Check the name in ftp.public_url" in problem.remedy


async def test_dead_web_server(reach: Reach, picture: Path) -> None:
    """No web server at all may pass by itself."""
    problem = await problem_of(reach, "http://127.0.0.1:1/a.jpg", picture)
    assert ("url-unreachable", Handling.RETRY) == (problem.code, problem.handling)


@pytest.mark.parametrize("url", ["http://[bad/a.jpg", "http://h:99999/a.jpg", "http://:1/a", "a"])
async def test_what_is_no_address(reach: Reach, picture: Path, url: str) -> None:
    """A public_url that cannot be an address is a setting to correct, not a breakdown."""
    problem = await problem_of(reach, url, picture)
    assert ("url-refused", Handling.HOLD) == (problem.code, problem.handling)
    assert "Correct ftp.public_url" in problem.remedy


async def test_local_file_that_is_gone(reach: Reach, tmp_path: Path) -> None:
    """A file of ours that cannot be read is our problem, not the host's."""
    with pytest.raises(StorageProblem):
        await reach.prove("http://127.0.0.1:1/a.jpg", tmp_path / "gone.jpg", "image/jpeg")


# Tries.


async def test_what_settles_is_tried_again(host: WebHost, reach: Reach, picture: Path) -> None:
    """A file that shows up late (slow mounts, caches) is proved at the third try."""
    host.answers["/a b.jpg"] = [saying(404), saying(503)]
    await reach.prove(f"{host.url}/a b.jpg", picture, "image/jpeg")
    assert 3 == len(host.pictures)


async def test_forbidden_is_not_tried_again(host: WebHost, reach: Reach, picture: Path) -> None:
    """What a person must mend is told at once, after one look under another name."""
    host.fault = saying(403)
    await problem_of(reach, f"{host.url}/a b.jpg", picture)
    agents = [META in request.headers["User-Agent"] for request in host.pictures]
    assert [True, False] == agents


async def test_tries_end(host: WebHost, reach: Reach, picture: Path) -> None:
    """After as many tries as there are delays, the last problem goes up."""
    host.fault = saying(404)
    await problem_of(reach, f"{host.url}/a b.jpg", picture)
    as_meta = [request for request in host.pictures if META in request.headers["User-Agent"]]
    assert len(NO_PAUSES) == len(as_meta)


async def test_a_server_that_recovers_just_now_is_not_accused_of_a_bot_rule(
    host: WebHost, reach: Reach, picture: Path
) -> None:
    """Only who still refuses Meta's fetcher after he served another has a rule against it."""
    host.answers["/a b.jpg"] = [saying(503)] * len(NO_PAUSES)
    problem = await problem_of(reach, f"{host.url}/a b.jpg", picture)
    assert "url-unreachable" == problem.code


# robots.txt and the folder.

BAN = f"User-agent: {META}\nDisallow: /\n"
BAN_ALL = "User-agent: *\nDisallow: /\n"


async def test_a_robots_txt_that_names_metas_fetcher(
    host: WebHost, reach: Reach, picture: Path
) -> None:
    """It is looked at before Meta is called, and again at the next try, until it is mended."""
    robots = picture.with_name("robots.txt")
    robots.write_text(BAN)
    for _ in range(2):
        problem = await problem_of(reach, f"{host.url}/a b.jpg", picture)
        assert ("url-robots", Handling.HOLD) == (problem.code, problem.handling)
        assert "robots.txt forbids Meta's fetcher" in problem.message
        assert 'Add two lines to robots.txt: "User-agent: facebookexternalhit"' in problem.remedy
    robots.unlink()
    await reach.prove(f"{host.url}/a b.jpg", picture, "image/jpeg")


async def test_robots_txt_is_looked_at_once_a_day(
    host: WebHost, reach: Reach, picture: Path, clock: Standing
) -> None:
    """Not with every picture, but soon enough to see a change."""
    seen = []
    for seconds in (0.0, DAY - 1, 1.0):
        clock.time.turn(seconds)
        await reach.prove(f"{host.url}/a b.jpg", picture, "image/jpeg")
        seen.append(sum(request.path == "/robots.txt" for request in host.requests))
    assert [1, 1, 2] == seen


async def test_a_ban_on_all_fetchers_counts_once_meta_abides_by_it(
    host: WebHost, reach: Reach, picture: Path, told: Told, clock: Standing
) -> None:
    """Whether Meta minds it is not known beforehand: warn; after a refusal by Meta it is."""
    picture.with_name("robots.txt").write_text(BAN_ALL)
    url = f"{host.url}/a b.jpg"
    await reach.prove(url, picture, "image/jpeg")
    (warning,) = told.warnings
    assert "Meta may refuse your posts." in warning
    found = await reach.explain(url, "image/jpeg")
    assert found is not None
    assert "url-robots" == found.code
    assert "url-robots" == (await problem_of(reach, url, picture)).code


async def test_a_robots_txt_that_cannot_be_had_forbids_nothing(
    host: WebHost, reach: Reach, picture: Path
) -> None:
    """The file itself was reached, and that is what counts."""
    for answer in (saying(503), saying(302, Location="https://other.example/"), PAGE):
        host.answers["/robots.txt"] = [answer]
        await reach.prove(f"{host.url}/a b.jpg", picture, "image/jpeg")
        await reach.explain(f"{host.url}/a b.jpg", "image/jpeg")


async def test_a_folder_that_lists_its_files_is_warned_of_once(
    reach: Reach, picture: Path, told: Told
) -> None:
    """Names that nobody can guess are of no use if everybody can read them."""
    async with web_host(picture.parent, listing=True) as host:
        for _ in range(2):
            await reach.prove(f"{host.url}/a b.jpg", picture, "image/jpeg")
        assert [f"{host.url}/ shows everybody a list of your uploads."] == told.warnings


async def test_a_folder_that_lists_nothing_is_not_warned_of(
    host: WebHost, reach: Reach, picture: Path, told: Told
) -> None:
    """The control for the test above."""
    await reach.prove(f"{host.url}/a b.jpg", picture, "image/jpeg")
    assert [] == told.warnings


# After a refusal by Meta.


async def test_nothing_to_be_seen_from_here(host: WebHost, reach: Reach) -> None:
    """All is well as far as can be told: then it is not made up."""
    assert await reach.explain(f"{host.url}/a b.jpg", "image/jpeg") is None


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (saying(403), "url-forbidden"),
        (to_meta(saying(403)), "url-bot-rule"),
        (PAGE, "url-wrong-type"),
    ],
)
async def test_what_changed_since_it_was_proved(
    host: WebHost, reach: Reach, picture: Path, answer: Any, code: str
) -> None:
    """Proved an hour ago, refused now: the cause of now is told."""
    await reach.prove(f"{host.url}/a b.jpg", picture, "image/jpeg")
    host.fault = answer
    found = await reach.explain(f"{host.url}/a b.jpg", "image/jpeg")
    assert found is not None
    assert code == found.code


def _trusting(certificates: Certificates) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=certificates.trusting))
