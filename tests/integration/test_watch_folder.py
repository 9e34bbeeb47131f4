"""The watcher on a real folder: nothing lost, nothing half, nothing twice."""

from __future__ import annotations

import asyncio
import hashlib
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from mediawatch.errors import SourceProblem, StorageProblem
from mediawatch.watch import listing
from mediawatch.watch.candidates import FolderState, Inspection, Outcome, Seen, Taken
from mediawatch.watch.settle import EMPTY, SettleRule
from mediawatch.watch.watcher import Limits
from tests.support import writers
from tests.support.watching import Watched

MODES = pytest.mark.parametrize("mode", ["auto", "poll"])


def _storm(folder: Path, count: int) -> None:
    for index in range(count):
        (folder / f"{index:05}.jpg").write_bytes(b"x")


@MODES
async def test_a_storm_of_files_is_taken_whole_and_once(tmp_path: Path, mode: str) -> None:
    """5,000 files at once, with events and without any: each is taken exactly once."""
    watched = Watched(tmp_path, mode=mode)
    async with watched.running():
        await asyncio.to_thread(_storm, watched.folder, 5000)
        await watched.until(lambda: len(watched.taken) == 5000)
        assert {1} == set(watched.taken.values())
        assert [] == os.listdir(watched.folder)  # noqa: PTH208


@pytest.mark.skipif(sys.platform != "linux", reason="leases are asked for on Linux only")
@MODES
async def test_every_kind_of_writer_is_waited_for(tmp_path: Path, mode: str) -> None:
    """Slow, stalling, reopening, preallocating, mapping, linking writers: never half a file."""
    watched = Watched(tmp_path, settle=0.6, mode=mode)
    whole = hashlib.sha256(writers.CONTENT).hexdigest()
    async with watched.running():
        children = [
            await asyncio.create_subprocess_exec(
                sys.executable, "-m", "tests.support.writers", kind, watched.folder / f"{kind}.jpg"
            )
            for kind in writers.KINDS
        ]
        assert {0} == {await child.wait() for child in children}
        await watched.until(lambda: len(watched.taken) == len(writers.KINDS))
    assert {f"{kind}.jpg": 1 for kind in writers.KINDS} == dict(watched.taken)
    assert {f"{kind}.jpg": whole for kind in writers.KINDS} == watched.hashes


async def test_a_replaced_folder_is_watched_anew(tmp_path: Path) -> None:
    """Removed and made again, renamed away and made again: found, and no ghost is taken."""
    watched = Watched(tmp_path)
    async with watched.running():
        watched.folder.rmdir()
        watched.folder.mkdir()
        watched.put("again.jpg")
        await watched.until(lambda: "again.jpg" in watched.taken)

        old = watched.folder.rename(tmp_path / "old")
        await watched.until(lambda: watched.watcher.state.folder is FolderState.MISSING)
        (old / "ghost.jpg").write_bytes(b"x")
        watched.folder.mkdir()
        watched.put("new.jpg")
        await watched.until(lambda: "new.jpg" in watched.taken)
        await watched.until(lambda: watched.watcher.state.mode == "events")
        hints = watched.watcher.state.hints
        watched.put("announced.jpg")
        await watched.until(lambda: watched.watcher.state.hints > hints)
        await watched.until(lambda: "announced.jpg" in watched.taken)
    assert "ghost.jpg" not in watched.taken
    assert {"folder-missing", "folder-ok"} <= set(watched.actions())


async def test_a_missing_folder_is_a_state(tmp_path: Path) -> None:
    """It is said once, nothing is forgotten, and work goes on when the folder is back."""
    watched = Watched(tmp_path, settle=0.5)
    async with watched.running():
        watched.put("a.jpg")
        watched.put("b.pdf")
        watched.inspections["b.pdf"] = Inspection(wanted=False, reason="it is a document")
        await watched.until(lambda: "b.pdf" in watched.watcher.state.ignored)
        watched.put("c.jpg")
        await watched.until(lambda: "c.jpg" in watched.watcher.state.settling)
        away = watched.folder.rename(tmp_path / "away")
        await watched.until(lambda: watched.watcher.state.folder is FolderState.MISSING)
        watched.watcher.wake()
        state = watched.watcher.state
        assert {"c.jpg"} <= state.settling.keys()
        assert {"b.pdf"} == state.ignored.keys()
        away.rename(watched.folder)
        await watched.until(lambda: "c.jpg" in watched.taken)
    assert 1 == watched.actions().count("folder-missing")


