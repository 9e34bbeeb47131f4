"""One pass over the folder: every file that lies in it gets exactly one outcome."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

from mediawatch.watch.candidates import Outcome, Seen


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


class AnyOf:
    """The open names of all passes: without a run beside them, nothing else is taken."""

    def __init__(self, passes: list[FolderPass]) -> None:
        self._passes = passes

    def __contains__(self, name: object) -> bool:
        return any(name in current for current in self._passes)
