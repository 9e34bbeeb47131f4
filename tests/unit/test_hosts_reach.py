"""Fetching our own address as Meta would: what is proof, and what is wrong with the rest."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from mediawatch.errors import Handling, HostProblem, StorageProblem
from mediawatch.hosts.reach import Reach
from tests.support.web_host import Answer, WebHost, web_host

NO_PAUSES = (0, 0, 0, 0)


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
async def reach() -> AsyncIterator[Reach]:
    async with aiohttp.ClientSession() as session:
        yield Reach(session, delays=NO_PAUSES, limit=2)


def answering(status: int = 200, body: bytes = b"", **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}

    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(status=status, body=body, headers=named)

    return answer


async def code_of(reach: Reach, url: str, picture: Path) -> tuple[str, Handling]:
    with pytest.raises(HostProblem) as caught:
        await reach.prove(url, picture, "image/jpeg")
    assert caught.value.remedy
    return caught.value.code, caught.value.handling


async def test_a_file_that_is_served_is_proved(host: WebHost, reach: Reach, picture: Path) -> None:
    """One request for the first 64 KiB, as Meta's fetcher would make it, name encoded."""
    await reach.prove(f"{host.url}/a b.jpg", picture, "image/jpeg")
    (request,) = host.requests
    assert "/a%20b.jpg" == request.raw_path
    assert request.headers["User-Agent"].startswith("facebookexternalhit/1.1")
    assert "identity" == request.headers["Accept-Encoding"]
    assert "bytes=0-65535" == request.headers["Range"]


async def test_small_file(host: WebHost, reach: Reach, picture: Path) -> None:
    """A file shorter than the range is proved too."""
    picture.write_bytes(b"\xff\xd8small")
    await reach.prove(f"{host.url}/a%20b.jpg", picture, "image/jpeg")
    assert 1 == len(host.requests)


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


PAGE = {"Content_Type": "text/html"}
JPEG = {"Content_Type": "image/jpeg"}
WRONG = [
    (answering(404), "url-not-found", Handling.HOLD),
    (answering(403), "url-forbidden", Handling.HOLD),
    (answering(500), "url-unreachable", Handling.RETRY),
    (answering(200, b"<h1>not found</h1>", **PAGE), "url-wrong-type", Handling.HOLD),
    (answering(200, b"x", Content_Type="image/png"), "url-wrong-type", Handling.HOLD),
    (answering(200, b"short", **JPEG), "url-wrong-length", Handling.RETRY),
    (answering(200, bytes(256_002), **JPEG), "url-other-content", Handling.HOLD),
    (answering(302, Location="https://cdn.example/x.jpg"), "url-redirects", Handling.HOLD),
    (answering(302, Location="/a b.jpg"), "url-redirects", Handling.HOLD),
]


@pytest.mark.parametrize(("answer", "code", "handling"), WRONG)
async def test_what_is_no_proof(
    host: WebHost, reach: Reach, picture: Path, answer: Answer, code: str, handling: Handling
) -> None:
    """Each way of not serving the file has its code, and a remedy."""
    host.answers["/a b.jpg"] = [answer] * 9
    assert (code, handling) == await code_of(reach, f"{host.url}/a b.jpg", picture)


async def test_redirect_on_the_same_host(host: WebHost, reach: Reach, picture: Path) -> None:
    """A redirect that stays on the host is followed."""
    host.answers["/old.jpg"] = [answering(301, Location="/a%20b.jpg")]
    await reach.prove(f"{host.url}/old.jpg", picture, "image/jpeg")
    assert ["/old.jpg", "/a b.jpg"] == [request.path for request in host.requests]


async def test_what_settles_is_tried_again(host: WebHost, reach: Reach, picture: Path) -> None:
    """A file that shows up late (slow mounts, caches) is proved at the third try."""
    host.answers["/a b.jpg"] = [answering(404), answering(503)]
    await reach.prove(f"{host.url}/a b.jpg", picture, "image/jpeg")
    assert 3 == len(host.requests)


async def test_forbidden_is_not_tried_again(host: WebHost, reach: Reach, picture: Path) -> None:
    """What a person must mend is told at once."""
    host.answers["/a b.jpg"] = [answering(403)]
    assert "url-forbidden" == (await code_of(reach, f"{host.url}/a b.jpg", picture))[0]
    assert 1 == len(host.requests)


async def test_tries_end(host: WebHost, reach: Reach, picture: Path) -> None:
    """After as many tries as there are delays, the last problem goes up."""
    host.answers["/a b.jpg"] = [answering(404)] * 9
    await code_of(reach, f"{host.url}/a b.jpg", picture)
    assert len(NO_PAUSES) == len(host.requests)


async def test_dead_web_server(reach: Reach, picture: Path) -> None:
    """No web server at all may pass by itself."""
    code = await code_of(reach, "http://127.0.0.1:1/a.jpg", picture)
    assert ("url-unreachable", Handling.RETRY) == code


async def test_local_file_that_is_gone(reach: Reach, tmp_path: Path) -> None:
    """A file of ours that cannot be read is our problem, not the host's."""
    with pytest.raises(StorageProblem):
        await reach.prove("http://127.0.0.1:1/a.jpg", tmp_path / "gone.jpg", "image/jpeg")
