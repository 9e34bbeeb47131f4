"""What may be asked over HTTP of what is held back."""

from __future__ import annotations

from aiohttp import web

from mediawatch.actions import posts as actions
from mediawatch.web.api.posts import as_json
from mediawatch.web.doors import DOORS

routes = web.RouteTableDef()


@routes.post("/api/v1/social/scheduled-posts/{id}/release/")
async def release(request: web.Request) -> web.Response:
    """Have a held post go on."""
    doors = request.app[DOORS]
    post = await actions.release(doors.journal, doors.clock, request.match_info["id"])
    doors.woken(post)
    return web.json_response(as_json(post))


@routes.post("/api/v1/social/cron/release-withheld/")
async def release_withheld(request: web.Request) -> web.Response:
    """Let go of the files that are held back since the first start."""
    return web.json_response({"released": await request.app[DOORS].release_withheld()})
