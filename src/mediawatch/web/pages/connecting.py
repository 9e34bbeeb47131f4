"""From a button to a connected account: to Meta, back from there, and the choice of what was
granted."""

from __future__ import annotations

from aiohttp import hdrs, web

from mediawatch.actions import connecting as actions
from mediawatch.actions.accounts import CannotConnect
from mediawatch.actions.pasting import ChooseAccount
from mediawatch.actions.permission import require
from mediawatch.crypto import bearer
from mediawatch.errors import MediawatchError
from mediawatch.journal.logins import LASTS
from mediawatch.model.accounts import LOGINS, Login
from mediawatch.model.people import Right
from mediawatch.web.access import ACTOR, ENTERED, actor_of, is_secure, lone_cookie
from mediawatch.web.api.input import BadInput
from mediawatch.web.doors import DOORS
from mediawatch.web.origin import LOGIN_RETURN, LOGIN_START, host_of
from mediawatch.web.pages.form import see, values
from mediawatch.web.pages.rendering import page
from mediawatch.web.refusals import STATUS

routes = web.RouteTableDef()

#: While nobody has to log in here, the browser is known by this cookie, made anew for each login.
_COOKIE, _SECURE_COOKIE = "mediawatch_login", "__Host-mediawatch_login"


class NeedsBrowser(MediawatchError):
    """A login at Meta needs a browser that comes back."""

    code = "needs-browser"


@routes.get(LOGIN_START)
async def begin(request: web.Request) -> web.StreamResponse:
    """To Meta's page of one of the logins."""
    doors, actor = request.app[DOORS], actor_of(request)
    require(actor, Right.ADMIN)
    login = _login(request.query.get("login", doors.settings.instagram.login))
    address = _own_address(request)
    redirect_uri = f"{address}{LOGIN_RETURN}"
    if missing := actions.missing_settings(doors.accounts, login):
        facts = {"login": login, "missing": missing, "redirect_uri": redirect_uri}
        return page(request, "no_app.html", facts | {"address": address}, STATUS["no-app"])
    if hdrs.AUTHORIZATION in request.headers:
        raise NeedsBrowser(
            "A login at Meta needs a browser that stays logged in here; a key is none.",
            remedy="Open the page Accounts in a browser, or: `mediawatch accounts connect`.",
        )
    browser = _browser(request)
    response = web.Response(status=303)
    if ENTERED not in request:
        browser = _mark(request, response)
    response.headers[hdrs.LOCATION] = await actions.begin(
        doors.accounts,
        actor,
        login,
        browser=browser,
        redirect_uri=redirect_uri,
        again="again" in request.query,
    )
    return response


@routes.get(LOGIN_RETURN)
async def come_back(request: web.Request) -> web.StreamResponse:
    """From Meta, with a code; on to the choice at once, so that the code leaves the address."""
    doors = request.app[DOORS]
    told = {name: request.query.get(name, "") for name in ("state", "code", "error")}
    actor = request.get(ACTOR)
    if actor is None:
        raise actions.BadState(
            "Nobody is logged in here any more, so this login at Meta belongs to nobody.",
            remedy="Log in, then connect the account again from the page Accounts.",
        )
    login_id = await actions.answered(doors.accounts, actor, browser=_browser(request), **told)
    return see(f"/accounts/connect/{login_id}")


@routes.get("/accounts/connect/{id}")
async def offer(request: web.Request) -> web.Response:
    """What was granted, and which accounts can be connected."""
    return await _page(request)


@routes.post("/accounts/connect/{id}")
async def choose(request: web.Request) -> web.Response:
    """Connect what was chosen."""
    doors, actor = request.app[DOORS], actor_of(request)
    require(actor, Right.ADMIN)
    chosen = await values(request, "account")
    try:
        made = await actions.choose(
            doors.accounts,
            actor,
            browser=_browser(request),
            login_id=request.match_info["id"],
            chosen=chosen,
        )
    except (ChooseAccount, CannotConnect) as problem:
        return await _page(request, problem)
    return see(f"/accounts#account-{made[0].id}")


async def _page(request: web.Request, problem: MediawatchError | None = None) -> web.Response:
    doors, actor = request.app[DOORS], actor_of(request)
    login_id = request.match_info["id"]
    found = await actions.offer(doors.accounts, actor, browser=_browser(request), login_id=login_id)
    status = 200 if problem is None else STATUS.get(problem.code, 503)
    return page(request, "offer.html", {"offer": found, "id": login_id, "problem": problem}, status)


def _browser(request: web.Request) -> str:
    """The digest by which this browser is known: that of its session, or of a cookie of its own.
    Empty for none, which no login has."""
    entered = request.get(ENTERED)
    if entered is not None:
        return entered.session.digest if entered.session is not None else ""
    cookie = lone_cookie(request, {_SECURE_COOKIE, *(() if is_secure(request) else (_COOKIE,))})
    return bearer.digest(cookie) if cookie else ""


def _mark(request: web.Request, response: web.Response) -> str:
    """Give the browser a cookie by which it is known when it comes back."""
    secure, word = is_secure(request), bearer.new()
    response.set_cookie(
        _SECURE_COOKIE if secure else _COOKIE,
        word,
        max_age=int(2 * LASTS),
        path="/",
        httponly=True,
        samesite="Lax",
        secure=secure,
    )
    return bearer.digest(word)


def _own_address(request: web.Request) -> str:
    """By which Meta sends the browser back; it must be the one where its cookie is.

    Raises MediawatchError if mediawatch has a public name, and the browser came by another.
    """
    public = request.app[DOORS].settings.web.public_url
    here = f"{'https' if is_secure(request) else 'http'}://{request.host}"
    if public and host_of(public) != host_of(here):
        raise MediawatchError(
            f"Meta sends people back to {public}, and you are at {here}.",
            code="other-address",
            remedy=f"Open {public}/accounts, and connect the account there.",
        )
    return public or here


def _login(word: str) -> Login:
    if word not in LOGINS:
        raise BadInput(
            "There is no such login at Meta.", remedy="Choose login=facebook or login=instagram."
        )
    return word
