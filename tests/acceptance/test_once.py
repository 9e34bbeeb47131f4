"""``mediawatch once``: one pass, a report in the form of the contract, and an exit code."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from tests.support.daemon import Ended
from tests.support.pictures import MP4, PDF, jpeg
from tests.support.river import River
from tests.support.simulator import USER as ACCOUNT


def report_of(ended: Ended) -> tuple[dict[str, Any], dict[str, Any]]:
    """The report and its numbers; its keys are those of the contract and no others."""
    report = json.loads(ended.out)
    assert [
        "success",
        "timestamp",
        "source_directory",
        "ftp_server",
        "instagram_account",
        "result",
    ] == list(report)
    assert ["success", "stats", "message"] == list(report["result"])
    stats = report["result"]["stats"]
    assert [
        "files_found",
        "files_processed",
        "files_uploaded",
        "files_published",
        "files_ignored",
        "files_failed",
        "errors",
    ] == list(stats)
    return report, stats


def numbers(stats: dict[str, Any]) -> tuple[int, ...]:
    """Found, processed, uploaded, published, ignored, failed."""
    return tuple(value for value in stats.values() if isinstance(value, int))


async def test_once_publishes_what_lies_there_and_reports_it(river: River) -> None:
    """Exit 0, the numbers of the pass, and the folder is empty; a second pass finds nothing."""
    originals = river.drop_pictures(3)
    first = await river.run("once", "--json")
    report, stats = report_of(first)
    assert 0 == first.code, first.err
    assert report["success"] is report["result"]["success"] is True
    assert (3, 3, 3, 3, 0, 0) == numbers(stats)
    assert [] == stats["errors"]
    assert str(river.inbox) == report["source_directory"]
    assert f"127.0.0.1:{river.host.ftp.port}" == report["ftp_server"]
    assert ACCOUNT == report["instagram_account"]
    assert datetime.fromisoformat(report["timestamp"]).tzinfo is not None
    await river.arrived(originals)

    second = await river.run("once", "--json")
    assert 0 == second.code
    assert (0, 0, 0, 0, 0, 0) == numbers(report_of(second)[1])
    await river.arrived(originals)


async def test_once_counts_what_it_could_not_publish(river: River) -> None:
    """Exit 1, with each file that was ignored, is a duplicate, or is held, told apart."""
    beach = river.drop("beach.jpg", jpeg())
    await river.run("once")
    river.drop("beach copy.jpg", beach)
    river.drop("clip.mp4", MP4 + bytes(4096))
    river.drop("document.pdf", PDF)
    river.drop("sea.jpg", jpeg(seed=2))
    ended = await river.run("once", "--json")
    report, stats = report_of(ended)
    assert 1 == ended.code
    assert report["success"] is False
    assert (4, 2, 1, 1, 2, 1) == numbers(stats)
    (error,) = stats["errors"]
    assert "clip.mp4" == error["file"]
    assert error["message"]
    assert error["remedy"]
    assert ["beach", "sea"] == river.captions()


async def test_once_says_that_the_folder_is_missing(river: River) -> None:
    """Exit 1, a sentence that names the folder, and what to do; nothing is made in its place."""
    river.inbox.rmdir()
    spoken = await river.run("once")
    assert 1 == spoken.code
    assert str(river.inbox) in spoken.out
    assert "cannot be listed: No such file or directory." in spoken.out
    assert "Create it, or name another one in [watch] folder." in spoken.out
    ended = await river.run("once", "--json")
    assert 1 == ended.code
    (error,) = report_of(ended)[1]["errors"]
    assert "folder-missing" == error["code"]
    assert not river.inbox.exists()


async def test_once_goes_on_with_what_an_earlier_pass_left(river: River) -> None:
    """A post that waits is no success; the next pass takes it up and publishes it."""
    right = river.tables["instagram"]["access_token"]
    river.configure(instagram={"access_token": "EAA-an-old-token"})
    original = river.drop("beach.jpg", jpeg())
    for calls in (1, 1):  # the second pass spends none: it is the same token
        first = await river.run("once", "--json")
        assert 1 == first.code
        (error,) = report_of(first)[1]["errors"]
        assert "token" == error["code"]
        assert calls == river.simulator.state.calls
    river.configure(instagram={"access_token": right})
    second = await river.run("once", "--json")
    assert 0 == second.code, second.out
    assert (1, 1, 1, 1, 0, 0) == numbers(report_of(second)[1])
    await river.arrived({"beach.jpg": original})
