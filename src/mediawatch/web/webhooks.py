"""Meta's calls in: they show by a signature that they are Meta's."""

from __future__ import annotations

from aiohttp import web

from mediawatch.actions import meta_calls
from mediawatch.web.access import DELETIONS, PEER
from mediawatch.web.doors import DOORS
from mediawatch.web.pages.form import fields
from mediawatch.web.pages.rendering import page

routes = web.RouteTableDef()


@routes.post("/api/webhooks/instagram/deauthorize")
async def deauthorize(request: web.Request) -> web.Response:
    """Somebody took the rights of the app away."""
    doors = request.app[DOORS]
    (signed,) = await fields(request, "signed_request")
    count = await meta_calls.deauthorize(
        doors.accounts, doors.settings.instagram, signed, address=request[PEER].address
    )
    return web.json_response({"disconnected": count})


@routes.post(DELETIONS.rstrip("/"))
async def delete_data(request: web.Request) -> web.Response:
    """Somebody wants their data gone; where they can see that it is."""
    doors = request.app[DOORS]
    (signed,) = await fields(request, "signed_request")
    code = await meta_calls.delete_data(
        doors.accounts, doors.settings.instagram, signed, address=request[PEER].address
    )
    scheme = "https" if request[PEER].secure else "http"
    address = doors.settings.web.public_url or f"{scheme}://{request.host}"
    return web.json_response({"url": f"{address}{DELETIONS}{code}/", "confirmation_code": code})


@routes.get(f"{DELETIONS}{{code}}/")
async def deletion(request: web.Request) -> web.Response:
    """For the person, without any login."""
    found = await meta_calls.deletion(request.app[DOORS].accounts, request.match_info["code"])
    return page(request, "deletion.html", {"deletion": found})
