"""Told to stop, it leaves in time, whatever it is at; the next start ends everything once."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sqlite3
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from tests.support.processes import Running
from tests.support.river import River
from tests.support.scripted_ftp import PASSWORD, SILENCE, USER, scripted_ftp

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there are no such signals")

#: Seconds in which it must be gone from any state: what service managers grant.
LIMIT = 45.0

#: Waits until the daemon is in the state.
Reached = Callable[[Running], Awaitable[object]]
#: Arranges for the state before the daemon starts, and mends what is wrong at its end.
State = Callable[[River], AbstractAsyncContextManager[Reached]]

_A_DEAD_SHARE = """
import os, time
def hanging(call):
    def hang(*args):
        while args and str(args[0]).startswith({inbox!r}) and os.path.exists({flag!r}):
            open({flag!r} + "-now", "w").close()
            time.sleep(600)
        return call(*args)
    return hang
os.scandir, os.listdir = hanging(os.scandir), hanging(os.listdir)
"""


def meta_never_answers(on: str) -> State:
    """The request arrives, takes effect, and that is all."""

    @asynccontextmanager
    async def state(river: River) -> AsyncIterator[Reached]:
        river.configure(publish={"publish_timeout": 60}, instagram={"timeout": 60})
        river.simulator.script({"on": on, "do": "delay", "seconds": 600})
        yield lambda _: river.until(lambda: river.simulator.state.asked[on])  # type: ignore[index]
        river.configure(publish={"publish_timeout": 1})
        river.simulator.script()

    return state


@asynccontextmanager
async def the_inbox_hangs(river: River) -> AsyncIterator[Reached]:
    """No call on it comes back, as on a share whose server is gone."""
    flag = river.root / "hangs"

    async def reached(_: Running) -> None:
        await river.until(lambda: river.said("convert"))
        flag.touch()
        river.drop_pictures(1, first=9)  # wakes the scan, which then hangs
        await river.until(flag.with_name("hangs-now").exists)
        await river.until(lambda: river.simulator.state.publications)

    yield reached
    flag.unlink()


@asynccontextmanager
async def the_converters_hang(river: River) -> AsyncIterator[Reached]:
    """They have a picture, and do nothing with it."""

    async def reached(daemon: Running) -> None:
        await river.until(lambda: len(river.filed()) == 3)
        for child in children(daemon.process.pid):
            os.kill(child, signal.SIGSTOP)
        river.drop_pictures(1, first=9)
        await river.post("picture009.jpg", stage="convert", state="running")

    yield reached


@asynccontextmanager
async def the_host_hangs(river: River) -> AsyncIterator[Reached]:
    """The FTP server takes the file and never says that it has it."""
    async with scripted_ftp() as fake:
        fake.script["after STOR"] = [SILENCE] * 99
        usual = river.tables["ftp"]
        river.configure(ftp={"port": fake.port, "user": USER, "password": PASSWORD})
        yield lambda _: river.until(lambda: fake.count("data"))
        river.configure(ftp=usual)


@asynccontextmanager
async def the_public_address_hangs(river: River) -> AsyncIterator[Reached]:
    """The web server takes the request for the picture and never answers."""
    asked = asyncio.Event()

    async def silent(_: web.Request) -> web.StreamResponse | None:
        asked.set()
        await asyncio.Event().wait()
        return None

    river.host.web.fault = silent
    yield lambda _: asked.wait()
    river.host.web.fault = None


@asynccontextmanager
async def clients_stay(river: River) -> AsyncIterator[Reached]:
    """One says half a sentence, one waits for the end of a pass that takes its time."""
    async with contextlib.AsyncExitStack() as stack:
        river.simulator.script({"on": "create", "do": "delay", "seconds": 600})

        async def reached(_: Running) -> None:
            port = int(river.api.rpartition(":")[2])
            host = f"Host: 127.0.0.1:{port}\r\n"
            for said in (
                f"GET /healthz HTTP/1.1\r\n{host}",
                f"POST /api/poster-media HTTP/1.1\r\n{host}\r\n",
            ):
                _reader, line = await asyncio.open_connection("127.0.0.1", port)
                stack.callback(line.close)
                line.write(said.encode())
                await line.drain()
            await river.until(lambda: river.simulator.state.asked["create"])  # type: ignore[index]

        yield reached
        river.simulator.script()


@asynccontextmanager
async def the_journal_is_locked(river: River) -> AsyncIterator[Reached]:
    """Another program keeps it for itself while posts are under way."""
    river.simulator.script({"on": "create", "do": "delay", "seconds": 600})
    with contextlib.ExitStack() as stack:

        async def reached(_: Running) -> None:
            await river.until(lambda: river.simulator.state.asked["create"])  # type: ignore[index]
            other = stack.enter_context(
                contextlib.closing(sqlite3.connect(river.data / "journal.db"))
            )
            other.execute("BEGIN EXCLUSIVE")

        yield reached
        river.simulator.script()


STATES: dict[str, State] = {
    "inbox": the_inbox_hangs,
    "converters": the_converters_hang,
    "host": the_host_hangs,
    "public address": the_public_address_hangs,
    "create": meta_never_answers("create"),
    "status": meta_never_answers("status"),
    "media_publish": meta_never_answers("media_publish"),
    "clients": clients_stay,
    "journal": the_journal_is_locked,
}


def children(pid: int) -> list[int]:
    """The processes that a process has started."""
    listed = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for file in listed for child in file.read_text().split()]


def with_a_folder_that_may_hang(river: River) -> list[str]:
    """What the daemon is run with so that the file ``hangs`` stops its calls on folders."""
    hook = river.root / "hook"
    hook.mkdir(exist_ok=True)
    text = _A_DEAD_SHARE.format(flag=str(river.root / "hangs"), inbox=str(river.inbox))
    (hook / "sitecustomize.py").write_text(text)
    others = os.environ.get("PYTHONPATH")
    return ["env", f"PYTHONPATH={hook}" + (f":{others}" if others else "")]


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
@pytest.mark.parametrize("name", STATES)
async def test_a_stop_is_in_time_from_any_state(evil: River, name: str) -> None:
    """Exit 0 within 45 s though something hangs; afterwards each picture is published once."""
    async with STATES[name](evil) as reached:
        before = with_a_folder_that_may_hang(evil)
        originals = evil.drop_pictures(3)
        async with evil.daemon(before) as daemon:
            await reached(daemon)
            assert 0 == await daemon.stop(LIMIT), evil.story()
        told = " ".join(line["event"] for line in evil.said("stop"))
        assert "Stopped." in told
        assert (name == "inbox") is ("A call on a folder hangs" in told)
    originals |= {path.name: path.read_bytes() for path in evil.inbox.glob("picture009.jpg")}
    originals |= {
        path.name: path.read_bytes()
        for path in (evil.inbox / ".mediawatch" / "work").glob("*/picture009.jpg")
    }
    async with evil.daemon():
        await evil.arrived(originals)


async def test_a_start_that_hangs_can_be_stopped(river: River) -> None:
    """The inbox does not answer when it starts: a stop ends it all the same."""
    (river.inbox / ".mediawatch" / "work" / "leftover").mkdir(parents=True)
    (river.root / "hangs").touch()
    running = Running(river.root, river.config, with_a_folder_that_may_hang(river))
    try:
        await river.until((river.data / "journal.db-wal").exists)
        assert 0 == await running.stop(LIMIT), river.story()
    finally:
        running.process.kill()
        running.process.wait()
    (river.root / "hangs").unlink()
    originals = river.drop_pictures(1)
    async with river.daemon():
        await river.arrived(originals)


async def test_a_second_signal_ends_it_at_once(evil: River) -> None:
    """It dies by that signal, which its exit code says, though Meta has not answered; the next
    start finds out what came of that."""
    async with meta_never_answers("media_publish")(evil) as reached:
        originals = evil.drop_pictures(2)
        async with evil.daemon() as daemon:
            await reached(daemon)
            daemon.process.terminate()
            await evil.until(lambda: "Stopping" in str(evil.said("stop")))
            daemon.process.terminate()
            assert -signal.SIGTERM == await daemon.ended(5), evil.story()
    async with evil.daemon():
        await evil.arrived(originals)


@pytest.fixture
def _hangups_count() -> Iterator[None]:
    """Under nohup a hangup is ignored, by the tests and by what they start."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.mark.usefixtures("_hangups_count")
