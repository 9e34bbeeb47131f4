"""Whether a post's account may be worked for: stopped, resting, or catching up on a backlog.

Asked before each step that calls Meta, and told of each refusal. What concerns the account waits
as the account, in the journal: one refused token costs one call, not one for each post.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from typing import Any

from mediawatch import crash
from mediawatch.clock import Clock, iso
from mediawatch.crypto.vault import SealedOtherwise
from mediawatch.errors import GraphProblem, Handling, MediawatchError
from mediawatch.graph.client import not_recorded
from mediawatch.graph.errors import GraphError
from mediawatch.graph.pacing import Pacing
from mediawatch.graph.verdicts import Remedy
from mediawatch.journal import accounts, standing
from mediawatch.journal.accounts import Account
from mediawatch.journal.database import Journal
from mediawatch.log import Log
from mediawatch.model.accounts import DISCONNECTED
from mediawatch.model.lifecycle import Publication, Stage
from mediawatch.model.posts import Post
from mediawatch.pipeline.outcomes import Outcome, Reason, WaitUntil
from mediawatch.pipeline.work import Work
from mediawatch.tokens import Tokens, UnknownAccount

#: Seconds between the posts of a backlog, at the least.
CATCH_UP_GAP = 60.0
#: Seconds after which a post of a stopped account looks whether it still is; it costs no call.
LOOK_AGAIN = 86400.0

#: Stops that are none of Meta's doing: over as soon as there is a token.
_OURS = {UnknownAccount.code, SealedOtherwise.code}

#: In place of what is said of the token of the settings.
_CONNECT_AGAIN = (
    "Connect the account again: `mediawatch accounts connect`, and leave every permission ticked; "
    "it goes on with what waits."
)

Step = Callable[[Work], Awaitable[Outcome]]


class Standing:
    """How the accounts stand with Meta: the journal's word on stops, ``pacing``'s on limits."""

    def __init__(self, tokens: Tokens, pacing: Pacing) -> None:
        self._tokens = tokens
        self._pacing = pacing

    async def open(self, journal: Journal, clock: Clock, log: Log) -> None:
        """At the start: another token in the settings is what a stopped account waited for."""
        for account_id, digest in self._tokens.digests().items():
            account = await accounts.find(journal, account_id)
            if account.token_digest != digest:
                is_new = account.token_digest is not None
                back = [accounts.reconnect(account_id)] if is_new else []
                await journal.apply([standing.remember_token(account_id, digest), *back])
                crash.at("account.token-remembered")
                if is_new:
                    self._tokens.takes_settings_again(account_id)
                    if account.stopped_code is not None and account_id == self._tokens.of_settings:
                        await self._release(journal, clock, log, account)
        for account in await standing.stopped(journal):
            account_id = account.id
            if account.stopped_code in _OURS and await self._has_token(account_id):
                await self._release(journal, clock, log, account)
                continue
            self._pacing.accept(account_id, account.released_at)
            if account.stopped_code == "token":
                self._pacing.refuse(account_id, _refusal(account))
            if account.stopped_code != DISCONNECTED:
                log.warning(
                    f"The account {account_id} is still stopped: {account.stopped_detail}",
                    action="account",
                    reason=account.stopped_code,
                    remedy=account.stopped_remedy,
                )

    async def _has_token(self, account_id: str) -> bool:
        try:
            await self._tokens.caller(account_id, not_recorded)
        except (UnknownAccount, SealedOtherwise):
            return False
        return True

    def guard(self, step: Step) -> Step:
        """The step, made only while the account may be worked for."""

        async def guarded(work: Work) -> Outcome:
            if wait := await self.not_now(work):
                return wait
            try:
                return await step(work)
            except (GraphError, UnknownAccount, SealedOtherwise) as error:
                if not await self.told(work, error):
                    raise
                wait = await self.not_now(work)
                if wait is None:
                    raise
                return wait

        return guarded

    async def told(self, work: Work, error: MediawatchError) -> bool:
        """Meta refused, or there is no token: whether that is about the account as a whole, which
        is stopped then."""
        return await self.refused(work.journal, work.clock, work.log, work.post.account_id, error)

    async def refused(
        self, journal: Journal, clock: Clock, log: Log, account_id: str, error: MediawatchError
    ) -> bool:
        """The same, for what concerns no post."""
        now, until = clock.now(), None
        code, remedy = error.code, error.remedy
        if isinstance(error, GraphError):
            verdict = error.verdict
            if verdict.code == "quota":
                await journal.apply([accounts.forget_quota(account_id)])
                crash.at("quota.forgotten")
            if not verdict.stops_account:
                return False
            code, remedy = verdict.code, verdict.remedy
            if verdict.kind is Remedy.RECONNECT and self._tokens.is_connected(account_id):
                remedy = _CONNECT_AGAIN
            until = None if verdict.retry_after is None else now + verdict.retry_after
        elif not isinstance(error, UnknownAccount | SealedOtherwise):
            return False
        stop = standing.stop(
            account_id, code=code, detail=error.message, remedy=remedy, now=now, until=until
        )
        stopped = (await journal.apply([stop]))[0]
        crash.at("account.stopped")
        if stopped:
            ends = "" if until is None else f" Nothing is posted until {iso(until)}."
            log.error(
                f"The account {account_id} is stopped: {error.message}{ends}",
                action="account",
                reason=code,
                remedy=remedy,
            )
        return True

    async def not_now(self, work: Work) -> WaitUntil | None:
        """Until when the post must wait for its account's sake, or None if it may go on.

        After an unknown outcome Meta may be asked what came of it as soon as calls are allowed.
        """
        account = await accounts.find(work.journal, work.post.account_id)
        self._pacing.accept(account.id, account.released_at)
        fresh = work.post.publication is Publication.NOT_ASKED
        now = work.clock.now()
        if account.stopped_at is not None:
            over = account.stopped_until is not None and account.stopped_until <= now
            if over:
                await self._release(work.journal, work.clock, work.log, account)
                account = await accounts.find(work.journal, account.id)
            elif fresh or account.stopped_until is None:
                return _stopped(account, now)
        if wait := self._limited(work.post, now, fresh=fresh):
            return wait
        return await self._in_turn(work, account) if fresh else None

    def _limited(self, post: Post, now: float, *, fresh: bool) -> WaitUntil | None:
        pace = self._pacing.pace(post.account_id)
        nothing = "Nothing to do: mediawatch goes on by itself."
        if pace.word == "rest" or (pace.word == "spare" and fresh):
            return WaitUntil(pace.until, Reason("rate-limit", pace.sentence, nothing))
        if fresh and post.stage is Stage.CONTAINER:
            seconds = self._pacing.turn(post.account_id, post.id)
            if seconds > 0:
                told = f"{pace.sentence} This one is looked at again at {iso(now + seconds)}."
                return WaitUntil(now + seconds, Reason("slowing", told, nothing))
        return None

    async def _in_turn(self, work: Work, account: Account) -> WaitUntil | None:
        """A backlog goes out in its order, ``CATCH_UP_GAP`` apart."""
        post = work.post
        if account.released_at is None or post.created_at > account.released_at:
            return None
        before = await standing.ahead(
            work.journal, account.id, created_at=post.created_at, post_id=post.id
        )
        now = work.clock.now()
        free = max(now, (account.last_published_at or 0.0) + CATCH_UP_GAP)
        at = free + before * CATCH_UP_GAP
        if at <= now:
            return None
        return WaitUntil(
            at,
            Reason(
                "catching-up",
                f"The account goes on since {iso(account.released_at)}; what waited goes out "
                f"{CATCH_UP_GAP:.0f} s apart, this one at about {iso(at)}.",
                "Nothing to do.",
            ),
        )

    async def tell(self, journal: Journal, account_id: str) -> dict[str, Any]:
        """As journal/standing.py tells it, and for the limits of calls: slow, paused."""
        return await self._with_pace(journal, await standing.tell(journal, account_id))

    async def tell_all(
        self, journal: Journal, account_ids: Collection[str]
    ) -> list[dict[str, Any]]:
        """The same of several, each with its ``username``."""
        told = await standing.tell_all(journal, account_ids)
        return [await self._with_pace(journal, each) for each in told]

    async def _with_pace(self, journal: Journal, told: dict[str, Any]) -> dict[str, Any]:
        pace = self._pacing.pace(told["id"])
        if told["state"] == "stopped" or pace.word == "free":
            return told
        count, _ = await standing.waiting(journal, told["id"], ["rate-limit", "slowing"])
        return told | {
            "state": "slow" if pace.word == "slow" else "paused",
            "detail": pace.sentence,
            "remedy": "Nothing to do: mediawatch goes on by itself.",
            "until": iso(pace.until),
            "waiting": count,
        }

    async def _release(self, journal: Journal, clock: Clock, log: Log, account: Account) -> None:
        freed, released = await journal.apply(
            standing.release(account.id, account.stopped_code or "", now=clock.now())
        )
        crash.at("account.released")
        if released:
            log.info(
                f"The account {account.id} goes on, with {len(freed)} posts that waited.",
                action="account",
            )


def _refusal(account: Account) -> GraphProblem:
    return GraphProblem(
        account.stopped_detail or "",
        code="token",
        handling=Handling.PARK,
        remedy=account.stopped_remedy or "",
    )


def _stopped(account: Account, now: float) -> WaitUntil:
    return WaitUntil(
        account.stopped_until or now + LOOK_AGAIN,
        Reason(
            account.stopped_code or "",
            f"Its account is stopped: {account.stopped_detail}",
            account.stopped_remedy or "",
        ),
        parked=True,
    )
