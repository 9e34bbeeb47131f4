"""Whose a folder is that is called like an account, whatever becomes of the account."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mediawatch.journal.sqlite import SqliteJournal
from mediawatch.watch import folders, same_folder
from mediawatch.watch.accounts import Addressee, KnownAccounts, NoAccount
from mediawatch.watch.listing import names_in
from mediawatch.watch.same_folder import MOST_WATCHED, SameFolder
from tests.support.several_accounts import ALICE, BOB, OWN, connect, disconnect

NOW = 1_800_000_000.0


class Time:
    """A clock that is turned by hand."""

    def __init__(self) -> None:
        self.time = NOW

    def now(self) -> float:
        return self.time

    def monotonic(self) -> float:
        return self.time


class House:
    """A journal, and who knows its accounts. ``own``: that of the settings."""

    def __init__(self, journal: SqliteJournal, own: str | None = None) -> None:
        self.journal, self.clock = journal, Time()
        self.known = KnownAccounts(journal, self.clock, own, lambda: journal.transactions)

    async def whose(self, name: str) -> Addressee | None:
        await self.known.refresh(at_once=True)
        return self.known.of_folder(name)


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[SqliteJournal]:
    async with SqliteJournal(tmp_path / "journal.db") as journal:
        yield journal


async def test_both_names_of_an_account_that_was_renamed_lead_to_it(
    journal: SqliteJournal,
) -> None:
    """Also after a restart, and when it is disconnected; the new name counts from now on."""
    house = House(journal)
    await connect(journal, ALICE, "Alice", at=NOW - 50)
    assert Addressee(ALICE, NOW - 50) == await house.whose("ALICE")
    await connect(journal, ALICE, "alice.b", at=NOW - 50)
    house.clock.time += 10
    assert Addressee(ALICE, NOW + 10) == await house.whose("alice.b")

    await disconnect(journal, ALICE)
    again = House(journal)
    assert Addressee(ALICE, NOW - 50) == await again.whose("alice")
    assert Addressee(ALICE) == await again.whose(ALICE)
    assert {"alice", "alice.b", ALICE} == again.known.folders
    assert [] == again.known.in_use()


async def test_a_name_that_another_connected_account_has_taken_is_that_ones(
    journal: SqliteJournal,
) -> None:
    """From now on; and the account of the past does not get it back for being there."""
    house = House(journal)
    await connect(journal, ALICE, "news", at=NOW - 50)
    await house.whose("news")
    await disconnect(journal, ALICE)
    await connect(journal, BOB, "News", at=NOW - 10)
    house.clock.time += 5

    assert Addressee(BOB, NOW + 5) == await house.whose("news")
    house.clock.time += 5
    assert Addressee(BOB, NOW + 5) == await house.whose("news")


async def test_an_inbox_that_names_no_account_posts_to_the_only_one(
    journal: SqliteJournal,
) -> None:
    """That of the settings, else the one that is connected; never to one of several."""
    house = House(journal)
    await house.known.refresh()
    with pytest.raises(NoAccount, match="No Instagram account is connected"):
        house.known.of_inbox("[watch]", "")
    await connect(journal, ALICE, "alice")
    await house.whose("alice")
    assert ALICE == house.known.of_inbox("[watch]", "")
    await connect(journal, BOB, "bob")
    await house.whose("bob")
    with pytest.raises(NoAccount, match=r"\[watch\] names no account, and 2 are connected"):
        house.known.of_inbox("[watch]", "")
    await disconnect(journal, BOB)
    await house.whose("bob")
    with pytest.raises(NoAccount, match="2 are connected, or were"):
        house.known.of_inbox("[watch]", "")  # what waits may be meant for the other one
    await connect(journal, BOB, "bob")
    await house.whose("bob")
    assert BOB == house.known.of_inbox("[watch.inboxes 1]", "Bob")
    with pytest.raises(NoAccount, match=r"\[watch.inboxes 1\] account = carol"):
        house.known.of_inbox("[watch.inboxes 1]", "carol")

    settings = House(journal, OWN)
    await settings.known.refresh()
    assert OWN == settings.known.of_inbox("[watch]", "")
    assert [OWN, ALICE, BOB] == settings.known.in_use()


def test_folders_of_accounts_are_looked_into(tmp_path: Path) -> None:
    """One level deep, and stories/ and reels/ in them; those are kinds, whoever is called so."""
    for name in ("alice/a.jpg", "alice/stories/b.jpg", "alice/album/1.jpg", "bob/c.jpg"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "Reels").mkdir()
    (tmp_path / "Reels/d.mp4").touch()

    found = set(names_in(str(tmp_path), {"alice", "reels"}))

    assert {"alice/a.jpg", "alice/stories/b.jpg", "alice/album", "bob", "Reels/d.mp4"} == found
    assert {"alice/album", "bob"} == {name for name in found if folders.may_be_carousel(name)} & {
        "alice/album",
        "bob",
    }
    assert not folders.may_be_carousel("alice/stories/album")
    assert not folders.may_be_carousel("stories/album")
    assert {"alice"} == {folders.account_in(name) for name in found} - {None}


def test_not_every_folder_of_an_account_is_watched(tmp_path: Path) -> None:
    """Each costs a thread: beyond some, the inbox is listed more often instead."""
    names = frozenset(f"a{number:03d}" for number in range(MOST_WATCHED + 5))
    for name in names:
        (tmp_path / name).mkdir()
    folder = SameFolder(str(tmp_path), lambda: names)

    assert 1 + same_folder.MOST_WATCHED == len(folder.identities())
    assert folder.beyond
