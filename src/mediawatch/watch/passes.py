"""One pass over the folder: every file that lies in it gets exactly one outcome."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable

from mediawatch.clock import Clock
from mediawatch.errors import StorageProblem
from mediawatch.watch import listing
from mediawatch.watch.candidates import Outcome, Seen
from mediawatch.watch.inbox import Inbox
from mediawatch.watch.settle import AWAITS, CUT_SHORT, NO_ROOM, TRAVELS, WRITTEN
from mediawatch.watch.tracker import Tracker

#: Seconds between two looks whether a pass waits for nothing.
_LOOK_UP = 0.25
#: Why files may stay for long that a pass does not wait for.
_MAY_LAST = (CUT_SHORT, WRITTEN, AWAITS, TRAVELS, NO_ROOM)


class FolderPass:
    """The names of one pass, and what became of them."""

    def __init__(self, names: Iterable[str]) -> None:
        self._open = dict.fromkeys(names)
        self._seen: dict[str, Seen] = {}
        self.finished = asyncio.Event()
        self._settle_up()

    def __contains__(self, name: object) -> bool:
        return name in self._open

    @property
    def open(self) -> tuple[str, ...]:
        """The names that have no outcome yet."""
        return tuple(self._open)

    def decide(self, name: str, outcome: Outcome | None, reason: str) -> None:
        """Record the outcome of a name, the first one only; None: it is no post, say nothing."""
        if name not in self._open:
            return
        del self._open[name]
        if outcome is not None:
            self._seen[name] = Seen(name, outcome, reason)
        self._settle_up()

    def report(self, why_open: Callable[[str], str]) -> list[Seen]:
        """All outcomes, sorted by name; what has none yet is unfinished."""
        for name in self._open:
            self._seen[name] = Seen(name, Outcome.UNFINISHED, why_open(name))
        return [self._seen[name] for name in sorted(self._seen)]

    def _settle_up(self) -> None:
        if not self._open:
            self.finished.set()


class Passes:
    """The passes under way. Those names are in it that one of them still waits for: without a run
    beside them, nothing else is taken.

    ``standstill()`` says why there will be no room for long, if so; ``wake()`` has the folder
    scanned and looked at soon. ``patience``: seconds that a pass waits for files that are still
    written.
    """

    def __init__(
        self,
        inbox: Inbox,
        clock: Clock,
        *,
        standstill: Callable[[], str],
        patience: float,
        wake: Callable[[], None],
    ) -> None:
        self._inbox, self._clock = inbox, clock
        self._standstill, self._patience, self._wake = standstill, patience, wake
        self._running: list[FolderPass] = []

    def __contains__(self, name: object) -> bool:
        return any(name in current for current in self._running)

    def decide(self, name: str, outcome: Outcome | None, reason: str) -> None:
        """A name met its outcome; None: it is no post."""
        for current in self._running:
            current.decide(name, outcome, reason)

    async def names(self, accounts: frozenset[str]) -> list[str]:
        """What lies in the folder, and in the folders of accounts. Raises StorageProblem if it
        cannot be listed."""
        try:
            return await self._inbox(listing.names_in, self._inbox.root, accounts)
        except OSError as error:
            raise StorageProblem(
                f"The folder {self._inbox.root} cannot be listed: {error.strerror}.",
                code="folder-missing" if isinstance(error, FileNotFoundError) else "no-permission",
                remedy="Create it, or name another one in [watch] folder.",
            ) from error

    async def run(self, names: Iterable[str], tracker: Tracker, limit: float) -> list[Seen]:
        """One pass over these names; what is not decided after ``limit`` seconds is unfinished."""
        current = FolderPass(names)
        self._running.append(current)
        try:
            await self._ask_again(current, tracker)
            self._wake()
            await self._until_decided(current, tracker, limit)
            standstill = self._standstill()
        finally:
            self._running.remove(current)
        return current.report(lambda name: standstill or _why_open(tracker, name))

    async def _until_decided(self, current: FolderPass, tracker: Tracker, limit: float) -> None:
        began = self._clock.monotonic()
        while not current.finished.is_set() and not self._standstill():
            now = self._clock.monotonic()
            if now - began >= limit:
                return
            await wait_for(current.finished, min(_LOOK_UP, began + limit - now))
            if now - began >= self._patience and all(
                _why_open(tracker, name) in _MAY_LAST for name in current.open
            ):
                return  # the next pass may find them whole; this one would wait for nothing

    async def _ask_again(self, current: FolderPass, tracker: Tracker) -> None:
        """What was left alone before may have changed since."""
        keyed = [(name, e.key) for name, e in tracker.ignored.items() if e.key is not None]
        changed = await self._inbox(listing.changed, self._inbox.root, keyed)
        now, wall = self._clock.monotonic(), self._clock.now()
        for name in changed:
            tracker.reconsider(name, now, wall)
        for name, entry in list(tracker.ignored.items()):
            if entry.retry is not None:
                tracker.reconsider(name, now, wall)
            else:
                current.decide(name, entry.outcome, entry.reason)
        for name in tracker.quiet():
            current.decide(name, None, "")


def _why_open(tracker: Tracker, name: str) -> str:
    entry = tracker.settling.get(name)
    return entry.reason if entry is not None else "its turn did not come in time"


async def wait_for(event: asyncio.Event, limit: float | None) -> None:
    """Wait for an event, so many seconds at the most (None: as long as it takes)."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(limit):
            await event.wait()
