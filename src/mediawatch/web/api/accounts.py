"""What may be asked of accounts over HTTP. Tokens come in, and never go out."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from aiohttp import web
from pydantic import Field, SecretStr

from mediawatch.model.accounts import Login
from mediawatch.model.people import Role
from mediawatch.web.access import actor_of
from mediawatch.web.api.input import Body, read
from mediawatch.web.doors import DOORS

routes = web.RouteTableDef()

_PLACE = "/api/v1/social/instagram/accounts/"


class _Token(Body):
    token: Annotated[SecretStr, Field(min_length=8)]
    login: Login
    account: str | None = None
    granted: list[str] | None = None


class _Share(Body):
    user: str
    role: Role = Role.EDITOR


class _Unshare(Body):
    user: str


@routes.get(_PLACE)
async def list_accounts(request: web.Request) -> web.Response:
    """Those that one may see."""
    found = await request.app[DOORS].accounts.list(actor_of(request))
    return web.json_response({"accounts": [each.as_json() for each in found]})


@routes.post(_PLACE)
async def connect(request: web.Request) -> web.Response:
    """Connect the account that a token is of."""
    body = await read(request, _Token)
    shown = await request.app[DOORS].accounts.paste(
        actor_of(request),
        body.login,
        body.token,
        account=body.account,
        granted=None if body.granted is None else frozenset(body.granted),
    )
    return web.json_response(shown.as_json(), status=201)


@routes.post(f"{_PLACE}rotate-key/")
async def rotate_key(request: web.Request) -> web.Response:
    """Seal every token with a new key."""
    return web.json_response(
        asdict(await request.app[DOORS].accounts.rotate_key(actor_of(request)))
    )


@routes.get(f"{_PLACE}{{id}}/")
async def show(request: web.Request) -> web.Response:
    """How one account stands."""
    shown = await request.app[DOORS].accounts.show(actor_of(request), request.match_info["id"])
    return web.json_response(shown.as_json())


@routes.post(f"{_PLACE}{{id}}/refresh/")
async def refresh(request: web.Request) -> web.Response:
    """Refresh its token now."""
    desk = request.app[DOORS].accounts
    shown = await desk.refresh_token(actor_of(request), request.match_info["id"])
    return web.json_response(shown.as_json())


@routes.post(f"{_PLACE}{{id}}/disconnect/")
async def disconnect(request: web.Request) -> web.Response:
    """Revoke and forget its token."""
    desk = request.app[DOORS].accounts
    return web.json_response(
        asdict(await desk.disconnect(actor_of(request), request.match_info["id"]))
    )


@routes.post(f"{_PLACE}{{id}}/share/")
async def share(request: web.Request) -> web.Response:
    """Let a user work with it."""
    body = await read(request, _Share)
    account_id = await request.app[DOORS].accounts.share(
        actor_of(request), request.match_info["id"], body.user, body.role
    )
    return web.json_response({"account_id": account_id, "user": body.user, "role": body.role})


@routes.post(f"{_PLACE}{{id}}/unshare/")
async def unshare(request: web.Request) -> web.Response:
    """Let a user see it no more."""
    body = await read(request, _Unshare)
    was_shared = await request.app[DOORS].accounts.unshare(
        actor_of(request), request.match_info["id"], body.user
    )
    return web.json_response({"user": body.user, "was_shared": was_shared})
