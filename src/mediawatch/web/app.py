"""The web door: routes and middleware, put together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from aiohttp import web

from mediawatch.web import health
from mediawatch.web.api import accounts, poster, posts, withheld
from mediawatch.web.doors import DOORS, Doors
from mediawatch.web.middleware import errors_as_json, this_machine_only


def create_app(doors: Doors) -> web.Application:
    """The application; it is served by the daemon."""
    app = web.Application(middlewares=[errors_as_json, this_machine_only], client_max_size=1 << 20)
    app[DOORS] = doors
    app[poster.BACKGROUND] = poster.Background()
    app.cleanup_ctx.append(_cancel_background)
    for routes in (health.routes, poster.routes, posts.routes, withheld.routes, accounts.routes):
        app.add_routes(routes)
    return app


async def _cancel_background(app: web.Application) -> AsyncIterator[None]:
    yield
    background = app[poster.BACKGROUND]
    tasks = list(background)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
