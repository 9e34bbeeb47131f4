"""``/api/v1/audit/``: who changed what."""

from __future__ import annotations

from aiohttp import web

from mediawatch.actions import audit as actions
from mediawatch.clock import iso
from mediawatch.web.access import actor_of
from mediawatch.web.api.input import BadInput
from mediawatch.web.doors import DOORS

routes = web.RouteTableDef()
#: Lines at the most.
MOST = 1000


@routes.get("/api/v1/audit/")
async def listed(request: web.Request) -> web.Response:
    """The newest first; ``?limit=`` says how many, 100 if nothing is said."""
    asked = request.query.get("limit", "100")
    if not asked.isascii() or not asked.isdecimal() or not 1 <= int(asked[:9]) <= MOST:
        raise BadInput(f"limit is no number from 1 to {MOST}.", remedy="Leave it out for 100.")
    found = await actions.listed(request.app[DOORS].journal, actor_of(request), int(asked))
    return web.json_response({"audit": [{**row, "at": iso(row["at"])} for row in found]})
