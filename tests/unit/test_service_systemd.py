"""What systemd is told, and when."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from mediawatch.service.systemd import Notifier, drained

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
