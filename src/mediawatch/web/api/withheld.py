"""What may be asked over HTTP of what is held back."""

from __future__ import annotations

from aiohttp import web

from mediawatch.actions import inbox
from mediawatch.actions import posts as actions
from mediawatch.model.people import Right
from mediawatch.web.access import actor_of
from mediawatch.web.api.posts import as_json
from mediawatch.web.doors import DOORS

routes = web.RouteTableDef()


@routes.post("/api/v1/social/scheduled-posts/{id}/release/")
async def release(request: web.Request) -> web.Response:
    """Have a held post go on."""
    doors, actor = request.app[DOORS], actor_of(request)
    post = await actions.release(doors.journal, doors.clock, actor, request.match_info["id"])
    doors.woken(post)
    return web.json_response(as_json(post))


@routes.post("/api/v1/social/cron/release-withheld/")
async def release_withheld(request: web.Request) -> web.Response:
    """Let go of the files that are held back since the first start."""
    doors, actor = request.app[DOORS], actor_of(request)
    await inbox.require_fed(doors.journal, actor, await doors.accounts_fed(), Right.POST)
    released = await doors.release_withheld()
    await inbox.note(doors.journal, doors.clock, actor, "withheld.release", f"{released}")
    return web.json_response({"released": released})
