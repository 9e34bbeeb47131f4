"""``/login`` and ``/logout``."""

from __future__ import annotations

from aiohttp import hdrs, web

from mediawatch.actions import sessions as actions
from mediawatch.actions.sessions import WrongPassword
from mediawatch.journal import sessions, users
from mediawatch.web.access import ENTERED, PEER, let_in, let_out
from mediawatch.web.doors import DOORS
from mediawatch.web.login_limits import TooManyLogins
from mediawatch.web.pages import LOGIN_LIMITS, PASSWORDS
from mediawatch.web.pages.form import fields, inside, see
from mediawatch.web.pages.rendering import page
from mediawatch.web.refusals import STATUS

routes = web.RouteTableDef()


@routes.get("/login")
async def ask(request: web.Request) -> web.Response:
    """The form; for those who are in already, the way on."""
    onward = inside(request.query.get("next", "/"))
    if ENTERED in request:
        return see(onward)
    known = await users.any_there(request.app[DOORS].journal)
    return page(request, "login.html", {"next": onward, "name": "", "somebody": known})


@routes.post("/login")
async def log_in(request: web.Request) -> web.Response:
    """A new session; one that the browser has already ends."""
    doors, limits = request.app[DOORS], request.app[LOGIN_LIMITS]
    name, password, onward = await fields(request, "name", "password", "next")
    address = request[PEER].address
    try:
        async with request.app[PASSWORDS]:
            limits.admit(name, address)  # not before: of guesses side by side each counts
            with limits.counted(name, address):
                begun = await actions.log_in(
                    doors.journal,
                    doors.clock,
                    name,
                    password,
                    address=address,
                    agent=request.headers.get(hdrs.USER_AGENT, ""),
                )
    except (WrongPassword, TooManyLogins) as error:
        if isinstance(error, WrongPassword):
            doors.log.warning(
                f"A wrong password was given, from {address or 'this machine'}.", action="login"
            )
        facts = {"next": inside(onward), "name": name, "problem": error, "somebody": True}
        return page(request, "login.html", facts, STATUS[error.code])
    if ENTERED in request:
        await actions.log_out(doors.journal, doors.clock, request[ENTERED])
    response = see(inside(onward))
    let_in(request, response, begun.cookie, sessions.ABSOLUTE)
    return response


@routes.post("/logout")
async def log_out(request: web.Request) -> web.Response:
    """The session ends, here and in the browser."""
    doors = request.app[DOORS]
    if ENTERED in request:
        await actions.log_out(doors.journal, doors.clock, request[ENTERED])
    response = see("/login")
    let_out(request, response)
    return response
