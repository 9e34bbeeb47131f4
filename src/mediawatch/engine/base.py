"""The seam between the journal and whatever carries "work on post N" to a worker."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol

#: Works on one post until it waits, ends or belongs to somebody else. Must not raise.
Handler = Callable[[str], Awaitable[None]]


class JobEngine(Protocol):
    """Carries wake-ups. A wake-up is a hint: it may be lost or doubled, since the journal knows
    what is to be done (a sweep finds what was lost) and lets a post be claimed only once."""

    def wake(self, post_id: str, priority: int, after: float = 0.0) -> None:
        """Have the post worked on, ``after`` so many seconds; lower ``priority`` goes first.

        Never blocks. A wake-up that finds no room is dropped.
        """
        ...

    async def room(self) -> int:
        """Wait until there is room for one more post, and say for how many: this is how a full
        river holds back the folder."""
        ...

    async def hungry(self) -> None:
        """Wait until the workers could do with more than is queued."""
        ...

    async def run(self, handler: Handler, workers: int) -> None:
        """Carry posts to ``workers`` workers until cancelled. A post that is being worked on
        when that happens has its handler cancelled, and awaited."""
        ...
