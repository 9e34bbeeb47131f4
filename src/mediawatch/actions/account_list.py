"""The accounts as people are shown them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from mediawatch.actions.permission import require_account, visible_accounts
from mediawatch.clock import iso
from mediawatch.graph.scopes import missing
from mediawatch.journal import accounts
from mediawatch.journal import tokens as table
from mediawatch.journal.accounts import Account
from mediawatch.journal.database import Journal
from mediawatch.journal.tokens import StoredToken
from mediawatch.model.accounts import AccountState, Login, state_of
from mediawatch.model.people import Actor, Right
from mediawatch.tokens import Tokens


@dataclass(frozen=True, slots=True)
class ShownAccount:
    """``source``: where its token lies, none if there is none. ``ends_at``: of the token, in
    seconds since the epoch; None if it does not end or that is not known. ``problem`` and
    ``remedy``: why it does not work, or will not for long; empty if all is well."""

    id: str
    username: str
    login: Login
    kind: str
    state: AccountState
    source: Literal["settings", "connected", "none"]
    owner_id: str | None
    page_name: str | None
    granted: tuple[str, ...] | None
    missing: tuple[str, ...]
    connected_at: float | None
    disconnected_at: float | None
    ends_at: float | None
    refreshed_at: float | None
    verified_at: float | None
    problem: str
    remedy: str

    def as_json(self) -> dict[str, Any]:
        """For the API and the commands."""
        times = ("connected_at", "disconnected_at", "ends_at", "refreshed_at", "verified_at")
        told = {name: getattr(self, name) for name in self.__slots__}
        for name in times:
            told[name] = iso(told[name]) if told[name] else None
        return told | {"state": self.state.value}


async def listed(
    journal: Journal,
    tokens: Tokens,
    actor: Actor,
    *,
    now: float,
    ends: Mapping[str, float | None] | None = None,
) -> list[ShownAccount]:
    """The accounts that they may see. ``ends``: of tokens of the settings (Refresher.ends).

    Raises JournalError.
    """
    visible = await visible_accounts(journal, actor)
    stored = {token.account_id: token for token in await table.listed(journal)}
    found = await accounts.listed(journal, visible)
    return [_shown(each, stored.get(each.id), tokens, now, ends or {}) for each in found]


async def shown(
    journal: Journal,
    tokens: Tokens,
    actor: Actor,
    account_id: str,
    *,
    now: float,
    ends: Mapping[str, float | None] | None = None,
) -> ShownAccount:
    """One of them. Raises NoSuchAccount and JournalError."""
    await require_account(journal, actor, account_id, Right.READ)
    account = await accounts.find(journal, account_id)
    return _shown(account, await table.find(journal, account_id), tokens, now, ends or {})


async def find(journal: Journal, actor: Actor, name: str) -> str:
    """The id of the account that is meant: by its id, or its name with or without an @.

    Raises NoSuchAccount, also if it is one that they may not see, and JournalError.
    """
    wanted = name.strip().removeprefix("@").casefold()
    visible = await visible_accounts(journal, actor)
    found = await accounts.listed(journal, visible) if wanted else []
    for names in (
        {account.id: account.id for account in found},
        {(account.username or "").casefold(): account.id for account in found},
    ):
        if wanted in names:
            return names[wanted]
    await require_account(journal, actor, name, Right.READ)
    return name


async def states(
    journal: Journal, tokens: Tokens, *, now: float, ends: Mapping[str, float | None]
) -> Counter[AccountState]:
    """How many accounts stand how. Raises JournalError."""
    stored = {token.account_id: token for token in await table.listed(journal)}
    found = await accounts.listed(journal)
    return Counter(_shown(each, stored.get(each.id), tokens, now, ends).state for each in found)


def _shown(
    account: Account,
    token: StoredToken | None,
    tokens: Tokens,
    now: float,
    ends: Mapping[str, float | None],
) -> ShownAccount:
    in_settings = account.id == tokens.of_settings
    ends_at = ends.get(account.id) if in_settings else token.ends_at if token else None
    login = tokens.login(account.id)
    if token is None and not in_settings and account.login is not None:
        login = account.login  # as it was
    granted = None if account.granted is None else tuple(account.granted)
    left = () if granted is None else tuple(each.name for each in missing(login, granted))
    problem, remedy = account.stopped_detail or "", account.stopped_remedy or ""
    if not problem and token is not None and token.refresh_problem:
        problem = f"The token was not refreshed: {token.refresh_problem}"
        remedy = "mediawatch tries again by itself; or connect the account again."
    return ShownAccount(
        id=account.id,
        username=account.username or "",
        login=login,
        kind=account.kind or "",
        state=state_of(
            disconnected=not in_settings and token is None,
            stopped_code=account.stopped_code,
            ends_at=ends_at,
            now=now,
        ),
        source="settings" if in_settings else "none" if token is None else "connected",
        owner_id=account.owner_id,
        page_name=account.page_name,
        granted=granted,
        missing=left,
        connected_at=account.connected_at,
        disconnected_at=account.disconnected_at,
        ends_at=ends_at,
        refreshed_at=token.refreshed_at if token else None,
        verified_at=token.verified_at if token else None,
        problem=problem,
        remedy=remedy,
    )
