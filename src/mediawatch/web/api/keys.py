"""``/api/v1/keys/``: keys for programs."""

from __future__ import annotations

from aiohttp import web
from pydantic import Field

from mediawatch.actions import keys as actions
from mediawatch.model.people import Right
from mediawatch.web.access import actor_of
from mediawatch.web.api.input import Body, read
from mediawatch.web.doors import DOORS

routes = web.RouteTableDef()


class NewKey(Body):
    """A key to be made. ``days``: after so many it ends; without, never."""

    name: str = "key"
    scope: Right = Right.READ
    user: str | None = None
    days: float | None = Field(default=None, gt=0, le=3660)


@routes.get("/api/v1/keys/")
async def listed(request: web.Request) -> web.Response:
    """One's own, or everybody's for those who administer."""
    found = await actions.listed(request.app[DOORS].journal, actor_of(request))
    return web.json_response({"keys": [actions.as_json(key, name) for key, name in found]})


@routes.post("/api/v1/keys/")
async def create(request: web.Request) -> web.Response:
    """A new key; ``key`` is shown this once."""
    doors, body = request.app[DOORS], await read(request, NewKey)
    key, word = await actions.create(
        doors.journal,
        doors.clock,
        actor_of(request),
        body.name,
        body.scope,
        owner=body.user,
        days=body.days,
    )
    return web.json_response({**actions.as_json(key, body.user or ""), "key": word}, status=201)


@routes.delete("/api/v1/keys/{id}/")
async def revoke(request: web.Request) -> web.Response:
    """Nobody comes in with it any more."""
    doors = request.app[DOORS]
    key_id = request.match_info["id"]
    await actions.revoke(doors.journal, doors.clock, actor_of(request), key_id)
    return web.json_response({"revoked": key_id})
