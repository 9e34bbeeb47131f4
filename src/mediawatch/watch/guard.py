"""Keeps the watch on the folder working, and says how far it can be relied on.

watchdog tells nobody when its watch died, when the folder was replaced by another one, or when
events were lost. So the guard asks: is it still the same folder, do all threads live, did the
scan find files that no event had announced?
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from pathlib import Path
from typing import Any, Protocol

from mediawatch.clock import Clock
from mediawatch.config import WatchSettings
from mediawatch.errors import StorageProblem
from mediawatch.watch.hints import Hints
from mediawatch.watch.same_folder import SameFolder
from mediawatch.watch.shares import share_type

_FIRST_RETRY = 60.0
_LAST_RETRY = 3600.0
_MISSED_IN_A_ROW = 3
_GRACE = 5.0  # an event may be this late


class InFolder(Protocol):
    """Runs a blocking call on the folder in the watcher's thread."""

    def __call__(self, call: Callable[..., Any], /, *args: Any) -> Awaitable[Any]:
        """Await the result of the call."""
        ...


class Guard:
    """Arms the watch, checks it, and arms it again.

    ``woken()`` is called in the loop for hints, and once after arming, since files may have come
    while nobody watched. ``accounts``: names of folders in it that are accounts.
    """

    def __init__(
        self,
        settings: WatchSettings,
        *,
        poll: float,
        in_folder: InFolder,
        woken: Callable[[], None],
        clock: Clock,
        report: Callable[..., None],
        accounts: Callable[[], Collection[str]] = frozenset,
    ) -> None:
        self._settings, self._poll = settings, poll
        self._in_folder, self._woken = in_folder, woken
        self._clock, self._report = clock, report
        self._hints: Hints | None = None
        self._folder = SameFolder(str(settings.folder), accounts)
        self._identity: dict[str, tuple[int, int]] | None = None
        self._share: str | None = None
        self._retry_at, self._retry_delay = float("-inf"), _FIRST_RETRY
        self._missed_in_a_row = 0
        self._rearmed_for_misses = False
        self._suspect: tuple[float, int] | None = None
        self._count_at_scan: int | None = None
        self._past_hints = self._past_overflows = 0
        self.missed = 0
        self.reason = "the folder is not watched yet"

    @property
    def armed(self) -> bool:
        """Whether hints are expected to come."""
        return self._hints is not None

    @property
    def hints(self) -> int:
        """How many events came, since the start."""
        return self._past_hints + (self._hints.count if self._hints else 0)

    @property
    def overflows(self) -> int:
        """How often the kernel dropped events, since the start."""
        return self._past_overflows + (self._hints.overflows if self._hints else 0)

    @property
    def rescan(self) -> float:
        """Seconds between two scans that nothing asked for."""
        trusted = self.armed and (self._share is None or self._settings.mode == "events")
        trusted &= not self._folder.beyond
        return self._settings.rescan if trusted else min(self._poll, self._settings.rescan)

    async def check(self) -> None:
        """See to it that the folder is watched, as far as that can be. Never raises OSError."""
        if self._settings.mode == "poll":
            self.reason = "the settings say so (mode = poll)"
            return
        try:
            found = await self._in_folder(self._folder.identities)
        except OSError as error:
            await self.disarm(f"the folder cannot be reached: {error.strerror}")
            return
        self._resolve_suspect()
        if self._hints is not None:
            too_many = self._missed_in_a_row >= _MISSED_IN_A_ROW
            if found == self._identity and self._hints.alive() and not too_many:
                return
            await self._disarm_sick(too_many)
        if self._clock.monotonic() >= self._retry_at:
            await self._arm(found)

    async def disarm(self, reason: str) -> None:
        """Stop watching; the scan goes on."""
        hints, self._hints = self._hints, None
        self.reason = reason
        self._suspect = self._count_at_scan = None
        if hints is not None:
            self._past_hints += hints.count
            self._past_overflows += hints.overflows
            self._woken()  # the next scan is due earlier now
            await asyncio.to_thread(hints.stop)

    def scan_begins(self) -> bool:
        """Called before a scan. True if new files can only be there with a hint: the folder was
        watched since the last scan, and no hint came."""
        before = self._count_at_scan
        self._count_at_scan = self._hints.count if self._hints else None
        return before is not None and before == self._count_at_scan

    def scan_found(self, fresh: int, *, unannounced: bool) -> None:
        """Called after a scan that found new files."""
        if not fresh or self._hints is None or self._folder.beyond:
            return
        if not unannounced:
            self._missed_in_a_row, self._suspect = 0, None
        elif self._suspect is None:
            self._suspect = (self._clock.monotonic(), self._hints.count)

    def _resolve_suspect(self) -> None:
        if self._suspect is None or self._hints is None:
            return
        since, count = self._suspect
        if self._hints.count != count:
            self._suspect = None  # the hint was only late
        elif self._clock.monotonic() - since >= _GRACE:
            self._suspect = None
            self.missed += 1
            self._missed_in_a_row += 1

    async def _disarm_sick(self, too_many: bool) -> None:
        if not too_many:
            await self.disarm("the watch broke off")
            return
        self._missed_in_a_row = 0
        await self.disarm("changes in the folder are not announced")
        if self._rearmed_for_misses:
            self._fail(
                StorageProblem(
                    "The folder's file system does not announce its changes.",
                    code="hints-missed",
                    remedy="The folder is listed every few seconds instead; nothing is lost.",
                )
            )
        self._rearmed_for_misses = True

    async def _arm(self, found: dict[str, tuple[int, int]]) -> None:
        again = self._identity is not None
        folder = self._settings.folder
        self._share = await self._in_folder(share_type, folder)
        hints = Hints(map(Path, found), self._woken, asyncio.get_running_loop())
        try:
            await self._in_folder(hints.start)
        except StorageProblem as problem:
            self._fail(problem)
            return
        except asyncio.CancelledError:
            await asyncio.to_thread(hints.stop)
            raise
        self._hints, self._identity = hints, found
        self._retry_delay = _FIRST_RETRY
        self.reason = f"the folder lies on a share ({self._share})" if self._share else ""
        self._report("watching", "The folder is watched for changes.", again=again)
        self._woken()

    def _fail(self, problem: StorageProblem) -> None:
        self.reason = problem.message
        self._retry_at = self._clock.monotonic() + self._retry_delay
        self._report(
            "polling",
            problem.message,
            code=problem.code,
            remedy=problem.remedy,
            retry_in=self._retry_delay,
        )
        self._retry_delay = min(self._retry_delay * 2, _LAST_RETRY)
