"""Hands on what has settled, one file at a time, oldest first.

While the intake has no room, nothing moves here and the files stay in the folder: the folder is
the queue.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from mediawatch.clock import Clock
from mediawatch.errors import MediawatchError
from mediawatch.watch.candidates import Candidate, Inspection, Outcome, Taken
from mediawatch.watch.listing import CANNOT_BE_READ
from mediawatch.watch.settle import CUT_SHORT, WRITTEN, SettleRule, Settling
from mediawatch.watch.tracker import Tracker

_STILL_WRITTEN_RETRY = 60.0
_FRESH_LOOK = 0.05


class Taker:
    """Looks into a settled file, and offers it to the intake.

    ``look_again(name)`` looks at one name and lets the tracker judge it.
    """

    def __init__(
        self,
        tracker: Tracker,
        rule: SettleRule,
        root: str,
        *,
        clock: Clock,
        inspect: Callable[[Path], Inspection],
        take: Callable[[Candidate], Awaitable[Taken]],
        look_again: Callable[[str], Awaitable[None]],
        report: Callable[..., None],
    ) -> None:
        self._tracker, self._rule, self._root = tracker, rule, root
        self._clock, self._inspect, self._take = clock, inspect, take
        self._look_again, self._report = look_again, report

    async def offer_next(self) -> bool:
        """Deal with the next file that is ready; False if none is."""
        name = self._tracker.next_ready()
        if name is None:
            return False
        try:
            await self._offer(name, self._tracker.settling[name])
        finally:
            self._tracker.put_down(name, self._clock.monotonic())
        return True

    async def _offer(self, name: str, entry: Settling) -> None:
        if not await self._still_ready(name, entry):
            return
        path = Path(self._root, name)
        try:
            seen = await asyncio.to_thread(self._inspect, path)
        except FileNotFoundError:
            self._tracker.settle_again(name, self._clock.monotonic())
        except PermissionError:
            self._later(name, Outcome.UNREADABLE, CANNOT_BE_READ)
        except Exception as error:  # whatever a broken file does to the inspector: go on
            self._later(name, Outcome.UNREADABLE, f"it cannot be looked into: {_words(error)}")
        else:
            if not seen.wanted:
                self._tracker.leave(name, seen.reason)
                self._report("ignored", f"{name} is ignored: {seen.reason}.", name=name)
            elif self._is_whole_enough(name, entry, seen.whole):
                await self._hand_on(name, entry, path)

    async def _still_ready(self, name: str, entry: Settling) -> bool:
        ready_at = entry.ready_at
        if ready_at is not None and self._clock.monotonic() - ready_at > _FRESH_LOOK:
            await self._look_again(name)
        return self._tracker.settling.get(name) is entry and entry.ready_at is not None

    def _is_whole_enough(self, name: str, entry: Settling, whole: bool | None) -> bool:
        now = self._clock.monotonic()
        if entry.held_for_long and whole is not True:
            entry.due, entry.reason = now + _STILL_WRITTEN_RETRY, WRITTEN
        elif whole is not False:
            return True
        elif self._rule.incomplete(entry, now):
            self._report("incomplete", f"{name} is handed on though {CUT_SHORT}.", name=name)
            return True
        self._tracker.look_later(name)
        return False

    async def _hand_on(self, name: str, entry: Settling, path: Path) -> None:
        tracker = self._tracker
        try:
            taken = await self._take(Candidate(path, name, entry.key or (), entry.size))
        except Exception as error:  # trouble with one file must not stop the others
            self._later(name, Outcome.PROBLEM, _words(error))
            return
        match taken:
            case Taken.TAKEN:
                tracker.taken(name)
            case Taken.GONE:
                tracker.gone(name)
            case Taken.CHANGED:
                tracker.settle_again(name, self._clock.monotonic())
            case Taken.REFUSED:
                tracker.leave(name, "it was refused")
            case Taken.PROBLEM:
                self._later(name, Outcome.PROBLEM, "it could not be claimed")

    def _later(self, name: str, outcome: Outcome, reason: str) -> None:
        self._tracker.try_later(name, outcome, reason, self._clock.monotonic())
        self._report(outcome.value, f"{name} is tried again later: {reason}.", name=name)


def _words(error: Exception) -> str:
    if isinstance(error, MediawatchError):
        return error.message
    return str(error) or type(error).__name__
