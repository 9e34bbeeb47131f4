"""``/api/v1/users/``: who may log in."""

from __future__ import annotations

from aiohttp import web
from pydantic import SecretStr

from mediawatch.actions import users as actions
from mediawatch.model.people import Role
from mediawatch.web.access import ENTERED, actor_of
from mediawatch.web.api.input import BadInput, Body, read
from mediawatch.web.doors import DOORS

routes = web.RouteTableDef()


class NewUser(Body):
    """A user to be made."""

    name: str
    role: Role
    password: SecretStr


class Change(Body):
    """What is to be otherwise; what is left out stays."""

    role: Role | None = None
    password: SecretStr | None = None


@routes.get("/api/v1/users/")
async def listed(request: web.Request) -> web.Response:
    """Everybody."""
    found = await actions.listed(request.app[DOORS].journal, actor_of(request))
    return web.json_response({"users": [actions.as_json(user) for user in found]})


@routes.post("/api/v1/users/")
async def add(request: web.Request) -> web.Response:
    """A new user."""
    doors, body = request.app[DOORS], await read(request, NewUser)
    user = await actions.add(
        doors.journal,
        doors.clock,
        actor_of(request),
        body.name,
        body.role,
        body.password.get_secret_value(),
    )
    return web.json_response(actions.as_json(user), status=201)


@routes.patch("/api/v1/users/{name}/")
async def change(request: web.Request) -> web.Response:
    """Another role, another password."""
    doors, actor, name = request.app[DOORS], actor_of(request), request.match_info["name"]
    body = await read(request, Change)
    if body.role is not None:
        await actions.set_role(doors.journal, doors.clock, actor, name, body.role)
    if body.password is not None:
        entered = request.get(ENTERED)
        own = entered is not None and entered.user.name.casefold() == name.strip().casefold()
        if own and entered is not None and entered.session is not None:
            raise BadInput(
                "A browser changes its own password on the page, where the present one is asked.",
                remedy="Open /settings/security, or use a key with the scope admin.",
            )
        plain = body.password.get_secret_value()
        await actions.set_password(doors.journal, doors.clock, actor, name, plain)
    return web.json_response(actions.as_json(await actions.find(doors.journal, actor, name)))


@routes.delete("/api/v1/users/{name}/")
async def remove(request: web.Request) -> web.Response:
    """Somebody leaves; ``?accounts_to=NAME`` gets their accounts."""
    doors = request.app[DOORS]
    await actions.remove(
        doors.journal,
        doors.clock,
        actor_of(request),
        request.match_info["name"],
        request.query.get("accounts_to"),
    )
    return web.json_response({"removed": request.match_info["name"]})
