"""Everything that may be asked of accounts, with what it takes to answer: one desk for the API and
for commands that find no daemon."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from pydantic import SecretStr

from mediawatch.actions import account_list, accounts
from mediawatch.actions.account_list import ShownAccount
from mediawatch.actions.accounts import Disconnection
from mediawatch.actions.pasting import paste_token
from mediawatch.actions.permission import require, require_account
from mediawatch.clock import Clock
from mediawatch.graph.client import GraphClient
from mediawatch.graph.oauth import Candidate, Grant, OAuth
from mediawatch.journal import audit
from mediawatch.journal.accounts import Account
from mediawatch.journal.database import Journal
from mediawatch.log import Log
from mediawatch.model.accounts import Login
from mediawatch.model.people import Actor, Right, Role
from mediawatch.tokens import Rotated, Tokens


@dataclass(frozen=True, slots=True)
class AccountDesk:
    """``logins``: by which accounts can be connected and refreshed. ``refresh`` has an account's
    token refreshed now; ``ends``: of tokens of the settings (maintenance/refresher.py).

    An account is named by its id, or by its name with or without an @. All raise JournalError, and
    for an account that they may not see NoSuchAccount, for what they may not do NotAllowed.
    """

    journal: Journal
    tokens: Tokens
    client: GraphClient
    logins: Mapping[Login, OAuth]
    clock: Clock
    log: Log
    refresh: Callable[[str], Awaitable[object]]
    ends: Callable[[], Mapping[str, float | None]]

    async def list(self, actor: Actor) -> list[ShownAccount]:
        """Those that they may see."""
        return await account_list.listed(
            self.journal, self.tokens, actor, now=self.clock.now(), ends=self.ends()
        )

    async def show(self, actor: Actor, name: str) -> ShownAccount:
        """One of them."""
        account_id = await account_list.find(self.journal, actor, name)
        return await account_list.shown(
            self.journal,
            self.tokens,
            actor,
            account_id,
            now=self.clock.now(),
            ends=self.ends(),
        )

    async def paste(
        self,
        actor: Actor,
        login: Login,
        token: SecretStr,
        *,
        account: str | None = None,
        granted: frozenset[str] | None = None,
    ) -> ShownAccount:
        """Connect the account that a token is of (actions/pasting.py says what it raises)."""
        made = await paste_token(
            self.journal,
            self.tokens,
            self.client,
            self.logins,
            actor,
            login,
            token,
            account_id=account,
            granted=granted,
            now=self.clock.now(),
        )
        shown = await self.show(actor, made.id)
        self.log.info(f"The account {shown.username or shown.id} is connected.", action="account")
        return shown

    async def connect(
        self, actor: Actor, login: Login, candidate: Candidate, grant: Grant
    ) -> Account:
        """Connect what somebody chose after a login (actions/accounts.py says what it raises)."""
        made = await accounts.connect(
            self.journal,
            self.tokens,
            actor,
            login,
            candidate,
            grant,
            grant.permissions,
            now=self.clock.now(),
            data_access_expires_at=grant.data_access_ends,
        )
        self.log.info(f"The account {made.username or made.id} is connected.", action="account")
        return made

    async def refresh_token(self, actor: Actor, name: str) -> ShownAccount:
        """Raises NotRefreshed, GraphProblem, and what opening a token raises."""
        account_id = await account_list.find(self.journal, actor, name)
        await require_account(self.journal, actor, account_id, Right.ADMIN)
        await self.refresh(account_id)
        return await self.show(actor, account_id)

    async def disconnect(self, actor: Actor, name: str) -> Disconnection:
        """Raises NotConnected."""
        account_id = await account_list.find(self.journal, actor, name)
        return await accounts.disconnect(
            self.journal,
            self.tokens,
            self.logins,
            actor,
            account_id,
            now=self.clock.now(),
            log=self.log,
        )

    async def share(self, actor: Actor, name: str, user: str, role: Role) -> str:
        """The id of the account. Raises NoSuchUser."""
        account_id = await account_list.find(self.journal, actor, name)
        now = self.clock.now()
        await accounts.share(self.journal, actor, account_id, user, role, now=now)
        return account_id

    async def unshare(self, actor: Actor, name: str, user: str) -> bool:
        """Whether it was shared with them. Raises NoSuchUser."""
        account_id = await account_list.find(self.journal, actor, name)
        return await accounts.unshare(self.journal, actor, account_id, user, now=self.clock.now())

    async def rotate_key(self, actor: Actor) -> Rotated:
        """Seal every token with a new key. Raises KeyProblem and StorageProblem."""
        require(actor, Right.ADMIN)
        told = audit.record(
            actor, "accounts.rotate-key", "the key of the tokens", now=self.clock.now()
        )
        rotated = await self.tokens.rotate(along=[told])
        self.log.info(
            f"{rotated.resealed} sealed values have a new key ({rotated.key_id}).",
            action="account",
        )
        return rotated
