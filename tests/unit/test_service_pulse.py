"""A hang is told from a state of the world."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, cast

import pytest

from mediawatch.app import App
from mediawatch.config import FtpSettings, InstagramSettings, Settings
from mediawatch.errors import JournalError
from mediawatch.journal import posts
from mediawatch.model.lifecycle import State
from mediawatch.service.pulse import Pulse
from mediawatch.watch.candidates import FolderState, WatchState

SETTINGS = Settings(
    ftp=FtpSettings(host="h", user="u", password="p" * 9, public_url="https://h/"),  # type: ignore[arg-type]
    instagram=InstagramSettings(user_id="17841400000000001", access_token="t" * 9),  # type: ignore[arg-type]
)
#: Far more than any patience.
LONG = 3600.0


@dataclass
class Parts:
    """The parts of an app that are looked at, each set by hand."""

    settings: Settings = SETTINGS
    time: float = 1000.0
    state: WatchState = field(default_factory=lambda: WatchState(folder=FolderState.OK))
    last_sign: float = 0.0
    in_hand: int = 0
    sent: int = 0
    problem: JournalError | None = None
    ready: int = 0

    def __post_init__(self) -> None:
        self.clock = self.watched = self.runner = self.host = self.journal = self

    @property
    def states(self) -> list[WatchState]:
        return [self.state]

    def monotonic(self) -> float:
        return self.time

    def pass_by(self, seconds: float, *, scanned: bool = True) -> None:
        """Let time pass; unless it hangs, the folder was looked at to the last."""
        self.time += seconds
        if scanned:
            self.state = replace(self.state, scan_ended=self.time)


@pytest.fixture
def parts(monkeypatch: pytest.MonkeyPatch) -> Parts:
    made = Parts()

    async def counts(_: Any) -> dict[State, int]:
        if made.problem is not None:
            raise made.problem
        return {State.READY: made.ready}

    monkeypatch.setattr(posts, "counts", counts)
    return made


def pulse_of(parts: Parts) -> Pulse:
    return Pulse(cast("App", parts))


async def test_an_idle_daemon_is_alive(parts: Parts) -> None:
    """Nothing moves for hours because there is nothing to do, and the first post is no hang."""
    pulse = pulse_of(parts)
    for _ in range(3):
        parts.pass_by(LONG)
        assert "" == await pulse.stuck()
    parts.ready = 1
    assert "" == await pulse.stuck()


async def test_a_scan_that_does_not_come_back(parts: Parts) -> None:
    """The folder answers, and nobody looks."""
    pulse = pulse_of(parts)
    parts.pass_by(30)
    parts.pass_by(LONG, scanned=False)

    assert "not looked at for 3600 s" in await pulse.stuck()


async def test_a_first_scan_that_never_comes(parts: Parts) -> None:
    """The scanner may hang before it has done anything."""
    pulse = pulse_of(parts)
    parts.pass_by(LONG, scanned=False)

    assert "not looked at" in await pulse.stuck()


@pytest.mark.parametrize("folder", [FolderState.MISSING, FolderState.UNREADABLE])
async def test_a_folder_that_is_gone_is_no_hang(parts: Parts, folder: FolderState) -> None:
    """It is looked for, and that is all that can be done."""
    pulse = pulse_of(parts)
    parts.state = WatchState(folder=folder)
    for _ in range(3):
        parts.pass_by(60)
        assert "" == await pulse.stuck()


async def test_a_dead_share_is_no_hang(parts: Parts) -> None:
    """A call on it hangs in the system: a restart would hang there too."""
    pulse = pulse_of(parts)
    parts.state = WatchState(folder=FolderState.SILENT)
    parts.pass_by(LONG, scanned=False)

    assert "" == await pulse.stuck()


@pytest.mark.parametrize("where", ["ready", "in_hand"])
async def test_posts_that_nobody_moves(parts: Parts, where: str) -> None:
    """Ready and not taken, or taken and stuck: told only after any step may have had its time."""
    pulse = pulse_of(parts)
    setattr(parts, where, 2)
    assert "" == await pulse.stuck()
    parts.pass_by(300)
    assert "" == await pulse.stuck()
    parts.pass_by(600)

    assert "2 posts are ready or in hand, and none moved for 900 s." == await pulse.stuck()


@pytest.mark.parametrize("sign", ["last_sign", "sent"])
async def test_slow_is_not_stuck(parts: Parts, sign: str) -> None:
    """A long conversion and a slow upload show that they live."""
    pulse = pulse_of(parts)
    parts.in_hand = 2
    for number in range(1, 5):
        parts.pass_by(600)
        setattr(parts, sign, number)
        assert "" == await pulse.stuck()


async def test_a_full_disk_is_no_hang(parts: Parts) -> None:
    """While the journal cannot be written every post waits for it."""
    pulse = pulse_of(parts)
    parts.ready = 2
    parts.problem = JournalError("The disk is full.")
    for _ in range(3):
        parts.pass_by(LONG)
        assert "" == await pulse.stuck()
    parts.problem = None
    assert "" == await pulse.stuck()
