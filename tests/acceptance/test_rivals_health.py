"""Health that is computed from work: a page that says "ok" while nothing moves is a lie.

The daemon runs in the test's process, so that parts of it can be ended; time is turned on.
"""

from __future__ import annotations

import asyncio
import shutil
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, cast

import aiohttp
import pytest

from mediawatch import config, daemon
from mediawatch.clock import SystemClock
from mediawatch.daemon import Daemon
from mediawatch.doctor.known import STALLED_AFTER
from mediawatch.errors import JournalError
from mediawatch.log import silent
from mediawatch.media.pool import Preparer
from mediawatch.watch import listing
from tests.support.river import Door, River
from tests.support.simulator import USER

#: Seconds between two scans, and those after which a scan is overdue.
RESCAN = 0.2
OVERDUE = RESCAN * 3 + 10


class AheadClock(SystemClock):
    """The machine's clocks, and the seconds by which the test is ahead of them."""

    ahead = 0.0

    def now(self) -> float:
        return super().now() + self.ahead

    def monotonic(self) -> float:
        return super().monotonic() + self.ahead


class House:
    """A daemon at work in this process."""

    def __init__(self, river: River, at_work: Daemon, clock: AheadClock) -> None:
        self.river = river
        self.at_work = at_work
        self.clock = clock

    async def failing(self) -> dict[str, str]:
        """The checks that fail on ``/readyz``, with what they say; its status fits them."""
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"{self.at_work.url}/readyz") as answer,
        ):
            body = await answer.json()
            checks = [check for check in body["checks"] if not check["ok"]]
            failing = {each["name"]: f"{each['detail']} {each['remedy']}" for each in checks}
            assert (503 if failing else 200) == answer.status
            return failing

    async def is_well(self) -> None:
        """Wait until all checks pass."""

        async def well() -> bool:
            return not await self.failing()

        await self.river.until(well)

    async def fails(self, check: str) -> str:
        """Wait until nothing but this check fails, and give what it says. The clock was turned:
        the next scan is due at once, until when the folder is overdue too."""

        async def alone() -> str | None:
            failing = await self.failing()
            return failing[check] if {check} == failing.keys() else None

        return str(await self.river.until(alone))

    async def end_task(self, name: str) -> None:
        """A task of the daemon is no more."""
        (task,) = (task for task in asyncio.all_tasks() if task.get_name() == name)
        task.cancel()
        await asyncio.wait({task})


@asynccontextmanager
async def at_work(river: River, **tables: dict[str, Any]) -> AsyncIterator[House]:
    river.configure(watch={"rescan": RESCAN, "workers": 1}, **tables)
    clock = AheadClock()
    async with daemon.running(config.load(river.config), silent(), clock=clock) as running:
        house = House(river, running, clock)
        await house.is_well()
        yield house


async def the_watcher_ended(house: House) -> None:
    await house.end_task("watcher")
    house.clock.ahead = OVERDUE + 1


async def the_workers_ended(house: House) -> None:
    await house.end_task("workers")
    house.river.drop_pictures(1)
    await house.river.post("picture001.jpg", state="ready")
    house.clock.ahead = STALLED_AFTER + 1


async def the_journal_writer_ended(house: House) -> None:
    journal = house.at_work.app.journal
    journal._queue.put(None)
    await asyncio.to_thread(journal._writer.join)


#: What ended -> the check that must say so, and what it says.
ENDED: dict[str, tuple[Callable[[House], Awaitable[None]], str, str]] = {
    "watcher": (the_watcher_ended, "folder", "Looked at"),
    "workers": (the_workers_ended, "workers", "1 posts are ready"),
    "journal writer": (the_journal_writer_ended, "journal", "Start mediawatch again"),
}


@pytest.mark.parametrize("what", ENDED)
async def test_a_dead_worker_turns_the_health_page_red(river: River, what: str) -> None:
    """The process lives, the page answers, and nothing moves: it is red, and says which part."""
    end, check, says = ENDED[what]
    async with at_work(river) as house:
        await end(house)

        failing = await house.fails(check)

        assert says in failing


