"""``mediawatch doctor`` among real neighbours: it finds what is wrong and leaves nothing behind."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from mediawatch.cli.doctor import document_of
from mediawatch.clock import SystemClock
from mediawatch.config import load
from mediawatch.doctor import journal_file, service_account, web_host
from mediawatch.doctor.examination import Section, examine
from mediawatch.doctor.places import PROBE
from mediawatch.journal.ownership import HIDDEN
from mediawatch.log import silent
from tests.support.confined import required
from tests.support.ftp_servers import GIVER
from tests.support.planted import PLANTED, Planted
from tests.support.river import River
from tests.unit.test_config import GOOD


async def _examined(river: River, before: list[str] | None = None) -> dict[str, Any]:
    """The document of one run, whose verdict and exit code agree."""
    if before is None:
        return document_of([each async for each in _sections(river)])
    ended = await river.run("doctor", "--json", before=before)
    document: dict[str, Any] = json.loads(ended.out)
    assert document["ok"] is (ended.code == 0), ended
    return document


async def _sections(river: River) -> AsyncIterator[Section]:
    async for section in examine(load(river.config), SystemClock(), silent()):
        yield section


def _crosses(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [finding for finding in document["findings"] if not finding["ok"]]


async def test_a_good_set_up_is_approved(river: River) -> None:
    """All ticks, and nothing is left: no probe, no upload, no data folder that was not there."""
    document = await _examined(river, [])
    assert [] == _crosses(document)
    assert set() == river.leftovers()
    assert {} == river.host.ftp.files()
    assert not river.data.exists()
    assert [] == list(river.inbox.iterdir())
    assert {"Folders", "Watching", "Journal", "Web host", "Instagram"} == {
        finding["section"] for finding in document["findings"]
    }


async def test_a_daemon_at_work_is_asked(river: River) -> None:
    """The daemon's own checks are among the findings, and its watch must notice a new file."""
    async with river.daemon():
        await river.until(river.was_looked)
        document = await _examined(river)
        assert [] == _crosses(document)
        found = {finding["name"]: finding["detail"] for finding in document["findings"]}
        assert "mediawatch runs" in found["daemon"]
        assert "noticed" in found["watcher"]
        assert {"folder", "journal", "workers"} <= set(found)
        measured = [each for each in document["findings"] if each["name"] == "free space"]
        assert {"Folders"} == {each["section"] for each in measured}
    assert set() == river.leftovers()
    assert not [line for line in river.said("ignored") if PROBE in line["event"]]


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGSTOP")
async def test_a_daemon_that_hangs_is_told(river: River) -> None:
    """It runs, but does not answer: a cross, and what to do."""
    async with river.daemon() as running:
        os.kill(running.process.pid, signal.SIGSTOP)
        try:
            [cross] = _crosses(await _examined(river))
        finally:
            os.kill(running.process.pid, signal.SIGCONT)
    assert "does not answer" in cross["detail"]
    assert "Restart" in cross["remedy"]


@pytest.mark.parametrize("planted", PLANTED, ids=str)
async def test_each_planted_fault_is_found(river: River, planted: Planted) -> None:
    """The fault is named, with its remedy; what has nothing to do with it is well."""
    with ExitStack() as stack:
        before = planted.plant(river, stack)
        if before:
            required(before)
        crosses = _crosses(await _examined(river, before))
    told = [(cross["section"], cross["name"]) for cross in crosses]
    assert (planted.section, planted.name) in told, crosses
    [found] = [each for each in crosses if each["name"] == planted.name]
    assert planted.says in found["detail"], found
    assert planted.remedy in found["remedy"], found
    assert all(cross["remedy"] for cross in crosses), crosses
    assert {planted.section} >= {section for section, _ in told} - _FOLLOWS, crosses


#: Where a missing inbox shows too: nothing can be watched there.
_FOLLOWS = {"Watching"}


async def test_a_drop_box_is_no_failure(river: River) -> None:
    """A user who may store and not fetch is told so; the public address shows the rest."""
    river.configure(ftp={"user": GIVER})
    document = await _examined(river)
    assert [] == _crosses(document)
    [told] = [each for each in document["findings"] if each["name"] == "read back"]
    assert "hands none out" in told["detail"]
    assert told["remedy"]


async def test_a_stopped_account_is_told_while_nothing_runs(river: River) -> None:
    """The journal knows it, whether a daemon is there to tell or not; status says the same."""
    right = river.tables["instagram"]["access_token"]
    river.configure(instagram={"access_token": "EAA-an-old-token"})
    river.drop_pictures(1)
    async with river.daemon():
        await river.post("picture001.jpg", state="waiting", parked=True)
        asked = [each for each in _crosses(await _examined(river)) if each["name"] == "standing"]
    river.configure(instagram={"access_token": right})
    [cross] = _crosses(await _examined(river))
    assert [cross] == asked
    assert "Meta refused (190)" in cross["detail"]
    status = json.loads((await river.run("status", "--json")).out)
    [check] = status["checks"]
    assert cross == check | {"section": "Watching"}