async def test_odd_names_are_names(tmp_path: Path) -> None:
    """255 bytes, a line break, bytes that are no UTF-8: all taken."""
    watched = Watched(tmp_path)
    names = {
        "x" * 251 + ".jpg",
        "é" * 125 + ".jpg",
        "line\nbreak.jpg",
        os.fsdecode(b"\xff\xfe.jpg"),
    }
    async with watched.running():
        for name in names:
            watched.put(name)
        await watched.until(lambda: set(watched.taken) == names)


async def test_only_regular_files_in_the_folder_itself_are_posts(tmp_path: Path) -> None:
    """Links, pipes, folders and unfinished names are left, each with its reason."""
    watched = Watched(tmp_path)
    (watched.folder / "link.jpg").symlink_to("/etc/hostname")
    os.mkfifo(watched.folder / "pipe.jpg")
    (watched.folder / "album").mkdir()
    (watched.folder / ".mediawatch").mkdir()
    for name in (".hidden.jpg", "a.jpg.part", "~$a.docx"):
        watched.put(name)
    async with watched.running():
        await watched.until(lambda: len(watched.watcher.state.ignored) == 6)
        ignored = watched.watcher.state.ignored
        assert "it is a symbolic link" == ignored["link.jpg"]
        assert "it is a pipe, not a file" == ignored["pipe.jpg"]
        assert "it is a folder without pictures or videos" == ignored["album"]
        watched.put("good.jpg")
        await watched.until(lambda: "good.jpg" in watched.taken)
    assert ["good.jpg"] == [candidate.name for candidate in watched.offered]


async def test_an_unwanted_file_is_looked_at_again_when_it_changes(tmp_path: Path) -> None:
    """It stays where it is and is listed; new bytes get a new look; it leaves the list with us."""
    watched = Watched(tmp_path)
    watched.inspections["a.jpg"] = Inspection(wanted=False, reason="it is a document")
    async with watched.running():
        watched.put("a.jpg", b"%PDF")
        watched.put("b.jpg")
        await watched.until(lambda: "b.jpg" in watched.taken)
        await watched.until(lambda: "a.jpg" in watched.watcher.state.ignored)
        assert "it is a document" == watched.watcher.state.ignored["a.jpg"]
        del watched.inspections["a.jpg"]
        watched.put("a.jpg", b"a picture now")
        await watched.until(lambda: "a.jpg" in watched.taken)
        assert {} == watched.watcher.state.ignored

        watched.put("c.part").unlink()
        watched.watcher.wake()
        await watched.until(lambda: watched.watcher.state.ignored == {})


async def test_what_cannot_be_read_is_tried_again(tmp_path: Path) -> None:
    """It is visible in the state, and taken once its permission is mended."""
    watched = Watched(tmp_path)
    watched.inspections["a.jpg"] = PermissionError(13, "denied")
    async with watched.running():
        path = watched.put("a.jpg")
        await watched.until(lambda: "a.jpg" in watched.watcher.state.ignored)
        assert ("a.jpg: it cannot be read: permission is missing",) == (
            watched.watcher.state.problems
        )
        del watched.inspections["a.jpg"]
        path.chmod(0o640)  # changes the key, which is what brings it back early
        watched.watcher.wake()
        await watched.until(lambda: "a.jpg" in watched.taken)
    assert "unreadable" in watched.actions()


async def test_an_empty_file_waits_until_it_grows(tmp_path: Path) -> None:
    """Zero bytes are no picture, and no error either."""
    rule = SettleRule(settle=0.1, unsure=0.2)
    watched = Watched(tmp_path, rule=rule)
    async with watched.running():
        watched.put("a.jpg", b"")
        await watched.until(lambda: watched.watcher.state.ignored.get("a.jpg") == EMPTY)
        watched.put("a.jpg", b"grown")
        await watched.until(lambda: "a.jpg" in watched.taken)


