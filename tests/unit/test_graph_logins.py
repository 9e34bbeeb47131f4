"""One client for both logins: where each call goes, and with which proof."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web
from pydantic import SecretStr

from mediawatch.clock import SystemClock
from mediawatch.config import InstagramSettings
from mediawatch.graph.client import Caller, GraphClient, MetaApp, meta_apps, not_recorded
from mediawatch.graph.pacing import Pacing
from mediawatch.log import silent
from mediawatch.model.accounts import LOGINS, Login


@asynccontextmanager
async def host(asked: list[web.Request]) -> AsyncIterator[str]:
    async def take(request: web.Request) -> web.Response:
        asked.append(request)
        return web.json_response({"id": "1"})

    app = web.Application()
    app.router.add_get("/v25.0/me", take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@pytest.mark.parametrize("login", LOGINS)
async def test_a_call_goes_where_its_login_wants_it(login: Login) -> None:
    """Each login has a host of its own; a token is never sent to the other one."""
    asked: dict[str, list[web.Request]] = {"facebook": [], "instagram": []}
    async with (
        host(asked["facebook"]) as facebook,
        host(asked["instagram"]) as instagram,
        aiohttp.ClientSession() as session,
    ):
        apps: dict[Login, MetaApp] = {
            "facebook": MetaApp(facebook, SecretStr("secret-of-the-app")),
            "instagram": MetaApp(instagram),
        }
        pacing = Pacing(SystemClock(), silent())
        client = GraphClient(session, apps, "v25.0", timeout=5, pacing=pacing)
        await client.get("me", Caller("1", SecretStr("token"), not_recorded, login), {})

    (request,) = asked.pop(login)
    assert [[]] == list(asked.values())
    assert "Bearer token" == request.headers["Authorization"]
    assert ("appsecret_proof" in request.query) is (login == "facebook")


def test_each_login_has_its_own_app() -> None:
    """The pair of the settings' own login may be written short; nobody's secret is taken for the
    other's, and Instagram's calls carry no proof."""
    settings = InstagramSettings(
        login="instagram",
        app_id="11111",
        app_secret=SecretStr("short"),
        facebook_app_id="22222",
        facebook_app_secret=SecretStr("of-facebook"),
    )
    apps = meta_apps(settings)

    assert ("11111", SecretStr("short")) == settings.app("instagram")
    assert ("22222", SecretStr("of-facebook")) == settings.app("facebook")
    assert ("https://graph.facebook.com", SecretStr("of-facebook")) == (
        apps["facebook"].address,
        apps["facebook"].secret,
    )
    assert ("https://graph.instagram.com", None) == (
        apps["instagram"].address,
        apps["instagram"].secret,
    )
    assert "of-facebook" not in repr(apps)
