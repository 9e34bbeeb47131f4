"""Killed at every point between two effects, for each way that a file can go: nothing is lost,
nothing is published twice, and nothing is left lying about."""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mediawatch import crash
from tests.crash.scenarios import SCENARIOS
from tests.crash.stage import Stage, open_stage_river
from tests.support.ftp_servers import make_certificates
from tests.support.nursery import Nursery, nursery

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="there is no kill -9"),
    pytest.mark.timeout(300),
]

#: What each scenario passed and did when nobody was killed: played once a session.
_RECORDS: dict[str, list[str]] = {}
#: Points that are passed as often as time allows.
_TIMED = {"lease.renewed", "alert.sent", "alert.tidied"}
#: Runs side by side.
_AT_ONCE = 2


@pytest.fixture
async def children() -> AsyncIterator[Nursery]:
    async with nursery() as opened:
        yield opened


async def play(
    name: str, children: Nursery, root: Path, *, armed: str | None = None, record: bool = False
) -> Stage:
    """Play a scenario, killed at ``armed``; it asserts by itself how it ends."""
    scenario = SCENARIOS[name]
    certificates = make_certificates(root.parent / f"{root.name}-tls") if scenario.tls else None
    settings = scenario.settings
    if certificates is not None:
        ca = str(certificates.ca)
        settings = {"ftp": {"host": "localhost", "tls": "auto", "tls_ca_file": ca}}
    async with open_stage_river(root, certificates, **settings) as river:
        if scenario.tls:
            (river.host.ftp.folder / "upload").rmdir()
        stage = Stage(
            river,
            children,
            armed=armed,
            armed_life=scenario.armed_life,
            record=root / "record.log" if record else None,
            alter=scenario.alter(river),
        )
        await scenario.play(stage)
    return stage


async def recorded(name: str, children: Nursery, root: Path) -> list[str]:
    """The lines of the record of a scenario."""
    if name not in _RECORDS:
        stage = await play(name, children, root / "recorded" / name, record=True)
        assert stage.record is not None
        _RECORDS[name] = stage.record.read_text().replace(f"{stage.river.root}/", "").splitlines()
    return _RECORDS[name]


def lives(lines: list[str]) -> list[list[str]]:
    """The same, cut into the lives of the daemon."""
    found: list[list[str]] = []
    for line in lines:
        if line == "start":
            found.append([])
        else:
            found[-1].append(line)
    return found


def passages(life: list[str]) -> Counter[str]:
    """How often each point was passed."""
    words = [line.split(" ", 2) for line in life]
    return Counter(what for _, kind, what in words if kind == "point")


@pytest.mark.parametrize("name", SCENARIOS)
async def test_every_point_is_survived(name: str, children: Nursery, tmp_path: Path) -> None:
    """Killed there, and started again: it ends as if nothing had happened."""
    scenario = SCENARIOS[name]
    life = lives(await recorded(name, children, tmp_path))[scenario.armed_life - 1]
    kills = [
        f"{point}#{number + 1}"
        for point, times in passages(life).items()
        if point not in scenario.usual
        for number in range(1 if point in _TIMED else times)
    ]
    one_at_a_time = asyncio.Semaphore(_AT_ONCE)

    async def killed(armed: str) -> str | None:
        async with one_at_a_time:
            root = tmp_path / armed
            try:
                stage = await play(name, children, root, armed=armed)
            except (AssertionError, TimeoutError) as error:
                return f"killed at {armed} in {root}: {error}"
        # How often some are passed depends on who is quicker; that it ended well was asserted.
        certain = armed.endswith("#1")
        return f"{armed} was not passed" if certain and not stage.was_killed else None

    ended = await asyncio.gather(*(killed(armed) for armed in kills))
    failures = [failure for failure in ended if failure]
    if failures:
        pytest.fail(f"{len(failures)} of {len(kills)}:\n" + "\n".join(failures), pytrace=False)


async def test_every_point_is_passed_by_a_scenario(children: Nursery, tmp_path: Path) -> None:
    """A new point needs a way to come there: the code's own list is what is counted."""
    passed = set()
    for name, scenario in SCENARIOS.items():
        lived = lives(await recorded(name, children, tmp_path))
        passed |= set(passages(lived[scenario.armed_life - 1]))
    assert crash.POINTS == passed


@pytest.mark.parametrize("name", SCENARIOS)
async def test_a_point_lies_between_any_two_effects(
    name: str, children: Nursery, tmp_path: Path
) -> None:
    """A new rename, write, commit or request without a point of its own is found here."""
    bare = set()
    every_life = lives(await recorded(name, children, tmp_path))
    for number, life in enumerate(every_life, 1):
        last: dict[str, str] = {}  # of each strand, what it did since its last point
        for strand, kind, what in (line.split(" ", 2) for line in life):
            if kind == "effect" and strand in last:
                bare.add(f"{last[strand]} | {what}")
            last.pop(strand, None)
            if kind == "effect":
                last[strand] = what
        # A life that the scenario kills may end between an effect and its point.
        if number == len(every_life):
            bare |= {f"{what} | end" for what in last.values()}
    assert not bare, "no point between:\n" + "\n".join(sorted(bare))
