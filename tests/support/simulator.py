"""The simulator for tests: a running one, pictures to fetch, and a plain HTTP client for it."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Self

import aiohttp
from aiohttp import web
from PIL import Image

from mediawatch.simulator import Simulator, SimulatorOptions

USER = "17841400000000001"
TOKEN = "IGAA-a-token-for-tests"


def jpeg(width: int = 400, height: int = 400, color: str = "teal") -> bytes:
    """A small real JPEG."""
    return encoded("JPEG", width, height, color)


def encoded(form: str, width: int = 400, height: int = 400, color: str = "teal") -> bytes:
    """A small real picture in one of Pillow's formats."""
    target = io.BytesIO()
    extra: dict[str, Any] = {}
    picture = Image.new("RGB", (width, height), color)
    if form == "MPO":
        extra = {"save_all": True, "append_images": [picture.copy()]}
    picture.save(target, form, **extra)
    return target.getvalue()


class Clock:
    """A clock that stands still until it is turned."""

    def __init__(self, now: float = 1_800_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def turn(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds


@dataclass
class PictureHost:
    """A web server that hands out ``files`` by path, or says where they have ``moved``."""

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    moved: dict[str, str] = field(default_factory=dict)
    content_type: str = "image/jpeg"
    agents: list[str] = field(default_factory=list)

    def add(self, name: str, body: bytes) -> str:
        """Put a file there and give its address."""
        self.files[name] = body
        return f"{self.url}/{name}"

    async def answer(self, request: web.Request) -> web.Response:
        """One download."""
        self.agents.append(request.headers.get("User-Agent", ""))
        name = request.path.lstrip("/")
        if name in self.moved:
            raise web.HTTPFound(self.moved[name])
        body = self.files.get(name)
        if body is None:
            raise web.HTTPNotFound
        return web.Response(body=body, content_type=self.content_type)


@asynccontextmanager
async def picture_host() -> AsyncIterator[PictureHost]:
    """A picture host on a free port."""
    host = PictureHost()
    app = web.Application()
    app.router.add_get("/{name:.*}", host.answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield host
    finally:
        await runner.cleanup()


@dataclass
class Answer:
    """Status, headers and JSON of one Graph answer."""

    status: int
    headers: dict[str, str]
    json: Any

    @property
    def code(self) -> tuple[int, int | None]:
        """Code and subcode of the error that was answered."""
        return self.json["error"]["code"], self.json["error"].get("error_subcode")


class Caller:
    """Calls a simulator as a stranger would: plain requests, no code of ours."""

    def __init__(self, simulator: Simulator, pictures: PictureHost) -> None:
        self.simulator = simulator
        self.pictures = pictures
        self.session = aiohttp.ClientSession()
        self._count = 0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.session.close()

    async def get(self, path: str, token: str | None = TOKEN, **params: str) -> Answer:
        """A GET with the token in the query."""
        if token is not None:
            params["access_token"] = token
        async with self.session.get(self.simulator.url + path, params=params) as answer:
            return Answer(answer.status, dict(answer.headers), await answer.json())

    async def post(self, path: str, token: str | None = TOKEN, **form: str) -> Answer:
        """A POST with the token in the form."""
        if token is not None:
            form["access_token"] = token
        async with self.session.post(self.simulator.url + path, data=form) as answer:
            return Answer(answer.status, dict(answer.headers), await answer.json())

    async def create(self, body: bytes | None = None, **form: str) -> Answer:
        """Make a container for a picture that is put on the host first."""
        self._count += 1
        name = f"{self._count}.jpg"
        address = self.pictures.add(name, jpeg() if body is None else body)
        return await self.post(f"/{USER}/media", image_url=address, **form)

    async def container(self, **form: str) -> str:
        """The id of a new container for some picture."""
        answer = await self.create(None, **form)
        container_id: str = answer.json["id"]
        return container_id

    async def publish(self, container: str) -> Answer:
        """Publish a container."""
        return await self.post(f"/{USER}/media_publish", creation_id=container)

    async def video(self, body: bytes, **form: str) -> Answer:
        """Make a container for a video that is put on the host first: a reel unless ``form`` says
        otherwise. The answer comes first, then the video is fetched, which is awaited here."""
        self._count += 1
        address = self.pictures.add(f"{self._count}.mp4", body)
        form = {"media_type": "REELS", "video_url": address} | form
        answer = await self.post(f"/{USER}/media", **form)
        await self.simulator.settled()
        return answer

    async def failure(self, body: bytes, **form: str) -> str:
        """What the status of a container for that video tells, which must be an ERROR."""
        answer = await self.video(body, **form)
        read = await self.get(f"/{answer.json['id']}", fields="status_code,status")
        assert "ERROR" == read.json["status_code"]
        status: str = read.json["status"]
        return status.removeprefix("Error: Media upload has failed with error code ")

    async def upload(self, uri: str, body: bytes = b"", **headers: str) -> Answer:
        """Send bytes to a resumable container, the token and the usual headers added."""
        usual = {"Authorization": f"OAuth {TOKEN}", "offset": "0", "file_size": str(len(body))}
        async with self.session.post(uri, data=body, headers=usual | headers) as answer:
            return Answer(answer.status, dict(answer.headers), await answer.json(content_type=None))

    async def published(self, **form: str) -> str:
        """The media id of a new publication."""
        answer = await self.publish(await self.container(**form))
        media_id: str = answer.json["id"]
        return media_id

    async def status(self, container: str) -> str:
        """The status code of a container."""
        answer = await self.get(f"/{container}", fields="status_code")
        code: str = answer.json["status_code"]
        return code


@asynccontextmanager
async def running(options: SimulatorOptions | None = None) -> AsyncIterator[Caller]:
    """A simulator, a picture host and a caller for both."""
    async with (
        picture_host() as pictures,
        Simulator(options or SimulatorOptions()) as simulator,
        Caller(simulator, pictures) as caller,
    ):
        yield caller
