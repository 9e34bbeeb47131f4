"""Starting, stopping and killing: one daemon a folder, and no end of it loses or doubles a post."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tests.support.pictures import MP4, jpeg
from tests.support.river import River

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="there are no such signals")


async def test_a_second_daemon_leaves_and_names_the_first(river: River) -> None:
    """Exit 1 with data folder, process, since when, address and remedy; the first one goes on."""
    async with river.daemon() as first:
        second = await river.run("run")
        assert 1 == second.code
        assert str(river.data) in second.err
        assert f"process {first.process.pid}, since 20" in second.err
        assert river.api in second.err
        assert "→" in second.err
        originals = river.drop_pictures(1)
        await river.arrived(originals)


async def test_two_daemons_never_share_an_inbox(river: River) -> None:
    """Another data folder does not help: exit 1, the inbox and its daemon are named; so for
    ``once``. The first one goes on."""
    async with river.daemon() as first:
        data, api = river.data, river.api
        river.configure(storage={"data_dir": str(river.root / "elsewhere")})
        for word in ("run", "once"):
            second = await river.run(word)
            assert 1 == second.code
            assert str(river.inbox) in second.err
            assert f"process {first.process.pid}, since 20" in second.err
            assert api in second.err
            assert "→" in second.err
        river.configure(storage={"data_dir": str(data)})
        originals = river.drop_pictures(1)
        await river.arrived(originals)


async def test_commands_work_through_the_running_daemon(river: River) -> None:
    """once, status, posts list, show and retry ask the daemon that has the journal."""
    async with river.daemon():
        originals = river.drop_pictures(2)
        report = await river.run("once", "--json")
        assert 0 == report.code, report.err
        assert json.loads(report.out)["success"] is True
        river.drop("clip.mp4", MP4 + bytes(4096))
        held = await river.post("clip.mp4", state="held")
        await river.until((river.held / "clip.mp4.mediawatch.json").exists)
        status = await river.run("status")
        assert 0 == status.code, status.err
        assert "2 done" in status.out
        assert "1 held" in status.out
        listed = json.loads((await river.run("posts", "list", "--state", "held", "--json")).out)
        assert [held.id] == [post["post"] for post in listed]
        shown = await river.run("posts", "show", held.id[:6])
        assert held.id in shown.out
        assert "video" in shown.out.lower()
        retried = await river.run("posts", "retry", held.id[:6])
        assert 0 == retried.code
        assert "clip.mp4 is tried again now" in retried.out
        again = await river.run("posts", "retry", "nothing")
        assert 1 == again.code
        assert "There is no post nothing." in again.err
        await river.arrived(originals)


async def test_status_without_a_daemon_says_so(river: River) -> None:
    """Exit 1, and what the journal knows; no journal is made by asking."""
    ended = await river.run("status", "--json")
    assert 1 == ended.code
    assert "stopped" == json.loads(ended.out)["status"]
    assert not (river.data / "journal.db").exists()
    await river.run("once")
    assert "does not run" in (await river.run("status")).out


async def test_a_retry_without_a_daemon_waits_for_the_next_start(river: River) -> None:
    """posts retry writes to the journal itself, and the next start publishes."""
    river.configure(publish={"retry_delays": []})
    river.simulator.script({"on": "create", "do": "error", "code": 2})
    originals = river.drop_pictures(1)
    assert 1 == (await river.run("once")).code
    assert {"picture001.jpg"} <= {path.name for path in river.held.iterdir()}
    river.simulator.script()
    retried = await river.run("posts", "retry", "--all")
    assert 0 == retried.code
    assert "picture001.jpg is tried again at the next start" in retried.out
    async with river.daemon():
        await river.arrived(originals)
    assert [] == list(river.held.iterdir())


@POSIX
@pytest.mark.parametrize("on", ["create", "media_publish"])
async def test_a_stop_during_work_is_clean_and_the_next_start_goes_on(evil: River, on: str) -> None:
    """Asked to stop while Meta is slow: exit 0 in seconds, no attempt spent, nothing doubled."""
    evil.simulator.script({"on": on, "do": "delay", "seconds": 1.5, "times": 2})
    originals = evil.drop_pictures(3)
    async with evil.daemon() as daemon:
        await evil.until(lambda: evil.simulator.state.asked[on])  # type: ignore[index]
        assert 0 == await daemon.stop(limit=6), evil.story()
    assert {0} == {post.attempts for post in (await evil.posts()).values()}
    assert "stop" == evil.said()[-1]["action"]
    async with evil.daemon():
        await evil.arrived(originals)


@POSIX
async def test_a_stop_does_not_wait_for_a_host_that_hangs(river: River) -> None:
    """Meta does not answer at all: the daemon leaves within seconds all the same."""
    river.configure(publish={"publish_timeout": 60})
    river.simulator.script({"on": "create", "do": "delay", "seconds": 60})
    river.drop_pictures(1)
    async with river.daemon() as daemon:
        await river.until(lambda: river.simulator.state.asked["create"])  # type: ignore[index]
        assert 0 == await daemon.stop(limit=6), river.story()


SLOW = {"do": "delay", "seconds": 1.0, "times": 1}
LATE = {"do": "delay-effect", "seconds": 0.8, "times": 1}
MOMENTS = {
    "claimed": ("claim", None),
    "converted": ("convert", None),
    "uploaded": ("upload", {"on": "create", **SLOW}),
    "contained": ("container", {"on": "limit", **SLOW}),
    "asked": ("ask", {"on": "media_publish", **SLOW}),
    "asked, done later": ("ask", {"on": "media_publish", **LATE}),
    "published": ("publish", {"on": "permalink", **SLOW}),
    "archived": ("archive", None),
}


@POSIX
@pytest.mark.parametrize("moment", MOMENTS)
async def test_a_kill_loses_and_doubles_nothing(evil: River, moment: str) -> None:
    """Killed without a warning at each stage: every picture published once, filed once."""
    action, rule = MOMENTS[moment]
    if rule:
        evil.simulator.script(rule)
    originals = evil.drop_pictures(3)
    async with evil.daemon() as daemon:
        await evil.until(lambda: evil.said(action))
        await daemon.kill()
    async with evil.daemon():
        await evil.arrived(originals)


@POSIX
async def test_many_kills_in_a_row_lose_and_double_nothing(evil: River) -> None:
    """Killed six times on the way, each time a little further: 12 pictures, 12 posts."""
    originals = evil.drop_pictures(12)
    for count in (1, 9, 17, 25, 33, 41):
        async with evil.daemon() as daemon:
            await evil.until(lambda: _steps(evil) >= count or evil.leftovers() == set())  # noqa: B023
            await daemon.kill()
    async with evil.daemon():
        await evil.arrived(originals)


def _steps(river: River) -> int:
    return sum("post" in line for line in river.said())


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
async def test_a_killed_daemon_leaves_no_process_behind(river: River) -> None:
    """The converters end with their daemon, however that ends."""
    async with river.daemon() as daemon:
        river.drop("beach.png", jpeg())
        await river.until(lambda: river.said("convert"))
        children = _children(daemon.process.pid)
        assert children
        await daemon.kill()
        await river.until(lambda: not any(_alive(pid) for pid in children))


def _children(pid: int) -> list[int]:
    found: list[int] = []
    for listed in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, listed.read_text().split()):
            found += [child, *_children(child)]
    return found


def _alive(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"
