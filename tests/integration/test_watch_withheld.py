"""A folder that is full already at the very first start is not fired off."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mediawatch.clock import SystemClock
from mediawatch.errors import JournalError
from mediawatch.journal import withheld as rows
from mediawatch.journal.sqlite import SqliteJournal
from mediawatch.watch import seals
from mediawatch.watch.candidates import FolderState, Outcome
from mediawatch.watch.withheld import Withheld
from tests.support.watching import Watched

ABOVE = 3


class House:
    """A folder, a journal that survives restarts, and a watcher for each start."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = root / "inbox"
        self.folder.mkdir()

    def put(self, *names: str) -> list[str]:
        for name in names:
            (self.folder / name).write_bytes(b"picture")
        return sorted(names)

    def fill(self, count: int = ABOVE + 2) -> list[str]:
        return self.put(*(f"old{number}.jpg" for number in range(count)))

    @property
    def lying(self) -> list[str]:
        return sorted(path.name for path in self.folder.iterdir())

    @contextlib.asynccontextmanager
    async def opened(self, above: int = ABOVE) -> AsyncIterator[Watched]:
        """The journal is open; the watcher does not run yet."""
        async with SqliteJournal(self.root / "journal.db") as journal:
            watched = Watched(self.root)
            watched.watcher._withheld = Withheld(
                journal, SystemClock(), self.folder, above, watched._report
            )
            yield watched

    @contextlib.asynccontextmanager
    async def started(self, above: int = ABOVE) -> AsyncIterator[Watched]:
        async with self.opened(above) as watched, watched.running():
            yield watched


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


async def flowed(watched: Watched, name: str = "new.jpg") -> None:
    """A file that comes now is taken; by then, all that is ever taken of the old ones was."""
    watched.put(name)
    await watched.until(lambda: name in watched.taken)


async def test_what_lay_there_at_the_first_start_is_withheld_and_that_is_said(
    house: House,
) -> None:
    """More files than the limit: none is taken, what comes later is, and one line says so."""
    old = house.fill()
    async with house.started() as watched:
        await flowed(watched)
        assert {"new.jpg": 1} == dict(watched.taken)
        assert (len(old), {}) == (
            watched.watcher.state.withheld,
            dict(watched.watcher.state.ignored),
        )
    assert old == house.lying
    assert 1 == watched.actions().count("withheld")
    (said,) = [message for action, message in watched.reports if action == "withheld"]
    assert f"{len(old)} files" in said


async def test_a_folder_that_is_not_too_full_flows(house: House) -> None:
    """Exactly the limit is not above it; captions and what is ignored are not counted."""
    old = house.fill(ABOVE)
    house.put("old1.txt", "a.part", ".hidden")
    async with house.started() as watched:
        await watched.until(lambda: sorted(watched.taken) == old)


async def test_the_limit_can_be_switched_off(house: House) -> None:
    """hold_above = 0: everything flows, and a later limit is no reason to stop."""
    old = house.fill()
    async with house.started(above=0) as watched:
        await watched.until(lambda: sorted(watched.taken) == old)
    later = house.put(*(f"later{number}.jpg" for number in range(ABOVE + 1)))
    async with house.started() as watched:
        await watched.until(lambda: sorted(watched.taken) == later)


async def test_only_the_first_start_counts(house: House) -> None:
    """What gathered while mediawatch was off is not held back: it was dropped to be published."""
    async with house.started() as watched:
        await flowed(watched)
    later = house.fill()
    async with house.started() as watched:
        await watched.until(lambda: sorted(watched.taken) == later)


async def test_a_restart_fires_nothing_off(house: House) -> None:
    """What is withheld stays so, and is said again at each start."""
    old = house.fill()
    async with house.started():
        pass
    async with house.started() as watched:
        await flowed(watched)
        assert len(old) == watched.watcher.state.withheld
    assert (old, 1) == (house.lying, watched.actions().count("withheld"))


