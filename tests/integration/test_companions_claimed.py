"""What goes with a file through claims that go wrong, kills between two steps, and repetitions."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import update

from mediawatch.actions.again import publish_again
from mediawatch.errors import JournalError, StorageProblem
from mediawatch.journal import accounts, post_items, posts, schema
from mediawatch.journal.database import Statement
from mediawatch.journal.sqlite import SqliteJournal
from mediawatch.model.lifecycle import Event, Stage, State
from mediawatch.model.posts import Post
from mediawatch.pipeline import filing
from mediawatch.watch import listing
from mediawatch.watch.candidates import Candidate, Taken
from mediawatch.watch.watcher import Limits
from tests.integration.test_intake import House
from tests.support.actors import MACHINE
from tests.support.pictures import jpeg
from tests.support.simulator import USER
from tests.support.videos import video
from tests.support.watching import Watched

RAW = b"II*\0" + bytes(range(200))


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with SqliteJournal(tmp_path / "journal.db") as journal:
        await journal.apply([accounts.ensure(USER)])
        yield House(tmp_path, journal)


def with_raw(house: House, name: str = "a") -> Candidate:
    """A picture and its RAW in the inbox."""
    raw = house.drop(f"{name}.CR2", RAW).path
    return dataclasses.replace(house.drop(f"{name}.jpg"), companions=(raw,))


def with_cover(house: House) -> Candidate:
    """A video and its cover in the inbox."""
    cover = house.drop("a.cover.jpg", jpeg(400, 700)).path
    return dataclasses.replace(house.drop("a.mp4", video(seconds=3)), companions=(cover,))


async def test_a_companion_is_an_item_that_is_not_sent(house: House) -> None:
    """It is claimed with its picture, and known to the journal; only the picture is a part."""
    assert Taken.TAKEN is await house.take(with_raw(house))
    post = await house.only_post()
    assert ["a.jpg", "a.CR2"] == [item.name for item in post.items]
    assert ["a.jpg"] == [item.name for item in post.parts]
    assert [f"{post.id}/a.CR2", f"{post.id}/a.jpg"] == house.work()
    assert [] == house.inbox


async def test_a_cover_is_a_part_and_does_not_make_another_post(house: House) -> None:
    """The content is that of the video alone: with another cover it is the same reel."""
    assert Taken.TAKEN is await house.take(with_cover(house))
    post = await house.only_post()
    assert ["a.mp4", "a.cover.jpg"] == [item.name for item in post.parts]
    again = with_cover(house)
    again.companions[0].write_bytes(jpeg(400, 700, seed=2))
    assert Taken.TAKEN is await house.take(again)
    assert [post.id] == [each.id for each in await posts.listed(house.journal)]
    assert (house.watch.duplicate_folder / "a.cover.jpg").is_file()


@pytest.mark.parametrize("changed", ["a.jpg", "a.CR2"])
async def test_a_claim_that_is_undone_brings_everything_back(
    house: House, monkeypatch: pytest.MonkeyPatch, changed: str
) -> None:
    """Somebody wrote to one of the two between the reading and the rename: both settle again."""
    real = filing.claim_rename

    def written_meanwhile(source: Path, target: Path) -> None:
        if source.name == changed:
            source.write_bytes(b"more")
        real(source, target)

    candidate = with_raw(house)
    with monkeypatch.context() as broken:
        broken.setattr(filing, "claim_rename", written_meanwhile)
        assert Taken.CHANGED is await house.take(candidate)
    assert ["a.CR2", "a.jpg"] == house.inbox
    assert ([], []) == (house.work(), await posts.listed(house.journal))


async def test_a_journal_that_cannot_be_written_brings_everything_back(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Claimed, and not to be written down: both lie in the inbox, and the next take has both."""
    apply, calls = SqliteJournal.apply, 0

    async def fails_then(journal: SqliteJournal, statements: object) -> object:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise JournalError("The journal cannot be written.", remedy="")
        return await apply(journal, statements)  # type: ignore[arg-type]

    candidate = with_raw(house)
    with monkeypatch.context() as broken:
        broken.setattr(SqliteJournal, "apply", fails_then)
        await house.take(candidate)
    assert ["a.CR2", "a.jpg"] == house.inbox
    assert Taken.TAKEN is await house.take(candidate)
    post = await house.only_post()
    assert [f"{post.id}/a.CR2", f"{post.id}/a.jpg"] == house.work()


