"""A clock that only moves when somebody sleeps by it, or turns it."""

from __future__ import annotations

import asyncio


class TurnedClock:
    """``slept``: how long somebody slept, each time, in seconds."""

    def __init__(self) -> None:
        self.time = 1000.0
        self.slept: list[float] = []

    def now(self) -> float:
        return self.time

    def monotonic(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += seconds
        await asyncio.sleep(0)
