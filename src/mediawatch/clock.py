"""Time comes in from outside, so that a test can turn the clock."""

from __future__ import annotations

import time
from datetime import UTC, datetime
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