_DIES = """
import asyncio, os, sys
from pathlib import Path
from mediawatch.journal import withheld
from tests.integration.test_watch_withheld import House

house = House.__new__(House)
house.root = Path(sys.argv[1]); house.folder = house.root / "inbox"
kill_at, calls = int(sys.argv[2]), 0

def counted(name):
    real = getattr(withheld, name)
    def call(*args):
        global calls
        calls += 1
        if calls == kill_at:
            os.kill(os.getpid(), 9)
        return real(*args)
    setattr(withheld, name, call)

for name in ("was_looked", "forget_all", "add", "looked", "page"):
    counted(name)

async def main():
    async with house.started() as watched:
        await watched.until(lambda: watched.watcher.state.withheld > 0)

asyncio.run(main())
"""


@pytest.mark.skipif(sys.platform == "win32", reason="kill -9")
@pytest.mark.parametrize("kill_at", range(1, 7))
async def test_killed_during_the_first_look(house: House, kill_at: int) -> None:
    """At whatever step the first look is killed, the next start withholds all the same."""
    old = house.fill()
    command = [sys.executable, "-c", _DIES, str(house.root), str(kill_at)]
    done = await asyncio.to_thread(subprocess.run, command, check=False, timeout=60)
    assert -9 == done.returncode
    async with house.started() as watched:
        await flowed(watched)
        assert len(old) == watched.watcher.state.withheld
    assert old == house.lying


async def test_a_release_lets_everything_flow_for_good(house: House) -> None:
    """Each released file is taken once, with its caption; a restart withholds nothing again."""
    old = house.fill()
    house.put("old1.txt")
    async with house.started() as watched:
        await flowed(watched)
        assert len(old) + 1 == await watched.watcher.release()
        await watched.until(lambda: len(watched.taken) == len(old) + 1)
        assert {1} == set(watched.taken.values())
        assert 0 == watched.watcher.state.withheld
        assert 0 == await watched.watcher.release()
    async with house.started() as watched:
        assert 0 == watched.watcher.state.withheld


async def test_an_order_lets_everything_flow(house: House) -> None:
    """A pass beside the daemon publishes the folder as it is: that is what was asked for."""
    old = house.fill()
    async with house.started() as watched:
        await flowed(watched)
        report = await watched.watcher.pass_once(20.0)
    assert dict.fromkeys(old, Outcome.TAKEN) == {each.name: each.outcome for each in report}


async def test_an_order_before_the_first_start_decides_nothing(house: House) -> None:
    """``once`` alone holds nothing, and leaves the decision to the daemon's first start."""
    first = house.fill()
    async with house.opened() as watched:
        report = await watched.watcher.pass_once(20.0)
        assert first == [each.name for each in report]
    old = house.fill()
    async with house.started() as watched:
        await flowed(watched)
        assert len(old) == watched.watcher.state.withheld


async def test_a_missing_folder_is_no_first_look(house: House) -> None:
    """The folder is mounted later, and is full: it is withheld then."""
    old = house.fill()
    away = house.folder.rename(house.root / "away")
    async with house.opened() as watched:
        watched.folder.rmdir()  # the support made it
        async with watched.running():
            await watched.until(lambda: watched.watcher.state.folder is FolderState.MISSING)
            away.rename(house.folder)
            await watched.until(lambda: watched.watcher.state.withheld == len(old))
            await flowed(watched)
    assert old == house.lying


async def test_a_withheld_file_that_goes_is_forgotten(house: House) -> None:
    """Deleted by its owner: no longer counted; the same name is a new file then."""
    old = house.fill()
    async with house.started() as watched:
        (house.folder / old[0]).unlink()
        watched.watcher.wake()
        await watched.until(lambda: watched.watcher.state.withheld == len(old) - 1)
        await flowed(watched, old[0])


@pytest.mark.parametrize("how", ["renamed over", "written anew"])
async def test_a_withheld_file_that_is_replaced_is_a_new_one(house: House, how: str) -> None:
    """Whoever puts another file in its place wants that one published."""
    old = house.fill()
    async with house.started() as watched:
        path = house.folder / old[0]
        if how == "renamed over":
            (house.root / "other").write_bytes(b"another picture")
            (house.root / "other").rename(path)
        else:
            path.write_bytes(b"another picture")
        watched.watcher.wake()
        await watched.until(lambda: old[0] in watched.taken)
        assert len(old) - 1 == watched.watcher.state.withheld


