"""The sweep: the safety net behind every wake-up."""

from __future__ import annotations

from pathlib import Path

import pytest

from mediawatch.journal import accounts, posts
from mediawatch.journal.sqlite import SqliteJournal
from mediawatch.maintenance.sweeper import Sweeper
from mediawatch.model.lifecycle import State
from tests.contract.test_journal import ACCOUNT, a_post
from tests.support.publishing import NotingEngine


class TwoClocks:
    """A clock for dates that can be set, and a steady one."""

    def __init__(self) -> None:
        self.date = 1_700_000_000.0
        self.steady = 50.0

    def now(self) -> float:
        return self.date

    def monotonic(self) -> float:
        return self.steady

    def turn(self, seconds: float) -> None:
        self.date += seconds
        self.steady += seconds


@pytest.mark.parametrize("set_by", [-7200.0, -31.0, 7200.0, 0.0])
async def test_a_wait_is_no_longer_because_the_clock_was_set(tmp_path: Path, set_by: float) -> None:
    """A post that waits ten minutes is woken after ten minutes, wherever the clock is set to."""
    clock, engine = TwoClocks(), NotingEngine()
    async with SqliteJournal(tmp_path / "journal.db") as journal:
        await journal.apply([accounts.ensure(ACCOUNT)])
        waiting = a_post(state=State.WAITING, wait_until=clock.now() + 600)
        await journal.apply(posts.add(waiting))
        sweeper = Sweeper(journal, engine, clock)
        await sweeper.run_once()
        assert [] == engine.woken

        clock.date += set_by
        await sweeper.run_once()
        clock.turn(601)
        await sweeper.run_once()

        assert (waiting.id, 0.0) in engine.woken