async def test_a_cut_short_file_is_waited_for_and_then_handed_on(tmp_path: Path) -> None:
    """It settles again with growing delays; after the longest time it is handed on as it is."""
    rule = SettleRule(settle=0.1, incomplete_max=0.6, incomplete_delays=(0.1, 0.2))
    watched = Watched(tmp_path, rule=rule)
    watched.inspections["a.jpg"] = Inspection(wanted=True, whole=False)
    async with watched.running():
        began = time.monotonic()
        watched.put("a.jpg")
        await watched.until(lambda: "a.jpg" in watched.taken)
        assert 0.6 <= time.monotonic() - began
    assert ["incomplete"] == [each for each in watched.actions() if each != "watching"]


@pytest.mark.skipif(sys.platform != "linux", reason="leases are asked for on Linux only")
async def test_a_file_held_open_for_long_is_taken_only_if_it_is_whole(tmp_path: Path) -> None:
    """Warned about once; a whole one is taken under the open handle, a doubtful one is not."""
    rule = SettleRule(settle=0.1, hold_max=0.3)
    watched = Watched(tmp_path, rule=rule)
    watched.inspections["doubtful.jpg"] = Inspection(wanted=True, whole=None)
    async with watched.running():
        with (
            (watched.folder / "whole.jpg").open("wb", 0) as first,
            (watched.folder / "doubtful.jpg").open("wb", 0) as second,
        ):
            first.write(b"all of it")
            second.write(b"some of it")
            await watched.until(lambda: "whole.jpg" in watched.taken)
            await watched.until(lambda: watched.actions().count("still-written") == 2)
            assert "doubtful.jpg" not in watched.taken
            second.write(b"the rest")
        await watched.until(lambda: "doubtful.jpg" in watched.taken)


async def test_while_the_river_is_full_files_stay_in_the_folder(tmp_path: Path) -> None:
    """No more than the cap is tracked, one is offered, scans go on; then all are taken."""
    watched = Watched(tmp_path, limits=Limits(track_max=20, health=0.2, poll=0.2))
    watched.room.clear()
    async with watched.running():
        _storm(watched.folder, 100)
        await watched.until(lambda: len(watched.offered) == 1)
        scans = watched.watcher.state.scans
        for turn in range(3):
            watched.put(f"more{turn}.jpg")
            await watched.until(lambda: watched.watcher.state.scans > scans)  # noqa: B023
            scans = watched.watcher.state.scans
        state = watched.watcher.state
        assert 20 == len(state.settling)
        assert state.more
        assert 1 == len(watched.offered)
        watched.room.set()
        await watched.until(lambda: len(watched.taken) == 103)
    assert {1} == set(watched.taken.values())


async def test_what_waited_long_is_looked_at_again_before_it_is_offered(tmp_path: Path) -> None:
    """A file that grew, or went, while the river was full is not offered as it was."""
    watched = Watched(tmp_path)
    watched.room.clear()
    async with watched.running():
        watched.put("a.jpg")
        await watched.until(lambda: len(watched.offered) == 1)
        grown, gone = watched.put("b.jpg"), watched.put("c.jpg")
        await watched.until(
            lambda: (
                [e.reason for e in watched.watcher.state.settling.values()].count(
                    "it waits for its turn"
                )
                == 3
            )
        )
        ready = time.monotonic()
        await watched.until(lambda: time.monotonic() - ready > 0.1)
        grown.write_bytes(b"a longer picture")
        gone.unlink()
        watched.room.set()
        await watched.until(lambda: "b.jpg" in watched.taken)
    assert [("a.jpg", 7), ("b.jpg", 16)] == [(each.name, each.size) for each in watched.offered]


