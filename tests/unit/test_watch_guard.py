"""The guard: how far the watch is relied on, and what is done when it is sick."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mediawatch.config import WatchSettings
from mediawatch.errors import StorageProblem
from mediawatch.watch import guard as guard_module
from mediawatch.watch.guard import Guard


class Dial:
    """A clock that only the test moves."""

    time = 1000.0

    def now(self) -> float:
        """Seconds since the epoch."""
        return self.time

    def monotonic(self) -> float:
        """Seconds."""
        return self.time


class SilentHints:
    """A watch that starts, lives, and announces only what the test says."""

    made: list[SilentHints]
    problem: StorageProblem | None = None

    def __init__(self, *_args: Any) -> None:
        self.count = self.overflows = 0
        self.living = False

    def start(self) -> None:
        """Start, or fail as the test wants."""
        if self.problem is not None:
            raise self.problem
        self.living = True
        self.made.append(self)

    def stop(self) -> None:
        """Stop."""
        self.living = False

    def alive(self) -> bool:
        """Whether it was started and not stopped."""
        return self.living


class House:
    """A guard with a watch and a clock of the test."""

    def __init__(self, folder: Path, mode: str) -> None:
        self.clock, self.reports, self.woken = Dial(), list[str](), 0
        self.guard = Guard(
            WatchSettings.model_validate({"folder": folder, "mode": mode}),
            poll=5.0,
            in_folder=asyncio.to_thread,
            woken=self._woken,
            clock=self.clock,
            report=lambda action, _message, **_fields: self.reports.append(action),
        )

    def _woken(self) -> None:
        self.woken += 1

    async def unannounced_files(self, scans: int) -> None:
        """So many scans in a row find a file that no event announced."""
        self.guard.scan_begins()
        for _ in range(scans):
            self.guard.scan_found(1, unannounced=self.guard.scan_begins())
            self.clock.time += 6.0
            await self.guard.check()


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., House]:
    SilentHints.made = []
    monkeypatch.setattr(SilentHints, "problem", None)
    monkeypatch.setattr(guard_module, "Hints", SilentHints)
    monkeypatch.setattr(guard_module, "share_type", lambda _folder: None)
    return lambda mode="auto": House(tmp_path, mode)


async def test_a_working_watch_allows_rare_scans(house: Callable[..., House]) -> None:
    """Armed: every 30 s. Not armed: every 5 s."""
    home = house()
    assert 5.0 == home.guard.rescan
    await home.guard.check()
    assert (30.0, True, 1) == (home.guard.rescan, home.guard.armed, home.woken)
    await home.guard.check()
    assert ["watching"] == home.reports


async def test_polling_by_setting_watches_nothing(house: Callable[..., House]) -> None:
    """mode = poll is obeyed, and said."""
    home = house("poll")
    await home.guard.check()
    assert (5.0, False) == (home.guard.rescan, home.guard.armed)
    assert "mode = poll" in home.guard.reason


@pytest.mark.parametrize(("mode", "rescan"), [("auto", 5.0), ("events", 30.0)])
async def test_on_a_share_events_are_not_relied_on(
    house: Callable[..., House], monkeypatch: pytest.MonkeyPatch, mode: str, rescan: float
) -> None:
    """Events come on top there, unless the settings trust them."""
    monkeypatch.setattr(guard_module, "share_type", lambda _folder: "nfs4")
    home = house(mode)
    await home.guard.check()
    assert (rescan, True) == (home.guard.rescan, home.guard.armed)
    assert "nfs4" in home.guard.reason


async def test_a_dead_watch_is_replaced(house: Callable[..., House]) -> None:
    """A thread of it ended: a new watch, and a scan, at the next check."""
    home = house()
    await home.guard.check()
    SilentHints.made[0].count = 7
    SilentHints.made[0].living = False
    await home.guard.check()
    assert (2, True, 7) == (len(SilentHints.made), home.guard.armed, home.guard.hints)


async def test_a_watch_that_cannot_be_had_is_tried_ever_more_rarely(
    house: Callable[..., House], monkeypatch: pytest.MonkeyPatch
) -> None:
    """After 1, 2, 4 minutes, and one hour at most; each failure is said once."""
    monkeypatch.setattr(SilentHints, "problem", StorageProblem("No watches are left."))
    home, tries = house(), list[float]()
    began = home.clock.time
    while len(tries) < 9:
        said = len(home.reports)
        await home.guard.check()
        if len(home.reports) > said:
            tries.append(home.clock.time - began)
        home.clock.time += 30.0
    gaps = [(later - earlier) / 60 for earlier, later in itertools.pairwise(tries)]
    assert [1, 2, 4, 8, 16, 32, 60, 60] == gaps
    assert "No watches are left." == home.guard.reason


async def test_files_that_nothing_announced_make_the_watch_suspect(
    house: Callable[..., House],
) -> None:
    """Three in a row: armed anew. Three more: polled, and said."""
    home = house()
    await home.guard.check()
    await home.unannounced_files(2)
    assert 1 == len(SilentHints.made)
    await home.unannounced_files(1)
    assert (2, True) == (len(SilentHints.made), home.guard.armed)
    await home.unannounced_files(3)
    assert (False, 5.0, 6) == (home.guard.armed, home.guard.rescan, home.guard.missed)
    assert "polling" in home.reports


async def test_a_late_event_is_no_missed_one(house: Callable[..., House]) -> None:
    """A scan may be quicker than the event."""
    home = house()
    await home.guard.check()
    home.guard.scan_begins()
    home.guard.scan_found(1, unannounced=home.guard.scan_begins())
    SilentHints.made[0].count += 1
    home.clock.time += 6.0
    await home.guard.check()
    assert 0 == home.guard.missed


async def test_a_missing_folder_is_not_watched(house: Callable[..., House], tmp_path: Path) -> None:
    """The watch goes with the folder, the scan is woken, and nothing raises."""
    home = house()
    await home.guard.check()
    tmp_path.rename(tmp_path.with_name("away"))
    await home.guard.check()
    assert (False, 2) == (home.guard.armed, home.woken)
    assert not SilentHints.made[0].living
    tmp_path.with_name("away").rename(tmp_path)
    await home.guard.check()
    assert home.guard.armed
