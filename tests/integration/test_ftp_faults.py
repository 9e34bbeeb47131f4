"""The answers of an FTP server that are no success, each with what becomes of the upload."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from mediawatch.clock import SystemClock
from mediawatch.errors import Handling
from mediawatch.hosts.base import HostFull, HostRefused, HostUnavailable
from mediawatch.hosts.ftp import FtpHost
from mediawatch.hosts.ftp_errors import TlsSessionRefused
from tests.support.ftp_servers import make_certificates
from tests.support.scripted_ftp import HANG_UP, SILENCE, ScriptedFtp, scripted_ftp
from tests.support.turned_clock import TurnedClock

LARGE = bytes(range(256)) * (36 << 10)  # 9 MiB


class Rig:
    """The fake server, and hosts that use it and are closed at the end."""

    def __init__(self, fake: ScriptedFtp, stack: AsyncExitStack, folder: Path) -> None:
        self.fake, self.clock = fake, TurnedClock()
        self.picture, self.large = folder / "picture.jpg", folder / "large.jpg"
        self.picture.write_bytes(b"\xff\xd8" + b"picture" * 5_000)
        self.large.write_bytes(LARGE)
        self._stack = stack

    def host(self, **changes: Any) -> FtpHost:
        host = FtpHost(self.fake.settings(**changes), clock=self.clock, sleep=self.clock.sleep)
        self._stack.push_async_callback(host.close)
        return host

    def stored(self) -> list[str]:
        """The names that were stored to, in order."""
        return [line.partition(" ")[2] for line in self.fake.events if line.startswith("STOR")]


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    async with AsyncExitStack() as stack:
        fake = await stack.enter_async_context(scripted_ftp())
        yield Rig(fake, stack, tmp_path)


# While a file is stored.


@pytest.mark.parametrize("answer", ["426 Broken", "450 Busy", "451 Local error", "500 OOPS: died"])
@pytest.mark.parametrize("when", ["STOR", "after STOR"])
async def test_passing_trouble_costs_one_pause(rig: Rig, answer: str, when: str) -> None:
    """426, 450, 451 and a breakdown, before the transfer or at its end: once more, on a new
    connection and under a new name; nothing is left behind."""
    rig.fake.script[when] = [answer]
    await rig.host().put(rig.picture, "a.jpg")
    assert {"/a.jpg": rig.picture.read_bytes()} == rig.fake.files
    assert (1, 2) == (len(rig.clock.slept), rig.fake.count("connect"))
    assert ["/a.part", "/a-2.part"] == rig.stored()


@pytest.mark.parametrize(
    "answer", ["452 Insufficient", "552 Exceeded", "451 Failure writing to local file", "550 quota"]
)
async def test_a_full_host_is_left_in_peace(rig: Rig, answer: str) -> None:
    """A full disk or quota: not tried again for a quarter of an hour, and what is there of the
    file is removed at once."""
    rig.fake.script["after STOR"] = [answer]
    with pytest.raises(HostFull) as caught:
        await rig.host().put(rig.large, "a.jpg")
    assert ("ftp-disk-full", 900) == (caught.value.code, caught.value.retry_after)
    assert ({}, []) == (rig.fake.files, rig.clock.slept)


@pytest.mark.parametrize("answer", ["501 Syntax", "503 Order", "504 Parameter"])
async def test_odd_refusals_are_reported_with_the_answer(rig: Rig, answer: str) -> None:
    """An answer that should not be is shown to a person, and not tried again."""
    rig.fake.script["STOR"] = [answer]
    with pytest.raises(HostRefused, match=answer) as caught:
        await rig.host().put(rig.picture, "a.jpg")
    assert ("ftp-refused", Handling.HOLD) == (caught.value.code, caught.value.handling)
    assert 1 == rig.fake.count("STOR")


async def test_a_refused_data_connection_is_tried_again(rig: Rig) -> None:
    """425 in plain text, three times: a firewall is named, and nothing of TLS."""
    rig.fake.script["STOR"] = ["425 No data connection"] * 3
    with pytest.raises(HostUnavailable) as caught:
        await rig.host().put(rig.picture, "a.jpg")
    assert "ftp-data-refused" == caught.value.code
    assert "firewall" in caught.value.remedy
    assert (3, 2) == (rig.fake.count("STOR"), len(rig.clock.slept))


@pytest.mark.parametrize(("times", "hint"), [(1, False), (3, True)])
async def test_425_under_tls(tmp_path: Path, times: int, hint: bool) -> None:
    """Under TLS 425 once may be anything; twice running it is about TLS session reuse."""
    certificates = make_certificates(tmp_path / "tls")
    async with AsyncExitStack() as stack:
        fake = await stack.enter_async_context(scripted_ftp(certificates.server_context()))
        rig = Rig(fake, stack, tmp_path)
        fake.script["STOR"] = ["425 Refused"] * times + ["426 Broken"] * 3
        with pytest.raises(HostUnavailable) as caught:
            await rig.host(tls="explicit", tls_ca_file=certificates.ca).put(rig.picture, "a.jpg")
        assert hint == ("TLS session reuse" in caught.value.remedy)


async def test_522_is_tried_on_one_new_connection(tmp_path: Path) -> None:
    """522: the TLS session was refused. One new connection may cure it; then it is a matter of
    settings."""
    certificates = make_certificates(tmp_path / "tls")
    async with AsyncExitStack() as stack:
        fake = await stack.enter_async_context(scripted_ftp(certificates.server_context()))
        rig = Rig(fake, stack, tmp_path)
        fake.script["STOR"] = ["522 Session reuse required"] * 9
        with pytest.raises(TlsSessionRefused) as caught:
            await rig.host(tls="explicit", tls_ca_file=certificates.ca).put(rig.picture, "a.jpg")
        assert (2, Handling.HOLD) == (fake.count("connect"), caught.value.handling)


async def test_passive_ports_that_are_shut(rig: Rig) -> None:
    """Neither the port of EPSV nor that of PASV can be reached: said so, and who must act."""
    rig.fake.script["EPSV"] = ["229 (|||1|)"] * 9
    rig.fake.script["PASV"] = ["227 (127,0,0,1,0,1)"] * 9
    with pytest.raises(HostUnavailable, match="port for data is out of reach") as caught:
        await rig.host().put(rig.picture, "a.jpg")
    assert "ftp-data-refused" == caught.value.code
    assert "passive ports of the host must be open" in caught.value.remedy


async def test_pasv_is_remembered_only_if_it_works(rig: Rig) -> None:
    """EPSV is asked again after a moment in which no port at all could be reached."""
    rig.fake.script["EPSV"] = ["229 (|||1|)"]
    rig.fake.script["PASV"] = ["227 (127,0,0,1,0,1)"]
    await rig.host().put(rig.picture, "a.jpg")
    assert (2, 1) == (rig.fake.count("EPSV"), rig.fake.count("PASV"))


# Names and what is there.


async def test_only_plain_old_commands_are_used(rig: Rig) -> None:
    """Neither MLSD, MLST nor LIST: servers lack them, or get slow with a full folder."""
    host = rig.host()
    await host.put(rig.picture, "a.jpg")
    await host.delete("a.jpg")
    await host.check()
    await host.close()
    verbs = {event.split(" ")[0] for event in rig.fake.events} - {"connect", "data"}
    plain = {"USER", "PASS", "TYPE", "SIZE", "EPSV", "STOR", "RNFR", "RNTO", "DELE", "QUIT"}
    assert verbs <= plain | {"RETR"}


async def test_550_to_dele_means_not_there(rig: Rig) -> None:
    """What is not there cannot be deleted, and that is fine."""
    await rig.host().delete("a.jpg")
    assert 1 == rig.fake.events.count("DELE /a.jpg")


async def test_550_to_dele_of_what_is_there_is_told(rig: Rig) -> None:
    """A host that lets nobody delete must not be believed that the file is gone."""
    host = rig.host()
    await host.put(rig.picture, "a.jpg")
    rig.fake.script["DELE"] = ["550 Permission denied"]
    with pytest.raises(HostRefused, match="delete a file: 550 Permission denied"):
        await host.delete("a.jpg")


async def test_delete_takes_what_broken_uploads_left(rig: Rig) -> None:
    """A key that is deleted goes with all the temporary names that it may have had."""
    rig.fake.files |= {f"/a{turn}.part": b"half" for turn in ("", "-2", "-3", "-4")}
    rig.fake.files |= {"/b.part": b"half", "/a.jpg": b"whole"}
    await rig.host().delete("a.jpg")
    assert {"/b.part": b"half"} == rig.fake.files


@pytest.mark.parametrize("verb", ["RNFR", "RNTO"])
async def test_one_refused_rename_is_no_proof(rig: Rig, verb: str) -> None:
    """550 to a rename: this file is stored under its final name; the next one is renamed."""
    rig.fake.script[verb] = ["550 Not now"]
    host = rig.host()
    await host.put(rig.picture, "a.jpg")
    await host.put(rig.picture, "b.jpg")
    assert host.caps.atomic
    assert ["/a.part", "/a.jpg", "/b.part"] == rig.stored()
    assert ["/a.jpg", "/b.jpg"] == sorted(rig.fake.files)


async def test_a_host_that_keeps_refusing_to_rename_is_asked_again_in_an_hour(rig: Rig) -> None:
    """Two refusals running are enough to spare the double upload, for an hour."""
    rig.fake.script["RNFR"] = ["550 No"] * 2
    host = rig.host()
    for name in ("a", "b", "c"):
        await host.put(rig.picture, f"{name}.jpg")
    assert ["/a.part", "/a.jpg", "/b.part", "/b.jpg", "/c.jpg"] == rig.stored()
    assert not host.caps.atomic
    rig.clock.time += 3601
    await host.put(rig.picture, "d.jpg")
    assert "/d.part" == rig.stored()[-1]
    assert {f"/{name}.jpg" for name in "abcd"} == set(rig.fake.files)


async def test_a_busy_host_may_rename_later(rig: Rig) -> None:
    """450 to a rename is no refusal: tried again."""
    rig.fake.script["RNFR"] = ["450 Busy"]
    host = rig.host()
    await host.put(rig.picture, "a.jpg")
    assert host.caps.atomic
    assert ["/a.jpg"] == list(rig.fake.files)


async def test_a_file_in_the_way_is_removed_before_the_rename(rig: Rig) -> None:
    """Some servers rename over nothing."""
    rig.fake.files["/a.jpg"] = b"half"
    rig.fake.keeps = True
    await rig.host().put(rig.picture, "a.jpg")
    assert {"/a.jpg": rig.picture.read_bytes()} == rig.fake.files
    assert 1 == rig.fake.count("STOR")


# Going on with a large file.


async def test_a_large_file_is_gone_on_with(rig: Rig) -> None:
    """After a break it is sent from where it stopped, under the same name."""
    rig.fake.break_off = [5_000_000]
    rig.fake.script["after STOR"] = [HANG_UP]
    stored = await rig.host().put(rig.large, "a.jpg")
    assert stored.pieced
    assert {"/a.jpg": LARGE} == rig.fake.files
    assert ["/a.part", "/a.part"] == rig.stored()
    assert 1 == rig.fake.events.count("REST 5000000")


@pytest.mark.parametrize("verb", ["REST", "STOR"])
async def test_a_host_that_does_not_go_on_gets_it_anew(rig: Rig, verb: str) -> None:
    """A refused REST, or a STOR refused after it: from the start, under a new name, at once."""
    rig.fake.break_off = [5_000_000]
    rig.fake.script["after STOR"] = [HANG_UP]
    refusal = "451 Restart not permitted"
    rig.fake.script[verb] = [refusal] if verb == "REST" else ["150 go on", refusal]
    stored = await rig.host().put(rig.large, "a.jpg")
    assert not stored.pieced
    assert {"/a.jpg": LARGE} == rig.fake.files
    assert "/a-2.part" == rig.stored()[-1]
    assert 1 == len(rig.clock.slept)


async def test_silence_before_a_transfer_means_another_name(rig: Rig) -> None:
    """A server that says nothing to STOR may wait for a transfer that is still under way: its
    name is not used again."""
    rig.fake.script["STOR"] = [SILENCE]
    host = rig.host(connect_timeout=0.1, io_timeout=0.1)
    await host.put(rig.large, "a.jpg")
    assert ["/a.part", "/a-2.part"] == rig.stored()


async def test_a_large_file_that_is_there_already_is_to_be_checked(rig: Rig) -> None:
    """Who knows whether an earlier life had gone on with it: only its content tells."""
    rig.fake.files["/a.jpg"] = bytes(len(LARGE))
    assert (await rig.host().put(rig.large, "a.jpg")).pieced
    assert 0 == rig.fake.count("STOR")


async def test_a_small_file_is_never_gone_on_with(rig: Rig) -> None:
    """What a crash left of a small file is removed, and the file sent under another name."""
    rig.fake.files["/a.part"] = b"\xff\xd8half"
    assert not (await rig.host().put(rig.picture, "a.jpg")).pieced
    assert {"/a.jpg": rig.picture.read_bytes()} == rig.fake.files
    assert ["/a-2.part"] == rig.stored()


async def test_a_check_that_fails_leaves_nothing(rig: Rig) -> None:
    """The sample of a check that fails after its upload is removed."""
    rig.fake.truncate = [10]
    findings = await rig.host().check()
    assert ("SIZE", False) == (findings[-1].name, findings[-1].ok)
    assert {} == rig.fake.files


@pytest.mark.parametrize("code", ["550 Not for you.", "502 What is RETR?"])
async def test_a_host_that_hands_nothing_out_is_no_failure(rig: Rig, code: str) -> None:
    """A drop box that takes files and gives none: told, with what shows it instead; and the check
    goes on to its end, on the same connection."""
    rig.fake.script["RETR"] = [code]
    findings = {found.name: found for found in await rig.host().check()}
    told = findings["read back"]
    assert told.ok
    assert "public address" in told.remedy
    assert findings["delete"].ok
    assert 1 == rig.fake.count("connect")
    assert {} == rig.fake.files


@pytest.mark.parametrize(
    "garble",
    [
        lambda content: content.replace(b"\r\n", b"\n"),
        lambda content: content[:-1],
        lambda content: content + bytes(10_000_000),
        lambda content: b"",
    ],
    ids=["text mode", "too short", "far too long", "empty"],
)
async def test_another_file_comes_back(rig: Rig, garble: Callable[[bytes], bytes]) -> None:
    """Whatever is not byte for byte what was stored is a failure with a remedy, no more than that
    is read, and nothing is left there."""
    rig.fake.garble = garble
    findings = await rig.host().check()
    assert ("read back", False) == (findings[-1].name, findings[-1].ok)
    assert "another file" in findings[-1].detail
    assert "Ask the host" in findings[-1].remedy
    assert {} == rig.fake.files


async def test_reading_back_ends(rig: Rig) -> None:
    """A host that begins to hand it out and falls silent is a failure, within its time."""
    rig.fake.script["after RETR"] = [SILENCE]
    findings = await rig.host(reply_timeout=0.2, io_timeout=0.2).check()
    assert ("read back", False) == (findings[-1].name, findings[-1].ok)
    assert "fetch a file" in findings[-1].detail


# Several commands in one packet.


async def test_a_small_file_costs_two_packets_beside_its_data(rig: Rig) -> None:
    """Sizes and EPSV are asked for at once, and so are size and rename."""
    await rig.host().put(rig.picture, "a.jpg")
    verbs = [event.split(" ")[0] for event in rig.fake.events]
    assert ["SIZE", "SIZE", "EPSV", "STOR", "SIZE", "RNFR", "RNTO"] == [
        verb for verb in verbs if verb in {"SIZE", "EPSV", "STOR", "RNFR", "RNTO"}
    ]


async def test_a_server_that_reads_one_command_at_a_time(rig: Rig) -> None:
    """It answers the first command of a packet only: one try is lost, then it gets them one by
    one, for good."""
    rig.fake.one_at_a_time = True
    host = rig.host(io_timeout=0.3)
    for name in ("a.jpg", "b.jpg"):
        await host.put(rig.picture, name)
    assert ["/a.jpg", "/b.jpg"] == sorted(rig.fake.files)
    assert (2, 1) == (rig.fake.count("connect"), len(rig.clock.slept))


# The breaker.


async def test_a_host_that_is_away_spends_no_attempt(rig: Rig) -> None:
    """That the host cannot be reached is no post's fault: whoever meets it waits, the one that
    tried and those that did not even try."""
    rig.fake.script["greeting"] = [HANG_UP] * 99
    host = rig.host()
    tries = [host.put(rig.picture, f"{n}.jpg") for n in range(5)]
    errors = await asyncio.gather(*tries, return_exceptions=True)
    problems = [error for error in errors if isinstance(error, HostUnavailable)]
    assert [Handling.WAIT] * 5 == [problem.handling for problem in problems]
    assert all((problem.retry_after or 0) >= 1 for problem in problems)


async def test_a_broken_transfer_spends_an_attempt(rig: Rig) -> None:
    """A file that breaks off each time is not tried for ever."""
    rig.fake.script["after STOR"] = [HANG_UP] * 9
    with pytest.raises(HostUnavailable) as caught:
        await rig.host().put(rig.picture, "a.jpg")
    assert Handling.RETRY == caught.value.handling


async def test_a_password_that_was_changed_is_tried_once(rig: Rig) -> None:
    """The host was fine for long; then four uploads at once meet a new password: one login."""
    host = rig.host(connections=4, idle_timeout=10)
    await host.put(rig.picture, "before.jpg")
    rig.fake.script["PASS"] = ["530 Login incorrect."] * 9
    rig.clock.time += 60
    tries = [host.put(rig.picture, f"{n}.jpg") for n in range(4)]
    await asyncio.gather(*tries, return_exceptions=True)
    for _ in range(3):
        host.try_now()
        await asyncio.gather(host.put(rig.picture, "later.jpg"), return_exceptions=True)
    assert 2 == rig.fake.count("PASS")


async def test_names_in_utf_8_are_announced(rig: Rig) -> None:
    """A folder that is not ASCII: OPTS UTF8 ON is sent, and a server that does not know it is
    not given up."""
    rig.fake.script["OPTS"] = ["504 Unknown"]
    host = rig.host(upload_dir="/Fotos für alle")
    await host.put(rig.picture, "a.jpg")
    assert 1 == rig.fake.events.count("OPTS UTF8 ON")
    assert ["/Fotos für alle/a.jpg"] == list(rig.fake.files)


async def test_many_files_at_once_leave_no_litter(tmp_path: Path) -> None:
    """Thirty files over four connections, a third of the transfers broken off in all ways: all
    whole, and nothing beside them."""
    picture = tmp_path / "picture.jpg"
    picture.write_bytes(b"\xff\xd8" + b"picture" * 5_000)
    async with scripted_ftp() as fake:
        fake.script["after STOR"] = ["426 no", HANG_UP, "450 no", "451 no"] * 3
        fake.script["RNTO"] = [HANG_UP, "450 no"] * 2
        host = FtpHost(fake.settings(), clock=SystemClock())
        names = [f"{n}.jpg" for n in range(30)]
        todo = set(names)
        while todo:
            done = await asyncio.gather(
                *(host.put(picture, name) for name in todo), return_exceptions=True
            )
            todo -= {
                name
                for name, it in zip(list(todo), done, strict=True)
                if not isinstance(it, Exception)
            }
        await host.close()
    assert {f"/{name}": picture.read_bytes() for name in names} == fake.files
