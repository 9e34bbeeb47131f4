"""The page at which somebody lets an app in: ``/{v}/dialog/oauth`` and ``/oauth/authorize``.

``GET`` shows it, ``POST`` takes the answer and leads back to the app with a code, or with the
words of a refusal. Whatever is wrong with the request itself is told here and leads nowhere: an
address that is not the app's gets nothing (RFC 6749, section 4.1.2.1).
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from aiohttp import web

from .consent import Choice, consent_page, refusal_page
from .options import SimulatorOptions
from .people import SCOPES, App, Login
from .state import State

_CHALLENGE = re.compile(r"[A-Za-z0-9._~-]{43,128}")
#: How each login tells that somebody said no, and what stands at the end of its redirects.
_DENIED: dict[Login, str] = {
    "facebook": "Permissions error",
    "instagram": "The user denied your request",
}
_TAIL: dict[Login, str] = {"facebook": "#_=_", "instagram": "#_"}


class Unfit(Exception):
    """A request that is told on the page and leads nowhere."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What an app asks for."""

    app: App
    redirect_uri: str
    scopes: tuple[str, ...]
    state: str | None
    challenge: str
    method: str


class Dialog:
    """The consent pages over one state."""

    def __init__(self, options: SimulatorOptions, state: State) -> None:
        self._options = options
        self._state = state

    async def facebook(self, request: web.Request) -> web.StreamResponse:
        """``/{version}/dialog/oauth``."""
        return await self._handle(request, "facebook")

    async def instagram(self, request: web.Request) -> web.StreamResponse:
        """``/oauth/authorize``."""
        return await self._handle(request, "instagram")

    async def _handle(self, request: web.Request, login: Login) -> web.StreamResponse:
        try:
            asked = self._read(request.query, login)
            if request.method != "POST":
                return consent_page(
                    self._choices(login), asked.app, asked.scopes, request.query, asked.redirect_uri
                )
            form = await request.post()
            if form.get("answer") != "continue":
                return self._back(asked, error="access_denied")
            who = str(form.get("as", ""))
            ticked = {str(each) for each in form.getall("scopes", [])}
            pages = {str(each) for each in form.getall("pages", [])}
            return self._back(asked, code=self._consent(asked, who, ticked, pages))
        except Unfit as unfit:
            return refusal_page(str(unfit))

    def _read(self, query: Mapping[str, str], login: Login) -> Asked:
        app = self._state.cast.apps.get(query.get("client_id", ""))
        if app is None or app.login != login:
            raise Unfit("Invalid App ID: the provided app ID does not look like a valid app ID.")
        redirect_uri = query.get("redirect_uri", "")
        if not _is_registered(app, redirect_uri):
            raise Unfit(
                "URL Blocked: this redirect failed because the redirect URI is not among the"
                " valid OAuth redirect URIs of the app."
            )
        if query.get("response_type", "code") != "code":
            raise Unfit("Invalid response_type: only code is known here.")
        scopes = tuple(dict.fromkeys(re.split(r"[,\s]+", query.get("scope", "").strip(", "))))
        unknown = [name for name in scopes if name not in SCOPES[login]]
        if unknown:
            raise Unfit(f"Invalid Scopes: {', '.join(unknown) or 'none were asked for'}.")
        challenge = query.get("code_challenge", "")
        method = query.get("code_challenge_method", "plain")
        if challenge and (not _CHALLENGE.fullmatch(challenge) or method not in {"plain", "S256"}):
            raise Unfit("Invalid code_challenge.")
        return Asked(app, redirect_uri, scopes, query.get("state"), challenge, method)

    def _choices(self, login: Login) -> list[Choice]:
        """Everybody who may be logged in."""
        persons = self._state.cast.persons.values()
        if login == "instagram":
            return [
                Choice(account.id, account.name, account.kind, (), person.declined)
                for person in persons
                for account in person.accounts
            ]
        return [
            Choice(
                person.id,
                person.name,
                "",
                tuple(
                    (page.id, page.name, linked.name if linked else "")
                    for page in person.pages
                    for linked in [self._state.cast.linked(page)]
                ),
                person.declined,
            )
            for person in persons
        ]

    def _consent(self, asked: Asked, who: str, ticked: set[str], pages: set[str]) -> str:
        """The code for what was ticked. Raises Unfit."""
        granted = ticked & set(asked.scopes)
        accounts: set[str] = set()
        owned: set[str] = set()
        if asked.app.login == "instagram":
            if who not in self._state.cast.accounts:
                raise Unfit("Nobody of that name is logged in.")
            accounts = {who}
        else:
            person = self._state.cast.persons.get(who)
            if person is None:
                raise Unfit("Nobody of that name is logged in.")
            owned = {page.id for page in person.pages} & pages
            accounts = {page.account for page in person.pages if page.id in owned and page.account}
        grant = self._state.grants.consent(
            asked.app,
            who,
            granted=granted,
            declined=set(asked.scopes) - granted,
            accounts=accounts,
            pages=owned,
        )
        return self._state.grants.code(
            asked.app, grant, asked.redirect_uri, asked.challenge, asked.method
        )

    def _back(self, asked: Asked, **told: str) -> web.Response:
        """Back to the app."""
        if "error" in told:
            told["error_reason"] = "user_denied"
            told["error_description"] = _DENIED[asked.app.login]
        if asked.state is not None:
            told["state"] = asked.state
        joint = "&" if "?" in asked.redirect_uri else "?"
        tail = _TAIL[asked.app.login] if "code" in told else ""
        # By hand: aiohttp's exceptions quote the address anew.
        return web.Response(
            status=302,
            headers={"Location": f"{asked.redirect_uri}{joint}{urlencode(told)}{tail}"},
        )


def _is_registered(app: App, address: str) -> bool:
    """Whether it is one of the app's addresses; if it names none, one of this machine."""
    if app.redirect_uris:
        return address in app.redirect_uris
    try:
        parts = urlsplit(address)
        host, fragment = parts.hostname or "", parts.fragment
    except ValueError:
        return False
    if parts.scheme not in {"http", "https"} or fragment or not address.isprintable():
        return False
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
