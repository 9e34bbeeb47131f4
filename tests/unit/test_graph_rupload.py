"""Where a video may be sent with the token, and what is said with it."""

from __future__ import annotations

from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from pydantic import SecretStr

from mediawatch.clock import SystemClock
from mediawatch.errors import GraphProblem
from mediawatch.graph import containers
from mediawatch.graph.client import Caller, Exchange, GraphClient
from mediawatch.graph.errors import GraphUnreachable
from mediawatch.graph.pacing import Pacing
from mediawatch.graph.rupload import PART, ForeignAddress, Rupload
from mediawatch.log import silent
from mediawatch.model.kinds import VIDEO, PostKind
from mediawatch.model.lifecycle import Stage, State
from mediawatch.model.posts import Item, Post
from tests.support.graph_apps import apps_at

TOKEN = SecretStr("EAAB-a-secret-token")
META = "https://graph.facebook.com"
HERE = "http://127.0.0.1:8090"


def rupload(session: aiohttp.ClientSession, graph: str = META, *, stall: float = 5.0) -> Rupload:
    pacing = Pacing(SystemClock(), silent())
    client = GraphClient(session, apps_at(graph), "v25.0", timeout=5.0, pacing=pacing)
    return Rupload(client, session, "v25.0", stall=stall, answer=stall)


@pytest.mark.parametrize(
    ("graph", "told", "address"),
    [
        (META, None, "https://rupload.facebook.com/ig-api-upload/v25.0/178"),
        (META, "https://rupload.facebook.com/ig-api-upload/v26.0/178", None),
        (META, "https://rupload.facebook.com:443/x", "https://rupload.facebook.com/x"),
        (META, "https://graph.facebook.com/x", None),
        (HERE, None, f"{HERE}/ig-api-upload/v25.0/178"),
        (HERE, f"{HERE}/ig-api-upload/v25.0/178", None),
        (HERE, "https://rupload.facebook.com/x", None),
    ],
)
async def test_an_address_that_is_metas_own(graph: str, told: str | None, address: str) -> None:
    """As it was told, or as Meta's pages say where nothing was told."""
    async with aiohttp.ClientSession() as session:
        assert (address or told) == str(rupload(session, graph).address("178", told))


@pytest.mark.parametrize(
    "told",
    [
        "http://rupload.facebook.com/ig-api-upload/v25.0/178",
        "https://rupload.facebook.com:8443/x",
        "https://rupload.facebook.com.evil.example/x",
        "https://evil.example/rupload.facebook.com",
        "https://evilrupload.facebook.com/x",
        "https://rupload.facebook.com@evil.example/x",
        "https://me:word@rupload.facebook.com/x",
        "https://evil.example\\@rupload.facebook.com/x",
        "https://rupload.facebook.com\\@evil.example/x",
        "//rupload.facebook.com/x",
        "/ig-api-upload/v25.0/178",
        "file:///etc/passwd",
        "https://[/x",
        "http://127.0.0.1:8091/x",
        "",
    ],
)
@pytest.mark.parametrize("graph", [META, HERE])
async def test_an_address_that_is_not(graph: str, told: str) -> None:
    """The token goes to Meta's upload host, and to the very host of the Graph API, only."""
    async with aiohttp.ClientSession() as session:
        with pytest.raises(ForeignAddress) as refused:
            rupload(session, graph).address("178", told)
    assert "evil" not in refused.value.message


class Meta:
    """Takes uploads and keeps what came: headers and bytes."""

    def __init__(self) -> None:
        self.came: list[tuple[dict[str, str], bytes]] = []
        self.answer = web.json_response({"success": True})

    async def take(self, request: web.Request) -> web.Response:
        self.came.append((dict(request.headers), await request.read()))
        return self.answer


