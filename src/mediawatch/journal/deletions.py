"""What Meta asked to be forgotten, by the digest of the code that it shows to the person."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select, update
from sqlalchemy.dialects.sqlite import insert as insert_or_skip

from mediawatch.journal.database import Journal, Statement
from mediawatch.journal.schema import accounts, audit
from mediawatch.journal.schema import deletions as table
from mediawatch.model.accounts import DISCONNECTED, Login


@dataclass(frozen=True, slots=True)
class Deletion:
    """``detail``: what was deleted, in a sentence. Times are seconds since the epoch."""

    code_digest: str
    asked_at: float
    done_at: float
    detail: str


def record(code_digest: str, *, now: float, detail: str) -> Statement:
    """It was asked for and done; once."""
    return Statement(
        insert_or_skip(table)
        .values(code_digest=code_digest, asked_at=now, done_at=now, detail=detail)
        .on_conflict_do_nothing()
    )


def forget_identity(account_id: str, username: str | None, detail: str) -> list[Statement]:
    """What Meta told of whoever connected the account, also where it was written down for others.
    ``detail``: why the account stands still, without its name."""
    told = ("username", "kind", "page_id", "page_name", "granted", "meta_user_id")
    here = accounts.c.id == account_id
    named = (audit.c.account_id == account_id) & (audit.c.subject == username)
    return [
        Statement(update(accounts).where(here).values(dict.fromkeys(told))),
        Statement(
            update(accounts)
            .where(here, accounts.c.stopped_code == DISCONNECTED)
            .values(stopped_detail=detail)
        ),
        Statement(update(audit).where(named).values(subject=account_id)),
    ]


async def find(journal: Journal, code_digest: str) -> Deletion | None:
    """The one that has this code."""
    rows = await journal.read(select(table).where(table.c.code_digest == code_digest))
    return Deletion(**rows[0]) if rows else None


async def accounts_of(
    journal: Journal, meta_user_id: str, logins: list[Login], *, until: float
) -> list[tuple[str, str | None]]:
    """Id and name of the accounts that a person of Meta's gave before ``until``."""
    rows = await journal.read(
        select(accounts.c.id, accounts.c.username).where(
            accounts.c.meta_user_id == meta_user_id,
            accounts.c.login.in_(logins),
            accounts.c.connected_at.is_(None) | (accounts.c.connected_at < until),
        )
    )
    return [(row["id"], row["username"]) for row in rows]