async def test_a_terminal_that_is_closed_drains_as_any_stop_does(evil: River) -> None:
    """The call under way gets its answer; that the hangup is told twice, by the shell and by the
    system, cuts nothing off."""
    evil.configure(publish={"publish_timeout": 20})
    evil.simulator.script({"on": "media_publish", "do": "delay-effect", "seconds": 1})
    original = evil.drop_pictures(1)
    async with evil.daemon() as daemon:
        await evil.until(lambda: evil.simulator.state.asked["media_publish"])  # type: ignore[index]
        daemon.process.send_signal(signal.SIGHUP)
        daemon.process.send_signal(signal.SIGHUP)
        assert 0 == await daemon.ended(LIMIT), evil.story()
    assert ["picture001"] == evil.captions()
    async with evil.daemon():
        await evil.arrived(original)


async def test_a_stop_under_load_leaves_nothing_half_done(evil: River) -> None:
    """Stopped and started again in the middle of forty pictures, three times: each once."""
    originals = evil.drop_pictures(40)
    for count in (4, 14, 24):
        async with evil.daemon() as daemon:
            await evil.until(lambda: len(evil.said("publish")) >= count)  # noqa: B023
            assert 0 == await daemon.stop(LIMIT), evil.story()
    assert {0} == {post.attempts for post in (await evil.posts()).values()}
    async with evil.daemon():
        await evil.arrived(originals)