async def test_the_end_of_a_token_of_instagrams_own_login(river: River) -> None:
    """Meta does not tell it: the doctor says so, and when the file that holds it was written."""
    river.configure(instagram={"login": "instagram"})
    document = await _examined(river, [])
    assert [] == _crosses(document)
    [told] = [each for each in document["findings"] if each["name"] == "token's end"]
    assert "Meta does not tell" in told["detail"]
    assert f"{river.config}, which holds it, was last written 0 days ago" in told["detail"]


def test_enough_faults_are_planted() -> None:
    """At least 25, no two alike."""
    assert len({planted.fault for planted in PLANTED}) == len(PLANTED) >= 25


async def test_a_journal_that_may_not_be_looked_at(river: River) -> None:
    """The data folder of a service is shut to others: a cross, and the rest is examined."""
    [told] = journal_file.examine(river.root / ("n" * 300) / "journal.db", 0.0)
    assert not told.ok
    assert "look at" in told.detail


async def test_what_the_daemon_knows_of_tls_is_not_written_down(river: River) -> None:
    """A file that root made in the data folder of a service would be shut to it."""
    river.data.mkdir()
    assert web_host._if_there(river.data / "tls_seen.json") is None
    (river.data / "tls_seen.json").touch()
    assert web_host._if_there(river.data / "tls_seen.json") is not None


async def test_people_read_marks_and_remedies(river: River) -> None:
    """A cross has its remedy on the next line, and the last line counts them."""
    river.inbox.rmdir()
    ended = await river.run("doctor")
    assert 1 == ended.code
    assert f"❌ inbox           {river.inbox} does not exist." in ended.out
    assert f'→ Make it: mkdir -p "{river.inbox}"' in ended.out
    assert "are not well" in ended.out.splitlines()[-1]
    assert not ended.err


async def test_no_secret_is_shown(river: River) -> None:
    """Neither token nor password stands in the answer, whatever is wrong with them."""
    river.configure(
        instagram={"access_token": "EAAB-very-secret-token"}, ftp={"password": "wr0ng-Pa55"}
    )
    ended = await river.run("doctor")
    for secret in ("EAAB-very-secret-token", "wr0ng-Pa55"):
        assert secret not in ended.out + ended.err


def test_an_address_that_meta_cannot_reach(river: River) -> None:
    """A host in the owner's own network serves pictures to him, and never to Meta."""
    river.configure(instagram={"graph_url": "https://graph.example.org"})
    settings = load(river.config)
    inside = web_host.from_outside(settings, "http://127.0.0.1:8080/upload/x.jpg")
    assert not inside.ok
    assert "Meta cannot reach" in inside.detail
    assert "ftp.public_url" in inside.remedy
    assert web_host.from_outside(settings, "http://1.1.1.1/upload/x.jpg").ok


@pytest.mark.skipif(sys.platform == "win32", reason="needs users of a Unix")
def test_the_service_account_is_kept_out(river: River, tmp_path: Path) -> None:
    """The user of the service must reach the folders too, whoever asks; the folder that bars the
    way is named."""
    settings = load(river.config)
    tmp_path.chmod(0o700)
    [barred] = service_account.examine(settings, "nobody")
    assert not barred.ok
    assert "nobody" in barred.detail
    assert "setfacl" in barred.remedy
    [unknown] = service_account.examine(settings, "no-such-user")
    assert "no such user" in unknown.detail
    [fine] = service_account.examine(settings, "root")
    assert fine.ok
    assert [] == service_account.examine(settings, None)


@pytest.mark.skipif(sys.platform == "win32", reason="needs users of a Unix")
def test_the_service_reaches_what_it_is_brought(river: River, tmp_path: Path) -> None:
    """A home that is shut bars no service that is given the folder in it; what is shut inside that
    folder does, and the folders of held files and duplicates count too."""
    settings = load(river.config)
    tmp_path.chmod(0o700)
    brought = [settings.watch.folder.parent]
    for folder in (*brought, settings.watch.folder, settings.watch.held_folder):
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o777)
    [fine] = service_account.examine(settings, "nobody", brought)
    assert fine.ok, fine
    settings.watch.held_folder.chmod(0o755)
    [barred] = service_account.examine(settings, "nobody", brought)
    assert f"{settings.watch.held_folder} bars it" in barred.detail


@pytest.mark.skipif(sys.platform == "win32", reason="needs users of a Unix")
def test_the_service_gets_what_others_left(river: River) -> None:
    """The work folder of whoever ran mediawatch before bars the service from every file."""
    settings = load(river.config)
    work = settings.watch.folder / HIDDEN
    work.mkdir()
    work.chmod(0o755)
    for folder in (settings.watch.folder.parent, settings.watch.folder):
        folder.chmod(0o777)
    [barred] = service_account.examine(settings, "nobody", [settings.watch.folder.parent])
    assert f"{work} bars it" in barred.detail


@pytest.mark.skipif(sys.platform == "win32", reason="needs users of a Unix")
def test_only_root_sees_what_the_service_does(
    river: River, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another one's journal and daemon are his own: he is told that they are not the service's."""
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    own = load(None, {**GOOD, "AUTO_DOWNLOAD_DIR": str(river.inbox)}, tmp_path / ".env")
    _, told = service_account.examine(own, "root")
    assert told.ok
    assert "sudo mediawatch doctor" in told.remedy
    named = load(river.config)
    assert ["service account"] == [each.name for each in service_account.examine(named, "root")]
