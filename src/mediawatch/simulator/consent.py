"""What the consent page looks like: who is logged in, what is asked for, and which pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from urllib.parse import urlencode, urlsplit

from aiohttp import web

from .document import document
from .people import SCOPES, App

_NAMES = {"facebook": "Facebook", "instagram": "Instagram"}
_KINDS = {
    "BUSINESS": "Business account",
    "MEDIA_CREATOR": "Creator account",
    "PERSONAL": "Personal account",
}


@dataclass(frozen=True, slots=True)
class Choice:
    """Somebody who may be logged in. ``pages``: id, name, and the name of the account or ""."""

    id: str
    name: str
    kind: str
    pages: tuple[tuple[str, str, str], ...]
    declined: tuple[str, ...]


def consent_page(
    choices: Sequence[Choice],
    app: App,
    scopes: Sequence[str],
    query: Mapping[str, str],
    redirect_uri: str,
) -> web.Response:
    """The page. ``as`` in the query chooses who is logged in, the first one if it is left out."""
    who = next((each for each in choices if each.id == query.get("as")), None)
    who = who or (choices[0] if choices else None)
    if who is None:
        return refusal_page("Nobody may log in: the scenario has no such person.")
    asked = {name: value for name, value in query.items() if name != "as"}
    others = "".join(
        f'<li><a href="?{escape(urlencode(asked | {"as": each.id}))}">{_named(each)}</a></li>'
        for each in choices
        if each.id != who.id
    )
    switch = f"<details><summary>Not you?</summary><ul>{others}</ul></details>" if others else ""
    known = SCOPES[app.login]
    ticks = "".join(
        _tick("scopes", name, known[name], name, ticked=name not in who.declined) for name in scopes
    )
    pages = ""
    if who.pages:
        rows = "".join(
            _tick("pages", page_id, name, _linked(account), ticked=True)
            for page_id, name, account in who.pages
        )
        pages = f"<fieldset><legend>For which pages?</legend>{rows}</fieldset>"
    parts = urlsplit(redirect_uri)
    origin = f"{parts.scheme}://{parts.netloc}"
    body = (
        '<main class="narrow"><p class="quiet">'
        f'Simulated {_NAMES[app.login]} <span class="pill">Simulator</span></p>'
        f"<h1>{escape(app.name)} would like access</h1>"
        f'<p>You are logged in as <strong id="who">{_named(who)}</strong>.</p>{switch}'
        # The address of the form is the page's own: what the app asked for goes along.
        '<form method="post">'
        f'<input type="hidden" name="as" value="{escape(who.id)}">'
        f"<fieldset><legend>It wants to</legend>{ticks}</fieldset>{pages}"
        '<p class="buttons"><button name="answer" value="continue" class="main">Continue</button>'
        '<button name="answer" value="cancel">Cancel</button></p></form>'
        f'<p class="quiet">Afterwards you are led back to {escape(origin)}.</p></main>'
    )
    # A browser asks the policy also about the address that the answer to a form leads to.
    return document(f"{app.name} would like access", body, forms=("'self'", origin))


def refusal_page(why: str) -> web.Response:
    """What is shown when the request of the app is no good."""
    body = (
        '<main class="narrow"><h1>Sorry, something is wrong</h1>'
        f'<p id="why">{escape(why)}</p><p class="quiet">The app sent you here with a request that'
        " cannot be granted. Nothing was sent back to it.</p></main>"
    )
    return document("Something is wrong", body, status=400)


def _named(who: Choice) -> str:
    kind = f" ({_KINDS[who.kind]})" if who.kind else ""
    return escape(f"{who.name}{kind}")


def _linked(account: str) -> str:
    return f"Instagram: {account}" if account else "no professional Instagram account"


def _tick(name: str, value: str, label: str, detail: str, *, ticked: bool) -> str:
    return (
        f'<label><input type="checkbox" name="{name}" value="{escape(value)}"'
        f"{' checked' if ticked else ''}> <span>{escape(label)}"
        f'<br><small class="quiet">{escape(detail)}</small></span></label>'
    )
