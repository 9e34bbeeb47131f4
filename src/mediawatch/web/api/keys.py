"""``/api/v1/keys/``: keys for programs."""

from __future__ import annotations

from typing import Any

from aiohttp import web
from pydantic import Field

from mediawatch.actions import keys as actions
from mediawatch.clock import iso
from mediawatch.journal.api_keys import ApiKey
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
    return web.json_response({"keys": [_as_json(key, name) for key, name in found]})


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
    return web.json_response({**_as_json(key, body.user or ""), "key": word}, status=201)


@routes.delete("/api/v1/keys/{id}/")
async def revoke(request: web.Request) -> web.Response:
    """Nobody comes in with it any more."""
    doors = request.app[DOORS]
    key_id = request.match_info["id"]
    await actions.revoke(doors.journal, doors.clock, actor_of(request), key_id)
    return web.json_response({"revoked": key_id})


def _as_json(key: ApiKey, user: str) -> dict[str, Any]:
    times = {
        "created_at": key.created_at,
        "used_at": key.used_at,
        "ends_at": key.ends_at,
        "revoked_at": key.revoked_at,
    }
    return {
        "id": key.id,
        "name": key.name,
        "user": user,
        "scope": key.scope.value,
        **{name: iso(at) if at else None for name, at in times.items()},
    }
