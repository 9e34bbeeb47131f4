"""Who comes in. While there is no user and only this machine reaches us, everybody on it does;
otherwise a session, an API key, or the key of this machine is asked for, but for the addresses that
are ``public``."""

from __future__ import annotations

from collections.abc import Container

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from mediawatch.actions import sessions
from mediawatch.actions.sessions import Entered
from mediawatch.config.values import is_loopback
from mediawatch.crypto import bearer, local_key
from mediawatch.journal import users
from mediawatch.model.people import Actor, Door, this_machine
from mediawatch.web.doors import DOORS, Doors
from mediawatch.web.origin import (
    LOGIN_RETURN,
    LOGIN_START,
    SAFE,
    host_of,
    is_foreign,
    is_ours,
    is_sure_to_be_own,
)
from mediawatch.web.peer import Peer, peer_of
from mediawatch.web.refusals import refusal

#: The cookie of a session. With the prefix browsers take it only over TLS and for this host alone.
COOKIE, SECURE_COOKIE = "mediawatch_session", "__Host-mediawatch_session"

ENTERED: web.RequestKey[Entered] = web.RequestKey("ENTERED", Entered)
ACTOR: web.RequestKey[Actor] = web.RequestKey("ACTOR", Actor)
PEER: web.RequestKey[Peer] = web.RequestKey("PEER", Peer)
#: Paths for everybody. Meta's calls and the return from its login carry their own proofs.
PUBLIC = frozenset({"/healthz", "/readyz", "/login", "/setup", LOGIN_RETURN})
PUBLIC_BELOW = ("/static/", "/api/webhooks/")
#: Where a person sees what became of their data.
DELETIONS = "/api/webhooks/instagram/data-deletion/"
#: Below these programs are answered, but for the addresses of a login.
_FOR_PROGRAMS = ("/api/", "/metrics", "/healthz", "/readyz", "/static/")


def is_page(path: str) -> bool:
    """Whether people read what is answered there, with a browser."""
    told = path in {LOGIN_START, LOGIN_RETURN} or path.startswith(DELETIONS)
    return told or not path.startswith(_FOR_PROGRAMS)


def is_public(path: str) -> bool:
    """Whether nobody needs to come in for it."""
    return path in PUBLIC or path.startswith(PUBLIC_BELOW)


def actor_of(request: web.Request) -> Actor:
    """Who asks. Only behind the door: a public address has nobody."""
    return request[ACTOR]


