"""What may be asked of accounts over HTTP. Tokens come in, and never go out."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, TypeVar

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from mediawatch.errors import MediawatchError
from mediawatch.model.accounts import Login
from mediawatch.model.people import Actor, Door, Role, this_machine
from mediawatch.web.doors import DOORS

routes = web.RouteTableDef()

_PLACE = "/api/v1/social/instagram/accounts/"


class BadRequest(MediawatchError):
    """The body of the request is not what it must be."""

    code = "bad-request"


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class _Token(_Body):
    token: Annotated[SecretStr, Field(min_length=8)]
    login: Login
    account: str | None = None
    granted: list[str] | None = None


class _Share(_Body):
    user: str
    role: Role = Role.EDITOR


class _Unshare(_Body):
    user: str


_Kind = TypeVar("_Kind", bound=_Body)


@routes.get(_PLACE)
async def list_accounts(request: web.Request) -> web.Response:
    """Those that one may see."""
    found = await request.app[DOORS].accounts.list(_actor(request))
    return web.json_response({"accounts": [each.as_json() for each in found]})


@routes.post(_PLACE)
async def connect(request: web.Request) -> web.Response:
    """Connect the account that a token is of."""
    body = await _read(_Token, request)
    shown = await request.app[DOORS].accounts.paste(
        _actor(request),
        body.login,
        body.token,
        account=body.account,
        granted=None if body.granted is None else frozenset(body.granted),
    )
    return web.json_response(shown.as_json(), status=201)


@routes.post(f"{_PLACE}rotate-key/")
async def rotate_key(request: web.Request) -> web.Response:
    """Seal every token with a new key."""
    return web.json_response(asdict(await request.app[DOORS].accounts.rotate_key(_actor(request))))


@routes.get(f"{_PLACE}{{id}}/")
async def show(request: web.Request) -> web.Response:
    """How one account stands."""
    shown = await request.app[DOORS].accounts.show(_actor(request), request.match_info["id"])
    return web.json_response(shown.as_json())


@routes.post(f"{_PLACE}{{id}}/refresh/")
async def refresh(request: web.Request) -> web.Response:
    """Refresh its token now."""
    desk = request.app[DOORS].accounts
    shown = await desk.refresh_token(_actor(request), request.match_info["id"])
    return web.json_response(shown.as_json())


@routes.post(f"{_PLACE}{{id}}/disconnect/")
async def disconnect(request: web.Request) -> web.Response:
    """Revoke and forget its token."""
    desk = request.app[DOORS].accounts
    return web.json_response(
        asdict(await desk.disconnect(_actor(request), request.match_info["id"]))
    )


@routes.post(f"{_PLACE}{{id}}/share/")
async def share(request: web.Request) -> web.Response:
    """Let a user work with it."""
    body = await _read(_Share, request)
    account_id = await request.app[DOORS].accounts.share(
        _actor(request), request.match_info["id"], body.user, body.role
    )
    return web.json_response({"account_id": account_id, "user": body.user, "role": body.role})


@routes.post(f"{_PLACE}{{id}}/unshare/")
async def unshare(request: web.Request) -> web.Response:
    """Let a user see it no more."""
    body = await _read(_Unshare, request)
    was_shared = await request.app[DOORS].accounts.unshare(
        _actor(request), request.match_info["id"], body.user
    )
    return web.json_response({"user": body.user, "was_shared": was_shared})


def _actor(request: web.Request) -> Actor:
    return this_machine(Door.API)


async def _read(kind: type[_Kind], request: web.Request) -> _Kind:
    """The body as JSON. Raises BadRequest, which names the fields and never their values."""
    try:
        return kind.model_validate_json(await request.read())
    except ValidationError as error:
        found = [(".".join(map(str, each["loc"])), each["msg"]) for each in error.errors()]
        told = "; ".join(f"{place}: {message}" if place else message for place, message in found)
        raise BadRequest(
            f"The body of the request cannot be used: {told}.",
            remedy="docs/reference/http-api.md shows what it must hold.",
        ) from None
