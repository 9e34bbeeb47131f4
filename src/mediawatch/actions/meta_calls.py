"""What Meta tells by itself: that somebody took this app's rights away, or wants their data gone.

Both may come twice, late, or again from whoever has kept one: an account that was connected since
is left alone, and the same request has the same answer.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass

from pydantic import SecretStr

from mediawatch.actions.account_desk import AccountDesk
from mediawatch.config import InstagramSettings
from mediawatch.crypto import bearer, signing
from mediawatch.errors import MediawatchError
from mediawatch.journal import accounts, audit, deletions, standing
from mediawatch.journal.database import Statement
from mediawatch.journal.deletions import Deletion
from mediawatch.model.accounts import DISCONNECTED, LOGINS, Login
from mediawatch.model.people import Actor, Door, Right

_REMEDY = "Connect it again: on the page Accounts, or `mediawatch accounts connect`."


class NoSuchDeletion(MediawatchError):
    """Nothing was deleted by this code."""

    code = "no-such-deletion"


@dataclass(frozen=True, slots=True)
class _Call:
    """``logins``: those whose app has the secret that signed it. ``code``: nobody can guess it
    without that secret, and the same call has the same one."""

    user_id: str
    logins: list[Login]
    until: float
    code: str


async def deauthorize(
    desk: AccountDesk, settings: InstagramSettings, request: str, *, address: str
) -> int:
    """Somebody took the rights away: how many accounts are disconnected by it.

    Raises BadSignature and JournalError.
    """
    call = _read(desk, settings, request)
    found = await deletions.accounts_of(desk.journal, call.user_id, call.logins, until=call.until)
    named = {key: name or key for key, name in found if desk.tokens.is_connected(key)}
    along = _disconnected(desk, named, "account.deauthorize", _meta(address))
    if named:
        await desk.tokens.forget(*named, along=along)
    for name in named.values():
        desk.log.warning(
            f"The account {name} is disconnected: its rights were taken away at Instagram.",
            action="account",
            remedy=_REMEDY,
        )
    return len(named)


async def delete_data(
    desk: AccountDesk, settings: InstagramSettings, request: str, *, address: str
) -> str:
    """Somebody wants their data gone; it is, and this is the code by which they can see it.

    Raises BadSignature and JournalError.
    """
    call = _read(desk, settings, request)
    digest = bearer.digest(call.code)
    if await deletions.find(desk.journal, digest) is not None:
        return call.code
    found = await deletions.accounts_of(desk.journal, call.user_id, call.logins, until=call.until)
    actor, now = _meta(address), desk.clock.now()
    ids = {key: key for key, _ in found}
    connected = [key for key in ids if desk.tokens.is_connected(key)]
    along = _disconnected(desk, {key: key for key in connected}, "account.deauthorize", actor)
    for key, name in found:
        along += deletions.forget_identity(key, name, _detail(key))
        along.append(audit.record(actor, "account.delete-data", key, account_id=key, now=now))
    detail = _told(len(ids))
    along.append(deletions.record(digest, now=now, detail=detail))
    await desk.tokens.forget(*connected, along=along)
    desk.log.warning(
        f"Instagram asked to delete what is known of a person. {detail}", action="account"
    )
    return call.code


async def deletion(desk: AccountDesk, code: str) -> Deletion:
    """What became of a request. Raises NoSuchDeletion and JournalError."""
    found = await deletions.find(desk.journal, bearer.digest(code))
    if found is None:
        raise NoSuchDeletion(
            "Nothing was deleted by this code.", remedy="Copy the whole address from Instagram."
        )
    return found


def _read(desk: AccountDesk, settings: InstagramSettings, request: str) -> _Call:
    """Raises BadSignature."""
    by_secret: dict[str, list[Login]] = {}
    for login in LOGINS:
        _, secret = settings.app(login)
        if secret is not None and secret.get_secret_value():
            by_secret.setdefault(secret.get_secret_value(), []).append(login)
    secrets = list(by_secret)
    told = signing.read_signed_request(request, map(SecretStr, secrets), desk.clock.now())
    key = secrets[told.signer]
    said = f"mediawatch deletion {told.user_id} {told.issued_at}".encode()
    code = hmac.new(key.encode(), said, hashlib.sha256).hexdigest()[:40]
    # Meta's second has begun when it is told.
    return _Call(told.user_id, by_secret[key], told.issued_at + 1.0, code)


def _disconnected(
    desk: AccountDesk, named: dict[str, str], action: str, actor: Actor
) -> list[Statement]:
    now = desk.clock.now()
    along: list[Statement] = []
    for account_id, name in named.items():
        along += [
            accounts.disconnect(account_id, now=now),
            standing.stop(
                account_id,
                code=DISCONNECTED,
                detail=_detail(name),
                remedy=_REMEDY,
                now=now,
                until=None,
            ),
            audit.record(actor, action, name, account_id=account_id, now=now),
        ]
    return along


def _detail(name: str) -> str:
    return f"The account {name} is disconnected: its rights were taken away at Instagram."


def _told(count: int) -> str:
    if not count:
        return "Nothing was known of them."
    what = "one account" if count == 1 else f"{count} accounts"
    return f"Deleted: the access to {what}, and all that Instagram told of whose they are."


def _meta(address: str) -> Actor:
    return Actor(None, "Meta", Right.ADMIN, Door.META, address)
