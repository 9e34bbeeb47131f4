"""``/settings/security``: one's own password, sessions and keys."""

from __future__ import annotations

import asyncio

from aiohttp import web

from mediawatch.actions import keys, sessions, users
from mediawatch.actions.sessions import WrongPassword
from mediawatch.crypto import passwords
from mediawatch.errors import MediawatchError
from mediawatch.model.people import Right, User
from mediawatch.web.access import ENTERED, PEER, actor_of
from mediawatch.web.api.input import BadInput
from mediawatch.web.doors import DOORS
from mediawatch.web.pages import LOGIN_LIMITS, PASSWORDS
from mediawatch.web.pages.form import fields, same, see
from mediawatch.web.pages.rendering import page
from mediawatch.web.refusals import STATUS

routes = web.RouteTableDef()
_PATH = "/settings/security"


@routes.get(_PATH)
async def show(request: web.Request) -> web.Response:
    """All three."""
    return await _page(request)


@routes.post(_PATH + "/password")
async def set_password(request: web.Request) -> web.Response:
    """Another one, for whoever knows the old one. All other sessions end."""
    doors, actor = request.app[DOORS], actor_of(request)
    entered, limits = request.get(ENTERED), request.app[LOGIN_LIMITS]
    old, new, again = await fields(request, "old", "password", "again")
    if entered is None or entered.session is None:
        raise BadInput("Nobody is logged in here.", remedy="`mediawatch users passwd NAME`.")
    address = request[PEER].address
    try:
        async with request.app[PASSWORDS]:
            limits.admit(entered.user.name, address)
            with limits.counted(entered.user.name, address):
                await _require_password(entered.user, old)
        same(new, again)
        await users.set_password(
            doors.journal, doors.clock, actor, entered.user.name, new, keep=entered.session.digest
        )
    except MediawatchError as error:
        return await _page(request, error)
    return await _page(
        request,
        told="The password is changed; you are logged out everywhere else. Keys still work: revoke "
        "below those that you do not know.",
    )


async def _require_password(user: User, password: str) -> None:
    if not await asyncio.to_thread(passwords.fits, user.password_hash, password):
        raise WrongPassword("That is not your password.", remedy="Type the present one again.")


@routes.post(_PATH + "/keys")
async def create_key(request: web.Request) -> web.Response:
    """A new key, shown this once."""
    doors, actor = request.app[DOORS], actor_of(request)
    name, scope = await fields(request, "name", "scope")
    try:
        if scope not in set(Right):
            raise BadInput(f"{scope!r} is no scope.", remedy=f"Choose one of {', '.join(Right)}.")
        _, word = await keys.create(doors.journal, doors.clock, actor, name, Right(scope))
    except MediawatchError as error:
        return await _page(request, error)
    return await _page(request, new_key=word)


@routes.post(_PATH + "/keys/{id}/revoke")
async def revoke_key(request: web.Request) -> web.Response:
    """Nobody comes in with it any more."""
    doors = request.app[DOORS]
    await keys.revoke(doors.journal, doors.clock, actor_of(request), request.match_info["id"])
    return see(_PATH)


@routes.post(_PATH + "/sessions/{id}/revoke")
async def revoke_session(request: web.Request) -> web.Response:
    """One of one's own ends."""
    doors = request.app[DOORS]
    await sessions.revoke(doors.journal, doors.clock, actor_of(request), request.match_info["id"])
    return see(_PATH)


async def _page(
    request: web.Request,
    problem: MediawatchError | None = None,
    *,
    told: str = "",
    new_key: str = "",
) -> web.Response:
    doors, actor = request.app[DOORS], actor_of(request)
    entered = request.get(ENTERED)
    present = entered.session.id if entered is not None and entered.session is not None else ""
    facts = {
        "sessions": await sessions.listed(doors.journal, doors.clock, actor),
        "present": present,
        "keys": [
            pair for pair in await keys.listed(doors.journal, actor) if not pair[0].revoked_at
        ],
        "scopes": [right.value for right in Right if actor.may(right)],
        "problem": problem,
        "told": told,
        "new_key": new_key,
    }
    status = 200 if problem is None else STATUS.get(problem.code, 503)
    return page(request, "security.html", facts, status)
