"""The sweep: the safety net behind every wake-up."""

from __future__ import annotations

from pathlib import Path

import pytest

from mediawatch.journal import accounts, posts, standing
from mediawatch.journal.sqlite import SqliteJournal
from mediawatch.maintenance.sweeper import Sweeper
from mediawatch.model.lifecycle import State
from tests.contract.test_journal import ACCOUNT, a_post
from tests.support.publishing import NotingEngine

DAY = 86400.0


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


async def test_an_account_does_not_stand_still_because_the_clock_was_set(tmp_path: Path) -> None:
    """While the clock was a year ahead it was blocked for a day, released, and published: set
    right, the block is over after that day, and neither gap nor quota lasts for a year."""
    clock = TwoClocks()
    async with SqliteJournal(tmp_path / "journal.db") as journal:
        await journal.apply([accounts.ensure(ACCOUNT), *posts.add(a_post())])
        sweeper = Sweeper(journal, NotingEngine(), clock)
        now = clock.date
        clock.date += 365 * DAY
        await sweeper.run_once()
        ahead = clock.date
        (post,) = await posts.listed(journal)
        stop = standing.stop(ACCOUNT, code="x", detail="", remedy="", now=ahead, until=ahead + DAY)
        slot = accounts.take_slot(ACCOUNT, post.id, 1, now=ahead, total=1, window=DAY)
        published = accounts.unlock(ACCOUNT, post.id, published_at=ahead)
        await journal.apply([accounts.lock(ACCOUNT, post.id), published, slot, stop])

        clock.date = now
        await sweeper.run_once()

        account = await accounts.find(journal, ACCOUNT)
        assert (now + DAY, now) == (account.stopped_until, account.last_published_at)
        assert [now] == await accounts.slots(journal, ACCOUNT, since=0)


async def test_no_publication_was_asked_in_the_future(tmp_path: Path) -> None:
    """What is live is looked for since the asking: set right, the clock must have it in its past,
    and in its slot, or a post that is there counts as missing."""
    clock = TwoClocks()
    async with SqliteJournal(tmp_path / "journal.db") as journal:
        asked_at = clock.now() + DAY
        asked = a_post(state=State.WAITING, wait_until=asked_at, publish_asked_at=asked_at)
        await journal.apply([accounts.ensure(ACCOUNT), *posts.add(asked)])
        slot = accounts.take_slot(ACCOUNT, asked.id, 1, now=asked_at, total=1, window=DAY)
        await journal.apply([slot])
        clock.date += DAY
        sweeper = Sweeper(journal, NotingEngine(), clock)
        clock.date -= DAY
        await sweeper.run_once()

        (post,) = await posts.listed(journal)
        assert clock.now() == post.publish_asked_at
        assert [post.publish_asked_at] == await accounts.slots(journal, ACCOUNT, since=0)