@web.middleware
async def mind_the_door(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse foreign names and pages; find out who asks; refuse whoever is nobody."""
    doors = request.app[DOORS]
    settings = doors.settings.web
    peer = request[PEER] = peer_of(request, settings.trusted_proxies)
    if not is_ours(request.host, settings):
        return refusal(
            403,
            "foreign-host",
            f"This address is not called {request.host}.",
            "Use http://localhost, or set web.public_url to the name that people use.",
        )
    from_meta = request.path.startswith("/api/webhooks/")
    if not from_meta and is_foreign(request):
        return refusal(
            403,
            "foreign-origin",
            "A page of another site may not use this API.",
            "Call it with curl, a script, or from its own pages.",
        )
    entered = await _who(request, doors, peer)
    if isinstance(entered, web.StreamResponse):
        return entered
    if isinstance(entered, Entered):
        request[ENTERED] = entered
        request[ACTOR] = entered.actor
    elif entered is not None:
        request[ACTOR] = entered
    elif not is_public(request.path):
        return _closed(request)
    return await handler(request)


async def _who(
    request: web.Request, doors: Doors, peer: Peer
) -> Entered | Actor | web.StreamResponse | None:
    given = request.headers.getall(hdrs.AUTHORIZATION, [])
    if given:
        return await _bearer(request, doors, peer, given)
    # Over TLS only the one with the prefix counts, which no other host can have planted.
    cookie = lone_cookie(request, {SECURE_COOKIE, *(() if is_secure(request) else (COOKIE,))})
    if cookie is not None:
        entered = await sessions.enter(doors.journal, doors.clock, cookie, address=peer.address)
        if entered is not None:
            if request.method not in SAFE and not is_sure_to_be_own(request):
                return refusal(
                    403,
                    "foreign-origin",
                    "The browser does not say which page sends this.",
                    "Use a newer browser; for a program make a key: `mediawatch keys create`.",
                )
            return entered
    told = host_of(doors.settings.web.public_url)
    reached = doors.settings.web.is_open or bool(told and not is_loopback(told))
    if reached or await users.any_there(doors.journal):
        return None
    if peer.proxied:
        if is_public(request.path):
            return None
        return refusal(
            403,
            "proxied",
            "A proxy leads the world here, and nobody needs to log in yet.",
            "Make a user first: `mediawatch users add NAME --role owner`.",
        )
    return this_machine(Door.PAGE if "Sec-Fetch-Mode" in request.headers else Door.API)


async def _bearer(
    request: web.Request, doors: Doors, peer: Peer, given: list[str]
) -> Entered | Actor | web.StreamResponse:
    """An API key, or the key of this machine. What is offered and no good is refused, also where
    nobody would need it: whoever sends it takes it for good."""
    scheme, _, word = given[0].partition(" ")
    if len(given) == 1 and scheme.lower() == "bearer":
        if word.startswith(local_key.PREFIX) and doors.is_local_key(word):
            return this_machine(Door.COMMAND)
        if word.startswith(bearer.KEY_PREFIX):
            entered = await sessions.enter_by_key(
                doors.journal, doors.clock, word, address=peer.address
            )
            if entered is not None:
                return entered
    answer = refusal(
        401,
        "bad-key",
        "This key is not known, was revoked, or has ended.",
        "Make one with `mediawatch keys create`, and send it as: Authorization: Bearer mw_…",
    )
    answer.headers[hdrs.WWW_AUTHENTICATE] = 'Bearer realm="mediawatch", error="invalid_token"'
    return answer


def lone_cookie(request: web.Request, names: Container[str]) -> str | None:
    """The cookie of one of these names; none if there are several: one of them is somebody
    else's."""
    found = [
        value
        for part in ";".join(request.headers.getall(hdrs.COOKIE, [])).split(";")
        for name, _, value in [part.strip().partition("=")]
        if name in names
    ]
    return found[0] if len(found) == 1 else None


def _closed(request: web.Request) -> web.StreamResponse:
    if request.method in SAFE and is_page(request.path):
        # What begins a login at Meta is begun by a click, not by coming back.
        onward = "/accounts" if request.path == LOGIN_START else request.rel_url.raw_path_qs
        return web.Response(status=303, headers={hdrs.LOCATION: f"/login?next={onward}"})
    answer = refusal(
        401,
        "not-logged-in",
        "Nobody is logged in.",
        "Log in at /login, or send a key: Authorization: Bearer mw_…",
    )
    answer.headers[hdrs.WWW_AUTHENTICATE] = 'Bearer realm="mediawatch"'
    return answer


def let_in(request: web.Request, response: web.StreamResponse, cookie: str, seconds: float) -> None:
    """Give the browser the cookie of a new session, in place of any other."""
    secure = is_secure(request)
    let_out(request, response)
    response.set_cookie(
        SECURE_COOKIE if secure else COOKIE,
        cookie,
        max_age=int(seconds),
        path="/",
        httponly=True,
        samesite="Lax",
        secure=secure,
    )


def let_out(request: web.Request, response: web.StreamResponse) -> None:
    """Take the cookies away."""
    response.del_cookie(COOKIE, path="/", httponly=True, samesite="Lax")
    if is_secure(request):
        response.del_cookie(SECURE_COOKIE, path="/", httponly=True, samesite="Lax", secure=True)


def is_secure(request: web.Request) -> bool:
    """Whether the browser came by TLS."""
    public = request.app[DOORS].settings.web.public_url
    told = public.startswith("https:") and host_of(public) == host_of(f"//{request.host}")
    return told or request[PEER].secure
