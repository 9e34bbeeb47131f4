"""The web door: routes and middleware, put together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from aiohttp import web

from mediawatch.web import headers, health, webhooks
from mediawatch.web.access import mind_the_door
from mediawatch.web.api import accounts, audit, keys, poster, posts, sessions, users, withheld
from mediawatch.web.doors import DOORS, Doors
from mediawatch.web.login_limits import LoginLimits
from mediawatch.web.middleware import errors_as_json
from mediawatch.web.pages import (
    LOGIN_LIMITS,
    PASSWORDS,
    connecting,
    first_user,
    login,
    people,
    security,
)
from mediawatch.web.pages import accounts as account_pages
from mediawatch.web.pages.rendering import STATIC, errors_as_pages, set_up_pages


def create_app(doors: Doors) -> web.Application:
    """The application; it is served by the daemon."""
    app = web.Application(
        middlewares=[errors_as_json, errors_as_pages, mind_the_door], client_max_size=1 << 20
    )
    app[DOORS] = doors
    app[LOGIN_LIMITS] = LoginLimits(doors.clock)
    app[PASSWORDS] = asyncio.Semaphore(2)
    app.on_response_prepare.append(headers.secure)
    set_up_pages(app)
    app[poster.BACKGROUND] = poster.Background()
    app.cleanup_ctx.append(_cancel_background)
    for part in (health, poster, posts, withheld, accounts, users, keys, sessions, audit, webhooks):
        app.add_routes(part.routes)
    for page in (login, first_user, connecting, account_pages, people, security):
        app.add_routes(page.routes)
    app.router.add_static("/static/", STATIC)
    return app


async def _cancel_background(app: web.Application) -> AsyncIterator[None]:
    yield
    background = app[poster.BACKGROUND]
    tasks = list(background)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
