"""``/api/poster-media``: the first guide's one button."""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp import web

from mediawatch.actions.permission import NoSuchAccount, NotAllowed, require, require_account
from mediawatch.journal import audit
from mediawatch.model.people import Actor, Right
from mediawatch.web.access import actor_of
from mediawatch.web.doors import DOORS, Doors

routes = web.RouteTableDef()


class Background(set[asyncio.Future[dict[str, Any]]]):
    """Passes that nobody waits for; kept so that they are neither lost nor left behind."""


#: Of the status: what tells nothing of anybody's posts.
_FOR_EVERYBODY = {"status", "version", "started", "api"}
BACKGROUND = web.AppKey("BACKGROUND", Background)


async def require_inbox(doors: Doors, actor: Actor, right: Right) -> None:
    """The inbox concerns every account that it feeds. Raises NotAllowed and NoSuchAccount."""
    require(actor, right)
    for account_id in await doors.accounts_fed():
        await require_account(doors.journal, actor, account_id, right)


@routes.get("/api/poster-media/status")
async def status(request: web.Request) -> web.Response:
    """Configuration and health; what concerns the accounts of the inbox to those who see them."""
    doors, actor = request.app[DOORS], actor_of(request)
    told = await doors.status()
    try:
        await require_inbox(doors, actor, Right.READ)
    except (NotAllowed, NoSuchAccount):
        told = {key: value for key, value in told.items() if key in _FOR_EVERYBODY}
    return web.json_response(told)


@routes.post("/api/poster-media")
async def poster_media(request: web.Request) -> web.Response:
    """Publish the folder now; the report when all is settled, or 202 with ``?wait=false``."""
    doors, actor = request.app[DOORS], actor_of(request)
    await require_inbox(doors, actor, Right.POST)
    await doors.journal.apply(
        [audit.record(actor, "inbox.publish", "inbox", now=doors.clock.now())]
    )
    if request.query.get("wait", "true").lower() in {"false", "0", "no"}:
        task = asyncio.ensure_future(doors.poster_media())
        request.app[BACKGROUND].add(task)
        task.add_done_callback(request.app[BACKGROUND].discard)
        return web.json_response(
            {"accepted": True, "status": "/api/poster-media/status"}, status=202
        )
    return web.json_response(await doors.poster_media())
