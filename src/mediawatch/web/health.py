"""Alive, and working: the second is computed from work done, not from a process that exists."""

from __future__ import annotations

from dataclasses import asdict

from aiohttp import web

from mediawatch.web.doors import DOORS

routes = web.RouteTableDef()


@routes.get("/healthz")
async def alive(request: web.Request) -> web.Response:
    """The loop turns."""
    return web.json_response({"status": "alive"})


@routes.get("/readyz")
async def ready(request: web.Request) -> web.Response:
    """200 if every check passes, else 503; each check with its reason."""
    checks = await request.app[DOORS].checks()
    ok = all(check.ok for check in checks)
    return web.json_response(
        {"status": "ready" if ok else "not ready", "checks": [asdict(check) for check in checks]},
        status=200 if ok else 503,
    )
