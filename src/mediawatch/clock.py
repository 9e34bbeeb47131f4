"""Time comes in from outside, so that a test can turn the clock."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Protocol


class Clock(Protocol):
    """Two clocks: one for dates that are written down, one for waiting."""

    def now(self) -> float:
        """Seconds since the epoch, UTC. May jump; only for what is recorded."""
        ...

    def monotonic(self) -> float:
        """Seconds since some start. Never jumps; for settling and time-outs."""
        ...


class SystemClock:
    """The machine's own clocks."""

    def now(self) -> float:
        """Seconds since the epoch, UTC."""
        return time.time()

    def monotonic(self) -> float:
        """Seconds since some start; never goes back."""
        return time.monotonic()


def iso(seconds: float) -> str:
    """A recorded time as ISO 8601 in UTC, for people and for JSON."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


class MachineZone(tzinfo):
    """The zone that the machine is set to, with its summer time, as the system knows it."""

    def utcoffset(self, dt: datetime | None) -> timedelta | None:
        return None if dt is None else dt.replace(tzinfo=None).astimezone().utcoffset()

    def dst(self, dt: datetime | None) -> timedelta | None:
        return None

    def tzname(self, dt: datetime | None) -> str | None:
        return None if dt is None else dt.replace(tzinfo=None).astimezone().tzname()

    def fromutc(self, dt: datetime) -> datetime:
        instant = dt.replace(tzinfo=UTC)
        wall = instant.astimezone().replace(tzinfo=None)
        # An hour that the clock shows twice: the second time unless the first is what was asked.
        fold = 0 if wall.astimezone(UTC) == instant else 1
        return wall.replace(tzinfo=self, fold=fold)

    def __repr__(self) -> str:
        return "MACHINE_ZONE"

    def __reduce__(self) -> str:
        return "MACHINE_ZONE"


MACHINE_ZONE = MachineZone()