async def test_a_disk_that_goes_and_comes_back_fires_nothing_off(house: House) -> None:
    """Unmounted, its empty mount point lies there: no withheld file was deleted. Mounted again, on
    FAT and on shares with other inodes, the files are the same."""
    old = house.fill()
    async with house.started() as watched:
        away = house.folder.rename(house.root / "away")
        house.folder.mkdir()
        scans = watched.watcher.state.scans
        watched.watcher.wake()
        await watched.until(lambda: watched.watcher.state.scans > scans)
        house.folder.rmdir()
        shutil.copytree(away, house.folder)  # which keeps sizes and times
        await flowed(watched)
        assert {"new.jpg": 1} == dict(watched.taken)
        assert len(old) == watched.watcher.state.withheld
    async with house.started() as watched:
        await flowed(watched, "newer.jpg")
        assert {"newer.jpg": 1} == dict(watched.taken)


@pytest.mark.skipif(sys.platform != "linux", reason="leases are asked for on Linux only")
async def test_a_file_that_was_still_growing_stays_withheld(house: House) -> None:
    """It was there at the first start, and is no new file because its copying went on."""
    house.fill()
    with (house.folder / "growing.jpg").open("wb", 0) as growing:
        growing.write(b"half")
        async with house.started() as watched:
            await watched.until(lambda: watched.watcher.state.withheld == ABOVE + 3)
            growing.write(b"whole")
            growing.close()
            await flowed(watched)
            assert "growing.jpg" not in watched.taken


async def test_a_journal_that_cannot_be_written_takes_nothing(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before the decision is safe no file is touched; then it goes on by itself."""
    old = house.fill()
    async with house.opened() as watched:
        with monkeypatch.context() as full:

            async def refuse(_self: SqliteJournal, _statements: object) -> None:
                raise JournalError("The disk is full.", remedy="Free some space.")

            full.setattr(SqliteJournal, "apply", refuse)
            task = asyncio.create_task(watched.watcher.run())
            await watched.until(lambda: "problem" in watched.actions())
            assert not watched.offered
        await watched.until(lambda: watched.watcher.state.withheld == len(old))
        assert not watched.offered
        task.cancel()
        await asyncio.wait({task})


async def test_many_withheld_names_cost_little(house: House) -> None:
    """A scan compares a bounded number of seals, however many names are withheld."""
    names = house.put(*(f"{number:05}.jpg" for number in range(2000)))
    looked = 0
    async with house.started() as watched:
        await watched.until(lambda: watched.watcher.state.withheld == len(names))
        withheld = watched.watcher._withheld
        assert withheld is not None
        for _ in range(10):
            turn = (await withheld.known()).recheck
            assert len(turn) <= 500
            looked += len(turn)
        assert looked >= len(names)


def test_a_seal_is_of_one_file(tmp_path: Path) -> None:
    """Another size or time of change breaks it; a look at it does not."""
    path = tmp_path / "a.jpg"
    path.write_bytes(b"x")
    os.utime(path, (1e9, 1e9))
    (sealed,) = seals.seals_of(str(tmp_path), ["a.jpg", "gone.jpg"], 2e9)
    path.read_bytes()
    assert set() == seals.broken(str(tmp_path), [sealed])
    assert path.stat().st_ino == seals.inode_of(sealed[1])
    os.utime(path, (1e9, 1e9 + 1))
    assert {"a.jpg"} == seals.broken(str(tmp_path), [sealed])


async def test_the_rows_keep_names_that_are_no_text(tmp_path: Path) -> None:
    """Bytes that are no UTF-8 come back as they were."""
    name = os.fsdecode(b"\xff.jpg")
    async with SqliteJournal(tmp_path / "journal.db") as journal:
        await journal.apply(rows.add(tmp_path, [(name, "1")]))
        assert [(name, "1")] == await rows.page(journal, tmp_path, None, 10)
        await journal.apply(rows.forget(tmp_path, [name]))
        assert 0 == await rows.count(journal)
