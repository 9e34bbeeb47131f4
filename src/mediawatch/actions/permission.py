"""Who may do what, in whose name: asked by every action, whichever door the asker came through."""

from __future__ import annotations

from mediawatch.errors import MediawatchError
from mediawatch.journal import accounts, shares
from mediawatch.journal.database import Journal
from mediawatch.model.people import Actor, Right, includes, least

_WHO_MAY = {
    Right.READ: "An account's owner, or those with whom it is shared, may.",
    Right.POST: "Ask an owner for the role of an editor, or use a key with the scope post.",
    Right.ADMIN: "Ask somebody with the role of an owner, or use a key with the scope admin.",
}


class NotAllowed(MediawatchError):
    """Whoever asks may not do this."""

    code = "not-allowed"


class NoSuchAccount(MediawatchError):
    """There is no such account, or none that the asker may know of."""

    code = "no-such-account"


def require(actor: Actor, right: Right) -> None:
    """Raises NotAllowed if they have not this right here."""
    if not actor.may(right):
        raise NotAllowed(
            f"{actor.name} may not do this: it takes the right to {right}.",
            remedy=_WHO_MAY[right],
        )


async def visible_accounts(journal: Journal, actor: Actor) -> frozenset[str] | None:
    """The ids of the accounts that they may see; None for all, as whoever has this machine may."""
    if actor.user_id is None:
        return None
    return frozenset(await shares.roles(journal, actor.user_id))


async def accounts_for(journal: Journal, actor: Actor, right: Right) -> frozenset[str] | None:
    """The ids of the accounts for which they have this right; None for all."""
    if actor.user_id is None:
        return None
    found = await shares.roles(journal, actor.user_id)
    return frozenset(
        account
        for account, role in found.items()
        if includes(least(actor.right, role.right), right)
    )


async def require_account(journal: Journal, actor: Actor, account_id: str, right: Right) -> None:
    """Raises NoSuchAccount if they may not even see it, and NotAllowed if not this."""
    seen = await visible_accounts(journal, actor)
    known = await accounts.is_known(journal, account_id) if seen is None else account_id in seen
    if not known:
        raise NoSuchAccount(
            f"There is no account {account_id}.", remedy="`mediawatch accounts list` shows them."
        )
    allowed = await accounts_for(journal, actor, right)
    if allowed is None:
        require(actor, right)
    elif account_id not in allowed:
        raise NotAllowed(
            f"{actor.name} may not do this for the account {account_id}: it takes the right to "
            f"{right}.",
            remedy=_WHO_MAY[right],
        )
