"""``/api/poster-media``: the first guide's one button."""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp import web

from mediawatch.actions import inbox
from mediawatch.actions.permission import NoSuchAccount, NotAllowed
from mediawatch.model.people import Right
from mediawatch.web.access import actor_of
from mediawatch.web.doors import DOORS

routes = web.RouteTableDef()


class Background(set[asyncio.Future[dict[str, Any]]]):
    """Passes that nobody waits for; kept so that they are neither lost nor left behind."""


#: Of the status: what tells nothing of anybody's posts.
_FOR_EVERYBODY = {"status", "version", "started", "api"}
BACKGROUND = web.AppKey("BACKGROUND", Background)


@routes.get("/api/poster-media/status")
async def status(request: web.Request) -> web.Response:
    """Configuration and health; what concerns the accounts of the inbox to those who see them."""
    doors, actor = request.app[DOORS], actor_of(request)
    told = await doors.status()
    try:
        await inbox.require_fed(doors.journal, actor, await doors.accounts_fed(), Right.READ)
    except (NotAllowed, NoSuchAccount):
        told = {key: value for key, value in told.items() if key in _FOR_EVERYBODY}
    return web.json_response(told)


@routes.post("/api/poster-media")
async def poster_media(request: web.Request) -> web.Response:
    """Publish the folder now; the report when all is settled, or 202 with ``?wait=false``."""
    doors, actor = request.app[DOORS], actor_of(request)
    await inbox.require_fed(doors.journal, actor, await doors.accounts_fed(), Right.POST)
    await inbox.note(doors.journal, doors.clock, actor, "inbox.publish")
    if request.query.get("wait", "true").lower() in {"false", "0", "no"}:
        task = asyncio.ensure_future(doors.poster_media())
        request.app[BACKGROUND].add(task)
        task.add_done_callback(request.app[BACKGROUND].discard)
        return web.json_response(
            {"accepted": True, "status": "/api/poster-media/status"}, status=202
        )
    return web.json_response(await doors.poster_media())
