"""Requests to our own API, as no client of ours would make them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator

import pytest
from aiohttp.test_utils import TestServer
from hypothesis import example, given
from hypothesis import strategies as st

from mediawatch.clock import SystemClock
from mediawatch.journal import accounts
from mediawatch.journal.sqlite import SqliteJournal
from mediawatch.log import silent
from mediawatch.web.app import create_app
from mediawatch.web.doors import Doors
from tests.contract.test_journal import ACCOUNT
from tests.integration.test_web import House, settings
from tests.support.desk import a_desk
from tests.support.fuzzing import Loop, examples, mangled

PATHS = [
    "/healthz",
    "/readyz",
    "/metrics",
    "/api/poster-media",
    "/api/poster-media/status",
    "/api/v1/social/scheduled-posts/abc/retry/",
    "/api/v1/social/scheduled-posts/%00/retry/",
    "/api/v1/social/scheduled-posts/%ff%fe/retry/",
    "/api/v1/social/scheduled-posts/%ED%A0%80/deny/",
    "/api/v1/social/scheduled-posts/%F0%9F%98%80/publish-now/",
    "/api/v1/social/scheduled-posts/abc/confirm/",
    "/api/v1/social/scheduled-posts/abc/deny/",
    "/api/v1/social/scheduled-posts/%25/release/",
    "/api/v1/social/cron/retry-failed/",
    "/api/v1/social/cron/release-withheld/",
    "/nowhere",
    "/",
    "*",
]
BODIES = [
    b"",
    b"{}",
    b'{"media_id": "17900000000000001"}',
    b'{"media_id": 5, "account": null}',
    b'{"media_id": "\\ud800"}',
    b"[1, 2",
    b"[" * 5000,
    b"\xff\xfe",
    b"a=b&c=d",
    b"NaN",
    b"9" * 5000,
]
HEADERS = [
    b"Content-Type: application/json",
    b"Content-Type: multipart/form-data",
    b"Content-Type: text/plain; charset=nonsense",
    b"Content-Type: \xff/\xfe",
    b"Origin: http://[::1",
    b"Origin: null",
    b"Sec-Fetch-Site: same-origin",
    b"Expect: 100-continue",
    b"Content-Encoding: gzip",
    b"Authorization: Bearer \xff",
    b"X-Long: " + b"x" * 9000,
    b"Range: bytes=5-1",
    b"Cookie: a=\x01",
    b"Transfer-Encoding: chunked",
]


class Api:
    """Our API on a port, and raw talk with it."""

    def __init__(self, loop: Loop, port: int, house: House) -> None:
        self.loop = loop
        self.port = port
        self.house = house

    def ask(self, request: bytes, limit: float) -> bytes:
        """All that comes back to these bytes until the server hangs up; so many seconds are
        waited for it to see that more will not come."""
        return self.loop(self._ask(request, limit))

    async def _ask(self, request: bytes, limit: float) -> bytes:
        answer = b""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            writer.write(request)
            async with asyncio.timeout(limit):
                while block := await reader.read(65536):
                    answer += block
        except (ConnectionError, TimeoutError):
            pass  # it hung up in our midst, or waits for the rest, as it may
        finally:
            writer.transport.abort()
        return answer


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    loop, folder = Loop(), tmp_path_factory.mktemp("web")
    journal = SqliteJournal(folder / "journal.db")
    loop(journal.__aenter__())
    loop(journal.apply([accounts.ensure(ACCOUNT)]))
    house = House(folder, journal)
    doors = Doors(
        settings=settings(folder),
        journal=journal,
        clock=SystemClock(),
        log=silent(),
        poster_media=house.poster_media,
        status=house.status,
        checks=house.check,
        metrics=house.metrics,
        woken=house.wake,
        release_withheld=house.release,
        accounts=a_desk(journal, folder),
    )
    server = TestServer(create_app(doors))
    loop(server.start_server(access_log=None))
    try:
        assert server.port is not None
        yield Api(loop, server.port, house)
    finally:
        loop(server.close())
        loop(journal.__aexit__(None, None, None))
        loop.close()


@st.composite
def requests(draw: st.DrawFn) -> bytes:
    """A request that is right but for some of its parts."""
    method = draw(
        st.sampled_from(["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD", "X"])
    )
    path = draw(st.sampled_from(PATHS))
    query = draw(
        st.sampled_from(
            [
                "",
                "?wait=false",
                "?media=%ff",
                "?again=true",
                "?wait=%ff",
                "?" + "a=1&" * 500,
                "?%00",
            ]
        )
    )
    host = draw(st.sampled_from([b"127.0.0.1", b"localhost:8001", b"[::1]", b"[::1", b"evil", b""]))
    body = draw(st.sampled_from(BODIES) | st.binary(max_size=50))
    headers = draw(st.lists(st.sampled_from(HEADERS), max_size=3, unique=True))
    head = [f"{method} {path}{query} HTTP/1.1".encode(), b"Host: " + host, *headers]
    whole = b"\r\n".join(
        [*head, b"Connection: close", b"Content-Length: %d" % len(body), b"", body]
    )
    return mangled(whole, draw) if draw(st.integers(0, 3)) == 3 else whole


@examples(1)
@example(request=b"POST /api/poster-media HTTP/1.1\r\nHost: [::1\r\nOrigin: http://[\r\n\r\n")
@example(
    request=b"POST /api/v1/social/scheduled-posts/%00/retry/ HTTP/1.1\r\nHost: localhost\r\n"
    b"Content-Length: 0\r\nConnection: close\r\n\r\n"
)
@example(
    request=b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nOrigin: http://[::1\r\n"
    b"Connection: close\r\n\r\n"
)
@given(request=requests())
def test_no_request_is_our_mistake(api: Api, request: bytes) -> None:
    """Every answer is a success or a refusal, in the one form of errors; never a 500, and the
    server goes on."""
    answer = api.ask(request, 0.2).removeprefix(b"HTTP/1.1 100 Continue\r\n\r\n")
    if answer:
        status = int(answer.split(b" ", 2)[1])
        assert 200 <= status < 500
        head, _, body = answer.partition(b"\r\n\r\n")
        if status >= 400 and b"application/json" in head and body:
            error = json.loads(body)["error"]
            assert {"code", "message", "remedy", "details"} == set(error)
            assert error["message"]
    alive = api.ask(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", 10)
    assert alive.startswith(b"HTTP/1.1 200 ")