@pytest.mark.parametrize(
    ("answer", "offers"),
    [(Taken.CHANGED, 2), (Taken.GONE, 1), (Taken.REFUSED, 1)],
)
async def test_the_intakes_answer_is_respected(tmp_path: Path, answer: Taken, offers: int) -> None:
    """Changed: offered again. Gone: forgotten until found anew. Refused: left in peace."""
    watched = Watched(tmp_path, mode="poll", limits=Limits(poll=60.0))
    watched.answers = [answer]
    watched.put("a.jpg")
    async with watched.running():
        await watched.until(lambda: len(watched.offered) == offers)
        await watched.until(lambda: not watched.watcher.state.settling)
    expected = {"a.jpg": "it was refused"} if answer is Taken.REFUSED else {}
    assert expected == watched.watcher.state.ignored
    assert (answer is Taken.CHANGED) == ("a.jpg" in watched.taken)


async def test_a_file_in_the_place_of_one_that_is_being_taken_is_seen_at_once(
    tmp_path: Path,
) -> None:
    """Its hint comes while its name is still known: it waits for no later scan."""
    watched = Watched(tmp_path, rescan=3600.0, limits=Limits(health=0.2, poll=3600.0))
    watched.room.clear()
    watched.answers = [Taken.GONE]
    async with watched.running():
        watched.put("a.jpg")
        await watched.until(lambda: len(watched.offered) == 1)
        (watched.folder / "a.jpg").rename(watched.work / "first")
        watched.put("a.jpg", b"another picture")
        watched.put("b.jpg")
        await watched.until(lambda: "b.jpg" in watched.watcher.state.settling)
        seen = time.monotonic()
        await watched.until(lambda: time.monotonic() - seen > 0.3)  # all hints have been followed
        watched.room.set()
        await watched.until(lambda: {"a.jpg": 1, "b.jpg": 1} == dict(watched.taken))


async def test_trouble_with_one_file_does_not_stop_the_others(tmp_path: Path) -> None:
    """An intake or inspector that raises costs that file a delay, and no other anything."""
    watched = Watched(tmp_path)
    watched.inspections["a.jpg"] = RuntimeError("decoder broke")
    watched.answers = [SourceProblem("The disk said no.")]
    async with watched.running():
        watched.put("a.jpg")
        await watched.until(lambda: "a.jpg" in watched.watcher.state.ignored)
        watched.put("b.jpg")
        await watched.until(lambda: "b.jpg" in watched.watcher.state.ignored)
        watched.put("c.jpg")
        await watched.until(lambda: "c.jpg" in watched.taken)
        assert (
            "a.jpg: it cannot be looked into: decoder broke",
            "b.jpg: The disk said no.",
        ) == watched.watcher.state.problems


async def test_new_files_are_announced_when_they_begin_to_settle(tmp_path: Path) -> None:
    """The rest of the house may warm up while a file settles."""
    watched = Watched(tmp_path, settle=0.5)
    async with watched.running():
        watched.put("a.jpg")
        await watched.until(lambda: watched.settling == 1)
        assert not watched.taken


async def test_an_idle_folder_of_ignored_files_costs_next_to_nothing(
    tmp_path: Path, record_property: pytest.RecordProperty, monkeypatch: pytest.MonkeyPatch
) -> None:
    """2,000 files that are not wanted are not looked at again by every scan."""
    watched = Watched(tmp_path, settle=0.05)
    names = {f"{index:05}.pdf" for index in range(2_000)}
    for name in names:
        watched.put(name)
        watched.inspections[name] = Inspection(wanted=False, reason="it is a document")
    async with watched.running():
        await watched.until(lambda: len(watched.reports) > len(names))  # and one for the watch
        looked = 0
        real = listing._key_now

        def counted(root: str, name: str) -> tuple[int, ...]:
            nonlocal looked
            looked += 1
            return real(root, name)

        monkeypatch.setattr(listing, "_key_now", counted)
        before, cpu = watched.watcher._scans, time.process_time()
        for _ in range(10):
            scans = watched.watcher._scans
            watched.watcher.wake()
            await watched.until(lambda: watched.watcher._scans > scans)  # noqa: B023
        scans = watched.watcher._scans - before
        per_scan = (time.process_time() - cpu) / scans
    record_property("cpu_ms_per_scan_of_2000_ignored", round(per_scan * 1000, 2))
    print(f"a scan of 2,000 ignored files: {per_scan * 1000:.2f} ms of CPU")
    assert 0 < looked <= 256 * scans