async def test_a_scan_that_hangs_turns_the_health_page_red_until_it_goes_on(
    river: River, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A share that does not answer keeps the scanning thread; the page itself is not kept."""
    hangs, goes_on = threading.Event(), threading.Event()
    scan = listing.scan

    def hanging(*args: object) -> listing.Listing:
        hangs.set()
        goes_on.wait()
        return scan(*args)  # type: ignore[arg-type]

    async with at_work(river) as house:
        try:
            monkeypatch.setattr(listing, "scan", hanging)
            await asyncio.to_thread(hangs.wait)
            house.clock.ahead = OVERDUE + 1
            assert "Looked at" in await house.fails("folder")
        finally:
            goes_on.set()
        await house.is_well()


async def test_a_disk_that_does_not_answer_keeps_nobody_waiting(
    river: River, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Status tells the free space as it was last found, and asks no share that is dead."""
    goes_on = threading.Event()
    async with at_work(river) as house:
        disks = house.at_work.app.disks
        await river.until(lambda: disks.rooms is not None)
        monkeypatch.setattr(shutil, "disk_usage", lambda _: goes_on.wait())
        try:
            async with asyncio.timeout(5):
                status = await house.at_work.status()
            assert "free space" in [check["name"] for check in status["checks"]]
        finally:
            goes_on.set()


async def test_a_worker_that_is_stuck_turns_the_health_page_red(
    river: River, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One post never ends, and those behind it do not move: the page says how many wait."""

    async def stuck(*_: object, **__: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(Preparer, "prepare", stuck)
    async with at_work(river) as house:
        house.river.drop_pictures(2)

        async def one_runs() -> bool:
            states = sorted(post.state for post in (await river.posts()).values())
            return states == ["ready", "running"]

        await river.until(one_runs)
        assert {} == await house.failing()
        house.clock.ahead = STALLED_AFTER + 1
        assert "1 posts are ready" in await house.fails("workers")


async def test_a_dead_journal_writer_keeps_nobody_waiting(river: River) -> None:
    """Who wants to write is told, instead of waiting for ever."""
    async with at_work(river) as house:
        await the_journal_writer_ended(house)
        with pytest.raises(JournalError, match="closed"):
            async with asyncio.timeout(5):
                await house.at_work.app.journal.apply([])


async def answered(house: House, path: str) -> dict[str, Any]:
    """What the daemon says there."""
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{house.at_work.url}{path}") as answer,
    ):
        body: dict[str, Any] = await answer.json()
        return body


async def test_a_refused_token_turns_the_health_page_red(river: River) -> None:
    """Nothing is published until a person makes a new one: red, with how many posts wait and what
    to do; the process lives all the same."""
    async with at_work(river, instagram={"access_token": "EAA-an-old-token"}) as house:
        house.river.drop_pictures(2)
        told = await house.fails("standing")
        assert "Make a new access token" in told
        assert {"status": "alive"} == await answered(house, "/healthz")
        assert "degraded" == (await answered(house, "/api/poster-media/status"))["status"]


async def test_a_refused_password_turns_the_health_page_red(river: River) -> None:
    """No file goes anywhere until a person corrects it."""
    async with at_work(river, ftp={"password": "wr0ng-Pa55"}) as house:
        house.river.drop_pictures(1)
        told = await house.fails("upload target")
        assert "ftp.password" in told
        assert "wr0ng-Pa55" not in told


async def test_a_host_that_is_away_is_told_and_leaves_the_health_page_green(river: River) -> None:
    """It comes back by itself, and nobody needs to be woken for it."""
    async with Door(river.host.ftp.port) as door:
        await door.close()
        async with at_work(river, ftp={"port": door.port}) as house:
            house.river.drop_pictures(1)

            async def told() -> dict[str, Any] | None:
                checks = (await answered(house, "/readyz"))["checks"]
                (found,) = [check for check in checks if check["name"] == "upload target"]
                return found if "No uploads for now" in found["detail"] else None

            assert (await river.until(told))["remedy"]
            assert {} == await house.failing()


async def test_a_disk_without_room_and_a_token_that_has_ended_are_red(river: River) -> None:
    """Each by itself; what is only told early is advice."""
    async with at_work(river) as house:
        app = house.at_work.app
        await river.until(lambda: app.disks.rooms is not None)
        rooms = dict(app.disks.rooms or {})
        app.disks.rooms = {name: replace(room, free=1) for name, room in rooms.items()}
        assert "min_free" in await house.fails("free space")
        app.disks.rooms = {name: replace(room, free=900_000_000) for name, room in rooms.items()}
        ends = cast("dict[str, float]", app.refresher.ends)
        ends[USER] = house.clock.now() + 3 * 86_400
        assert {} == await house.failing()
        advised = [each for each in (await answered(house, "/readyz"))["checks"] if each["remedy"]]
        assert {"free space", "token's end"} == {each["name"] for each in advised}
        ends[USER] = house.clock.now() - 1
        assert "has ended" in await house.fails("token's end")


async def test_all_who_ask_are_told_the_same(river: River) -> None:
    """One list: what the health page, the status and the daemon itself say."""
    async with at_work(river) as house:
        names = [check.name for check in await house.at_work.checks()]
        for path in ("/readyz", "/api/poster-media/status"):
            assert names == [each["name"] for each in (await answered(house, path))["checks"]]
        wanted = {"folder", "watcher", "journal", "workers", "standing", "upload target"}
        assert wanted < set(names)
