"""What may be asked of accounts: connect, disconnect, share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mediawatch import crash
from mediawatch.actions.permission import require, require_account
from mediawatch.actions.users import NoSuchUser
from mediawatch.crypto.vault import SealedOtherwise
from mediawatch.errors import GraphProblem, MediawatchError
from mediawatch.graph.oauth import Candidate, Grant, OAuth
from mediawatch.graph.scopes import missing
from mediawatch.journal import accounts, audit, shares, standing, users
from mediawatch.journal import tokens as table
from mediawatch.journal.accounts import Account, Identity
from mediawatch.journal.database import Journal, Statement
from mediawatch.log import Log
from mediawatch.model.accounts import DISCONNECTED, Login
from mediawatch.model.people import Actor, Right, Role
from mediawatch.tokens import NewToken, Tokens


class CannotConnect(MediawatchError):
    """The account cannot be published to as it is."""

    code = "cannot-connect"


class NotConnected(MediawatchError):
    """There is no token here that could be forgotten."""

    code = "not-connected"


@dataclass(frozen=True, slots=True)
class Disconnection:
    """``revoked``: whether Meta has taken the consent back. ``left``: what a person may do about
    it, if it was not."""

    account_id: str
    revoked: bool
    left: str = ""


async def connect(
    journal: Journal,
    tokens: Tokens,
    actor: Actor,
    login: Login,
    candidate: Candidate,
    user_grant: Grant,
    granted: frozenset[str] | None,
    *,
    now: float,
    data_access_expires_at: float | None = None,
) -> Account:
    """Keep the token of an account that somebody has given, in place of the one that there was;
    what waited for it goes on, one by one.

    ``user_grant``: long-lived by now; the page's token goes before it. ``granted``: None if the
    login does not tell. Raises NotAllowed, CannotConnect, KeyProblem, StorageProblem and
    JournalError.
    """
    account_id = candidate.account_id
    known = await require_connectable(journal, actor, login, candidate, granted)
    who = Identity(
        username=candidate.username,
        login=login,
        kind=candidate.kind,
        page_id=candidate.page_id or None,
        page_name=candidate.page_name or None,
        granted=None if granted is None else sorted(granted),
        meta_user_id=user_grant.meta_user_id,
    )
    along: list[Statement] = [
        accounts.connect(account_id, who, owner_id=actor.user_id, now=now),
        users.adopt(),  # by a command: it is the eldest owner's, if there is one
        audit.record(
            actor,
            "account.connect",
            candidate.username or account_id,
            account_id=account_id,
            detail=f"{login} login",
            now=now,
        ),
    ]
    if known.stopped_code is not None:
        along += standing.release(account_id, known.stopped_code, now=now)
    new = _token(login, candidate, user_grant, now, data_access_expires_at)
    await tokens.store(account_id, login, new, along=along)
    return await accounts.find(journal, account_id)


async def require_connectable(
    journal: Journal,
    actor: Actor,
    login: Login,
    candidate: Candidate,
    granted: frozenset[str] | None,
) -> Account:
    """The account as it is known by now. Raises NotAllowed, CannotConnect and JournalError."""
    require(actor, Right.ADMIN)
    known = await accounts.find(journal, candidate.account_id)
    if known.owner_id is not None and actor.user_id not in {None, known.owner_id}:
        raise CannotConnect(
            f"The account {candidate.username or known.id} belongs to somebody else here.",
            code="account-taken",
            remedy="Ask them to share it with you (`mediawatch accounts share`).",
        )
    require_publishable(login, candidate, granted)
    return known


def _token(
    login: Login, candidate: Candidate, grant: Grant, now: float, data_access: float | None
) -> NewToken:
    ends = None if grant.expires_in is None else now + grant.expires_in
    if candidate.page_token is not None:
        # Made from a long-lived token, it has no end (Meta: Long-Lived Access Tokens).
        behind = grant.token if grant.token != candidate.page_token else None
        return NewToken(
            candidate.page_token, "page", now, behind, data_access_expires_at=data_access
        )
    kind = "user" if login == "facebook" else "instagram"
    return NewToken(grant.token, kind, now, expires_at=ends, data_access_expires_at=data_access)


def require_publishable(login: Login, candidate: Candidate, granted: frozenset[str] | None) -> None:
    """Raises CannotConnect, with what a person has to change."""
    name = f"@{candidate.username}" if candidate.username else candidate.account_id
    if not candidate.is_professional:
        raise CannotConnect(
            f"{name} is a {candidate.kind.lower()} account: Meta lets nobody publish to it.",
            code="personal-account",
            remedy="In the Instagram app: Settings, Account type, Switch to professional account; "
            "then connect it again.",
        )
    if granted is not None and (left := missing(login, granted)):
        told = ", ".join(f"{each.name} ({each.purpose.rstrip('.')})" for each in left)
        raise CannotConnect(
            f"{name} cannot be connected: {told} was not granted.",
            code="missing-permissions",
            remedy="Connect it again, and leave every permission ticked in Meta's dialog.",
        )
    if candidate.tasks and not candidate.may_publish:
        raise CannotConnect(
            f"You may not publish for the page {candidate.page_name}, which {name} is linked to.",
            code="page-role",
            remedy="Have an administrator of the page give you the task Create content, then "
            "connect the account again.",
        )


async def disconnect(
    journal: Journal,
    tokens: Tokens,
    logins: Mapping[Login, OAuth],
    actor: Actor,
    account_id: str,
    *,
    now: float,
    log: Log,
) -> Disconnection:
    """Take the consent back at Meta as far as possible, and forget the token; posts of the account
    wait until it is connected again.

    Raises NoSuchAccount, NotAllowed, NotConnected and JournalError.
    """
    await require_account(journal, actor, account_id, Right.ADMIN)
    if account_id == tokens.of_settings:
        raise NotConnected(
            f"The token of {account_id} is in the settings, not in the journal.",
            code="account-in-settings",
            remedy="Remove instagram.user_id and instagram.access_token there, and restart.",
        )
    if not tokens.is_connected(account_id):
        raise NotConnected(
            f"The account {account_id} is not connected.", remedy="There is nothing to do."
        )
    account = await accounts.find(journal, account_id)
    left = await _revoke(journal, tokens, logins, account)
    crash.at("token.revoked")
    name = account.username or account_id
    stop = standing.stop(
        account_id,
        code=DISCONNECTED,
        detail=f"The account {name} is disconnected.",
        remedy="Connect it again: `mediawatch accounts connect`, or on the page Accounts.",
        now=now,
        until=None,
    )
    told = audit.record(
        actor, "account.disconnect", name, account_id=account_id, detail=left, now=now
    )
    await tokens.forget(account_id, along=[accounts.disconnect(account_id, now=now), stop, told])
    log.info(f"The account {name} is disconnected: its token is forgotten.", action="account")
    return Disconnection(account_id, revoked=not left, left=left)


async def _revoke(
    journal: Journal, tokens: Tokens, logins: Mapping[Login, OAuth], account: Account
) -> str:
    """Why the consent stands still, if it does."""
    login = tokens.login(account.id)
    by_hand = (
        "To take the consent back, remove this app in the Instagram app (Settings, Website "
        "permissions, Apps and websites) or at facebook.com (Settings, Business integrations)."
    )
    stored = await table.find(journal, account.id)
    api = logins.get(login)
    if stored is None or api is None:
        return by_hand
    if account.meta_user_id and await table.count_behind(
        journal, account.meta_user_id, login, [account.id]
    ):
        # It is given for all accounts of a person at once.
        return "Other accounts of the same person are connected, so the consent at Meta stays."
    try:
        revoked = await api.revoke(await tokens.user_token(stored))
    except (GraphProblem, SealedOtherwise) as problem:
        return f"Meta did not take the consent back: {problem.message} {by_hand}"
    return "" if revoked else by_hand


async def share(
    journal: Journal, actor: Actor, account_id: str, user_name: str, role: Role, *, now: float
) -> None:
    """Let a user work with the account, as that role at the most.

    Raises NoSuchAccount, NotAllowed, NoSuchUser and JournalError.
    """
    await require_account(journal, actor, account_id, Right.ADMIN)
    user_id = await _user(journal, user_name)
    await journal.apply(
        [
            shares.share(account_id, user_id, role),
            audit.record(
                actor,
                "account.share",
                account_id,
                account_id=account_id,
                detail=f"with {user_name} as {role.value}",
                now=now,
            ),
        ]
    )
    crash.at("account.shared")


async def unshare(
    journal: Journal, actor: Actor, account_id: str, user_name: str, *, now: float
) -> bool:
    """Let them see it no more; whether they did.

    Raises NoSuchAccount, NotAllowed, NoSuchUser and JournalError.
    """
    await require_account(journal, actor, account_id, Right.ADMIN)
    user_id = await _user(journal, user_name)
    gone, _ = await journal.apply(
        [
            shares.unshare(account_id, user_id),
            audit.record(
                actor,
                "account.unshare",
                account_id,
                account_id=account_id,
                detail=f"with {user_name}",
                now=now,
            ),
        ]
    )
    crash.at("account.shared")
    return bool(gone)


async def _user(journal: Journal, name: str) -> str:
    user = await users.by_name(journal, name)
    if user is None:
        raise NoSuchUser(
            f"Nobody here is called {name}.", remedy="`mediawatch users list` shows who there is."
        )
    return user.id
