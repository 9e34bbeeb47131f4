"""The account: whose token it is, what it may do, for how long, and how much is left today."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import aiohttp

from mediawatch.clock import Clock, iso
from mediawatch.config import InstagramSettings, Settings
from mediawatch.crypto.vault import FILE_NAME as KEYS
from mediawatch.crypto.vault import Vault
from mediawatch.doctor import known
from mediawatch.errors import GraphProblem, JournalError, MediawatchError
from mediawatch.graph.client import Caller, Exchange, GraphClient, meta_apps, not_recorded
from mediawatch.graph.errors import GraphError
from mediawatch.graph.identity import Identity, TokenFacts
from mediawatch.graph.pacing import Pacing
from mediawatch.graph.profile import Profile, profile
from mediawatch.graph.publishing import Publishing
from mediawatch.graph.scopes import missing
from mediawatch.journal.sqlite import FILE_NAME, SqliteReader
from mediawatch.log import Log
from mediawatch.maintenance.conditions import TOKEN_DAYS
from mediawatch.model.findings import Finding, failed
from mediawatch.tokens import Tokens

#: Seconds that this clock may differ from Meta's.
SKEW = 120.0
#: Accounts that are looked at: the doctor shall not take all day.
MOST = 10
#: Meta's code and subcode for an id that is nobody's, or that the token may not see.
_UNSEEN = (100, 33)
_WHICH_ID = (
    "The id must be the Instagram account's own (17 digits, 17841…), not that of its Facebook "
    "page, and the token must have been made for it."
)
#: Days that a token of Instagram's own login lasts from when it was made or refreshed (Meta:
#: Instagram API with Instagram Login, "Long-lived tokens").
LASTS = 60


async def examine(
    settings: Settings,
    session: aiohttp.ClientSession,
    clock: Clock,
    log: Log,
    *,
    token_file: Path | None = None,
) -> AsyncIterator[Finding]:
    """Every account, up to ``MOST`` of them; named, where there are several. ``token_file``: what
    holds the token of the settings, None if that is no file."""
    async with _tokens(settings, clock) as tokens:
        ids = tokens.account_ids
        if not ids:
            problem = tokens.no_account
            yield Finding("account", False, problem.message, problem.remedy)
        for account_id in ids[:MOST]:
            try:
                caller = await tokens.caller(account_id, not_recorded)
            except MediawatchError as error:
                yield failed("token", error)
                continue
            of_settings = account_id == settings.instagram.user_id
            look = examine_one(settings.instagram, session, clock, log, caller)
            async for finding in look:
                named = f"{account_id}: {finding.detail}" if len(ids) > 1 else finding.detail
                yield replace(finding, detail=named)
            if of_settings and caller.login == "instagram":
                yield await asyncio.to_thread(pasted, token_file, clock.now())
        if len(ids) > MOST:
            yield Finding("accounts", True, f"{len(ids) - MOST} more were not looked at.")


@asynccontextmanager
async def _tokens(settings: Settings, clock: Clock) -> AsyncIterator[Tokens]:
    """Of the settings, and of the journal if there is one."""
    data_dir = settings.storage.data_dir
    reader: Any = SqliteReader(data_dir / FILE_NAME)  # nothing is written with it
    vault = Vault(data_dir / KEYS, settings.storage.keys)
    tokens = Tokens(settings.instagram, reader, vault, clock)
    try:
        # A journal that cannot be read is told in its own section.
        with suppress(JournalError):
            if reader.path.exists():
                await tokens.open()
        yield tokens
    finally:
        reader.close()


async def examine_one(
    settings: InstagramSettings,
    session: aiohttp.ClientSession,
    clock: Clock,
    log: Log,
    caller: Caller,
) -> AsyncIterator[Finding]:
    """What can be asked of Meta, one finding each; after a token that is refused nothing more."""
    examination = _Examination(settings, session, clock, log, caller)
    try:
        account = await examination.account()
    except GraphProblem as problem:
        yield _refused(problem)
        for finding in examination.clock_skew():
            yield finding
        return
    yield Finding("token", True, f"Meta knows it: {account.username or account.user_id}.")
    for finding in examination.clock_skew():
        yield finding
    yield examination.kind(account)
    if caller.login == "facebook":
        async for finding in examination.facebook():
            yield finding
    yield await examination.quota()


def asker(
    settings: InstagramSettings, session: aiohttp.ClientSession, clock: Clock, log: Log
) -> GraphClient:
    """Whoever asks Meta a question or two, as the settings want it."""
    return GraphClient(
        session,
        meta_apps(settings),
        settings.version,
        timeout=settings.timeout,
        pacing=Pacing(clock, log),
    )


def _refused(problem: GraphProblem) -> Finding:
    if not isinstance(problem, GraphError):
        return failed("Meta", problem)
    if (problem.number, problem.subcode) == _UNSEEN:
        return Finding("account", False, problem.message, _WHICH_ID)
    return failed("token", problem)


class _Examination:
    def __init__(
        self,
        settings: InstagramSettings,
        session: aiohttp.ClientSession,
        clock: Clock,
        log: Log,
        caller: Caller,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._dates: list[tuple[str, float]] = []
        client = asker(settings, session, clock, log)
        caller = replace(caller, record=self._record)
        self.identity = Identity(client, caller)
        self._client, self._caller = client, caller
        self._publishing = Publishing(client, caller)

    def _record(self, exchange: Exchange) -> None:
        if exchange.date:
            self._dates.append((exchange.date, self._clock.now()))

    async def account(self) -> Profile:
        """Whom the token may act for. Raises GraphProblem."""
        return await profile(self._client, self._caller)

    def clock_skew(self) -> list[Finding]:
        """How far this machine's clock is from Meta's, if Meta told the time."""
        for told, here in self._dates[-1:]:
            try:
                skew = here - parsedate_to_datetime(told).timestamp()
            except ValueError:
                continue
            wrong = abs(skew) > SKEW
            much = f"{abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'}"
            return [
                Finding(
                    "clock",
                    not wrong,
                    f"This machine's clock is {much} Meta's."
                    if wrong
                    else "It agrees with Meta's.",
                    "Set it by the network (NTP): plans and waits depend on it." if wrong else "",
                )
            ]
        return []

    def kind(self, account: Profile) -> Finding:
        """Whether it is the account of the settings, and a professional one."""
        wanted = self._caller.account_id
        if account.user_id != wanted:
            return Finding(
                "account",
                False,
                f"The token belongs to {account.username} ({account.user_id}), not to {wanted}.",
                f'Set instagram.user_id = "{account.user_id}", or take a token of the other one.',
            )
        if not account.is_professional:
            return Finding(
                "account",
                False,
                f"{account.username} is a {account.kind.lower()} account: nobody publishes there.",
                "In the Instagram app: Settings, Account type, Switch to professional account.",
            )
        kind = account.kind.lower().replace("_", " ") or "professional"
        return Finding("account", True, f"{account.username or wanted} is a {kind} account.")

    async def facebook(self) -> AsyncIterator[Finding]:
        """How long the token lasts, what was granted, and the page between."""
        facts = None
        try:
            facts = await self.identity.token()
        except GraphProblem as problem:
            yield Finding(
                known.TOKEN_END,
                True,
                f"Meta does not tell when the token ends: {problem.message}",
                "Note the day yourself: most last 60 days.",
            )
        if facts is not None:
            yield _lasting(facts, self._clock.now())
        yield await self._permissions(facts)
        yield await self._page(facts)

    async def _permissions(self, facts: TokenFacts | None) -> Finding:
        try:
            granted = await self.identity.granted()
        except GraphProblem as problem:
            if facts is None or not facts.scopes:
                return failed("permissions", problem)
            granted = frozenset(facts.scopes)
        left = [each.name for each in missing("facebook", granted)]
        if not left:
            return Finding("permissions", True, "All that publishing needs is granted.")
        names = ", ".join(left)
        return Finding(
            "permissions",
            False,
            f"The token lacks {names}.",
            f"{known.NEW_TOKEN} Grant {names} in the dialog.",
        )

    async def _page(self, facts: TokenFacts | None) -> Finding:
        """The account must hang on a page that the token's owner may publish for."""
        wanted = self._caller.account_id
        try:
            own = facts is not None and facts.type.upper() == "PAGE"
            pages = [await self.identity.own_page()] if own else await self.identity.pages()
        except GraphProblem as problem:
            return failed("page", problem)
        for page in pages:
            linked = page.instagram_business_account
            if linked is not None and linked.id == wanted:
                return Finding("page", True, f"The account is linked to the page {page.name}.")
        told = f"{len(pages)} pages" if len(pages) != 1 else "one page"
        return Finding(
            "page",
            False,
            f"None of your Facebook pages ({told}) is linked to the account {wanted}.",
            "Link them in the page's settings (Linked accounts), and tick the page when you make "
            "the token.",
        )

    async def quota(self) -> Finding:
        """What is left of the publications of 24 hours; reading it proves the permission."""
        try:
            quota = await self._publishing.quota()
        except GraphProblem as problem:
            return failed("quota", problem)
        used, total = quota.quota_usage, quota.config.quota_total
        return Finding(
            "quota",
            used < total,
            f"{used} of {total} publications of the last 24 hours are used.",
            "Wait: posts go on by themselves as the hours pass." if used >= total else "",
        )