def _seen(report: list[Seen]) -> dict[str, Outcome]:
    assert len(report) == len({each.name for each in report})
    return {each.name: each.outcome for each in report}


@pytest.mark.parametrize("beside", [True, False])
async def test_a_pass_gives_every_file_one_outcome(tmp_path: Path, beside: bool) -> None:
    """Alone and beside a running watcher: taken, ignored, unfinished, unreadable; no sidecar."""
    watched = Watched(tmp_path)
    for name in ("a.jpg", "b.jpg", "c.jpg"):
        watched.put(name)
    for name in ("a.txt", "lonely.txt", "x.part", ".hidden", "doc.jpg", "locked.jpg", "bad.jpg"):
        watched.put(name)
    watched.put("empty.jpg", b"")
    (watched.folder / "album").mkdir()
    (watched.folder / ".mediawatch").mkdir()
    watched.inspections = {
        "doc.jpg": Inspection(wanted=False, reason="it is a document"),
        "locked.jpg": PermissionError(13, "denied"),
        "c.jpg": Inspection(wanted=True, whole=False),
    }
    expected = {
        "a.jpg": Outcome.TAKEN,
        "b.jpg": Outcome.TAKEN,
        "bad.jpg": Outcome.TAKEN,
        "c.jpg": Outcome.UNFINISHED,
        "lonely.txt": Outcome.IGNORED,
        "x.part": Outcome.IGNORED,
        ".hidden": Outcome.IGNORED,
        "doc.jpg": Outcome.IGNORED,
        "album": Outcome.IGNORED,
        "locked.jpg": Outcome.UNREADABLE,
        "empty.jpg": Outcome.UNFINISHED,
    }
    if beside:
        async with watched.running():
            report = await watched.watcher.pass_once(2.0)
            report = report if watched.taken else await watched.watcher.pass_once(2.0)
    else:
        report = await watched.watcher.pass_once(2.0)

    assert expected == _seen(report)
    reasons = {each.name: each.reason for each in report}
    assert "it is cut short: its end is missing" == reasons["c.jpg"]
    assert EMPTY == reasons["empty.jpg"]
    assert {"a.jpg": 1, "b.jpg": 1, "bad.jpg": 1} == dict(watched.taken)


async def test_a_pass_alone_leaves_what_comes_later(tmp_path: Path) -> None:
    """Files that arrive during the pass are not in its report, so they are not taken."""
    watched = Watched(tmp_path)
    watched.put("a.jpg")
    watched.room.clear()
    task = asyncio.create_task(watched.watcher.pass_once(10.0))
    await watched.until(lambda: len(watched.offered) == 1)
    watched.put("later.jpg")
    watched.watcher.wake()
    watched.room.set()

    assert {"a.jpg": Outcome.TAKEN} == _seen(await task)
    assert (watched.folder / "later.jpg").exists()
    assert {"later.jpg": Outcome.TAKEN} == _seen(await watched.watcher.pass_once(10.0))


async def test_a_pass_ends_at_its_limit(tmp_path: Path) -> None:
    """What is still written, or has no room, is unfinished, and is taken by the next pass."""
    watched = Watched(tmp_path)
    watched.put("a.jpg")
    watched.put("b.jpg")
    watched.room.clear()
    report = await watched.watcher.pass_once(0.6)
    assert [Outcome.UNFINISHED, Outcome.UNFINISHED] == [each.outcome for each in report]
    assert {"it waits for its turn"} == {each.reason for each in report}
    watched.room.set()
    report = await watched.watcher.pass_once(10.0)
    assert {"a.jpg": Outcome.TAKEN, "b.jpg": Outcome.TAKEN} == _seen(report)


