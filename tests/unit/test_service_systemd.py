"""What systemd is told, and when."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from mediawatch.daemon import Daemon
from mediawatch.errors import JournalError
from mediawatch.journal import posts
from mediawatch.model.findings import Finding
from mediawatch.model.lifecycle import State
from mediawatch.service import systemd
from mediawatch.service.systemd import Notifier, drained, tend

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is no systemd")


@pytest.fixture
def heard() -> Iterator[socket.socket]:
    """What systemd would hear."""
    with (
        tempfile.TemporaryDirectory() as folder,  # a socket's path must be short
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager,
    ):
        manager.bind(str(Path(folder) / "notify"))
        manager.settimeout(5)
        yield manager


def test_lines_go_out_in_one_datagram(heard: socket.socket) -> None:
    """They are what systemd reads."""
    Notifier({"NOTIFY_SOCKET": heard.getsockname()})("READY=1", "STATUS=Watching.")

    assert b"READY=1\nSTATUS=Watching." == heard.recv(999)


def test_a_name_that_is_no_file() -> None:
    """A leading "@" stands for the abstract name space."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        name = f"mediawatch-test-{os.getpid()}"
        manager.bind(f"\0{name}")
        manager.settimeout(5)
        Notifier({"NOTIFY_SOCKET": f"@{name}"})("READY=1")

        assert b"READY=1" == manager.recv(99)


def test_nobody_listens(tmp_path: Path) -> None:
    """In a terminal nothing is sent, and a socket that is gone stops nothing."""
    assert not Notifier({}).heard
    Notifier({})("READY=1")
    Notifier({"NOTIFY_SOCKET": str(tmp_path / "gone")})("READY=1")


@pytest.mark.parametrize(
    ("environ", "seconds"),
    [
        ({"WATCHDOG_USEC": "60000000"}, 20.0),
        ({"WATCHDOG_USEC": "60000000", "WATCHDOG_PID": str(os.getpid())}, 20.0),
        ({"WATCHDOG_USEC": "60000000", "WATCHDOG_PID": "1"}, 0.0),
        ({"WATCHDOG_USEC": "soon"}, 0.0),
        ({}, 0.0),
    ],
)
def test_the_watchdog_is_fed_at_a_third_of_its_patience(
    environ: dict[str, str], seconds: float
) -> None:
    """If there is one, and if it waits for this process."""
    assert seconds == Notifier({"NOTIFY_SOCKET": "/nowhere", **environ}).feed_every


async def test_time_is_asked_for_while_something_ends(heard: socket.socket) -> None:
    """That it stops is told at once, and that it needs time; nothing more when it has ended."""
    over = asyncio.Event()

    async def living() -> None:
        await over.wait()

    task = asyncio.create_task(living())
    waiting = asyncio.create_task(drained(task, Notifier({"NOTIFY_SOCKET": heard.getsockname()})))

    assert (await asyncio.to_thread(heard.recv, 999)).startswith(b"STOPPING=1\nSTATUS=")
    assert b"EXTEND_TIMEOUT_USEC=10000000" == await asyncio.to_thread(heard.recv, 999)
    over.set()
    await waiting
    heard.setblocking(False)
    with pytest.raises(BlockingIOError):
        heard.recv(999)


class Tended:
    """A daemon that is looked after, each part set by hand, and what systemd hears of it."""

    def __init__(self, heard: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
        self.stuck, self.checks_made = "", [Finding("folder", True, "")]
        self.looked, self.errors = asyncio.Event(), list[str]()
        self._heard = heard
        self.unreadable = False

        class Pulse:
            def __init__(self, _: object) -> None:
                pass

            async def stuck(_self) -> str:  # noqa: N805
                return self.stuck

        async def counts(_: object) -> dict[State, int]:
            if self.unreadable:
                raise JournalError("The journal is locked.")
            return {State.READY: 0, State.DONE: 3}

        monkeypatch.setattr(systemd, "Pulse", Pulse)
        monkeypatch.setattr(posts, "counts", counts)
        monkeypatch.setattr(systemd.faulthandler, "enable", lambda: None)
        self.app = SimpleNamespace(
            watched=SimpleNamespace(looked=self.looked.wait),
            log=SimpleNamespace(error=lambda text, **_: self.errors.append(text)),
            settings=SimpleNamespace(inboxes=SimpleNamespace(folders=["/in"])),
            journal=None,
        )
        environ = {"NOTIFY_SOCKET": heard.getsockname(), "WATCHDOG_USEC": "30000"}
        self._task = asyncio.create_task(tend(cast("Daemon", self), Notifier(environ)))

    async def checks(self) -> list[Any]:
        return self.checks_made

    async def says(self) -> str:
        return (await asyncio.to_thread(self._heard.recv, 999)).decode()

    async def silent(self) -> bool:
        """Nothing has come, though it had its turn."""
        for _ in range(20):
            await asyncio.sleep(0)
        self._heard.setblocking(False)
        try:
            self._heard.recv(999)
        except BlockingIOError:
            return True
        finally:
            self._heard.settimeout(5)
        return False

    async def end(self) -> None:
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task


async def test_ready_comes_after_the_first_look(
    heard: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then the watchdog is fed, with a line on how things are."""
    tended = Tended(heard, monkeypatch)
    assert await tended.silent()
    tended.looked.set()

    assert "READY=1\nSTATUS=Watching /in; posts: 3 done." == await tended.says()
    assert "WATCHDOG=1\nSTATUS=Watching /in; posts: 3 done." == await tended.says()
    await tended.end()


async def test_a_share_that_never_answers_delays_the_start_and_no_more(
    heard: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a first look it is ready all the same, after a while."""
    monkeypatch.setattr(systemd, "FIRST_LOOK", 0.01)
    tended = Tended(heard, monkeypatch)

    assert (await tended.says()).startswith("READY=1\n")
    await tended.end()


async def test_what_hangs_is_not_fed(heard: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is said instead, in the log too; once it moves again it is fed again."""
    tended = Tended(heard, monkeypatch)
    tended.stuck = "2 posts stand still."
    tended.looked.set()

    assert (await tended.says()).startswith("READY=1\n")
    assert "STATUS=2 posts stand still." == await tended.says()
    assert tended.errors[0].startswith("2 posts stand still.")
    tended.stuck = ""
    while not (line := await tended.says()).startswith("WATCHDOG=1\n"):
        assert "STATUS=2 posts stand still." == line
    await tended.end()


async def test_a_state_of_the_world_is_told_and_fed(
    heard: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the checks say is wrong is no reason for a restart, nor is a journal that cannot be
    read just now."""
    tended = Tended(heard, monkeypatch)
    tended.checks_made = [Finding("folder", False, "The folder /in is missing.")]
    tended.looked.set()

    assert "READY=1\nSTATUS=The folder /in is missing." == await tended.says()
    assert "WATCHDOG=1\nSTATUS=The folder /in is missing." == await tended.says()
    tended.checks_made, tended.unreadable = [], True
    while "The folder" in (line := await tended.says()):
        pass
    assert "WATCHDOG=1\nSTATUS=The journal is locked." == line
    await tended.end()
