"""Which apps have access to whom, for people: ``/_simulator/apps``, where it can be taken away."""

from __future__ import annotations

from html import escape

from aiohttp import web

from .callbacks import Callbacks
from .document import document
from .grants import Grant
from .state import State


class AccessPage:
    """The page over one state, and its buttons."""

    def __init__(self, state: State, callbacks: Callbacks) -> None:
        self._state = state
        self._callbacks = callbacks

    async def show(self, _: web.Request) -> web.Response:
        """``GET``: every grant that is in force."""
        return self._page("")

    async def act(self, request: web.Request) -> web.Response:
        """``POST``: ``remove`` ends a grant, ``delete`` asks for the deletion of data as well, and
        both tell the app; ``expire`` ends the tokens only."""
        form = await request.post()
        app_id, who = str(form.get("app", "")), str(form.get("who", ""))
        grant = self._state.grants.find(app_id, who)
        if grant is None:
            return self._page("This access was removed already.")
        match form.get("do"):
            case "remove":
                told = await self._callbacks.deauthorize(grant)
            case "delete":
                told = await self._callbacks.delete_data(grant)
            case _:
                count = self._state.grants.expire(who)
                return self._page(f"{count} tokens have run out.")
        answer = f"{told['status'] or told['body']}" if told["called"] else "it has no address"
        return self._page(f"Removed. The app was told: {answer}.")

    def _page(self, said: str) -> web.Response:
        grants = self._state.grants.all()
        rows = "".join(self._row(grant) for grant in grants)
        if not rows:
            rows = (
                '<div class="empty"><h2>No app has access</h2>'
                "<p>Connect an account in mediawatch, and it appears here.</p></div>"
            )
        told = f'<p role="status" class="said">{escape(said)}</p>' if said else ""
        body = (
            '<main class="narrow"><p><a class="back" href="/">← All posts</a></p>'
            f"<h1>Apps with access</h1>{told}{rows}</main>"
        )
        return document("Apps with access", body, forms=("'self'",))

    def _row(self, grant: Grant) -> str:
        cast = self._state.cast
        app = cast.apps.get(grant.app_id)
        person = cast.persons.get(grant.who)
        who = person.name if person else self._state.username(grant.who)
        accounts = ", ".join(self._state.username(each) for each in sorted(grant.accounts))
        facts = [
            ("By", f"{who} ({grant.login.capitalize()} login)"),
            ("Granted", ", ".join(sorted(grant.granted)) or "nothing"),
            ("Declined", ", ".join(sorted(grant.declined))),
            ("Accounts", accounts or "none"),
        ]
        shown = "".join(f"<dt>{name}</dt><dd>{escape(told)}</dd>" for name, told in facts if told)
        return (
            f'<section class="access"><h2>{escape(app.name if app else grant.app_id)}</h2>'
            f'<dl>{shown}</dl><form method="post">'
            f'<input type="hidden" name="app" value="{escape(grant.app_id)}">'
            f'<input type="hidden" name="who" value="{escape(grant.who)}">'
            '<p class="buttons"><button name="do" value="remove">Remove</button>'
            '<button name="do" value="delete">Remove and delete my data</button>'
            '<button name="do" value="expire">Let the tokens run out</button></p></form></section>'
        )
