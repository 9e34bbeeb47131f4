"""``/accounts``: how each stands, and what may be done with it."""

from __future__ import annotations

from aiohttp import web

from mediawatch.actions import account_list
from mediawatch.actions.account_cards import card, cards
from mediawatch.actions.permission import require_account
from mediawatch.errors import MediawatchError
from mediawatch.model.accounts import LOGINS
from mediawatch.model.people import Right, Role
from mediawatch.web.access import actor_of
from mediawatch.web.api.input import BadInput
from mediawatch.web.doors import DOORS
from mediawatch.web.pages.form import fields, see
from mediawatch.web.pages.rendering import page
from mediawatch.web.refusals import STATUS

routes = web.RouteTableDef()
_PATH = "/accounts"
#: As what an account can be shared.
_SHARED_AS = (Role.EDITOR, Role.VIEWER)


@routes.get("/")
async def start(request: web.Request) -> web.Response:
    """The first page that there is."""
    return see(_PATH)


@routes.get(_PATH)
async def show(request: web.Request) -> web.Response:
    """All that one may see."""
    return await _page(request)


@routes.post(_PATH + "/{id}/refresh")
async def refresh(request: web.Request) -> web.Response:
    """Refresh its token now."""
    account_id = await _ruled(request)
    try:
        await request.app[DOORS].accounts.refresh_token(actor_of(request), account_id)
    except MediawatchError as problem:
        return await _page(request, problem)
    return see(f"{_PATH}#account-{account_id}")


@routes.get(_PATH + "/{id}/disconnect")
async def ask(request: web.Request) -> web.Response:
    """Whether it is meant."""
    account_id = await _ruled(request)
    found = await card(request.app[DOORS].accounts, actor_of(request), account_id)
    return page(request, "disconnect.html", {"card": found})


@routes.post(_PATH + "/{id}/disconnect")
async def disconnect(request: web.Request) -> web.Response:
    """Forget its token."""
    account_id, desk = await _ruled(request), request.app[DOORS].accounts
    found = await card(desk, actor_of(request), account_id)
    try:
        done = await desk.disconnect(actor_of(request), account_id)
    except MediawatchError as problem:
        return await _page(request, problem)
    told = f"{found.name} is disconnected: its token is forgotten. {done.left}"
    return await _page(request, told=told.strip())


@routes.post(_PATH + "/{id}/share")
async def share(request: web.Request) -> web.Response:
    """Let somebody work with it."""
    account_id = await _ruled(request)
    user, role = await fields(request, "user", "role")
    try:
        if role not in _SHARED_AS:
            raise BadInput(
                "An account is shared as editor or viewer.", remedy="Choose one of the two."
            )
        desk = request.app[DOORS].accounts
        await desk.share(actor_of(request), account_id, user, Role(role))
    except MediawatchError as problem:
        return await _page(request, problem)
    return see(f"{_PATH}#account-{account_id}")


@routes.post(_PATH + "/{id}/unshare")
async def unshare(request: web.Request) -> web.Response:
    """Let somebody see it no more."""
    account_id = await _ruled(request)
    (user,) = await fields(request, "user")
    try:
        await request.app[DOORS].accounts.unshare(actor_of(request), account_id, user)
    except MediawatchError as problem:
        return await _page(request, problem)
    return see(f"{_PATH}#account-{account_id}")


async def _ruled(request: web.Request) -> str:
    """The id of the account of the address, if it is theirs to rule.

    Raises NoSuchAccount and NotAllowed, for a page that shows nothing else.
    """
    doors, actor = request.app[DOORS], actor_of(request)
    account_id = await account_list.find(doors.journal, actor, request.match_info["id"])
    await require_account(doors.journal, actor, account_id, Right.ADMIN)
    return account_id


async def _page(
    request: web.Request, problem: MediawatchError | None = None, *, told: str = ""
) -> web.Response:
    doors, actor = request.app[DOORS], actor_of(request)
    facts = {
        "cards": await cards(doors.accounts, actor),
        "logins": LOGINS,
        "shared_as": [role.value for role in _SHARED_AS],
        "problem": problem,
        "told": told,
    }
    status = 200 if problem is None else STATUS.get(problem.code, 503)
    return page(request, "accounts.html", facts, status)
