"""When is a file whole? The rule that decides, on a clock that is passed in.

A file is ready when its key (identity, size, times) stood still for ``settle`` seconds and
nobody has it open for writing. Where the system cannot say who writes, it must stand still for
``unsure`` seconds. What turns out to be cut short goes back to settling, for an hour at most.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from mediawatch.model.pairs import Kin
from mediawatch.watch.candidates import Outcome
from mediawatch.watch.writers import Key, Writer

SETTLING = "it has just changed"
EMPTY = "it is empty"
WRITTEN = "another program is still writing to it"
UNSURE = "it cannot be told whether another program still writes to it"
CUT_SHORT = "it is cut short: its end is missing"
WAITING = "it waits for its turn"
TRAVELS = "it goes with the file that it belongs to"
AWAITS = "it waits for a file that belongs to it"
NO_ROOM = "its account has as many posts under way or waiting as it may"


@dataclass(slots=True)
class Settling:
    """What is remembered of one file while it settles. Times are monotonic seconds, but for
    ``found``, which is seconds since the epoch. ``kin``: what it could be to another file by its
    name; ``is_clip``: whether a clip is one (None: it was not looked into)."""

    found: float
    since: float
    due: float
    key: Key | None = None
    size: int = 0
    reason: str = SETTLING
    cut_short: int = 0  # how often its end was missing since it last changed
    not_before: float = 0.0
    held_for_long: bool = False
    failures: int = 0  # how often it could not be read or taken
    ready_at: float | None = None
    queued: float | None = None  # the time under which it waits for a look
    kin: Kin | None = None
    is_clip: bool | None = None

    @property
    def travels(self) -> bool:
        """Whether it goes with another file, and is none by itself."""
        return self.is_clip is True if self.kin is Kin.CLIP else self.kin is not None

    @property
    def is_undecided(self) -> bool:
        """Whether it may be a clip, and must be looked into."""
        return self.kin is Kin.CLIP and self.is_clip is None


@dataclass(frozen=True, slots=True)
class Ignored:
    """Why a name is left alone. ``key`` is None if its name alone decided; ``retry`` is the
    monotonic time of the next try, None if only a change can help."""

    reason: str
    outcome: Outcome = Outcome.IGNORED
    key: Key | None = None
    retry: float | None = None
    failures: int = 0


class Verdict(Enum):
    """What becomes of a file after a look at it."""

    WAIT = "wait"  # look again at ``due``
    READY = "ready"
    READY_IF_WHOLE = "ready-if-whole"  # somebody has held it open for very long
    EMPTY = "empty"  # nothing in it for long: it needs no timer of its own


@dataclass(frozen=True, slots=True)
class SettleRule:
    """The figures, in seconds, and the decision."""

    settle: float
    unsure: float = 10.0
    hold_max: float = 900.0
    incomplete_max: float = 3600.0
    incomplete_delays: Sequence[float] = (10.0, 30.0, 60.0)
    room_again: float = 5.0

    def judge(
        self, entry: Settling, key: Key, size: int, writer: Writer | None, now: float
    ) -> Verdict:
        """Bring the entry up to date with a look at the file and decide.

        ``writer`` is None when nobody was asked; ``now`` is a moment not later than the look.
        A verdict of WAIT sets ``entry.due`` and ``entry.reason``.
        """
        if key != entry.key or writer is Writer.CHANGED:
            return self._restart(entry, key, size, now)
        age = now - entry.since
        if size == 0:
            if age >= self.unsure:
                return Verdict.EMPTY
            return self._wait(entry, now + self.settle, EMPTY)
        if now < entry.not_before:  # whatever was asked: looking sooner would look for ever
            return self._wait(entry, entry.not_before, entry.reason)
        if age < self.settle or writer is None:
            return self._wait(entry, entry.since + self.settle, entry.reason)
        if writer is Writer.SOME:
            if age >= self.hold_max:
                return Verdict.READY_IF_WHOLE
            return self._wait(entry, now + self.ask_again(age), WRITTEN)
        if writer is Writer.UNKNOWN and age < self.unsure:
            return self._wait(entry, entry.since + self.unsure, UNSURE)
        return Verdict.READY

    def ask_again(self, age: float) -> float:
        """How long to wait before asking once more after a writer: often at first, then less."""
        return min(max(age / 4, min(self.settle, 0.25)), 5.0)

    def incomplete(self, entry: Settling, now: float) -> bool:
        """Note that the file's end is missing. True if it was given all the time there is and
        must be handed on as it is; otherwise it settles again with a growing delay."""
        if now - entry.since >= self.incomplete_max:
            return True
        step = min(entry.cut_short, len(self.incomplete_delays) - 1)
        entry.cut_short += 1
        entry.not_before = min(
            now + self.incomplete_delays[step], entry.since + self.incomplete_max
        )
        self._wait(entry, entry.not_before, CUT_SHORT)
        return False

    def no_room(self, entry: Settling, now: float) -> None:
        """Note that its account has no room for it: it is offered again after a while."""
        entry.not_before = now + self.room_again
        self._wait(entry, entry.not_before, NO_ROOM)

    def _restart(self, entry: Settling, key: Key, size: int, now: float) -> Verdict:
        entry.key, entry.size, entry.since = key, size, now
        entry.cut_short, entry.not_before, entry.held_for_long = 0, 0.0, False
        entry.is_clip = None
        return self._wait(entry, now + self.settle, SETTLING)

    @staticmethod
    def _wait(entry: Settling, due: float, reason: str) -> Verdict:
        entry.due, entry.reason, entry.ready_at = due, reason, None
        return Verdict.WAIT
