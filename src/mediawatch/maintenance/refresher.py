"""Keeps access tokens alive: refreshed before their end, looked at daily, told of in time.

A token of the Instagram login and that of a person of the Facebook login last sixty days, and are
refreshed from ten days before their end on, when they are a day old at the least (Meta: "Refresh
Access Token", "Long-Lived Access Tokens"). A page's token has no end of its own; its access to data
ends ninety days after the person was last there, which only they can change. The token of the
settings is only looked at: it is not ours to change.

The old token stays until the new one is durable. What fails for one account is told and tried
again; the others go on.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from mediawatch import crash
from mediawatch.clock import Clock, iso
from mediawatch.crypto.vault import SealedOtherwise
from mediawatch.errors import Conflict, GraphProblem, JournalError, MediawatchError
from mediawatch.graph.client import Caller, GraphClient, not_recorded
from mediawatch.graph.identity import Identity
from mediawatch.graph.oauth import OAuth
from mediawatch.graph.profile import profile
from mediawatch.journal import tokens as table
from mediawatch.journal.database import Journal
from mediawatch.journal.tokens import StoredToken
from mediawatch.log import Log
from mediawatch.model.accounts import Login
from mediawatch.pipeline.standing import Standing
from mediawatch.tokens import NewToken, Tokens, UnknownAccount

DAY = 86_400.0
#: Seconds before its end from which on a token is refreshed, and its age from which on it can be.
REFRESH_BEFORE, REFRESH_AGE = 10 * DAY, DAY
#: Seconds after which a token is looked at again.
VERIFY_EVERY = DAY
#: Seconds after which a refresh that failed is tried again; and on the last day.
TRY_AGAIN, TRY_AGAIN_SOON = 6 * 3600.0, 3600.0


class NotRefreshed(MediawatchError):
    """The token stays as it is: it cannot be refreshed, or need not be."""

    code = "token-not-refreshed"


#: What concerns one account only.
_ITS_OWN = (GraphProblem, UnknownAccount, SealedOtherwise, NotRefreshed)


class Refresher:
    """Of every account. ``logins``: by which a token can be refreshed, for those logins that have
    what it takes in the settings."""

    def __init__(
        self,
        journal: Journal,
        tokens: Tokens,
        client: GraphClient,
        logins: Mapping[Login, OAuth],
        standing: Standing,
        clock: Clock,
        log: Log,
    ) -> None:
        self._journal = journal
        self._tokens = tokens
        self._client = client
        self._logins = logins
        self._standing = standing
        self._clock = clock
        self._log = log
        self._one_at_a_time: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._of_settings: dict[str, float | None] = {}
        self._looked_at: dict[str, float] = {}

    @property
    def ends(self) -> Mapping[str, float | None]:
        """When the token of the settings ends, by its account, in seconds since the epoch; None if
        it never does, nothing if that is not known. Those of the others lie in the journal."""
        return self._of_settings

    async def run_once(self) -> None:
        """Look at each account whose time has come. Raises JournalError."""
        there = self._tokens.of_settings
        if there is None:
            self._of_settings.clear()
        elif self._looked_at.get(there, 0.0) + TRY_AGAIN <= self._clock.now():
            self._looked_at[there] = self._clock.now()
            await self._look_at_settings(there)
        for token in await table.listed(self._journal):
            if self._is_due(token) or self._is_to_verify(token):
                await self._mind(token.account_id)

    async def refresh(self, account_id: str) -> StoredToken:
        """By order: refresh the account's token now; what is kept of it.

        Raises NotRefreshed, GraphProblem, UnknownAccount, SealedOtherwise and JournalError.
        """
        async with self._one_at_a_time[account_id]:
            token = await table.find(self._journal, account_id)
            if token is None:
                raise NotRefreshed(
                    f"The token of {account_id} is not mediawatch's to refresh.",
                    remedy="Connect the account (`mediawatch accounts connect`), or make a new "
                    "token and put it where the old one lies.",
                )
            if token.kind == "page":
                await self._verify(token)
                raise NotRefreshed(
                    "A page's token has no end of its own, so there is nothing to refresh. Meta "
                    "takes it.",
                    remedy="To begin the ninety days of its access to data anew, connect the "
                    "account again.",
                )
            if self._age(token) < REFRESH_AGE:
                raise NotRefreshed(
                    "The token is younger than a day: Meta refreshes none of those.",
                    remedy="Nothing to do: mediawatch refreshes it in time.",
                )
            return await self._refresh(token)

    async def _mind(self, account_id: str) -> None:
        """Refresh or verify; whatever comes of it is this account's own affair."""
        async with self._one_at_a_time[account_id]:
            token = await table.find(self._journal, account_id)
            if token is None:
                return
            # What fails is told where it does; a conflict: it was connected anew meanwhile.
            with contextlib.suppress(*_ITS_OWN, Conflict):
                if self._is_due(token):
                    await self._refresh(token)
                elif self._is_to_verify(token):
                    await self._verify(token)

    # One account.

    def _age(self, token: StoredToken) -> float:
        return self._clock.now() - (token.refreshed_at or token.issued_at)

    def _is_due(self, token: StoredToken) -> bool:
        if token.kind == "page":
            return False
        if token.expires_at is None:
            # A pasted one of this login, of which only a refresh tells the end.
            left = REFRESH_BEFORE / 2 if token.kind == "instagram" else 0.0
        else:
            left = token.expires_at - self._clock.now()
        again = TRY_AGAIN_SOON if left < DAY else TRY_AGAIN
        rested = self._clock.now() - (token.refresh_failed_at or 0.0) >= again
        return 0 < left < REFRESH_BEFORE and self._age(token) >= REFRESH_AGE and rested

    def _is_to_verify(self, token: StoredToken) -> bool:
        return self._clock.now() - (token.verified_at or 0.0) >= VERIFY_EVERY

    async def _refresh(self, token: StoredToken) -> StoredToken:
        account_id, now = token.account_id, self._clock.now()
        login = self._tokens.login(account_id)
        try:
            grant = await self._api(login).refresh(
                (await self._tokens.caller(account_id, not_recorded)).token
            )
            crash.at("token.refreshed")
        except _ITS_OWN as error:
            await self._failed(token, error)
            raise
        ends = None if grant.expires_in is None else now + grant.expires_in
        new = NewToken(
            token=grant.token,
            kind=token.kind,
            issued_at=now,
            expires_at=ends,
            data_access_expires_at=token.data_access_expires_at,
        )
        kept = await self._tokens.renew(token, new, now=now)
        until = f" until {iso(ends)}" if ends else ""
        self._log.info(
            f"The access token of {account_id} is refreshed, and good{until}.", action="account"
        )
        return kept

    def _api(self, login: Login) -> OAuth:
        api = self._logins.get(login)
        if api is None:
            raise NotRefreshed(
                f"The settings have no app for the {login} login.",
                remedy=f"Set instagram.{login}_app_id and {login}_app_secret, and restart.",
            )
        return api

    async def _failed(self, token: StoredToken, error: MediawatchError) -> None:
        facts = {"refresh_failed_at": self._clock.now(), "refresh_problem": error.message}
        await self._journal.apply([table.note(token, facts)])
        crash.at("token.noted")
        if await self._standing.refused(
            self._journal, self._clock, self._log, token.account_id, error
        ):
            return
        ends = f" It is good until {iso(token.expires_at)}." if token.expires_at else ""
        self._log.warning(
            f"The access token of {token.account_id} was not refreshed: {error.message}{ends}",
            action="account",
            remedy=error.remedy or "mediawatch tries again by itself.",
        )

    async def _verify(self, token: StoredToken) -> None:
        """Ask Meta whether it takes the token still, and for how long."""
        account_id = token.account_id
        facts: dict[str, Any] = {"verified_at": self._clock.now()}
        try:
            caller = await self._tokens.caller(account_id, not_recorded)
            facts |= await self._asked(caller, token)
        except _ITS_OWN as error:
            await self._standing.refused(self._journal, self._clock, self._log, account_id, error)
            self._log.debug(
                f"The token of {account_id} was not looked at: {error.message}", action="account"
            )
            raise
        finally:
            # Also what was refused is looked at again tomorrow, not every hour.
            await self._journal.apply([table.note(token, facts)])
            crash.at("token.noted")

    async def _asked(self, caller: Caller, token: StoredToken) -> dict[str, Any]:
        if caller.login == "instagram":
            await profile(self._client, caller)
            return {}
        api = self._logins.get("facebook")
        known = None if api is None else await api.facts(caller.token)
        told = known or await Identity(self._client, caller).token()
        if not told.is_valid:
            # The next call says why, and is judged as any other.
            await profile(self._client, caller)
        return {
            "expires_at": float(told.expires_at) if told.expires_at else None,
            "data_access_expires_at": (
                float(told.data_access_expires_at) if told.data_access_expires_at else None
            ),
        }

    async def _look_at_settings(self, account_id: str) -> None:
        """What was known stays known if Meta does not answer."""
        if self._tokens.login(account_id) != "facebook":
            return  # that login cannot tell
        try:
            caller = await self._tokens.caller(account_id, not_recorded)
            self._of_settings[account_id] = (await Identity(self._client, caller).token()).ends_at
        except JournalError:
            raise
        except MediawatchError as error:
            self._log.debug(f"When the token ends is not known: {error.message}", action="account")
