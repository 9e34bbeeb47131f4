"""The only giver of plaintext access tokens.

Those of accounts that were connected lie sealed in the journal (crypto/vault.py) and are opened for
each call, with a short memory; the one account of the settings has its token there. Whose account
is connected wins over the settings: that token is refreshed, and can be taken back.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from pydantic import SecretStr

from mediawatch import crash
from mediawatch.clock import Clock
from mediawatch.config import InstagramSettings
from mediawatch.crypto.vault import Place, SealedOtherwise, Vault
from mediawatch.errors import Handling, MediawatchError
from mediawatch.graph.client import Caller, Record
from mediawatch.journal import tokens as table
from mediawatch.journal.database import Journal, Row, Write
from mediawatch.journal.tokens import StoredToken
from mediawatch.model.accounts import DISCONNECTED, Login

#: Seconds for which an opened token is remembered.
REMEMBERED = 60.0
#: How to connect an account, said wherever one is missing.
CONNECT = (
    "Connect one: `mediawatch accounts connect`; or set instagram.user_id and "
    "instagram.access_token, and restart."
)


class UnknownAccount(MediawatchError):
    """A post belongs to an account that is not connected."""

    code = "unknown-account"
    handling = Handling.PARK


class Disconnected(UnknownAccount):
    """The account was disconnected: its token is forgotten."""

    code = DISCONNECTED


class NoAccount(MediawatchError):
    """No account is there for what lies in the inbox."""

    code = "no-account"
    handling = Handling.PARK


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token to be kept. ``user_token``: of the person behind a page's token. ``kind``: user, page
    or instagram. Times are seconds since the epoch; without an end None."""

    token: SecretStr
    kind: str
    issued_at: float
    user_token: SecretStr | None = None
    expires_at: float | None = None
    data_access_expires_at: float | None = None


@dataclass(frozen=True, slots=True)
class Rotated:
    """``resealed`` values are sealed with the key ``key_id`` now; ``unreadable`` ones stayed."""

    key_id: str
    resealed: int
    unreadable: int


