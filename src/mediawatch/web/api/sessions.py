"""``/api/v1/sessions/``: where one is logged in."""

from __future__ import annotations

from aiohttp import web

from mediawatch.actions import sessions as actions
from mediawatch.clock import iso
from mediawatch.web.access import actor_of
from mediawatch.web.doors import DOORS

routes = web.RouteTableDef()


@routes.get("/api/v1/sessions/")
async def listed(request: web.Request) -> web.Response:
    """One's own, the one used last first."""
    doors = request.app[DOORS]
    found = await actions.listed(doors.journal, doors.clock, actor_of(request))
    told = [
        {
            "id": session.id,
            "created_at": iso(session.created_at),
            "seen_at": iso(session.seen_at),
            "ends_at": iso(session.ends_at),
            "address": session.address,
            "agent": session.agent,
        }
        for session in found
    ]
    return web.json_response({"sessions": told})


@routes.delete("/api/v1/sessions/{id}/")
async def revoke(request: web.Request) -> web.Response:
    """One of them ends."""
    doors, session_id = request.app[DOORS], request.match_info["id"]
    await actions.revoke(doors.journal, doors.clock, actor_of(request), session_id)
    return web.json_response({"revoked": session_id})
