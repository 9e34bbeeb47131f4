"""Whose an account is, and with whom it is shared."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import delete, select
from sqlalchemy.dialects.sqlite import insert as insert_or_replace

from mediawatch.journal.database import Journal, Row, Statement
from mediawatch.journal.schema import account_shares, accounts, users
from mediawatch.model.people import Role


def share(account_id: str, user_id: str, role: Role) -> Statement:
    """Let a user see an account, or also post to it; a share that is there gets this role."""
    return Statement(
        insert_or_replace(account_shares)
        .values(account_id=account_id, user_id=user_id, role=role.value)
        .on_conflict_do_update(index_elements=["account_id", "user_id"], set_={"role": role.value}),
        rows=1,
    )


def unshare(account_id: str, user_id: str) -> Statement:
    """The user sees the account no more. Gives the user back if they did."""
    return Statement(
        delete(account_shares)
        .where(account_shares.c.account_id == account_id, account_shares.c.user_id == user_id)
        .returning(account_shares.c.user_id)
    )


async def roles(journal: Journal, user_id: str) -> dict[str, Role]:
    """The accounts that a user may see, and as what; their own as their owner."""
    shared = await journal.read(
        select(account_shares.c.account_id, account_shares.c.role).where(
            account_shares.c.user_id == user_id
        )
    )
    own = await journal.read(select(accounts.c.id).where(accounts.c.owner_id == user_id))
    return {
        **{row["account_id"]: Role(row["role"]) for row in shared},
        **{row["id"]: Role.OWNER for row in own},
    }


async def by_account(journal: Journal, account_ids: Collection[str]) -> dict[str, list[Row]]:
    """``name`` and ``role`` of those whom each of these accounts is shared with."""
    found: dict[str, list[Row]] = {}
    for row in await journal.read(
        select(account_shares.c.account_id, users.c.name, account_shares.c.role)
        .join(users, users.c.id == account_shares.c.user_id)
        .where(account_shares.c.account_id.in_(account_ids))
        .order_by(users.c.name_key)
    ):
        found.setdefault(row["account_id"], []).append(row)
    return found
