"""``/setup``: the first user, by the one-time link that is shown at the first start."""

from __future__ import annotations

from aiohttp import hdrs, web

from mediawatch.actions import sessions as session_actions
from mediawatch.actions import users as actions
from mediawatch.actions.users import UserNotPossible
from mediawatch.crypto import setup_link
from mediawatch.crypto.passwords import WeakPassword
from mediawatch.errors import MediawatchError
from mediawatch.journal import sessions, users
from mediawatch.model.people import Door, this_machine
from mediawatch.web.access import PEER, let_in
from mediawatch.web.doors import DOORS, Doors
from mediawatch.web.pages.form import fields, same, see
from mediawatch.web.pages.rendering import page
from mediawatch.web.refusals import STATUS

routes = web.RouteTableDef()


class LinkUsed(MediawatchError):
    """The link is none, or has done its work."""

    code = "bad-setup-link"


@routes.get("/setup")
async def ask(request: web.Request) -> web.Response:
    """The form, for whoever has the link."""
    word = request.query.get("link", "")
    await _check(request, word)
    return page(request, "first_user.html", {"link": word, "name": ""})


@routes.post("/setup")
async def make(request: web.Request) -> web.Response:
    """The owner, who is logged in with that."""
    doors = request.app[DOORS]
    word, name, password, again = await fields(request, "link", "name", "password", "again")
    await _check(request, word)
    address = request[PEER].address
    actor = this_machine(Door.PAGE)
    try:
        same(password, again)
        user = await actions.add_first(doors.journal, doors.clock, actor, name, password)
    except (UserNotPossible, WeakPassword) as error:
        facts = {"link": word, "name": name, "problem": error}
        return page(request, "first_user.html", facts, STATUS[error.code])
    setup_link.take_away(doors.settings.storage.data_dir)
    agent = request.headers.get(hdrs.USER_AGENT, "")
    begun = await session_actions.begin(
        doors.journal, doors.clock, user, password, address=address, agent=agent
    )
    response = see("/settings/security")
    let_in(request, response, begun.cookie, sessions.ABSOLUTE)
    return response


async def _check(request: web.Request, word: str) -> None:
    doors: Doors = request.app[DOORS]
    if not doors.is_setup_word(word) or await users.any_there(doors.journal):
        raise LinkUsed(
            "This link is not the one for the first user, or was used already.",
            remedy="Log in, or look into the file setup-link in the data folder.",
        )
