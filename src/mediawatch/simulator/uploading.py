"""Resumable upload: a client sends its video to the container itself.

``POST /ig-api-upload/{version}/{container}`` with ``Authorization: OAuth <token>``, and either
``offset``, ``file_size`` (bytes) and the bytes, or ``file_url``. After a break the client reads
``video_status`` of the container and goes on from there. Source: Meta's "Upload Video to Meta
Servers" page; status codes and words of failures are not documented.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from aiohttp import ClientError, web

from .access import Holder, Need
from .containers import Container, Upload
from .faults import Do, Endpoint, Faults, Rule, StatusCode
from .judge_video import LIMITS
from .options import SimulatorOptions
from .refusals import Refusal, invalid
from .spoiling import AFTER, BEFORE, cut, spoiled
from .state import State
from .videos import Videos

_SUCCESS = {"success": True, "message": "Upload successful."}


class Uploading:
    """The upload endpoint over one state. ``faults`` gives the scenario at work."""

    def __init__(
        self,
        options: SimulatorOptions,
        state: State,
        videos: Videos,
        faults: Callable[[], Faults],
    ) -> None:
        self._options = options
        self._state = state
        self._videos = videos
        self._faults = faults

    async def handle(self, request: web.Request) -> web.Response:
        """One request, from token check to answer."""
        self._state.calls += 1
        try:
            holder = self._holder(request)
            self._state.asked[Endpoint.UPLOAD] += 1
            container = self._state.containers.get(request.match_info["container"])
            if container is not None:
                holder.require(container.user, container.id, "post", Need.PUBLISH)
            return await self._perform(request, container)
        except Refusal as refusal:
            return _failure(refusal)

    def _holder(self, request: web.Request) -> Holder:
        scheme, _, text = request.headers.get("Authorization", "").partition(" ")
        token = self._state.grants.good(text.strip())
        if scheme != "OAuth" or (token is None and not self._options.admits(text.strip())):
            raise Refusal(190, message="unauthorized user request")
        return Holder(self._options, self._state, token)

    async def _perform(self, request: web.Request, container: Container | None) -> web.Response:
        rule = self._faults().pick(Endpoint.UPLOAD, container.subject if container else "")
        if rule is not None and rule.do in BEFORE:
            return spoiled(request, rule)
        if rule is not None and rule.do is Do.DELAY_EFFECT:
            await self._options.sleep(rule.seconds)
        if not await self._take(request, container, rule):
            return cut(request)
        if rule is not None and rule.do in AFTER:
            return spoiled(request, rule)
        if rule is not None and rule.do is Do.DELAY:
            await self._options.sleep(rule.seconds)
        return web.json_response(_SUCCESS)

    async def _take(
        self, request: web.Request, container: Container | None, rule: Rule | None
    ) -> bool:
        """Take what is sent. False if the connection broke off, or is to. Raises Refusal."""
        upload = container.upload if container else None
        if container is None or upload is None or not upload.resumable:
            raise Refusal(24, 2207008, id=request.match_info["container"])
        if container.status(self._options.clock()) is not StatusCode.IN_PROGRESS:
            raise Refusal(-2, 2207020)
        if upload.complete:
            raise invalid("The file was uploaded already")
        if uri := request.headers.get("file_url", ""):
            upload.turn += 1
            upload.complete = True
            container.uris += (uri,)
            self._videos.fetch(container, uri)
            return True
        _begin(request, upload, LIMITS[container.kind].bytes)
        room = rule.bytes if rule is not None and rule.do is Do.DROP_WITHIN else None
        if not await _receive(request, upload, self._state.shelf.place(container.id), room):
            return False
        self._videos.take(container)
        return True


def _begin(request: web.Request, upload: Upload, most: int) -> None:
    """Check the headers of a request and give it its turn. Raises Refusal."""
    size = _header(request, "file_size")
    if not 0 < size <= most:
        raise invalid(f"file_size must be from 1 to {most}")
    if upload.size not in {None, size}:
        raise invalid("file_size is not the one of the first request")
    if _header(request, "offset") != upload.received:
        raise invalid(f"offset must be {upload.received}")
    upload.size = size
    upload.turn += 1


def _header(request: web.Request, name: str) -> int:
    text = request.headers.get(name, "")
    if not text.isascii() or not text.isdecimal():
        raise invalid(f"The header {name} is required")
    return int(text)


async def _receive(request: web.Request, upload: Upload, path: Path, room: int | None) -> bool:
    """Append the body to the file, chunk by chunk, and ``room`` bytes at most.

    True if the file is whole. False if the connection broke off, the room is full, or a newer
    request took over. Raises Refusal if more or less than the promised size was sent.
    """
    turn, size = upload.turn, upload.size or 0
    with _appending(path) as file:
        try:
            async for chunk in request.content.iter_any():
                if turn != upload.turn:
                    return False
                if upload.received + len(chunk) > size:
                    raise invalid("More bytes were sent than file_size says")
                kept = chunk if room is None else chunk[:room]
                file.write(kept)
                upload.received += len(kept)
                if room is not None:
                    room -= len(kept)
                    if room == 0:
                        return False
        except (ConnectionError, ClientError, web.RequestPayloadError):
            return False
    if turn != upload.turn:
        return False
    if upload.received < size:
        raise Refusal(-1, 2207001, http=400, message="Fewer bytes were sent than file_size says")
    return True


def _appending(path: Path) -> BinaryIO:
    # Nothing is held back: what was counted as received lies in the file when the next one opens.
    return path.open("ab", buffering=0)


def _failure(refusal: Refusal) -> web.Response:
    """The failure as the upload host writes it: an error within a text within ``debug_info``."""
    inner = {"success": False, "error": {"message": refusal.message}}
    info = {
        "retriable": refusal.transient,
        "type": "ProcessingFailedError",
        "message": json.dumps(inner),
    }
    return web.json_response({"debug_info": info}, status=refusal.http)
