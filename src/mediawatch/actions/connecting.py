"""A login with a browser, from the button to the account that is connected.

It is good once, for ten minutes, and for the one browser and person that began it. What must stay
secret of it lies sealed in the journal meanwhile: the verifier, then what Meta granted.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from dataclasses import asdict, dataclass, replace
from typing import Any

from pydantic import SecretStr

from mediawatch import crash
from mediawatch.actions.account_desk import AccountDesk
from mediawatch.actions.accounts import CannotConnect, require_connectable
from mediawatch.actions.pasting import ChooseAccount
from mediawatch.actions.permission import require
from mediawatch.crypto import bearer, signing
from mediawatch.errors import MediawatchError
from mediawatch.graph.oauth import Candidate, Grant, LoggedIn
from mediawatch.graph.scopes import NEEDED_SCOPES, Scope
from mediawatch.journal import logins
from mediawatch.journal.accounts import Account
from mediawatch.journal.logins import LoginUnderWay
from mediawatch.model.accounts import Login
from mediawatch.model.people import Actor, Right

#: What a state and a code may look like; Meta's codes have some 300 characters.
_STATE, _CODE = re.compile(r"[A-Za-z0-9_-]{43}"), re.compile(r"[!-~]{1,2048}")


class BadState(MediawatchError):
    """The browser comes back from a login that is none of its own, or that is over."""

    code = "bad-state"


class LoginFailed(MediawatchError):
    """The login came to nothing."""

    code = "login-failed"


@dataclass(frozen=True, slots=True)
class Offered:
    """An account that was granted. ``problem``: why it cannot be connected, if so."""

    candidate: Candidate
    problem: MediawatchError | None


@dataclass(frozen=True, slots=True)
class Offer:
    """What came of a login. ``scopes``: what was asked for, and whether it was granted; None if
    the login does not tell. ``bare_pages``: names of pages without a professional account."""

    login: Login
    scopes: list[tuple[Scope, bool | None]]
    accounts: list[Offered]
    bare_pages: list[str]

    @property
    def lacks(self) -> bool:
        """Whether something that was asked for was not granted."""
        return any(granted is False for _, granted in self.scopes)


def missing_settings(desk: AccountDesk, login: Login) -> list[str]:
    """The settings without which nobody can log in so."""
    api = desk.logins.get(login)
    return [] if api is not None and api.has_app else [f"{login}_app_id", f"{login}_app_secret"]


def no_app(login: Login) -> LoginFailed:
    """What is to be done where they are missing."""
    return LoginFailed(
        f"The settings have no app for the {login} login.",
        code="no-app",
        remedy=f"Make one at developers.facebook.com, and set instagram.{login}_app_id and "
        f"{login}_app_secret; or paste a token: `mediawatch accounts paste`.",
    )


async def begin(
    desk: AccountDesk,
    actor: Actor,
    login: Login,
    *,
    browser: str,
    redirect_uri: str,
    again: bool = False,
) -> str:
    """The address at Meta to send the browser to. ``browser``: the digest of its cookie.
    ``again``: ask once more for what was declined.

    Raises NotAllowed, LoginFailed, KeyProblem, StorageProblem and JournalError.
    """
    require(actor, Right.ADMIN)
    if missing_settings(desk, login):
        raise no_app(login)
    api = desk.logins[login]
    state, verifier, now = bearer.new(), signing.new_verifier(), desk.clock.now()
    begun = LoginUnderWay(
        bearer.digest(state), browser, actor.user_id, login, b"", "", redirect_uri, now, None
    )
    await desk.tokens.keep_login(
        begun.state_digest,
        json.dumps({"verifier": verifier}),
        lambda sealed, key_id: [
            logins.forget_ended(now),
            *logins.begin(replace(begun, sealed=sealed, key_id=key_id)),
        ],
    )
    crash.at("login.changed")
    return api.authorize_url(
        state=state,
        redirect_uri=redirect_uri,
        challenge=signing.challenge_of(verifier),
        again=again,
    )


async def answered(
    desk: AccountDesk, actor: Actor, *, browser: str, state: str, code: str, error: str
) -> str:
    """Meta has sent the browser back: by which name what was granted can be looked at.

    ``error``: in place of the code, a word of Meta's. Whatever it is, the state is used up.
    Raises NotAllowed, BadState, LoginFailed, GraphError, GraphUnreachable and what sealing raises.
    """
    require(actor, Right.ADMIN)
    begun = await _claimed(desk, actor, browser, state)
    try:
        found = await _log_in(desk, begun, code.removesuffix("#_"), error)
    except BaseException:
        await desk.journal.apply([logins.forget(begun.state_digest)])
        crash.at("login.changed")
        raise
    await desk.tokens.keep_login(
        begun.state_digest,
        _told(found),
        lambda sealed, key_id: [logins.answer(begun.state_digest, sealed, key_id)],
    )
    crash.at("login.changed")
    return begun.id


async def offer(desk: AccountDesk, actor: Actor, *, browser: str, login_id: str) -> Offer:
    """What was granted, and what can be connected with it. Raises NotAllowed and BadState."""
    begun, found = await _found(desk, actor, browser, login_id)
    granted = found.grant.permissions
    accounts = []
    for candidate in found.candidates:
        problem = None
        try:
            await require_connectable(desk.journal, actor, begun.login, candidate, granted)
        except CannotConnect as told:
            problem = told
        accounts.append(Offered(candidate, problem))
    scopes = [
        (scope, None if granted is None else scope.name in granted)
        for scope in NEEDED_SCOPES[begun.login]
    ]
    return Offer(begun.login, scopes, accounts, found.bare_pages)


async def choose(
    desk: AccountDesk, actor: Actor, *, browser: str, login_id: str, chosen: Collection[str]
) -> list[Account]:
    """Connect these accounts, by their ids; the login is over with that.

    Raises NotAllowed, BadState, ChooseAccount, CannotConnect and what keeping a token raises.
    """
    begun, found = await _found(desk, actor, browser, login_id)
    granted = found.grant.permissions
    wanted = [each for each in found.candidates if each.account_id in chosen]
    if not wanted or len(wanted) != len(set(chosen)):
        raise ChooseAccount(
            "You chose no account that this login is for.", remedy="Choose one of the list."
        )
    for candidate in wanted:
        await require_connectable(desk.journal, actor, begun.login, candidate, granted)
    (gone,) = await desk.journal.apply([logins.forget(begun.state_digest)])
    crash.at("login.changed")
    if not gone:
        raise _over()
    return [await desk.connect(actor, begun.login, each, found.grant) for each in wanted]


async def _claimed(desk: AccountDesk, actor: Actor, browser: str, state: str) -> LoginUnderWay:
    if not _STATE.fullmatch(state):
        raise _over()
    digest = bearer.digest(state)
    (rows,) = await desk.journal.apply([logins.claim(digest, browser, now=desk.clock.now())])
    crash.at("login.changed")
    if not rows or rows[0]["user_id"] != actor.user_id:
        raise _over()
    return LoginUnderWay(**rows[0])


async def _found(
    desk: AccountDesk, actor: Actor, browser: str, login_id: str
) -> tuple[LoginUnderWay, LoggedIn]:
    require(actor, Right.ADMIN)
    begun = await logins.find_answered(desk.journal, login_id, browser, now=desk.clock.now())
    if begun is None or begun.user_id != actor.user_id:
        raise _over()
    kept = json.loads(desk.tokens.open_login(begun.state_digest, begun.sealed))
    if "grant" not in kept:  # Meta is being asked just now, or the answer was cut off
        raise _over()
    return begun, _untold(kept)


async def _log_in(desk: AccountDesk, begun: LoginUnderWay, code: str, error: str) -> LoggedIn:
    api = desk.logins.get(begun.login)
    if error:
        raise _refused(error)
    if not _CODE.fullmatch(code):
        raise LoginFailed(
            "Meta sent the browser back without a code.", remedy="Connect the account again."
        )
    if api is None:
        raise _over()
    kept = json.loads(desk.tokens.open_login(begun.state_digest, begun.sealed))
    return await api.log_in(code, begun.redirect_uri, kept["verifier"])


def _over() -> BadState:
    return BadState(
        "This login is not known here: it is another browser's, was used already, or is older "
        "than ten minutes.",
        remedy="Connect the account again, from the page Accounts.",
    )


def _refused(error: str) -> LoginFailed:
    if error == "access_denied":
        return LoginFailed(
            "You cancelled: nothing was connected.",
            code="login-cancelled",
            remedy="Connect the account again whenever you like.",
        )
    word = error if re.fullmatch(r"[a-z_]{1,60}", error) else "an unknown word"
    return LoginFailed(
        f"Meta did not let you in ({word}).",
        remedy="Connect the account again; if it happens again, look at the app's dashboard.",
    )


def _told(found: LoggedIn) -> str:
    """Everything, to be sealed."""

    def plain(value: Any) -> Any:
        if isinstance(value, SecretStr):
            return value.get_secret_value()
        return sorted(value)

    whole = {
        "grant": asdict(found.grant),
        "candidates": [asdict(each) for each in found.candidates],
        "bare_pages": found.bare_pages,
    }
    return json.dumps(whole, default=plain)


def _untold(kept: dict[str, Any]) -> LoggedIn:
    grant = kept["grant"]
    permissions = grant.pop("permissions")
    return LoggedIn(
        Grant(
            **grant | {"token": SecretStr(grant["token"])},
            permissions=None if permissions is None else frozenset(permissions),
        ),
        [
            Candidate(
                **each
                | {
                    "page_token": SecretStr(each["page_token"]) if each["page_token"] else None,
                    "tasks": frozenset(each["tasks"]),
                }
            )
            for each in kept["candidates"]
        ],
        kept["bare_pages"],
    )
