"""``/settings/people``: who may log in, for those who administer."""

from __future__ import annotations

from aiohttp import web

from mediawatch.actions import audit, users
from mediawatch.actions.permission import require
from mediawatch.errors import MediawatchError
from mediawatch.model.people import Right, Role
from mediawatch.web.access import actor_of
from mediawatch.web.api.input import BadInput
from mediawatch.web.doors import DOORS
from mediawatch.web.pages.form import fields, see
from mediawatch.web.pages.rendering import page
from mediawatch.web.refusals import STATUS

routes = web.RouteTableDef()
_PATH = "/settings/people"
#: Lines of the audit that are shown.
_LINES = 50


@routes.get(_PATH)
async def show(request: web.Request) -> web.Response:
    """Everybody, and who changed what lately."""
    return await _page(request)


@routes.post(_PATH)
async def add(request: web.Request) -> web.Response:
    """Somebody new."""
    doors, actor = request.app[DOORS], actor_of(request)
    require(actor, Right.ADMIN)
    name, role, password = await fields(request, "name", "role", "password")
    try:
        await users.add(doors.journal, doors.clock, actor, name, _role(role), password)
    except MediawatchError as error:
        return await _page(request, error)
    return see(_PATH)


@routes.post(_PATH + "/{name}/role")
async def set_role(request: web.Request) -> web.Response:
    """What somebody is from now on."""
    doors, actor, name = request.app[DOORS], actor_of(request), request.match_info["name"]
    require(actor, Right.ADMIN)
    (role,) = await fields(request, "role")
    try:
        await users.set_role(doors.journal, doors.clock, actor, name, _role(role))
    except MediawatchError as error:
        return await _page(request, error)
    return see(_PATH)


@routes.post(_PATH + "/{name}/remove")
async def remove(request: web.Request) -> web.Response:
    """Somebody leaves; whoever removes them gets their accounts."""
    doors, actor, name = request.app[DOORS], actor_of(request), request.match_info["name"]
    somebody_else = actor.user_id is not None and actor.name.casefold() != name.casefold()
    heir = actor.name if somebody_else else None
    try:
        await users.remove(doors.journal, doors.clock, actor, name, heir)
    except MediawatchError as error:
        return await _page(request, error)
    return see(_PATH)


async def _page(request: web.Request, problem: MediawatchError | None = None) -> web.Response:
    doors, actor = request.app[DOORS], actor_of(request)
    require(actor, Right.ADMIN)
    facts = {
        "people": await users.listed(doors.journal, actor),
        "roles": [role.value for role in Role],
        "audit": await audit.listed(doors.journal, actor, _LINES),
        "problem": problem,
    }
    status = 200 if problem is None else STATUS.get(problem.code, 503)
    return page(request, "people.html", facts, status)


def _role(word: str) -> Role:
    try:
        return Role(word)
    except ValueError:
        raise BadInput(
            f"{word!r} is no role.", remedy=f"Choose one of {', '.join(Role)}."
        ) from None
