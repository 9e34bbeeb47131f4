"""``/api/poster-media``: the first guide's one button."""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp import web

from mediawatch.web.doors import DOORS

routes = web.RouteTableDef()


class Background(set[asyncio.Future[dict[str, Any]]]):
    """Passes that nobody waits for; kept so that they are neither lost nor left behind."""


BACKGROUND = web.AppKey("BACKGROUND", Background)


@routes.get("/api/poster-media/status")
async def status(request: web.Request) -> web.Response:
    """Configuration and health."""
    return web.json_response(await request.app[DOORS].status())


@routes.post("/api/poster-media")
async def poster_media(request: web.Request) -> web.Response:
    """Publish the folder now; the report when all is settled, or 202 with ``?wait=false``."""
    doors = request.app[DOORS]
    if request.query.get("wait", "true").lower() in {"false", "0", "no"}:
        task = asyncio.ensure_future(doors.poster_media())
        request.app[BACKGROUND].add(task)
        task.add_done_callback(request.app[BACKGROUND].discard)
        return web.json_response(
            {"accepted": True, "status": "/api/poster-media/status"}, status=202
        )
    return web.json_response(await doors.poster_media())