async def test_a_pass_does_not_wait_for_a_file_that_lacks_its_end(tmp_path: Path) -> None:
    """With nothing else to do, a file that is not whole is left to the next pass."""
    watched = Watched(tmp_path, settle=0.05, limits=Limits(pass_patience=0.3))
    watched.put("a.jpg")
    watched.put("half.jpg")
    watched.inspections["half.jpg"] = Inspection(wanted=True, whole=False)

    report = await asyncio.wait_for(watched.watcher.pass_once(3600.0), 20)

    assert {"a.jpg": Outcome.TAKEN, "half.jpg": Outcome.UNFINISHED} == _seen(report)


async def test_a_pass_does_not_wait_where_nothing_moves(tmp_path: Path) -> None:
    """Told that there will be no room for long, it says so of each file and leaves at once."""
    watched = Watched(tmp_path, settle=0.05)
    watched.put("a.jpg")
    watched.put("b.jpg")
    watched.room.clear()
    task = asyncio.create_task(watched.watcher.pass_once(3600.0))
    await watched.until(lambda: len(watched.offered) == 1)
    assert not task.done()

    watched.standstill = "200 posts wait"

    report = await asyncio.wait_for(task, 10)
    assert {("a.jpg", "200 posts wait"), ("b.jpg", "200 posts wait")} == {
        (each.name, each.reason) for each in report
    }
    assert {Outcome.UNFINISHED} == {each.outcome for each in report}
    assert (watched.folder / "a.jpg").exists()


async def test_a_pass_over_more_files_than_are_tracked(tmp_path: Path) -> None:
    """The cap bounds what settles at a time, not what a pass covers."""
    watched = Watched(tmp_path, settle=0.05, limits=Limits(track_max=10))
    _storm(watched.folder, 100)
    report = await watched.watcher.pass_once(20.0)
    assert {f"{index:05}.jpg": Outcome.TAKEN for index in range(100)} == _seen(report)


async def test_a_pass_tells_of_files_that_go(tmp_path: Path) -> None:
    """A file that is removed while it settles is gone, not lost."""
    watched = Watched(tmp_path, settle=5.0)
    path = watched.put("a.jpg")
    task = asyncio.create_task(watched.watcher.pass_once(10.0))
    await watched.until(lambda: watched.settling == 1)
    path.unlink()
    watched.watcher.wake()
    assert {"a.jpg": Outcome.GONE} == _seen(await task)


async def test_a_pass_over_a_missing_folder_is_an_error(tmp_path: Path) -> None:
    """An order that cannot be carried out is refused with a remedy, not answered with nothing."""
    watched = Watched(tmp_path)
    watched.folder.rmdir()
    with pytest.raises(StorageProblem) as caught:
        await watched.watcher.pass_once(1.0)
    assert "folder-missing" == caught.value.code


async def test_stopping_leaves_no_thread_behind(tmp_path: Path) -> None:
    """Neither watchdog's threads nor ours outlive the run."""
    before = set(threading.enumerate())
    watched = Watched(tmp_path)
    async with watched.running():
        watched.put("a.jpg")
        await watched.until(lambda: "a.jpg" in watched.taken)

    def left() -> list[str]:
        return [
            thread.name
            for thread in set(threading.enumerate()) - before
            if thread.is_alive() and not thread.name.startswith("asyncio_")
        ]

    await watched.until(lambda: not left())


def test_asking_for_a_lease_never_harms(tmp_path: Path) -> None:
    """A writer that comes while we ask neither fails nor ends us with a signal."""
    path = tmp_path / "a.jpg"
    path.write_bytes(b"x")
    script = (
        "import sys\nfrom mediawatch.watch.writers import key_of, writer_of\nimport os\n"
        "found = {writer_of(sys.argv[1], key_of(os.lstat(sys.argv[1]))) for _ in range(20000)}\n"
        "print(len(found) > 0)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(path)], stdout=subprocess.PIPE, text=True
    ) as child:
        while child.poll() is None:
            with path.open("ab") as file:
                file.write(b"x")
        assert child.stdout is not None
        assert "True\n" == child.stdout.read()
    assert 0 == child.returncode