async def sent(
    path: Path, meta: Meta, handler: object = None, *, stall: float = 5.0, **told: int
) -> tuple[list[Exchange], list[float], GraphProblem | None]:
    """What was recorded of the sending of ``path``, what was told of its progress, and what it
    raised."""
    app = web.Application(client_max_size=1 << 30)
    app.router.add_post("/ig-api-upload/v25.0/178", handler or meta.take)  # type: ignore[arg-type]
    app.router.add_route("*", "/elsewhere", meta.take)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    records: list[Exchange] = []
    shares: list[float] = []
    caller = Caller("17841400000000001", TOKEN, records.append, "facebook")
    problem = None
    try:
        async with aiohttp.ClientSession() as session:
            here = rupload(session, f"http://127.0.0.1:{runner.addresses[0][1]}", stall=stall)
            address = here.address("178", None)
            try:
                await here.send(caller, "178", address, path, on_progress=shares.append, **told)
            except GraphProblem as error:
                problem = error
    finally:
        await runner.cleanup()
    return records, shares, problem


async def test_what_is_said_with_the_bytes(tmp_path: Path) -> None:
    """Token, offset and size in headers, a length and no chunks, and the bytes from there on; the
    record has no token."""
    body = bytes(range(256)) * (PART // 128)
    (tmp_path / "a.mp4").write_bytes(body)
    meta = Meta()

    records, shares, _ = await sent(tmp_path / "a.mp4", meta, offset=100, size=len(body))

    ((headers, came),) = meta.came
    assert body[100:] == came
    assert f"OAuth {TOKEN.get_secret_value()}" == headers["Authorization"]
    assert ("100", str(len(body))) == (headers["offset"], headers["file_size"])
    assert (str(len(body) - 100), None) == (
        headers["Content-Length"],
        headers.get("Transfer-Encoding"),
    )
    assert sorted(shares) == shares
    assert 1.0 == shares[-1]
    assert TOKEN.get_secret_value() not in str(records)
    assert {"container": "178", "offset": "100", "file_size": str(len(body))} == records[0].request


@pytest.mark.parametrize("status", [302, 307, 308])
async def test_it_follows_nobody_elsewhere(tmp_path: Path, status: int) -> None:
    """A redirect is no answer: the token stays."""
    (tmp_path / "a.mp4").write_bytes(b"video")
    meta = Meta()
    meta.answer = web.Response(status=status, headers={"Location": "/elsewhere"})

    _, _, problem = await sent(tmp_path / "a.mp4", meta, offset=0, size=5)

    assert (1, GraphUnreachable) == (len(meta.came), type(problem))


async def test_a_line_that_stands_still_is_given_up(tmp_path: Path) -> None:
    """Nobody reads: time is counted from the last progress, however long the whole may take."""
    (tmp_path / "a.mp4").write_bytes(bytes(32 << 20))

    async def deaf(request: web.Request) -> web.Response:
        await request.content.read(1)
        request.protocol.pause_reading()
        assert request.transport is not None
        while not request.transport.is_closing():
            await request.content.wait_eof()
        return web.Response()

    _, shares, problem = await sent(
        tmp_path / "a.mp4", Meta(), deaf, stall=0.3, offset=0, size=32 << 20
    )

    assert isinstance(problem, GraphUnreachable)
    assert shares
    assert shares[-1] < 1


def _post(kind: PostKind, **facts: object) -> tuple[Post, Item]:
    item = Item("1", 0, "a.mp4", Path("a.mp4"), "", 1, media_type=VIDEO, **facts)  # type: ignore[arg-type]
    return (
        Post("1", "2", kind, "a.mp4", "Hello", "", Stage.CONTAINER, State.RUNNING, 0.0, 0.0),
        item,
    )


def test_a_container_for_an_upload_has_no_address() -> None:
    """Whatever else is said of the video stays."""
    resumable = {"upload_type": "resumable"}
    reel, story, part = (_post(kind) for kind in (PostKind.REEL, PostKind.STORY, PostKind.CAROUSEL))
    assert {"media_type": "REELS", "caption": "Hello", **resumable} == containers.of_post(*reel)
    assert {"media_type": "STORIES", **resumable} == containers.of_post(*story)
    child = {"media_type": "VIDEO", "is_carousel_item": "true", **resumable}
    assert child == containers.of_child(*part)
    hosted = _post(PostKind.STORY, public_url="https://example.org/a.mp4")
    assert {"media_type": "STORIES", "video_url": "https://example.org/a.mp4"} == (
        containers.of_post(*hosted)
    )
