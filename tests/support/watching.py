"""A watcher on a real folder, with an intake that only moves what it is offered."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from mediawatch.clock import Clock, SystemClock
from mediawatch.config import WatchSettings
from mediawatch.watch.candidates import Candidate, Inspection, Taken
from mediawatch.watch.settle import SettleRule
from mediawatch.watch.watcher import Limits, Watcher

SETTLE = 0.2
#: Nothing that is waited for in a test may take longer, in seconds.
PATIENCE = 30.0


class Watched:
    """The watcher under test, and a record of everything it said and handed on."""

    def __init__(
        self,
        root: Path,
        *,
        settle: float = SETTLE,
        mode: str = "auto",
        rescan: float = 30.0,
        rule: SettleRule | None = None,
        limits: Limits | None = None,
        together: int = 1,
        clock: Clock | None = None,
    ) -> None:
        self.together = together
        self.batches: list[int] = []
        self.standstill = ""
        self.folder, self.work = root / "inbox", root / "work"
        self.folder.mkdir(exist_ok=True)
        self.work.mkdir(exist_ok=True)
        self.taken: Counter[str] = Counter()
        self.hashes: dict[str, str] = {}
        self.offered: list[Candidate] = []
        self.reports: list[tuple[str, str]] = []
        self.settling = 0
        self.room = asyncio.Event()
        self.room.set()
        self.answers: list[Taken | Exception] = []
        self.inspections: dict[str, Inspection | Exception] = {}
        self._changed = asyncio.Event()
        self.watcher = Watcher(
            WatchSettings.model_validate(
                {"folder": self.folder, "settle": settle, "mode": mode, "rescan": rescan}
            ),
            clock=clock or SystemClock(),
            inspect=self._inspect,
            take=self._take_all,
            room=self._room,
            standstill=lambda: self.standstill,
            on_settling=self._on_settling,
            report=self._report,
            rule=rule,
            limits=limits or Limits(health=0.2, poll=0.2),
        )

    def put(self, name: str, content: bytes = b"picture") -> Path:
        """Write a file in one go."""
        path = self.folder / name
        path.write_bytes(content)
        return path

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """The watcher runs; what breaks it breaks the test."""
        task = asyncio.create_task(self.watcher.run())
        try:
            await self.until(lambda: task.done() or self.watcher.state.scans > 0 or self._lost())
            yield
            if task.done():
                await task
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def until(self, condition: Callable[[], bool], limit: float = PATIENCE) -> None:
        """Wait for a condition; looks whenever something happens, and now and then."""
        async with asyncio.timeout(limit):
            while not condition():
                self._changed.clear()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(0.02):
                        await self._changed.wait()

    def actions(self) -> list[str]:
        """What was reported, in order."""
        return [action for action, _ in self.reports]

    def _lost(self) -> bool:
        return any(action.startswith("folder-") for action in self.actions())

    async def _room(self) -> int:
        return self.together

    async def _take_all(self, candidates: Sequence[Candidate]) -> list[Taken]:
        self.batches.append(len(candidates))
        return [await self._take(candidate) for candidate in candidates]

    async def _take(self, candidate: Candidate) -> Taken:
        self.offered.append(candidate)
        self._changed.set()
        await self.room.wait()
        answer = self.answers.pop(0) if self.answers else Taken.TAKEN
        if isinstance(answer, Exception):
            raise answer
        if answer is Taken.TAKEN:
            try:
                target = candidate.path.rename(self.work / f"{len(self.offered)}")
            except OSError:
                return Taken.GONE
            self.taken[candidate.name] += 1
            self.hashes[candidate.name] = hashlib.sha256(target.read_bytes()).hexdigest()
        self._changed.set()
        return answer

    def _inspect(self, name: str, file: BinaryIO) -> Inspection:
        found = self.inspections.get(name, Inspection(wanted=True, whole=True))
        if isinstance(found, Exception):
            raise found
        return found

    def _on_settling(self) -> None:
        self.settling += 1
        self._changed.set()

    def _report(self, action: str, message: str, **_fields: Any) -> None:
        self.reports.append((action, message))
        self._changed.set()
