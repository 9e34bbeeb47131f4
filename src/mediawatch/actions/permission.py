"""Who may do what."""

from __future__ import annotations

from sqlalchemy import select

from mediawatch.errors import MediawatchError
from mediawatch.journal.database import Journal
from mediawatch.journal.schema import account_shares, accounts
from mediawatch.model.people import Actor, Right, Role, includes, least


class NotAllowed(MediawatchError):
    """Their right does not go so far."""

    code = "not-allowed"


class NoSuchAccount(MediawatchError):
    """There is no such account, or none that they may see."""

    code = "no-such-account"


def require(actor: Actor, right: Right) -> None:
    """Raises NotAllowed."""
    if not actor.may(right):
        raise NotAllowed(
            f"{actor.name} may not do this: it needs the right to {right.value}.",
            remedy="Ask an owner of this mediawatch.",
        )


async def require_account(journal: Journal, actor: Actor, account_id: str, right: Right) -> None:
    """Raises NoSuchAccount and NotAllowed."""
    held = await _right_for(journal, actor, account_id)
    if held is None:
        raise NoSuchAccount(
            f"There is no account {account_id}.",
            remedy="`mediawatch accounts list` shows those that you may see.",
        )
    if not includes(held, right):
        raise NotAllowed(
            f"{actor.name} may not do this with the account {account_id}.",
            remedy="Ask whoever shares it with you.",
        )


async def visible_accounts(journal: Journal, actor: Actor) -> frozenset[str] | None:
    """The ids of the accounts that they may see; None for all."""
    if actor.user_id is None:
        return None
    own = await journal.read(select(accounts.c.id).where(accounts.c.owner_id == actor.user_id))
    shared = await journal.read(
        select(account_shares.c.account_id).where(account_shares.c.user_id == actor.user_id)
    )
    return frozenset([row["id"] for row in own] + [row["account_id"] for row in shared])


async def _right_for(journal: Journal, actor: Actor, account_id: str) -> Right | None:
    rows = await journal.read(select(accounts.c.owner_id).where(accounts.c.id == account_id))
    if not rows:
        return None
    if actor.user_id is None or rows[0]["owner_id"] == actor.user_id:
        return actor.right
    shares = await journal.read(
        select(account_shares.c.role).where(
            account_shares.c.account_id == account_id, account_shares.c.user_id == actor.user_id
        )
    )
    return least(actor.right, Role(shares[0]["role"]).right) if shares else None
