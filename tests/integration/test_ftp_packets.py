"""Several commands in one packet: each answer belongs to its command, whatever happens between."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from mediawatch.hosts.ftp import FtpHost
from tests.support.scripted_ftp import HANG_UP, SILENCE, Answer, ScriptedFtp, scripted_ftp
from tests.support.turned_clock import TurnedClock

PICTURES = {
    f"{name}.jpg": b"\xff\xd8" + name.encode() * size for name, size in [("a", 999), ("b", 5000)]
}
WHOLE = {f"/{name}": content for name, content in PICTURES.items()}


class Rig:
    """The fake server, and a host that uploads to it."""

    def __init__(self, fake: ScriptedFtp, folder: Path) -> None:
        self.fake, self.clock, self._folder = fake, TurnedClock(), folder
        self.host = FtpHost(fake.settings(io_timeout=0.3), clock=self.clock, sleep=self.clock.sleep)

    async def put_all(self) -> None:
        for name, content in PICTURES.items():
            file = self._folder / name
            file.write_bytes(content)
            await self.host.put(file, name)


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    async with AsyncExitStack() as stack:
        made = Rig(await stack.enter_async_context(scripted_ftp()), tmp_path)
        stack.push_async_callback(made.host.close)
        yield made


@pytest.mark.parametrize("trouble", [HANG_UP, SILENCE, "421 Bye", b"421 Bye\r\n250 OK\r\n", b"35"])
@pytest.mark.parametrize("verb", ["SIZE", "EPSV", "RNFR", "RNTO"])
@pytest.mark.parametrize("earlier", [0, 1])
async def test_trouble_between_two_answers(
    rig: Rig, verb: str, trouble: Answer, earlier: int
) -> None:
    """A packet of which only some commands are answered, because the server hangs up, falls
    silent, says goodbye or half a word: no answer is taken for that of another command, all
    files end up whole under their names, and nothing else is there."""
    usual: list[Answer] = {
        "SIZE": ["550 No such file"],
        "RNFR": ["350 and to?"],
    }.get(verb, [])
    rig.fake.script[verb] = [*usual * earlier, trouble]
    await rig.put_all()
    assert WHOLE == rig.fake.files


async def test_an_answer_of_many_lines_is_one_answer(rig: Rig) -> None:
    """The lines of one reply are not taken for the replies to the next commands."""
    rig.fake.script["SIZE"] = [b"550-213 5000\r\n 229 no\r\n550 No such file\r\n"] * 2
    rig.fake.script["RNFR"] = [b"350-250 OK\r\n350 and to?\r\n"]
    await rig.put_all()
    assert WHOLE == rig.fake.files
    assert (1, []) == (rig.fake.count("connect"), rig.clock.slept)


async def test_a_lost_file_is_not_hidden_by_its_rename(rig: Rig) -> None:
    """The size in the packet's first answer counts, though the rename behind it went well."""
    rig.fake.truncate = [100]
    await rig.put_all()
    assert WHOLE == rig.fake.files
    assert 1 == len(rig.clock.slept)


async def test_words_too_many_do_not_shift_the_answers(rig: Rig) -> None:
    """A reply that nobody asked for ends the connection before the next file is asked about:
    it is no answer to the next command."""
    rig.fake.script["RNTO"] = [b"250 OK\r\n213 5000\r\n"]
    await rig.put_all()
    assert WHOLE == rig.fake.files
    assert (2, []) == (rig.fake.count("connect"), rig.clock.slept)