def _lasting(facts: TokenFacts, now: float) -> Finding:
    if not facts.is_valid:
        return Finding(known.TOKEN_END, False, "Meta calls the token invalid.", known.NEW_TOKEN)
    found = known.token_end(facts.ends_at, now, "The token has no end.")
    # Whoever asks is there to make a new one: for them what ends soon is not well.
    return replace(found, ok=found.ok and not found.remedy)


def pasted(file: Path | None, now: float) -> Finding:
    """What is known of the end of a token that Meta tells nothing about. Blocks."""
    unknown = "Meta does not tell when a token of this login ends"
    since = None
    if file is not None:
        with contextlib.suppress(OSError):
            since = file.stat().st_mtime
    if since is None:
        return Finding(
            known.TOKEN_END,
            True,
            f"{unknown}, and no file shows when it was put here.",
            f"Note the day yourself: it lasts {LASTS} days from when it was made or refreshed.",
        )
    days = max(0.0, now - since) / known.DAY
    left = LASTS - days
    what = (
        f"{unknown}. {file}, which holds it, was last written {days:.0f} days ago, on "
        f"{iso(since)}; it lasts {LASTS} days from when it was made or refreshed."
    )
    return Finding(known.TOKEN_END, True, what, known.NEW_TOKEN if left < TOKEN_DAYS[0] else "")
