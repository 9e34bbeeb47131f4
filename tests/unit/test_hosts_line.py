"""The control connection of FTP: what is waited for, for how long, and what ends the waiting."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from mediawatch.hosts.ftp_line import ControlLine


class Wire(asyncio.Transport):
    """Takes what is sent; loses the connection when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[bytes] = []
        self.aborted = False

    def write(self, data: Any) -> None:
        self.sent.append(bytes(data))

    def abort(self) -> None:
        self.aborted = True

    def is_closing(self) -> bool:
        return self.aborted


@pytest.fixture
async def line() -> ControlLine:
    made = ControlLine()
    made.connection_made(Wire())
    return made


async def turns() -> None:
    """Let everything happen that is ready to."""
    for _ in range(3):
        await asyncio.sleep(0)


async def test_commands_go_out_in_one_packet(line: ControlLine) -> None:
    """Commands whose order is fixed cost one write."""
    line.send("SIZE a", "EPSV")
    wire = line.transport
    assert isinstance(wire, Wire)
    assert [b"SIZE a\r\nEPSV\r\n"] == wire.sent


async def test_who_waits_is_woken_once(line: ControlLine) -> None:
    """Replies that come in pieces wake nobody until all are there, and lie in their order."""
    waiting = asyncio.create_task(line.wait(2))
    await turns()
    for piece in (b"21", b"3 5\r\n", b"229 (|||7|)"):
        line.data_received(piece)
        await turns()
        assert not waiting.done()
    line.data_received(b"\r\n")
    await waiting
    assert [b"213 5\r", b"229 (|||7|)\r"] == [await line.line(), await line.line()]
    assert 2 == line.answers


async def test_a_goodbye_ends_the_wait(line: ControlLine) -> None:
    """421 amid the replies: nobody waits for the others, and neither it nor anything behind it
    counts as an answer."""
    waiting = asyncio.create_task(line.wait(3))
    await turns()
    line.data_received(b"213 5\r\n421 Bye\r\n")
    await waiting
    line.data_received(b"250 OK\r\n")
    assert [b"213 5\r", b"421 Bye\r"] == [await line.line(), await line.line()]
    assert 1 == line.answers


async def test_a_goodbye_of_several_lines_is_heard_out(line: ControlLine) -> None:
    """It is the reason why the server goes, even if its lines come one by one."""
    line.data_received(b"421-Too many\r\n")
    assert b"421-Too many\r" == await line.line()
    rest = asyncio.create_task(line.line())
    await turns()
    line.data_received(b"421 of you\r\n")
    assert b"421 of you\r" == await rest


@pytest.mark.parametrize("why", [None, ConnectionAbortedError("cut")])
async def test_what_came_before_the_loss_is_read_first(
    line: ControlLine, why: Exception | None
) -> None:
    """A cut between two replies: the first one counts, then comes what the connection was lost
    for. Half a line is no reply."""
    waiting = asyncio.create_task(line.wait(2))
    await turns()
    line.data_received(b"213 5\r\n229 (||")
    line.connection_lost(why)
    await waiting
    assert b"213 5\r" == await line.line()
    with pytest.raises(type(why) if why else ConnectionResetError):
        await line.line()
    assert line.ended()


async def test_silence_has_its_limit(line: ControlLine) -> None:
    """Who waits for longer than the limit gets TimeoutError, also with half a line in hand."""
    line.data_received(b"213")
    with pytest.raises(TimeoutError), line.within(0.01):
        await line.line()


async def test_the_shorter_limit_wins(line: ControlLine) -> None:
    """A limit within a limit makes no wait longer, and is over with its block."""
    with pytest.raises(TimeoutError), line.within(0.01), line.within(60):
        await line.line()


async def test_a_limit_that_is_over_ends_nothing(line: ControlLine) -> None:
    """The timer of an earlier and shorter limit does not end a later wait."""
    rung = asyncio.Event()
    with line.within(0.01):
        line.data_received(b"213 5\r\n")
        await line.line()
    with line.within(60):
        waiting = asyncio.create_task(line.line())
        asyncio.get_running_loop().call_later(0.03, rung.set)
        await rung.wait()
        assert not waiting.done()
        line.data_received(b"226 Done\r\n")
        assert b"226 Done\r" == await waiting
    line.connection_lost(None)


@pytest.mark.parametrize("babble", [lambda: b"2" * (65 << 10), lambda: b"220-\r\n" * 60_000])
async def test_talk_without_end_is_broken_off(
    line: ControlLine, babble: Callable[[], bytes]
) -> None:
    """A line longer than any server's, or more of them than anybody asked for, fill no memory."""
    line.data_received(babble())
    wire = line.transport
    assert isinstance(wire, Wire)
    assert wire.aborted
    assert line.ended()


async def test_words_that_nobody_asked_for_are_seen(line: ControlLine) -> None:
    """Whole lines and half ones, so that they are never taken for the answer to a later command."""
    assert b"" == line.unread()
    line.data_received(b"213 999\r\n42")
    assert b"213 999\r\n42" == line.unread()


@pytest.mark.parametrize("line_only", [b"213 5", b"213", b"421 Bye"])
async def test_a_whole_reply_is_at_hand(line: ControlLine, line_only: bytes) -> None:
    """A reply of one line that lies there is taken at once, and once."""
    line.data_received(line_only + b"\r\n")
    assert [line_only + b"\r", None] == [line.reply_at_hand(), line.reply_at_hand()]


@pytest.mark.parametrize("other", [b"", b"213 5", b"213-5\r\n", b"oops\r\n", b" 21 5\r\n"])
async def test_what_is_no_whole_reply_stays(line: ControlLine, other: bytes) -> None:
    """Half a line, the first of several, and rubbish are left to who can make sense of them."""
    line.data_received(other)
    assert line.reply_at_hand() is None
    assert other == line.unread()
