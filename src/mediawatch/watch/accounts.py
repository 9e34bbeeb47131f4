"""Which account a file is for: that of the folder in which it lies, else that of its inbox.

A folder that was an account's once is never taken for anything else: were it a carousel again once
the account is called otherwise, what is dropped there would be published as another.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mediawatch import crash
from mediawatch.clock import Clock
from mediawatch.journal import account_names, accounts
from mediawatch.journal.account_names import Known, Name
from mediawatch.tokens import CONNECT, NoAccount
from mediawatch.watch.candidates import Accounts

#: Seconds that are at the most between a change of the accounts and its notice.
FRESH = 2.0


@dataclass(frozen=True, slots=True)
class Addressee:
    """An account, and since when the name of a folder is its own (seconds since the epoch); 0.0
    where no name tells it, which are those that people choose."""

    account_id: str
    since: float = 0.0


class KnownAccounts(Accounts):
    """The accounts of the journal by their names. One for all inboxes. ``own``: id of the account
    whose token is in the settings; ``changes``: a number that is another one after each write to
    the journal, so that an idle daemon reads nothing."""

    def __init__(
        self, journal: Any, clock: Clock, own: str | None, changes: Callable[[], int]
    ) -> None:
        self._journal, self._clock, self._own = journal, clock, own
        self._changes = changes
        self._read_at, self._read = float("-inf"), -1
        self._reading = asyncio.Lock()
        self._by_name: dict[str, Name] = {}
        self._accounts: dict[str, Known] = {}
        self._in_use: list[str] = []

    async def refresh(self, *, at_once: bool = False) -> None:
        """Look who is connected by now. Raises JournalError."""
        async with self._reading:
            fresh = not at_once and self._clock.monotonic() - self._read_at < FRESH
            changes = self._changes()
            if fresh or changes == self._read:
                return
            if new := await self.look(self._journal):
                await self._journal.apply([account_names.remember(new)])
                crash.at("account.named")
            self._read_at, self._read = self._clock.monotonic(), changes

    async def look(self, journal: Any) -> list[Name]:
        """The same, writing nothing: gives back the names that are to be remembered.

        Raises JournalError.
        """
        known = await account_names.known(journal)
        names = await account_names.names(journal)
        new = self._new(known, names)
        names |= {name.key: name for name in new}
        self._in_use = await accounts.in_use(journal, self._own)
        self._accounts = {account.id: account for account in known}
        self._by_name = names
        folders = frozenset((*names, *self._accounts))
        if folders != self.folders:
            self.folders = folders
        return new

    def in_use(self) -> list[str]:
        """Ids of the accounts that are posted to: that of the settings first."""
        return self._in_use

    def of_folder(self, name: str) -> Addressee | None:
        """Whose a folder of that name is."""
        if name in self._accounts:
            return Addressee(name)
        found = self._by_name.get(name.casefold())
        return Addressee(found.account_id, found.since) if found is not None else None

    def of_inbox(self, where: str, said: str) -> str:
        """The account of an inbox. ``where``: its table in the settings; ``said``: the id or
        username there, empty for the only one there is.

        Raises NoAccount if there is none, or nothing tells which.
        """
        if said.isdecimal():
            return said
        if said:
            found = self.of_folder(said)
            if found is None:
                raise NoAccount(
                    f"{where} account = {said}: no account of this name is connected.",
                    remedy="Connect it (`mediawatch accounts connect`), or correct the name.",
                )
            return found.account_id
        if self._own:
            return self._own
        in_use = self.in_use()
        if not in_use:
            raise NoAccount("No Instagram account is connected.", remedy=CONNECT)
        # What waits for one account is not another's as soon as that one is disconnected.
        ever = {each.id for each in self._accounts.values() if each.connected_at is not None}
        if len(ever | set(in_use)) != 1:
            raise NoAccount(
                f"{where} names no account, and {len(ever | set(in_use))} are connected, or were.",
                remedy="Put files into a folder of the inbox that is named after the account; or "
                f"write account = its id or username in {where}, and restart mediawatch.",
            )
        return in_use[0]

    def _new(self, known: list[Known], names: dict[str, Name]) -> list[Name]:
        """Names that are not remembered, or not as those of who has them now."""
        now, new = self._clock.now(), list[Name]()
        named = {name.account_id for name in names.values()}
        for account in sorted(known, key=lambda each: each.connected):  # the connected one wins
            key = (account.username or "").casefold()
            before = names.get(key)
            if not key or (before is not None and before.account_id == account.id):
                continue
            if before is not None and not (account.connected or account.id == self._own):
                continue  # an account of the past does not take a name back
            # Of an account that was called otherwise, or whose name was another's, only what comes
            # from now on is surely meant for it.
            fresh = before is None and account.id not in named
            since = account.connected_at if fresh else None
            new.append(Name(key, account.id, now if since is None else since))
        return new
