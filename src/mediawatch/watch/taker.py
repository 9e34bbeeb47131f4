"""Hands on what has settled, oldest first: as many files at a time as there is room for.

While the intake has no room, nothing moves here and the files stay in the folder: the folder is
the queue.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from pathlib import Path

from mediawatch.clock import Clock
from mediawatch.errors import MediawatchError
from mediawatch.watch import folders
from mediawatch.watch.candidates import Candidate, Inspect, Inspection, Outcome, Taken
from mediawatch.watch.clips import is_clip
from mediawatch.watch.listing import CANNOT_BE_READ, Peek
from mediawatch.watch.reading import Reading, Readings
from mediawatch.watch.settle import CUT_SHORT, WRITTEN, SettleRule, Settling
from mediawatch.watch.tracker import Tracker
from mediawatch.watch.writers import is_of_a_file

#: Files that are dealt with together, and their bytes: the first is to be on its way soon.
MOST, MOST_BYTES = 128, 16 << 20
#: When more files than ``STORM`` are ready, it is so many, until few are left: each group costs a
#: listing of the folder and a visit to most pages of the journal's indexes, and both grow.
STORM, IN_A_STORM = 1024, 4096
_STILL_WRITTEN_RETRY = 60.0
_FRESH_LOOK = 0.05


class Taker:
    """Looks into settled files, and offers them to the intake.

    ``room()`` waits until files may be taken, and says how many; ``look_again(names, peek)`` looks
    at these names and lets the tracker judge them.
    """

    def __init__(
        self,
        tracker: Tracker,
        rule: SettleRule,
        root: str,
        *,
        clock: Clock,
        inspect: Inspect,
        room: Callable[[], Awaitable[int]],
        take: Callable[[Sequence[Candidate]], Awaitable[Sequence[Taken]]],
        look_again: Callable[[Sequence[str], Peek], Awaitable[None]],
        report: Callable[..., None],
    ) -> None:
        self._tracker, self._rule, self._root = tracker, rule, root
        self._clock, self._inspect = clock, inspect
        self._room, self._take = room, take
        self._look_again, self._report = look_again, report
        self._storm = False

    async def offer_next(self) -> bool:
        """Deal with the files that have been ready for longest; False if none is."""
        if not self._tracker.any_ready():
            return False
        room = await self._room()
        self._storm = self._tracker.ready_count > (MOST if self._storm else STORM)
        most = IN_A_STORM if self._storm else MOST
        names = self._tracker.next_ready(min(room, most), MOST_BYTES)
        try:
            await self._offer(names)
        finally:
            self._tracker.put_down(names, self._clock.monotonic())
        return True

    async def _offer(self, names: Sequence[str]) -> None:
        readings = Readings(self._inspect)
        entries = await self._still_ready(names, readings)
        unread = [name for name in entries if name not in readings.by_name]
        if unread:
            await asyncio.to_thread(self._look_into, unread, readings)
        wanted = {
            name: entry
            for name, entry in entries.items()
            if self._is_wanted(name, entry, readings.by_name[name].seen)
        }
        await self._tell_clips(wanted)
        candidates = [
            self._candidate(name, entry, readings.by_name[name])
            for name, entry in wanted.items()
            if not entry.travels and not self._tracker.companions.are_awaited_by(name)
        ]
        if candidates:
            await self._hand_on(candidates)

    def _candidate(self, name: str, entry: Settling, reading: Reading) -> Candidate:
        key = entry.key or ()
        along = self._tracker.take_along(name)
        return Candidate(
            Path(self._root, name),
            name,
            key,
            entry.size,
            reading.contents,
            folders.kind_of(name),
            is_folder=not is_of_a_file(key),
            companions=tuple(Path(self._root, each) for each in along),
            leaves_sidecars=self._tracker.companions.has_namesake(name),
        )

    async def _still_ready(self, names: Sequence[str], readings: Readings) -> dict[str, Settling]:
        settling, now = self._tracker.settling, self._clock.monotonic()
        entries = {name: settling[name] for name in names if name in settling}
        stale = [name for name, entry in entries.items() if _is_stale(entry, now)]
        for name in entries:
            for each in self._tracker.companions.at_rest_beside(name):
                if each not in stale and _is_stale(settling[each], now):
                    stale.append(each)
        if stale:
            await self._look_again(stale, readings.peek)
        return {
            name: entry
            for name, entry in entries.items()
            if settling.get(name) is entry and entry.ready_at is not None
        }

    async def _tell_clips(self, entries: Iterable[str]) -> None:
        """Look into those that may be the clip of the picture beside them."""
        undecided = [name for name in entries if self._tracker.companions.may_be_clip(name)]
        for name in undecided:
            found = await asyncio.to_thread(is_clip, Path(self._root, name))
            if name in self._tracker.settling:
                self._tracker.decide_clip(name, is_clip=found)

    def _look_into(self, names: Sequence[str], readings: Readings) -> None:
        for name in names:
            readings.look_into(name, Path(self._root, name))

    def _is_wanted(self, name: str, entry: Settling, seen: Inspection | Exception) -> bool:
        if isinstance(seen, FileNotFoundError):
            self._tracker.settle_again(name, self._clock.monotonic())
        elif isinstance(seen, PermissionError):
            self._later(name, Outcome.UNREADABLE, CANNOT_BE_READ)
        elif isinstance(seen, Exception):
            self._later(name, Outcome.UNREADABLE, f"it cannot be looked into: {_words(seen)}")
        elif not seen.wanted:
            self._tracker.leave(name, seen.reason)
            self._report("ignored", f"{name} is ignored: {seen.reason}.", name=name)
        else:
            return self._is_whole_enough(name, entry, seen.whole)
        return False

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

    async def _hand_on(self, candidates: Sequence[Candidate]) -> None:
        tracker = self._tracker
        try:
            outcomes = await self._take(candidates)
        except Exception as error:  # trouble with these files must not stop the others
            for candidate in candidates:
                self._later(candidate.name, Outcome.PROBLEM, _words(error))
            return
        for candidate, taken in zip(candidates, outcomes, strict=True):
            name = candidate.name
            match taken:
                case Taken.TAKEN:
                    tracker.taken(name)
                case Taken.GONE:
                    tracker.gone(name)
                case Taken.CHANGED:
                    tracker.settle_again(name, self._clock.monotonic())
                case Taken.REFUSED:
                    tracker.leave(name, "it was refused")
                case Taken.NO_ROOM:
                    self._rule.no_room(tracker.settling[name], self._clock.monotonic())
                    tracker.look_later(name)
                case Taken.PROBLEM:
                    self._later(name, Outcome.PROBLEM, "it could not be claimed; the log tells why")

    def _later(self, name: str, outcome: Outcome, reason: str) -> None:
        self._tracker.try_later(name, outcome, reason, self._clock.monotonic())
        self._report(outcome.value, f"{name} is tried again later: {reason}.", name=name)


def _is_stale(entry: Settling, now: float) -> bool:
    return entry.ready_at is not None and now - entry.ready_at > _FRESH_LOOK


def _words(error: Exception) -> str:
    if isinstance(error, MediawatchError):
        return error.message
    return str(error) or type(error).__name__
