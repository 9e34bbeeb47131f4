"""FtpHost against a server that misbehaves on purpose."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from mediawatch.errors import Handling, HostProblem
from mediawatch.hosts.base import (
    CredentialsRefused,
    HostFull,
    HostRefused,
    HostUnavailable,
    TooManyConnections,
)
from mediawatch.hosts.ftp import FtpHost
from tests.support.scripted_ftp import HANG_UP, PASSWORD, SILENCE, ScriptedFtp, Talk, scripted_ftp
from tests.support.turned_clock import TurnedClock


class Rig:
    """The fake server, and hosts that use it and are closed at the end."""

    def __init__(self, fake: ScriptedFtp, stack: AsyncExitStack, picture: Path) -> None:
        self.fake, self.clock, self.picture = fake, TurnedClock(), picture
        self._stack = stack

    def host(self, **changes: Any) -> FtpHost:
        host = FtpHost(self.fake.settings(**changes), clock=self.clock, sleep=self.clock.sleep)
        self._stack.push_async_callback(host.close)
        return host


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    picture = tmp_path / "picture.jpg"
    picture.write_bytes(b"\xff\xd8" + b"picture" * 50_000)
    async with AsyncExitStack() as stack:
        fake = await stack.enter_async_context(scripted_ftp())
        yield Rig(fake, stack, picture)


async def test_wrong_password_is_tried_once(rig: Rig) -> None:
    """Four uploads with a wrong password make one connection, and later ones make none: hosts
    ban an address after a few failures."""
    rig.fake.script["PASS"] = ["530 Login incorrect."] * 9
    host = rig.host(connections=4)
    tries = [host.put(rig.picture, f"{n}.jpg") for n in range(4)]
    errors = await asyncio.gather(*tries, return_exceptions=True)
    rig.clock.time += 100_000
    with pytest.raises(CredentialsRefused):
        await host.put(rig.picture, "later.jpg")
    assert [("ftp-login-refused", Handling.HOLD)] * 4 == [
        (error.code, error.handling) for error in errors if isinstance(error, HostProblem)
    ]
    assert [False] == [found.ok for found in await host.check()]
    assert (1, 1) == (rig.fake.count("connect"), rig.fake.count("PASS"))


async def test_disk_full_waits_a_quarter_of_an_hour(rig: Rig) -> None:
    """452 is a full disk: said so, not tried again at once."""
    rig.fake.script["STOR"] = ["452 Insufficient storage"]
    with pytest.raises(HostFull, match="no space left") as caught:
        await rig.host().put(rig.picture, "a.jpg")
    assert (900, Handling.PARK) == (caught.value.retry_after, caught.value.handling)
    assert [] == rig.clock.slept


async def test_server_tells_why_the_data_broke(rig: Rig) -> None:
    """When the data connection breaks, the reason on the control connection is what counts."""

    rig.picture.write_bytes(bytes(30 << 20))
    rig.fake.break_off = [1000]
    rig.fake.script["after STOR"] = ["452 Disk full"]
    with pytest.raises(HostFull):
        await rig.host().put(rig.picture, "a.jpg")
    assert 1 == rig.fake.count("STOR")


async def test_226_for_a_truncated_file_is_not_believed(rig: Rig) -> None:
    """Only SIZE proves that a file is whole; if it is not, it is sent again under a new name."""
    rig.fake.truncate = [1000]
    await rig.host().put(rig.picture, "a.jpg")
    names = [line for line in rig.fake.events if line.startswith("STOR")]
    assert 2 == len(set(names))
    assert {"/a.jpg": rig.picture.read_bytes()} == rig.fake.files


async def test_a_file_that_is_never_whole_is_no_success(rig: Rig) -> None:
    """After three tries the error goes up, and nothing has the public name."""
    rig.fake.truncate = [1000] * 3
    with pytest.raises(HostUnavailable, match="has 1000 bytes") as caught:
        await rig.host().put(rig.picture, "a.jpg")
    assert "ftp-not-whole" == caught.value.code
    assert "/a.jpg" not in rig.fake.files


async def test_dead_kept_connection_is_replaced_in_silence(rig: Rig) -> None:
    """A kept connection that died is no attempt, even if the server restarted."""
    host = rig.host()
    await host.put(rig.picture, "a.jpg")
    rig.fake.hang_up()
    await host.put(rig.picture, "b.jpg")
    assert [] == rig.clock.slept
    assert 2 == rig.fake.count("connect")


async def test_421_on_a_kept_connection_is_replaced_in_silence(rig: Rig) -> None:
    """421 as the first answer on a kept connection means idle for too long: no attempt."""
    host = rig.host()
    await host.put(rig.picture, "a.jpg")
    rig.fake.script["SIZE"] = ["421 Timeout"]
    await host.put(rig.picture, "b.jpg")
    assert ([], 2) == (rig.clock.slept, rig.fake.count("connect"))


async def test_unasked_words_end_a_kept_connection(rig: Rig) -> None:
    """A kept connection with unread words on it is not used: they would answer our question."""
    host = rig.host()
    await host.put(rig.picture, "a.jpg")
    talk = rig.fake.talks[0]
    talk.writer.write(b"213 999\r\n")
    await talk.writer.drain()
    await host.put(rig.picture, "b.jpg")
    assert 2 == rig.fake.count("connect")


async def test_kept_connection_is_used_again_until_idle(rig: Rig) -> None:
    """One connection serves upload after upload; after idle_timeout a new one is made."""
    host = rig.host(idle_timeout=50)
    for name in ("a.jpg", "b.jpg"):
        await host.put(rig.picture, name)
    assert 1 == rig.fake.count("connect")
    rig.clock.time += 51
    await host.put(rig.picture, "c.jpg")
    assert 2 == rig.fake.count("connect")


async def test_old_connection_is_replaced(rig: Rig) -> None:
    """TLS sessions age: no connection is used for longer than 25 minutes."""
    host = rig.host(idle_timeout=9999)
    await host.warm()
    rig.clock.time += 25 * 60
    await host.put(rig.picture, "a.jpg")
    assert 2 == rig.fake.count("connect")


async def test_warm_connects_once(rig: Rig) -> None:
    """warm opens one connection ahead of need; the upload then uses it."""
    host = rig.host()
    await host.warm()
    await host.warm()
    await host.put(rig.picture, "a.jpg")
    assert 1 == rig.fake.count("connect")


async def test_lost_answer_to_rename(rig: Rig) -> None:
    """If the rename went through but its answer did not, nothing is sent again."""

    def rename_then_die(talk: Talk, argument: str) -> str:
        assert argument in rig.fake.files
        return HANG_UP

    rig.fake.script["RNTO"] = [rename_then_die]
    await rig.host().put(rig.picture, "a.jpg")
    assert (1, 2) == (rig.fake.count("STOR"), rig.fake.count("connect"))
    assert ["/a.jpg"] == list(rig.fake.files)


async def test_broken_upload_leaves_no_litter(rig: Rig) -> None:
    """The temporary file of a try that broke off is removed after one that went well."""
    rig.fake.script["after STOR"] = [HANG_UP]
    await rig.host().put(rig.picture, "a.jpg")
    assert ["/a.jpg"] == list(rig.fake.files)


async def test_no_rename_means_direct(rig: Rig) -> None:
    """A host that refuses RNFR gets files under their final name, and is not asked again."""
    rig.fake.script["RNFR"] = ["502 not here"]
    host = rig.host()
    assert host.caps.atomic
    await host.put(rig.picture, "a.jpg")
    await host.put(rig.picture, "b.jpg")
    assert not host.caps.atomic
    assert ["/a.jpg", "/b.jpg"] == sorted(rig.fake.files)
    assert (1, 3) == (rig.fake.count("RNFR"), rig.fake.count("STOR"))


async def test_rename_off(rig: Rig) -> None:
    """With rename = "off" no temporary name is used at all."""
    await rig.host(rename="off").put(rig.picture, "a.jpg")
    assert (0, 1) == (rig.fake.count("RNFR"), rig.fake.events.count("STOR /a.jpg"))


async def test_folders_are_made_once_when_storing_fails(rig: Rig) -> None:
    """550 may mean that the folder is missing: it is made, and the file stored."""
    rig.fake.script["STOR"] = ["550 No such directory"]
    await rig.host(upload_dir="/www/up").put(rig.picture, "a.jpg")
    assert ["MKD /www", "MKD /www/up"] == [e for e in rig.fake.events if e.startswith("MKD")]
    assert ["/www/up/a.jpg"] == list(rig.fake.files)


async def test_no_permission_is_held(rig: Rig) -> None:
    """550 again after the folders were made is a matter for a person."""
    rig.fake.script["STOR"] = ["550 Denied"] * 2
    with pytest.raises(HostRefused, match="does not let us write") as caught:
        await rig.host().put(rig.picture, "a.jpg")
    assert ("ftp-write-refused", Handling.HOLD) == (caught.value.code, caught.value.handling)
    assert "ftp.upload_dir" in caught.value.remedy


async def test_limit_shrinks_the_pool(rig: Rig) -> None:
    """A host that takes three connections at a time gets all files over fewer than eight; ten
    quiet minutes later one more is tried."""
    busy = 0

    def greet(talk: Talk, _: str) -> str:
        nonlocal busy
        alive = [known for known in rig.fake.talks if not known.writer.is_closing()]
        if len(alive) > 3:
            busy += 1
            rig.fake.talks.remove(talk)
            return "421 Too many connections"
        return "220 ready"

    rig.fake.script["greeting"] = [greet] * 99
    host = rig.host(connections=8)
    await asyncio.gather(*(host.put(rig.picture, f"{n}.jpg") for n in range(24)))
    assert 24 == len(rig.fake.files)
    assert 1 <= host.connections < 8
    assert 1 <= busy <= 5
    assert [] == rig.clock.slept
    small = host.connections
    rig.clock.time += 601
    await host.put(rig.picture, "later.jpg")
    assert small + 1 == host.connections


async def test_530_while_others_are_logged_in_is_a_limit(rig: Rig) -> None:
    """530 is no wrong password if the same password just served another connection."""
    rig.fake.script["PASS"] = ["230 welcome", "530 Sorry"]
    host = rig.host(connections=2)
    await asyncio.gather(*(host.put(rig.picture, f"{n}.jpg") for n in range(4)))
    assert (4, 1) == (len(rig.fake.files), host.connections)


async def test_lone_connection_over_the_limit_is_tried_again(rig: Rig) -> None:
    """421 although we have no other connection: others use them up; tried again, then told."""
    rig.fake.script["greeting"] = ["421 Too many users"] * 3
    with pytest.raises(TooManyConnections):
        await rig.host().put(rig.picture, "a.jpg")
    assert (3, 2) == (rig.fake.count("connect"), len(rig.clock.slept))


async def test_no_storm_on_a_dead_host(rig: Rig) -> None:
    """Sixty waiting uploads make a handful of connections to a host that is down, not sixty."""
    rig.fake.script["greeting"] = [HANG_UP] * 99
    host = rig.host(connections=8)
    tries = [host.put(rig.picture, f"{n}.jpg") for n in range(60)]
    errors = await asyncio.gather(*tries, return_exceptions=True)
    assert 60 == sum(isinstance(error, HostUnavailable) for error in errors)
    assert rig.fake.count("connect") <= 10


async def test_host_that_comes_back_is_used(rig: Rig) -> None:
    """A short outage costs a pause of seconds, and no error."""
    rig.fake.script["greeting"] = [HANG_UP, HANG_UP]
    await rig.host().put(rig.picture, "a.jpg")
    assert 2 == len(rig.clock.slept)
    assert 5 >= max(rig.clock.slept)


async def test_silence_ends_in_a_timeout(rig: Rig) -> None:
    """A server that says nothing is given up after the time-out of the settings."""
    rig.fake.script["SIZE"] = [SILENCE] * 9
    rig.fake.script["EPSV"] = [SILENCE] * 9
    with pytest.raises(HostUnavailable, match="no answer in time"):
        await rig.host(io_timeout=0.05).put(rig.picture, "a.jpg")


async def test_a_reply_without_end_ends_in_a_timeout(rig: Rig) -> None:
    """Half a reply is no reply."""
    rig.fake.script["after STOR"] = [b"226-wait\r\n226 don"] * 3
    with pytest.raises(HostUnavailable):
        await rig.host(reply_timeout=0.1, io_timeout=0.1).put(rig.picture, "a.jpg")


@pytest.mark.parametrize("rubbish", ["229 nonsense", "hello", "999 what", "229 (|||99999999|)"])
async def test_rubbish_is_translated(rig: Rig, rubbish: str) -> None:
    """Whatever the server says, what comes up is one of our errors with a sentence."""
    rig.fake.script["EPSV"] = [rubbish] * 3
    with pytest.raises(HostProblem, match=r"127\.0\.0\.1"):
        await rig.host(io_timeout=0.2).put(rig.picture, "a.jpg")


async def test_latin_1_in_a_reply_is_no_error(rig: Rig) -> None:
    """Hosts also write accents in Latin-1."""
    rig.fake.script["after STOR"] = ["226 Transfert terminé".encode("latin-1") + b"\r\n"]
    await rig.host().put(rig.picture, "a.jpg")
    assert 1 == rig.fake.count("STOR")


async def test_pasv_when_the_port_of_epsv_is_shut(rig: Rig) -> None:
    """PASV is tried once if EPSV's port cannot be reached, and remembered; the address in its
    answer is not used."""
    rig.fake.script["EPSV"] = ["229 (|||1|)"]
    host = rig.host()
    await host.put(rig.picture, "a.jpg")
    await host.put(rig.picture, "b.jpg")
    assert (1, 2) == (rig.fake.count("EPSV"), rig.fake.count("PASV"))
    assert 2 == len(rig.fake.files)


async def test_cancelled_upload_throws_its_connection_away(rig: Rig) -> None:
    """After a cancelled upload the pool is free again, and its connection is not used again."""
    stored = asyncio.Event()

    def never(_: Talk, __: str) -> str:
        stored.set()
        return SILENCE

    rig.fake.script["after STOR"] = [never]
    host = rig.host(connections=1)
    task = asyncio.create_task(host.put(rig.picture, "a.jpg"))
    await stored.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await host.put(rig.picture, "a.jpg")
    assert 2 == rig.fake.count("connect")
    assert ["/a.jpg"] == list(rig.fake.files)


async def test_waiting_upload_can_be_cancelled(rig: Rig) -> None:
    """An upload that waits for a free connection can be cancelled, and nobody else starves."""
    stored = asyncio.Event()

    def slow(_: Talk, __: str) -> str:
        stored.set()
        return SILENCE

    rig.fake.script["after STOR"] = [slow]
    host = rig.host(connections=1)
    first = asyncio.create_task(host.put(rig.picture, "a.jpg"))
    await stored.wait()
    waiting = [asyncio.create_task(host.put(rig.picture, f"{n}.jpg")) for n in range(3)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    rig.fake.talks[0].writer.write(b"226 done\r\n")
    results = await asyncio.gather(first, *waiting, return_exceptions=True)
    assert isinstance(results[1], asyncio.CancelledError)
    assert ["/1.jpg", "/2.jpg", "/a.jpg"] == sorted(rig.fake.files)


async def test_no_secret_is_shown(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    """A server that sends the password back does not get it into errors or logs."""
    caplog.set_level(logging.DEBUG)
    answers = ["500 cannot PASS", "500 cannot PASS", "500 cannot PASS", "530 no"]
    rig.fake.script["PASS"].extend(f"{answer} {PASSWORD}" for answer in answers)
    host = rig.host()
    shown = [repr(rig.fake.settings()), repr(host)]
    for _ in range(2):
        with pytest.raises(HostProblem) as caught:
            await host.put(rig.picture, "a.jpg")
        error = caught.value
        shown += [str(error), repr(error), str(error.as_dict()), str(error.__cause__)]
        rig.clock.time += 1000
    assert isinstance(error, CredentialsRefused)
    assert "********" in error.message
    assert [] == [text for text in [*shown, caplog.text] if PASSWORD in text]


async def test_max_rate_is_shared(rig: Rig) -> None:
    """max_rate holds for all connections together: two files of 350 kB at 1 MB/s take about
    0.5 s, and commands do not wait behind data."""
    loop = asyncio.get_running_loop()
    started = loop.time()
    host = rig.host(connections=2, max_rate=1_000_000)
    await asyncio.gather(*(host.put(rig.picture, f"{n}.jpg") for n in range(4)))
    assert 0.7 <= loop.time() - started <= 5
