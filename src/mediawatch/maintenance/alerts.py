"""Tells the owner of trouble: each thing once, many in one message, again until it is through.

What is to be told is derived from the journal's own state (a post that stands there as failed) and
from conditions that are asked for, and written down before it is sent: a kill loses nothing. One
that falls between a sending and its record repeats that message, since no way out can say
afterwards whether it took one: at least once towards the outside, exactly once otherwise.

Of the journal itself nothing can be written down while it is ill; that is told from memory.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from mediawatch import crash
from mediawatch.alerts.addresses import Address
from mediawatch.alerts.sender import Sender
from mediawatch.clock import Clock
from mediawatch.errors import JournalError
from mediawatch.journal import alerts
from mediawatch.journal.alerts import Untold
from mediawatch.journal.database import Journal
from mediawatch.log import Log
from mediawatch.metrics import Metrics
from mediawatch.model.alerts import Alert, AlertKind, as_message
from mediawatch.pipeline.uninterrupted import uninterrupted

#: Alerts that a condition makes now, by kind; None where that cannot be told at the moment.
Conditions = Mapping[AlertKind, Sequence[Alert] | None]

_DAY = 86_400.0
#: Seconds that a clean stop gives to a message that is on its way.
_FINISH = 5.0
#: Conditions that come and go by themselves: told when they have lasted.
_PATIENT = frozenset({AlertKind.FOLDER, AlertKind.JOURNAL})


@dataclass(frozen=True, slots=True)
class Pace:
    """Times in seconds. ``gather``: how long it is waited for more to come before a message goes,
    ``gather_most`` at the most; ``gap``: between two messages to one address; ``patience``: how
    long a passing condition lasts before it is told; ``over``: how long it is gone before it is
    told again; ``retries``: pauses while a way out is down, the last one repeats."""

    gather: float = 15.0
    gather_most: float = 60.0
    gap: float = 300.0
    patience: float = 60.0
    over: float = 600.0
    retries: tuple[float, ...] = (30.0, 60.0, 300.0, 900.0, 1800.0)
    give_up: float = 3 * _DAY
    remembered: float = 30 * _DAY


PACE = Pace()


class Alerts:
    """``conditions`` gives what lasts now; ``sick`` is why the journal cannot be written, if so."""

    def __init__(
        self,
        journal: Journal,
        sender: Sender,
        addresses: Sequence[Address],
        clock: Clock,
        log: Log,
        *,
        kinds: Collection[AlertKind],
        conditions: Callable[[], Awaitable[Conditions]],
        sick: Callable[[], JournalError | None],
        metrics: Metrics | None = None,
        pace: Pace | None = None,
    ) -> None:
        self._journal = journal
        self._sender = sender
        self._addresses = tuple(addresses)
        self._clock = clock
        self._log = log
        self._kinds = frozenset(kinds) if addresses else frozenset()
        self._conditions = conditions
        self._sick = sick
        self._metrics = metrics or Metrics()
        self._pace = pace or PACE
        self._since: dict[AlertKind, float] = {}
        self._lasts_since: dict[str, float] = {}
        self._gone_since: dict[str, float] = {}
        self._not_before: dict[str, float] = {}
        self._failures: dict[str, int] = {}
        #: Of the journal's illness: the alert, and the addresses that it has not reached.
        self._sickness: Untold | None = None

    @property
    def wanted(self) -> bool:
        """Whether anybody is to be told of anything."""
        return bool(self._kinds)

    async def open(self) -> None:
        """At the start: what was before somebody wanted to be told is no news.

        Raises JournalError.
        """
        known = await alerts.wanted_since(self._journal)
        digests = [address.digest for address in self._addresses]
        if set(known) != self._kinds:
            await self._journal.apply(alerts.want(self._kinds, self._clock.now()))
            crash.at("alert.kinds-recorded")
            known = await alerts.wanted_since(self._journal)
        if self.wanted and await alerts.any_for_others(self._journal, digests):
            await self._journal.apply([alerts.only_to(digests)])
            crash.at("alert.address-left")
        self._since = known

    async def run_once(self, *, flush: bool = False) -> int:
        """Write down what is new, and send what is due; how many messages went.

        ``flush``: whatever there is goes now. Raises JournalError.
        """
        if not self.wanted:
            return 0
        problem = self._sick()
        if problem is not None:
            return await self._tell_of_journal(problem)
        self._journal_is_well()
        await self._note(await self._conditions())
        return await self._send(await alerts.untold(self._journal), flush=flush)

    # Written down.

    async def _note(self, conditions: Conditions) -> None:
        lasting = [
            alert
            for kind, found in conditions.items()
            if kind in self._kinds
            for alert in found or ()
        ]
        known = await alerts.lasting(self._journal)
        fresh = [alert for alert in lasting if alert.key not in known and self._has_lasted(alert)]
        fresh += await alerts.of_posts(self._journal, self._looked_back())
        if fresh:
            digests = [address.digest for address in self._addresses]
            await self._journal.apply(alerts.add(fresh, digests))
            crash.at("alert.noted")
        present = {alert.key for alert in lasting}
        self._lasts_since = {
            key: since for key, since in self._lasts_since.items() if key in present
        }
        unclear = {kind for kind, found in conditions.items() if found is None}
        over = [
            key
            for key, kind in known.items()
            if kind not in unclear and self._is_over(key, key in present)
        ]
        if over:
            await self._journal.apply([alerts.forget(over)])
            crash.at("alert.over")
            self._gone_since = {k: at for k, at in self._gone_since.items() if k not in over}

    def _looked_back(self) -> dict[AlertKind, float]:
        """Since when posts are looked at, by kind: not further back than their marks are kept. What
        was noted down by a clock that was ahead of the time is no moment to wait for."""
        now = self._clock.now()
        furthest = now - self._pace.remembered + _DAY
        return {
            kind: max(since if since <= now else furthest, furthest)
            for kind, since in self._since.items()
        }

    def _has_lasted(self, alert: Alert) -> bool:
        since = self._lasts_since.setdefault(alert.key, self._clock.monotonic())
        patience = self._pace.patience if alert.kind in _PATIENT else 0.0
        return self._clock.monotonic() - since >= patience

    def _is_over(self, key: str, present: bool) -> bool:
        """Gone for so long that it would be another occasion: what flickers is told once."""
        if present:
            self._gone_since.pop(key, None)
            return False
        since = self._gone_since.setdefault(key, self._clock.monotonic())
        return self._clock.monotonic() - since >= self._pace.over

    async def tidy(self) -> None:
        """Once in a while: forget what is long told, and what is too old to be news. Raises
        JournalError."""
        now = self._clock.now()
        old = alerts.forget_old(
            told_before=now - self._pace.remembered, untold_before=now - self._pace.give_up
        )
        lost = {row["key"] for row in (await self._journal.apply(old))[0]}
        crash.at("alert.tidied")
        if lost:
            self._log.error(
                f"{len(lost)} alerts reached nobody for days and are given up.",
                action="alert",
                remedy="Try each address with `mediawatch alerts test`, and mend those that fail.",
            )

    # Sent.

    async def _send(self, untold: Sequence[Untold], *, flush: bool) -> int:
        if not untold or not (flush or self._are_gathered(untold)):
            return 0
        waiting = [
            (address, [each for each in untold if address.digest in each.missing])
            for address in self._addresses
        ]
        due = [(address, theirs) for address, theirs in waiting if theirs and self._may_go(address)]
        # A clean stop waits a moment, so that what goes out is recorded as well.
        sendings = (
            uninterrupted(self._send_to(address, theirs), limit=_FINISH) for address, theirs in due
        )
        return sum(await asyncio.gather(*sendings))

    def _are_gathered(self, untold: Sequence[Untold]) -> bool:
        """Whether no more is likely to come in the same breath. By the clock for dates: one that
        was set back must not hold it up."""
        now = self._clock.now()
        newest = now - max(each.alert.at for each in untold)
        oldest = now - min(each.alert.at for each in untold)
        return not 0 <= newest < self._pace.gather or oldest >= self._pace.gather_most

    def _may_go(self, address: Address) -> bool:
        return self._clock.monotonic() >= self._not_before.get(address.digest, float("-inf"))

    async def _send_to(self, address: Address, told: Sequence[Untold]) -> bool:
        if not await self._went(address, [each.alert for each in told]):
            return False
        await self._record(told, address.digest)
        self._say_it_went(address, len(told))
        return True

    def _say_it_went(self, address: Address, count: int) -> None:
        self._log.info(f"{count} alerts went to address {address.shown}.", action="alert")

    async def _record(self, told: Sequence[Untold], digest: str) -> None:
        await self._journal.apply([alerts.reached([each.alert.key for each in told], digest)])
        crash.at("alert.recorded")

    async def _went(self, address: Address, told: Sequence[Alert]) -> bool:
        why = await self._sender.send(address, as_message(told))
        crash.at("alert.sent")
        self._metrics.alerts.labels("failed" if why else "sent").inc()
        failures = self._failures.get(address.digest, 0)
        now = self._clock.monotonic()
        if not why:
            self._failures.pop(address.digest, None)
            self._not_before[address.digest] = now + self._pace.gap
            return True
        pauses = self._pace.retries
        self._failures[address.digest] = failures + 1
        self._not_before[address.digest] = now + pauses[min(failures, len(pauses) - 1)]
        tell = self._log.debug if failures else self._log.warning  # once for each time it is down
        tell(
            f"{len(told)} alerts did not go to address {address.shown}: {why}.",
            action="alert",
            remedy="It is tried again by itself. If it stays so, `mediawatch alerts test` tries "
            "each address of [alerts] urls.",
        )
        return False

    # Of the journal itself.

    async def _tell_of_journal(self, problem: JournalError) -> int:
        if AlertKind.JOURNAL not in self._kinds:
            return 0
        if self._sickness is None:
            alert = Alert(
                key="journal",
                kind=AlertKind.JOURNAL,
                at=self._clock.now(),
                subject="The journal cannot be written",
                detail=f"{problem.message} Nothing is published until it can.",
                remedy=problem.remedy,
            )
            self._sickness = Untold(alert, tuple(each.digest for each in self._addresses))
        self._gone_since.pop("journal", None)
        if not self._has_lasted(self._sickness.alert):
            return 0
        left = set(self._sickness.missing)
        for address in self._addresses:
            due = address.digest in left and self._may_go(address)
            if due and await self._went(address, [self._sickness.alert]):
                left.discard(address.digest)
                self._say_it_went(address, 1)
        went = len(self._sickness.missing) - len(left)
        self._sickness = Untold(self._sickness.alert, tuple(left))
        return went

    def _journal_is_well(self) -> None:
        if self._sickness is not None and self._is_over("journal", False):
            self._sickness = None
            self._lasts_since.pop("journal", None)
