"""Alive, and working (computed from work done, not from a process that exists); and the figures."""

from __future__ import annotations

from dataclasses import asdict

from aiohttp import web

from mediawatch.actions import inbox
from mediawatch.actions.permission import NoSuchAccount, NotAllowed
from mediawatch.metrics import CONTENT_TYPE
from mediawatch.model.people import Right
from mediawatch.web.access import ACTOR
from mediawatch.web.doors import DOORS

routes = web.RouteTableDef()


@routes.get("/healthz")
async def alive(request: web.Request) -> web.Response:
    """The loop turns."""
    return web.json_response({"status": "alive"})


@routes.get("/readyz")
async def ready(request: web.Request) -> web.Response:
    """200 if every check passes, else 503; to those who may come in each check with its reason."""
    checks = await request.app[DOORS].checks()
    ok = all(check.ok for check in checks)
    told: dict[str, object] = {"status": "ready" if ok else "not ready"}
    if ACTOR in request and await _may_see(request):
        told["checks"] = [asdict(check) for check in checks]
    return web.json_response(told, status=200 if ok else 503)


async def _may_see(request: web.Request) -> bool:
    doors = request.app[DOORS]
    try:
        fed = await doors.accounts_fed()
        await inbox.require_fed(doors.journal, request[ACTOR], fed, Right.READ)
    except (NotAllowed, NoSuchAccount):
        return False
    return True


@routes.get("/metrics")
async def metrics(request: web.Request) -> web.Response:
    """The figures of this daemon, as Prometheus reads them."""
    text = await request.app[DOORS].metrics()
    return web.Response(body=text, headers={"Content-Type": CONTENT_TYPE})
