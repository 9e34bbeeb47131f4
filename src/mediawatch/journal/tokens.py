"""Access tokens as they lie in the journal: sealed (crypto/vault.py), and what is known of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.sqlite import insert as insert_or_replace

from mediawatch.journal.database import Journal, Statement
from mediawatch.journal.schema import accounts, logins_under_way, tokens
from mediawatch.model.accounts import Login


@dataclass(frozen=True, slots=True)
class StoredToken:
    """A token of an account. ``kind``: user, page or instagram; ``sealed_user_token``: of the
    person behind a page's token. Times are seconds since the epoch; without an end None."""

    account_id: str
    key_id: str
    sealed: bytes = field(repr=False)
    kind: str
    issued_at: float
    sealed_user_token: bytes | None = field(default=None, repr=False)
    expires_at: float | None = None
    data_access_expires_at: float | None = None
    refreshed_at: float | None = None
    verified_at: float | None = None
    refresh_failed_at: float | None = None
    refresh_problem: str | None = None

    @property
    def ends_at(self) -> float | None:
        """The earlier of both ends; None if it has none."""
        ends = [at for at in (self.expires_at, self.data_access_expires_at) if at]
        return min(ends) if ends else None


def store(token: StoredToken) -> Statement:
    """In place of whatever the account had."""
    values = {column.name: getattr(token, column.name) for column in tokens.columns}
    changed = {name: value for name, value in values.items() if name != "account_id"}
    return Statement(
        insert_or_replace(tokens)
        .values(**values)
        .on_conflict_do_update(index_elements=["account_id"], set_=changed),
        rows=1,
    )


def replace(token: StoredToken, old: StoredToken) -> Statement:
    """In place of that one only: who connected the account anew meanwhile is not undone."""
    values = {column.name: getattr(token, column.name) for column in tokens.columns}
    return Statement(
        update(tokens)
        .where(tokens.c.account_id == old.account_id, tokens.c.sealed == old.sealed)
        .values(**values),
        rows=1,
    )


def note(old: StoredToken, facts: Mapping[str, Any]) -> Statement:
    """What was learnt of that token, if it is still the account's."""
    return Statement(
        update(tokens)
        .where(tokens.c.account_id == old.account_id, tokens.c.sealed == old.sealed)
        .values(**facts)
    )


def forget(account_id: str) -> Statement:
    """The account has no token any more."""
    return Statement(delete(tokens).where(tokens.c.account_id == account_id))


def remember_login(account_id: str, login: Login) -> Statement:
    """By which login the account's token was given."""
    return Statement(
        update(accounts).where(accounts.c.id == account_id).values(login=login), rows=1
    )


async def find(journal: Journal, account_id: str) -> StoredToken | None:
    """The account's token."""
    rows = await journal.read(select(tokens).where(tokens.c.account_id == account_id))
    return StoredToken(**rows[0]) if rows else None


async def listed(journal: Journal) -> list[StoredToken]:
    """Every token, by the id of its account."""
    rows = await journal.read(select(tokens).order_by(tokens.c.account_id))
    return [StoredToken(**row) for row in rows]


async def logins(journal: Journal) -> dict[str, Login]:
    """The login of every account that has a token here."""
    query = select(accounts.c.id, accounts.c.login).join(
        tokens, tokens.c.account_id == accounts.c.id
    )
    return {row["id"]: row["login"] or "facebook" for row in await journal.read(query)}


async def disconnected(journal: Journal) -> dict[str, float]:
    """When each account that is disconnected was."""
    query = select(accounts.c.id, accounts.c.disconnected_at).where(
        accounts.c.disconnected_at.is_not(None)
    )
    return {row["id"]: row["disconnected_at"] for row in await journal.read(query)}


@dataclass(frozen=True, slots=True)
class Sealed:
    """Any sealed value: ``table``, ``row`` and ``column`` are its place."""

    table: str
    row: str
    column: str
    value: bytes = field(repr=False)


async def all_sealed(journal: Journal) -> list[Sealed]:
    """Every sealed value of the journal."""
    found = [
        Sealed("tokens", token.account_id, column, value)
        for token in await listed(journal)
        for column, value in (
            ("sealed", token.sealed),
            ("sealed_user_token", token.sealed_user_token),
        )
        if value is not None
    ]
    columns = logins_under_way.c
    rows = await journal.read(select(columns.state_digest, columns.sealed))
    return found + [
        Sealed("logins_under_way", row["state_digest"], "sealed", row["sealed"]) for row in rows
    ]


def reseal(old: Sealed, value: bytes, key_id: str) -> Statement:
    """The same value, sealed with another key."""
    table, key = {
        "tokens": (tokens, tokens.c.account_id),
        "logins_under_way": (logins_under_way, logins_under_way.c.state_digest),
    }[old.table]
    return Statement(
        update(table)
        .where(key == old.row, table.c[old.column] == old.value)
        .values({old.column: value, "key_id": key_id}),
        rows=1,
    )


async def count_behind(
    journal: Journal, meta_user_id: str, login: Login, but: Sequence[str]
) -> int:
    """How many other accounts have a token that the same person gave by the same login."""
    query = (
        select(func.count().label("count"))
        .select_from(tokens.join(accounts, accounts.c.id == tokens.c.account_id))
        .where(
            accounts.c.meta_user_id == meta_user_id,
            accounts.c.login == login,
            accounts.c.id.not_in(but),
        )
    )
    return int((await journal.read(query))[0]["count"])