class Tokens:
    """Access tokens by account. Used from one event loop only."""

    def __init__(
        self, settings: InstagramSettings, journal: Journal, vault: Vault, clock: Clock
    ) -> None:
        self._settings = settings
        self._journal = journal
        self._vault = vault
        self._clock = clock
        self._logins: dict[str, Login] = {}
        self._disconnected: set[str] = set()
        #: What was opened lately, and until when it is remembered, on the monotonic clock.
        self._opened: dict[str, tuple[SecretStr, float]] = {}
        self._changing = asyncio.Lock()

    async def open(self) -> None:
        """Read which accounts there are. Raises JournalError."""
        self._logins = await table.logins(self._journal)
        self._disconnected = set(await table.disconnected(self._journal))

    # Asked.

    async def caller(self, account_id: str, record: Record) -> Caller:
        """For whom calls of the account are made.

        Raises UnknownAccount, SealedOtherwise and JournalError.
        """
        return Caller(account_id, await self._token(account_id), record, self.login(account_id))

    def login(self, account_id: str) -> Login:
        """The login of its token; of an unknown account that of the settings."""
        return self._logins.get(account_id, self._settings.login)

    def is_connected(self, account_id: str) -> bool:
        """Whether its token lies in the journal."""
        return account_id in self._logins

    @property
    def of_settings(self) -> str | None:
        """The account whose token is that of the settings."""
        account_id = self._settings.user_id
        if account_id is None or account_id in self._logins or account_id in self._disconnected:
            return None
        return account_id

    @property
    def account_ids(self) -> list[str]:
        """Every account that has a token."""
        there = self.of_settings
        return sorted(self._logins) if there is None else [there, *sorted(self._logins)]

    @property
    def no_account(self) -> NoAccount:
        """What is said while there is none."""
        return NoAccount("No Instagram account is connected.", remedy=CONNECT)

    async def user_token(self, token: StoredToken) -> SecretStr:
        """The token of the person behind a page's token, else the account's own.

        Raises SealedOtherwise.
        """
        column = "sealed" if token.sealed_user_token is None else "sealed_user_token"
        return await self._open(token, column)

    async def _token(self, account_id: str) -> SecretStr:
        if account_id == self.of_settings and self._settings.access_token is not None:
            return self._settings.access_token
        remembered = self._opened.get(account_id)
        if remembered is not None and remembered[1] > self._clock.monotonic():
            return remembered[0]
        stored = await table.find(self._journal, account_id)
        if stored is None:
            raise self._missing(account_id)
        token = await self._open(stored, "sealed")
        self._opened[account_id] = token, self._clock.monotonic() + REMEMBERED
        return token

    async def _open(self, stored: StoredToken, column: str) -> SecretStr:
        sealed = getattr(stored, column)
        return SecretStr(self._vault.open(sealed, Place("tokens", stored.account_id, column)))

    def _missing(self, account_id: str) -> UnknownAccount:
        if account_id in self._disconnected:
            return Disconnected(
                f"The account {account_id} is disconnected.",
                remedy="Connect it again to have its posts published: `mediawatch accounts "
                "connect`.",
            )
        return UnknownAccount(
            f"The account {account_id} is not in the settings any more, nor is it connected.",
            remedy="Connect it (`mediawatch accounts connect`), or put its user_id and "
            "access_token back and restart, to finish its posts.",
        )

    def digests(self) -> dict[str, str]:
        """Of the token of the settings, enough to tell whether it is another one; no way back to
        it."""
        account_id, token = self._settings.user_id, self._settings.access_token
        if account_id is None or token is None:
            return {}
        plain = token.get_secret_value().encode()
        return {account_id: hmac.new(account_id.encode(), plain, hashlib.sha256).hexdigest()[:16]}

    # Changed.

    async def store(
        self, account_id: str, login: Login, new: NewToken, *, along: Sequence[Write] = ()
    ) -> list[list[Row]]:
        """Keep the token, with ``along`` in the same transaction (its account's row must be there
        by then); what those gave back.

        Raises KeyProblem, StorageProblem and JournalError.
        """
        async with self._changing:
            stored = await self._sealed(account_id, new)
            found = await self._journal.apply(
                [*along, table.remember_login(account_id, login), table.store(stored)]
            )
            crash.at("token.stored")
            self._logins[account_id] = login
            self._disconnected.discard(account_id)
            self._opened.pop(account_id, None)
            return found[: len(along)]

    async def renew(self, old: StoredToken, new: NewToken, *, now: float) -> StoredToken:
        """Keep a token that was refreshed, in place of ``old`` only.

        Raises Conflict if the account was connected anew or disconnected meanwhile, and what
        ``store`` raises.
        """
        async with self._changing:
            stored = replace(
                await self._sealed(old.account_id, new), refreshed_at=now, verified_at=now
            )
            await self._journal.apply([table.replace(stored, old)])
            crash.at("token.renewed")
            self._opened.pop(old.account_id, None)
            return stored

    def takes_settings_again(self, account_id: str) -> None:
        """The settings have another token for it: it is disconnected no more."""
        self._disconnected.discard(account_id)

    async def forget(self, *account_ids: str, along: Sequence[Write] = ()) -> list[list[Row]]:
        """Forget these tokens, with ``along`` in the same transaction. Raises JournalError."""
        async with self._changing:
            found = await self._journal.apply([*along, *map(table.forget, account_ids)])
            crash.at("token.forgotten")
            for account_id in account_ids:
                self._logins.pop(account_id, None)
                self._disconnected.add(account_id)
                self._opened.pop(account_id, None)
            return found[: len(along)]

    # Logins that are under way.

    async def keep_login(
        self, state_digest: str, plain: str, writes: Callable[[bytes, str], Sequence[Write]]
    ) -> None:
        """Write what must stay secret of a login: ``writes`` makes the statements of the sealed
        value and the id of its key.

        Raises KeyProblem, StorageProblem and JournalError.
        """
        async with self._changing:  # no key goes between the sealing and the writing
            place = Place("logins_under_way", state_digest, "sealed")
            sealed = await asyncio.to_thread(self._vault.seal, plain, place)
            await self._journal.apply(writes(sealed, self._vault.active))

    def open_login(self, state_digest: str, sealed: bytes) -> str:
        """What was kept of a login. Raises SealedOtherwise."""
        return self._vault.open(sealed, Place("logins_under_way", state_digest, "sealed"))

    async def rotate(self, *, along: Sequence[Write] = ()) -> Rotated:
        """A new key in the file, or the first of the settings; all is sealed with it, in one
        transaction with ``along``. Keys that seal nothing any more are forgotten.

        Raises KeyProblem, StorageProblem and JournalError.
        """
        async with self._changing:
            if not self._vault.is_given:
                await asyncio.to_thread(self._vault.add_key)
            active, statements, unreadable = self._vault.active, list[Write](), 0
            for old in await table.all_sealed(self._journal):
                place = Place(old.table, old.row, old.column)
                try:
                    plain = self._vault.open(old.value, place)
                except SealedOtherwise:
                    unreadable += 1
                    continue
                value = await asyncio.to_thread(self._vault.seal, plain, place)
                statements.append(table.reseal(old, value, active))
            await self._journal.apply([*statements, *along])
            crash.at("keys.resealed")
            await asyncio.to_thread(self._vault.drop_keys, set(self._vault.ids) - {active})
            return Rotated(active, len(statements), unreadable)

    async def _sealed(self, account_id: str, new: NewToken) -> StoredToken:
        sealed = await asyncio.to_thread(
            self._vault.seal, new.token.get_secret_value(), Place("tokens", account_id, "sealed")
        )
        behind = None
        if new.user_token is not None:
            behind = await asyncio.to_thread(
                self._vault.seal,
                new.user_token.get_secret_value(),
                Place("tokens", account_id, "sealed_user_token"),
            )
        return StoredToken(
            account_id=account_id,
            key_id=self._vault.active,
            sealed=sealed,
            sealed_user_token=behind,
            kind=new.kind,
            issued_at=new.issued_at,
            expires_at=new.expires_at,
            data_access_expires_at=new.data_access_expires_at,
        )
