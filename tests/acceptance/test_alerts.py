"""The owner is told, by a daemon as it comes and by the command that tries the ways."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import pytest

from tests.support.alert_receiver import SECRET, Receiver, receiver
from tests.support.daemon import Ended
from tests.support.pictures import jpeg
from tests.support.river import River


@pytest.fixture
async def owner(river: River) -> AsyncIterator[Receiver]:
    """Somebody whose address stands in the settings."""
    async with receiver() as opened:
        river.configure(alerts={"urls": [opened.url]})
        yield opened


def drop_damaged(river: River, count: int, first: int = 0) -> None:
    """Pictures that can never be published, each another one."""
    whole = jpeg(400, 320)
    for number in range(first, first + count):
        river.drop(f"bad-{number:02}.jpg", whole[:300] + bytes([number]) * 200 + whole[-2:])


def holds_no_secret(river: River, *ended: Ended) -> bool:
    """Neither what was printed, nor the log, nor the journal and whatever lies beside it."""
    texts = [text for each in ended for text in (each.out, each.err)]
    files = [river.log_file, *river.data.rglob("*")]
    kept = [file.read_bytes() for file in files if file.is_file()]
    return not any(SECRET in text for text in texts) and not any(
        SECRET.encode() in content for content in kept
    )


async def test_many_failures_of_one_pass_are_one_message(river: River, owner: Receiver) -> None:
    """With the names of some and the number of all; a second pass tells nothing of them."""
    drop_damaged(river, 12)
    first = await river.run("once")
    again = await river.run("once")

    (message,) = owner.told
    assert "mediawatch: 12 posts failed" == message["title"]
    assert "bad-00.jpg failed." in message["message"]
    assert "→ " in message["message"]
    assert 1 == first.code
    assert holds_no_secret(river, first, again)


@pytest.mark.slow
async def test_a_restart_repeats_nothing(river: River, owner: Receiver) -> None:
    """Killed after it told: the next life tells only what is new."""
    async with river.daemon() as running:
        drop_damaged(river, 2)
        await river.until(lambda: owner.told, limit=60)
        await river.until(lambda: river.said("alert"))
        await running.kill()
    async with river.daemon():
        drop_damaged(river, 1, first=2)
        await river.until(lambda: len(owner.told) > 1, limit=60)

    assert ["mediawatch: 2 posts failed", "mediawatch: bad-02.jpg failed"] == owner.titles
    assert holds_no_secret(river)


async def test_the_command_tries_each_address(river: River, owner: Receiver) -> None:
    """And tells of each whether it went, by its number; never the address."""
    dead = f"json://me:{SECRET}@127.0.0.1:1/{SECRET}"
    river.configure(alerts={"urls": [owner.url, dead, f"nosuch://{SECRET}"]})
    told = await river.run("alerts", "test")
    as_json = await river.run("alerts", "test", "--json")

    assert 1 == told.code
    assert "✅ Address 1 (json://•••): it went." in told.out
    assert "❌ Address 2 (json://•••): it cannot be reached." in told.out
    assert "❌ Address 3 (nosuch://•••): Apprise does not know this kind" in told.out
    assert ["mediawatch: this is a test"] * 2 == owner.titles
    rows = json.loads(as_json.out)["addresses"]
    assert [True, False, False] == [row["ok"] for row in rows]
    assert holds_no_secret(river, told, as_json)


async def test_all_well_and_none_at_all(river: River, owner: Receiver) -> None:
    """Exit code 0 if every message went; no address is nothing that works."""
    well = await river.run("alerts", "test")
    river.configure(alerts={"urls": []})
    none = await river.run("alerts", "test")

    assert (0, 1) == (well.code, none.code)
    assert "No address is set" in none.out


async def test_addresses_may_stand_in_a_file(river: River, owner: Receiver) -> None:
    """One a line, with remarks; and one that cannot be an address is named by its number only."""
    file = river.root / "alerts.urls"
    file.write_text(f"# mine\n{owner.url}\n\n", encoding="utf-8")
    river.configure(alerts={"urls": [], "urls_file": str(file)})
    well = await river.run("alerts", "test")
    file.write_text(f"{owner.url}\n{SECRET}\n", encoding="utf-8")
    wrong = await river.run("check")

    assert 0 == well.code, well.out
    assert 78 == wrong.code
    assert "[alerts] urls" in wrong.out + wrong.err
    assert "number 1" in wrong.out + wrong.err
    assert holds_no_secret(river, well, wrong)