def held_by_another_program(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As Windows refuses to move a file that is open elsewhere."""
    real = filing.claim_rename

    def refused(source: Path, target: Path) -> None:
        if source.name == name:
            raise StorageProblem(f"{name} is used by another program.", remedy="", code="storage")
        real(source, target)

    monkeypatch.setattr(filing, "claim_rename", refused)


async def test_a_raw_that_another_program_has_stays_behind(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its picture is published without it, and the journal does not think otherwise."""
    held_by_another_program("a.CR2", monkeypatch)
    assert Taken.TAKEN is await house.take(with_raw(house))
    post = await house.only_post()
    assert (["a.jpg"], State.READY) == ([item.name for item in post.items], post.state)
    assert ["a.CR2"] == house.inbox


async def test_a_cover_that_another_program_has_keeps_its_reel(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reel is not published without: both stay, and are tried again later."""
    held_by_another_program("a.cover.jpg", monkeypatch)
    assert Taken.PROBLEM is await house.take(with_cover(house))
    assert (["a.cover.jpg", "a.mp4"], []) == (house.inbox, house.work())
    assert [] == await posts.listed(house.journal)


async def test_a_video_that_another_program_has_keeps_its_cover(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The cover was moved first, and is put back."""
    held_by_another_program("a.mp4", monkeypatch)
    assert Taken.PROBLEM is await house.take(with_cover(house))
    assert (["a.cover.jpg", "a.mp4"], []) == (house.inbox, house.work())
    assert [] == await posts.listed(house.journal)


async def killed(house: House, candidate: Candidate, *, moved: set[str]) -> Post:
    """The post is written down, and of the renames only these were made."""
    await house.take(candidate)
    post = await house.only_post()
    back = []
    for item in post.items:
        source = house.watch.folder / item.name
        back.append(dataclasses.replace(item, source=source, moving_to=item.source))
        if item.name not in moved:
            item.source.rename(source)
    _, running = posts.move(dataclasses.replace(post, state=State.READY), Event.CLAIM, now=0.0)
    await house.journal.apply([running, *(post_items.record_item(item) for item in back)])
    return post


@pytest.mark.parametrize("moved", [set(), {"a.jpg"}, {"a.jpg", "a.CR2"}])
async def test_a_kill_between_the_renames_is_put_right(house: House, moved: set[str]) -> None:
    """Whatever was moved, in the end both are."""
    post = await killed(house, with_raw(house), moved=moved)
    await house.recovery.run_once()
    again = await house.only_post()
    folder = house.watch.work_folder / post.id
    assert State.READY is again.state
    assert [(folder / "a.jpg", None), (folder / "a.CR2", None)] == [
        (item.source, item.moving_to) for item in again.items
    ]


async def test_a_raw_that_is_taken_away_after_a_kill_is_not_missed(house: House) -> None:
    """The picture is a post all the same."""
    post = await killed(house, with_raw(house), moved={"a.jpg"})
    (house.watch.folder / "a.CR2").unlink()
    await house.recovery.run_once()
    again = await house.only_post()
    assert (post.id, State.READY) == (again.id, again.state)
    assert ["a.jpg"] == [item.name for item in again.items]


async def test_a_raw_that_is_taken_from_the_work_folder_does_not_keep_its_picture(
    house: House,
) -> None:
    """The post is held: its picture is filed with a note, and the RAW is spoken of no more."""
    await house.take(with_raw(house))
    post = await house.only_post()
    (house.watch.work_folder / post.id / "a.CR2").unlink()
    work = await house.claimed(post.id)
    await work.write(Event.HOLD, reason="caption", detail="Too long.", remedy="Shorten it.")
    await house.recovery.run_once()
    again = await house.only_post()
    assert [house.watch.held_folder / "a.jpg"] == [item.source for item in again.items]


async def test_a_kill_while_a_held_post_is_filed_leaves_nothing_behind(house: House) -> None:
    """The picture lies in held already, its RAW still in the work folder: it follows."""
    await house.take(with_raw(house))
    post = await house.only_post()
    work = await house.claimed(post.id)
    await work.write(Event.HOLD, reason="caption", detail="Too long.", remedy="Shorten it.")
    await house.recovery.run_once()
    again = await house.only_post()
    target = house.watch.work_folder / post.id / "a.CR2"
    target.parent.mkdir(parents=True, exist_ok=True)
    again.items[1].source.rename(target)
    back = dataclasses.replace(again.items[1], source=target)
    await house.journal.apply([post_items.record_item(back)])
    await house.recovery.run_once()
    assert RAW == (house.watch.held_folder / "a.CR2").read_bytes()
    assert [] == house.work()


async def test_published_once_more_without_the_raw(house: House) -> None:
    """``--again`` copies what is sent to Meta: the RAW lies beside the first already."""
    await house.take(with_raw(house))
    await _done(house, await house.only_post())
    old = await house.only_post()
    again = await publish_again(house.journal, house.clock, MACHINE, old.id, house.inboxes)
    assert ["a.jpg"] == [item.name for item in again.items]


async def test_a_reel_is_published_once_more_with_its_cover(house: House) -> None:
    """``--again`` copies both."""
    await house.take(with_cover(house))
    await _done(house, await house.only_post())
    old = await house.only_post()
    again = await publish_again(house.journal, house.clock, MACHINE, old.id, house.inboxes)
    assert ["a.mp4", "a.cover.jpg"] == [item.name for item in again.parts]
    assert all(item.source.is_file() for item in again.items)


async def _done(house: House, post: Post) -> None:
    """It was published, and lies where it was claimed to."""
    at = schema.posts.c.id == post.id
    values = {"stage": Stage.ARCHIVE, "state": State.DONE, "published_at": 1.0}
    await house.journal.apply([Statement(update(schema.posts).where(at).values(values), rows=1)])


def test_a_full_tracker_still_sees_what_belongs_together(tmp_path: Path) -> None:
    """More files than are tracked at a time: what belongs to those that are is seen with them."""
    for number in range(20):
        for suffix in ("jpg", "CR2"):
            (tmp_path / f"{number}.{suffix}").write_bytes(b"x")
    found = listing.scan(str(tmp_path), set(), 6)
    assert found.more
    pictures = {name.rpartition(".")[0] for name in found.fresh if name.endswith(".jpg")}
    raws = {name.rpartition(".")[0] for name in found.fresh if name.endswith(".CR2")}
    assert pictures <= raws
    assert len(found.fresh) <= 12


def test_a_full_tracker_sees_no_clip_without_its_picture(tmp_path: Path) -> None:
    """Whichever of them the disk lists first: the clip of a picture that is there is no reel."""
    for number in range(20):
        for suffix in ("MOV", "HEIC"):
            (tmp_path / f"{number}.{suffix}").write_bytes(b"x")
    for room in range(1, 40):
        found = listing.scan(str(tmp_path), set(), room)
        clips = {name.rpartition(".")[0] for name in found.fresh if name.endswith(".MOV")}
        pictures = {name.rpartition(".")[0] for name in found.fresh if name.endswith(".HEIC")}
        assert clips <= pictures
        assert len(found.fresh) <= 2 * room


async def test_a_storm_of_pairs_is_offered_pair_by_pair(tmp_path: Path) -> None:
    """More than are looked at ahead: every picture is offered once, and with its own RAW."""
    watched = Watched(tmp_path, limits=Limits(track_max=500, health=0.2, poll=0.2))
    watched.together = 2000
    for number in range(700):
        watched.put(f"{number}.CR2", b"raw")
        watched.put(f"{number}.jpg")
    async with watched.running():
        await watched.until(lambda: len(watched.taken) == 700, limit=60)
    along = {each.name: [path.name for path in each.companions] for each in watched.offered}
    assert {f"{n}.jpg": [f"{n}.CR2"] for n in range(700)} == along
    assert 700 == len(watched.offered)
