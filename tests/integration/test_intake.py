"""From a settled file to a post, and back again after every kind of end."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import update

from mediawatch.config import PublishSettings, WatchSettings
from mediawatch.config.inboxes import inboxes
from mediawatch.errors import (
    GraphProblem,
    Handling,
    JournalError,
    Rejected,
    SourceProblem,
    StorageProblem,
)
from mediawatch.graph.publishing import Publishing
from mediawatch.journal import accounts, post_items, posts, schema
from mediawatch.journal.database import Statement
from mediawatch.journal.sqlite import SqliteJournal
from mediawatch.journal.witness import Witness
from mediawatch.log import silent
from mediawatch.media.cache import Cache
from mediawatch.media.order import ImageOptions, Prepared
from mediawatch.media.pool import Preparer
from mediawatch.model import captions
from mediawatch.model.kinds import PostKind
from mediawatch.model.lifecycle import Event, Stage, State
from mediawatch.model.posts import Post
from mediawatch.pipeline import filing
from mediawatch.pipeline.archive import Archive
from mediawatch.pipeline.convert import Convert
from mediawatch.pipeline.outcomes import Reason
from mediawatch.pipeline.recovery import Recovery
from mediawatch.pipeline.work import Work
from mediawatch.watch.candidates import Candidate, Taken
from mediawatch.watch.intake import BACKLOG, Intake
from mediawatch.watch.words import Words
from tests.support.daemon import until
from tests.support.pictures import jpeg
from tests.support.publishing import NotingEngine, NotingLog, TurnedClock
from tests.support.simulator import USER
from tests.support.simulator import Clock as SimulatorClock


class House:
    """An inbox with its folders, a journal, and an intake between them."""

    def __init__(self, root: Path, journal: SqliteJournal) -> None:
        self.watch = WatchSettings(folder=root / "download")
        self.watch.folder.mkdir()
        self.journal = journal
        self.clock = TurnedClock(SimulatorClock())
        self.engine = NotingEngine()
        self.taken: list[tuple[str, bool]] = []
        self.inboxes = inboxes(self.watch, PublishSettings(hashtags=("tag",)))
        self.intake = Intake(
            self.inboxes.first,
            USER,
            journal=journal,
            engine=self.engine,
            clock=self.clock,
            log=silent(),
            taken=lambda name, _post, again: self.taken.append((name, again)),
        )
        self.archive = Archive(self.inboxes, self.clock)
        self.witness = Witness(root / "asked.json")
        self.recovery = Recovery(
            self.inboxes, journal, self.clock, silent(), self.archive, self.witness
        )

    async def take(self, candidate: Candidate) -> Taken:
        """Hand over one file."""
        (taken,) = await self.intake.take([candidate])
        return taken

    def drop(self, name: str, data: bytes | None = None) -> Candidate:
        path = self.watch.folder / name
        path.write_bytes(jpeg(400, 400) if data is None else data)
        return self.candidate(path)

    def candidate(self, path: Path) -> Candidate:
        found = path.lstat()
        key = (found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
        return Candidate(path, path.name, key, found.st_size)

    async def only_post(self) -> Post:
        (post,) = await posts.listed(self.journal)
        return post

    async def claimed(self, post_id: str) -> Work:
        row = (await self.journal.apply([posts.claim(post_id, now=self.clock.now(), lease=60)]))[0][
            0
        ]
        post = posts.from_row(row, await post_items.items_of(self.journal, post_id))
        return Work(self.journal, self.clock, silent(), post)

    @property
    def inbox(self) -> list[str]:
        return sorted(p.name for p in self.watch.folder.iterdir() if not p.name.startswith("."))

    def work(self) -> list[str]:
        return sorted(
            str(p.relative_to(self.watch.work_folder))
            for p in self.watch.work_folder.rglob("*")
            if p.is_file()
        )


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with SqliteJournal(tmp_path / "journal.db") as journal:
        await journal.apply([accounts.ensure(USER)])
        yield House(tmp_path, journal)


async def test_a_file_becomes_a_post(house: House) -> None:
    """Claimed by a rename into the work folder; ready, with a caption from the template."""
    assert Taken.TAKEN is await house.take(house.drop("beach_day.jpg"))

    post = await house.only_post()
    assert (State.READY, Stage.CONVERT) == (post.state, post.stage)
    assert post.caption == "beach day\n\n#tag"
    assert [f"{post.id}/beach_day.jpg"] == house.work()
    assert [] == house.inbox
    assert [(post.id, 0.0)] == house.engine.woken
    assert [("beach_day.jpg", False)] == house.taken


async def test_the_caption_beside_the_file(house: House) -> None:
    """name.txt is the caption of name.jpg, and goes where it goes; no hashtags are added."""
    (house.watch.folder / "a.txt").write_bytes("\ufeffÇa va ☀️\n".encode())

    await house.take(house.drop("a.jpg"))

    post = await house.only_post()
    assert "Ça va ☀️" == post.caption
    assert [f"{post.id}/a.jpg", f"{post.id}/a.txt"] == house.work()


async def test_a_caption_in_an_old_encoding(house: House) -> None:
    """A text that is not UTF-8 is read as Windows wrote it, not refused."""
    (house.watch.folder / "a.txt").write_bytes("Été".encode("cp1252"))

    await house.take(house.drop("a.jpg"))

    assert "Été" == (await house.only_post()).caption


async def test_a_caption_that_notepad_wrote(house: House) -> None:
    """UTF-16 with its mark is read as such."""
    (house.watch.folder / "a.txt").write_bytes("Ça va".encode("utf-16"))

    await house.take(house.drop("a.jpg"))

    assert "Ça va" == (await house.only_post()).caption


async def test_a_caption_behind_a_link_is_not_read(house: House, tmp_path: Path) -> None:
    """Whoever may write into the inbox may not publish any file that we can read."""
    (tmp_path / "secret").write_text("root:x:0:0")
    (house.watch.folder / "a.txt").symlink_to(tmp_path / "secret")

    await house.take(house.drop("a.jpg"))

    assert "root" not in (await house.only_post()).caption
    assert ["a.txt"] == house.inbox


async def test_a_name_that_is_not_text(house: House) -> None:
    """A name that is not valid UTF-8 is taken, and shown with a replacement character."""
    await house.take(house.drop("caf\udce9.jpg"))

    post = await house.only_post()
    assert "caf?.jpg" == post.name
    assert post.items[0].source.is_file()


async def test_a_video_is_known_by_its_bytes(house: House) -> None:
    """A video named .jpg is a reel to be."""
    await house.take(house.drop("a.jpg", b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + bytes(64)))

    assert PostKind.REEL is (await house.only_post()).kind


async def test_a_file_that_is_gone(house: House) -> None:
    """Taken away between settling and claiming: no post."""
    candidate = house.drop("a.jpg")
    candidate.path.unlink()

    assert Taken.GONE is await house.take(candidate)
    assert [] == await posts.listed(house.journal)


async def test_a_file_that_changed(house: House) -> None:
    """Written to between settling and claiming: it settles again, untouched."""
    candidate = house.drop("a.jpg")
    candidate.path.write_bytes(jpeg(500, 400))

    assert Taken.CHANGED is await house.take(candidate)
    assert (["a.jpg"], []) == (house.inbox, await posts.listed(house.journal))


async def test_a_link_out_of_the_folder_is_not_followed(house: House, tmp_path: Path) -> None:
    """Nothing outside the inbox is reached through a link that replaced the file."""
    candidate = house.drop("a.jpg")
    (tmp_path / "secret.jpg").write_bytes(candidate.path.read_bytes())
    candidate.path.unlink()
    candidate.path.symlink_to(tmp_path / "secret.jpg")

    assert Taken.PROBLEM is await house.take(candidate)
    assert (tmp_path / "secret.jpg").is_file()
    assert [] == await posts.listed(house.journal)


async def test_the_same_bytes_again(house: House) -> None:
    """I6: filed under duplicate/ with a note that names the first post; not posted again."""
    await house.take(house.drop("a.jpg"))
    first = await house.only_post()

    assert Taken.TAKEN is await house.take(house.drop("b.jpg"))

    assert first.id == (await house.only_post()).id
    note = json.loads((house.watch.duplicate_folder / "b.jpg.mediawatch.json").read_text())
    assert first.id == note["post"]
    assert (house.watch.duplicate_folder / "b.jpg").is_file()
    assert ("b.jpg", True) == house.taken[-1]


async def test_what_failed_may_be_put_back(house: House) -> None:
    """The same bytes after a failure are a new post."""
    await house.take(house.drop("a.jpg"))
    work = await house.claimed((await house.only_post()).id)
    await work.write(Event.FAIL)
    await house.archive.set_aside(work, "failed", Reason("corrupt", "It is broken.", "Mend it."))
    failed = house.watch.failed_folder / "a.jpg"
    note = json.loads(failed.with_name("a.jpg.mediawatch.json").read_text())
    assert ("It is broken.", "Mend it.") == (note["why"], note["what_to_do"])
    assert not house.watch.work_folder.joinpath(work.post.id).exists()

    back = failed.rename(house.watch.folder / "a.jpg")
    assert Taken.TAKEN is await house.take(house.candidate(back))

    assert 2 == len(await posts.listed(house.journal))


async def test_what_is_held_may_be_put_back(house: House) -> None:
    """Putting a held file back into the inbox tries the same post again, with its new caption."""
    await house.take(house.drop("a.jpg"))
    post = await house.only_post()
    work = await house.claimed(post.id)
    await work.write(Event.HOLD)
    await house.archive.set_aside(work, "held", Reason("caption", "Too long.", "Shorten it."))
    held = house.watch.held_folder / "a.jpg"
    assert held.is_file()
    back = held.rename(house.watch.folder / "a.jpg")
    (house.watch.folder / "a.txt").write_text("Shorter.")

    assert Taken.TAKEN is await house.take(house.candidate(back))

    again = await house.only_post()
    assert (post.id, State.READY, "Shorter.") == (again.id, again.state, again.caption)
    assert again.items[0].source.is_file()


async def held_in(house: House, name: str = "a.jpg") -> Path:
    await house.take(house.drop(name))
    work = await house.claimed((await house.only_post()).id)
    await work.write(Event.HOLD, rebuilds=3)
    await house.archive.set_aside(work, "held", Reason("caption", "Too long.", "Shorten it."))
    return house.watch.held_folder / name


async def test_a_copy_of_a_held_file_tries_it_again(house: House) -> None:
    """Whoever copies a held file into the inbox wants it published, not called a duplicate."""
    held = await held_in(house)

    copy = house.drop("a.jpg", held.read_bytes())
    assert Taken.TAKEN is await house.take(copy)

    post = await house.only_post()
    assert (State.READY, 0, held) == (post.state, post.rebuilds, post.items[0].source)
    assert (house.watch.duplicate_folder / "a.jpg").is_file()


async def test_putting_back_that_is_cut_off_is_ended_by_the_next_take(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rename that fails once leaves the file in the inbox; the next take tries the post again."""
    held = await held_in(house)
    back = held.rename(house.watch.folder / "a.jpg")
    with monkeypatch.context() as broken:
        broken.setattr(filing, "claim_rename", _locked)
        assert Taken.PROBLEM is await house.take(house.candidate(back))

    assert Taken.TAKEN is await house.take(house.candidate(back))

    post = await house.only_post()
    assert (State.READY, True) == (post.state, post.items[0].source.is_file())
    assert [] == house.inbox


def _locked(source: Path, target: Path) -> None:
    raise StorageProblem(f"{source} is locked.", remedy="Close it.")


async def test_a_caption_that_vanishes_while_its_picture_is_claimed(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An editor that saves the caption just now does not make the picture's post vanish."""
    caption = house.watch.folder / "a.txt"
    caption.write_text("Hello")
    os.utime(caption, (1, 1))
    rename = filing.claim_rename

    def saved_meanwhile(source: Path, target: Path) -> None:
        caption.unlink(missing_ok=True)
        rename(source, target)

    monkeypatch.setattr(filing, "claim_rename", saved_meanwhile)

    assert Taken.TAKEN is await house.take(house.drop("a.jpg"))

    post = await house.only_post()
    assert ("Hello", True) == (post.caption, post.items[0].source.is_file())


async def test_a_caption_that_is_just_being_written(house: House) -> None:
    """A picture waits for the caption that somebody is writing beside it."""
    house.clock.source.now = time.time()
    (house.watch.folder / "a.txt").write_text("Hel")

    assert Taken.CHANGED is await house.take(house.drop("a.jpg"))

    assert ["a.jpg", "a.txt"] == house.inbox


async def test_a_caption_in_capitals(house: House) -> None:
    """A.TXT is as good as a.txt."""
    (house.watch.folder / "a.TXT").write_text("Hello")

    await house.take(house.drop("a.jpg"))

    assert "Hello" == (await house.only_post()).caption
    assert [] == house.inbox


async def test_a_full_river_holds_the_folder_back(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Above the backlog a file is not claimed until others have ended."""
    await house.take(house.drop("seed.jpg"))
    seed = await house.only_post()
    await house.journal.apply(
        [
            statement
            for number in range(BACKLOG)
            for statement in posts.add(
                dataclasses.replace(seed, id=f"{number:012x}", content_key=str(number), items=())
            )
        ]
    )
    looked = 0

    async def look_again(_seconds: float) -> None:
        nonlocal looked
        looked += 1
        assert ["late.jpg"] == house.inbox
        await house.journal.apply([posts.forget(f"{n:012x}") for n in (looked * 2, looked * 2 + 1)])

    monkeypatch.setattr("mediawatch.watch.intake.asyncio.sleep", look_again)

    late = house.drop("late.jpg", jpeg(500, 400))
    assert 1 == await house.intake.room()

    assert 1 <= looked
    assert Taken.TAKEN is await house.take(late)


# What a kill leaves half done.


async def kill_after_intent(house: House) -> Post:
    """The post is written down, and the rename was not made."""
    candidate = house.drop("a.jpg")
    await house.take(candidate)
    post = await house.only_post()
    item = post.items[0]
    back = dataclasses.replace(item, source=candidate.path, moving_to=item.source)
    item.source.rename(candidate.path)
    _, running = posts.move(dataclasses.replace(post, state=State.READY), Event.CLAIM, now=0.0)
    await house.journal.apply([running, post_items.record_item(back)])
    return post


async def test_killed_between_intent_and_rename(house: House) -> None:
    """The rename is made at the next start; one post, one file."""
    post = await kill_after_intent(house)

    await house.recovery.run_once()

    again = await house.only_post()
    assert (post.id, State.READY) == (again.id, again.state)
    assert ([f"{post.id}/a.jpg"], []) == (house.work(), house.inbox)


async def test_killed_between_rename_and_its_record(house: House) -> None:
    """The rename is found made, and recorded."""
    post = await kill_after_intent(house)
    target = house.watch.work_folder / post.id / "a.jpg"
    (house.watch.folder / "a.jpg").rename(target)

    await house.recovery.run_once()

    again = await house.only_post()
    assert (State.READY, target, None) == (
        again.state,
        again.items[0].source,
        again.items[0].moving_to,
    )


async def test_taken_away_between_intent_and_the_next_start(house: House) -> None:
    """The file is nowhere: its post never came to be, and the same file can come again."""
    await kill_after_intent(house)
    (house.watch.folder / "a.jpg").unlink()

    await house.recovery.run_once()

    assert [] == await posts.listed(house.journal)
    assert Taken.TAKEN is await house.take(house.drop("a.jpg"))


async def test_a_start_while_the_inbox_is_away_forgets_nothing(house: House) -> None:
    """A disk that is not mounted yet says nothing of the files that were being claimed on it."""
    await kill_after_intent(house)
    elsewhere = house.watch.folder.with_name("elsewhere")
    house.watch.folder.rename(elsewhere)
    await house.recovery.run_once()
    elsewhere.rename(house.watch.folder)

    post = await house.only_post()

    assert State.READY is post.state
    assert Taken.TAKEN is await house.take(house.candidate(house.watch.folder / "a.jpg"))
    assert (await house.only_post()).items[0].source.is_file()
    assert [post.id] == [found.id for found in await posts.listed(house.journal)]


async def test_replaced_between_intent_and_the_next_start(house: House) -> None:
    """Other bytes under the same name are not taken for those that were claimed."""
    await kill_after_intent(house)
    (house.watch.folder / "a.jpg").write_bytes(jpeg(600, 500))

    await house.recovery.run_once()

    assert ["a.jpg"] == house.inbox
    assert [] == await posts.listed(house.journal)


async def test_killed_before_a_held_file_was_filed(house: House) -> None:
    """A post that was held just before the end has its original filed at the next start."""
    await house.take(house.drop("a.jpg"))
    work = await house.claimed((await house.only_post()).id)
    await work.write(Event.HOLD, reason="caption", detail="Too long.", remedy="Shorten it.")

    await house.recovery.run_once()

    assert (house.watch.held_folder / "a.jpg").is_file()
    note = json.loads((house.watch.held_folder / "a.jpg.mediawatch.json").read_text())
    assert "Too long." == note["why"]


async def test_a_claimed_file_that_the_journal_does_not_know(house: House) -> None:
    """The journal was lost: the file may be published already, so a person decides."""
    stray = house.watch.work_folder / ("f" * 12) / "a.jpg"
    stray.parent.mkdir(parents=True)
    stray.write_bytes(b"bytes")

    await house.recovery.run_once()

    assert b"bytes" == (house.watch.held_folder / "a.jpg").read_bytes()
    assert (house.watch.held_folder / "a.jpg.mediawatch.json").is_file()
    assert [] == house.work()


class Told:
    """A log, and the recovery and archive that write to it."""

    def __init__(self, house: House) -> None:
        self.log = NotingLog()
        self.recovery = Recovery(
            house.inboxes, house.journal, house.clock, self.log, house.archive, house.witness
        )

    async def start(self) -> list[str]:
        """What is warned of at a start."""
        self.log.lines.clear()
        await self.recovery.run_once()
        return [line["event"] for line in self.log.lines if line["level"] == "warning"]


async def test_an_original_taken_from_the_work_folder_is_told_of_once(house: House) -> None:
    """Its post was held while it waited: a note lies where it is looked for, every start after
    that says nothing, and put into the inbox again it is the same post."""
    await house.take(house.drop("a.jpg"))
    post = await house.only_post()
    original = house.watch.work_folder / post.id / "a.jpg"
    data = original.read_bytes()
    original.unlink()
    work = await house.claimed(post.id)
    await work.write(Event.HOLD, reason="caption", detail="Too long.", remedy="Shorten it.")
    told = Told(house)

    (said,) = await told.start()
    assert "a.jpg cannot be filed" in said
    assert (house.watch.held_folder / "a.jpg.mediawatch.json").is_file()
    assert [] == await told.start()
    assert [] == house.work()

    assert Taken.TAKEN is await house.take(house.drop("a.jpg", data))
    again = await house.only_post()
    assert (post.id, State.READY) == (again.id, again.state)
    assert not any(house.watch.held_folder.iterdir())


async def test_a_published_original_taken_from_the_work_folder_is_told_of_once(
    house: House,
) -> None:
    """Nothing is to be done, and the next start says nothing."""
    await house.take(house.drop("a.jpg"))
    post = await house.only_post()
    (house.watch.work_folder / post.id / "a.jpg").unlink()
    done = update(schema.posts).values(stage=Stage.ARCHIVE, state=State.DONE, published_at=1.0)
    await house.journal.apply([Statement(done, rows=1)])
    told = Told(house)

    (said,) = await told.start()
    assert "a.jpg is published, but its original cannot be filed" in said
    assert [] == await told.start()


async def test_an_original_out_of_reach_is_tried_again_at_every_start(house: House) -> None:
    """With its disk away, nothing is given up as lost."""
    await house.take(house.drop("a.jpg"))
    post = await house.only_post()
    work = await house.claimed(post.id)
    await work.write(Event.HOLD, reason="caption", detail="Too long.", remedy="Shorten it.")
    away = house.watch.folder.rename(house.watch.folder.with_name("away"))
    house.watch.folder.mkdir()  # where a disk was mounted
    told = Told(house)

    assert await told.start()
    house.watch.folder.rmdir()
    away.rename(house.watch.folder)
    assert [] == await told.start()
    assert (house.watch.held_folder / "a.jpg").is_file()


async def test_running_and_parked_posts_go_on_at_the_start(house: House) -> None:
    """What was running is nobody's; what was parked is tried, since somebody restarted."""
    await house.take(house.drop("a.jpg"))
    await house.take(house.drop("b.jpg", jpeg(500, 400)))
    first, second = [post.id for post in await posts.listed(house.journal)]
    await house.claimed(first)
    work = await house.claimed(second)
    await work.write(Event.SNOOZE, wait_until=house.clock.now() + 900, parked=True)

    await house.recovery.run_once()

    now = house.clock.now()
    assert {first, second} == {p for p, _ in await posts.workable(house.journal, now=now, limit=9)}


async def test_a_name_that_is_taken_in_the_archive(house: House) -> None:
    """Nothing is overwritten: the second file of a name gets the post's id into its name."""
    house.watch.processed_folder.mkdir()
    (house.watch.failed_folder).mkdir()
    (house.watch.failed_folder / "a.jpg").write_bytes(b"older")
    await house.take(house.drop("a.jpg"))
    work = await house.claimed((await house.only_post()).id)
    await work.write(Event.FAIL)

    await house.archive.set_aside(work, "failed", Reason("corrupt", "It is broken."))

    assert b"older" == (house.watch.failed_folder / "a.jpg").read_bytes()
    assert (house.watch.failed_folder / f"a.{work.post.id[:8]}.jpg").is_file()


async def test_a_published_original_that_was_out_of_reach(house: House) -> None:
    """Published and done while the inbox was away: filed at the next start."""
    await house.take(house.drop("a.jpg"))
    work = await house.claimed((await house.only_post()).id)
    for event in (*[Event.ADVANCE] * 3, Event.CONFIRM, Event.ADVANCE, Event.FINISH):
        await work.write(event)

    await house.recovery.run_once()

    assert (house.watch.processed_folder / "a.jpg").is_file()
    assert [] == house.work()


async def test_while_the_inbox_is_away_its_originals_are_waited_for(
    house: House, tmp_path: Path
) -> None:
    """A file that is gone with its whole folder is no lost file: the post tries again."""
    await house.take(house.drop("a.jpg"))
    work = await house.claimed((await house.only_post()).id)
    for event in (*[Event.ADVANCE] * 3, Event.CONFIRM, Event.ADVANCE):
        await work.write(event)
    away = house.watch.folder.rename(tmp_path / "away")

    async def no_api(_work: Work) -> Publishing:
        raise GraphProblem("not needed")

    with pytest.raises(StorageProblem, match="is away"):
        await house.archive.published(work, no_api)
    away.rename(house.watch.folder)
    await house.archive.published(work, no_api)

    assert State.DONE is (await house.only_post()).state
    assert (house.watch.processed_folder / "a.jpg").is_file()


async def test_an_inbox_that_is_away_for_a_moment_asks_nobody(house: House) -> None:
    """Gone while the converter reads, and back when it is looked for: tried again, not held."""
    await house.take(house.drop("a.jpg"))
    work = await house.claimed((await house.only_post()).id)

    class Unlucky(Preparer):
        async def prepare(self, source: Path, *_: object, **__: object) -> Prepared:
            raise SourceProblem(f"Could not read {source.name}.", code="source-gone")

    convert = Convert(
        Unlucky(timeout=5.0),
        ImageOptions(),
        house.watch.folder.parent,
        inboxes=house.inboxes,
        cache=Cache(house.watch.folder.parent / "cache", limit=0),
    )
    with pytest.raises(StorageProblem) as away:
        await convert(work)
    work.post.items[0].source.unlink()
    with pytest.raises(SourceProblem):
        await convert(work)

    assert ("source-away", Handling.RETRY) == (away.value.code, away.value.handling)


# Many together.


def _picture(number: int) -> bytes:
    return jpeg(64, 64, seed=number)


async def test_files_that_settled_together_are_claimed_together(house: House) -> None:
    """One folder, two commits, and each file a post of its own."""
    names = [f"{number}.jpg" for number in range(20)]
    dropped = [house.drop(name, _picture(number)) for number, name in enumerate(names)]
    before = house.journal.transactions

    assert [Taken.TAKEN] * 20 == await house.intake.take(dropped)

    assert before + 2 == house.journal.transactions
    made = await posts.listed(house.journal)
    assert sorted(names) == sorted(post.name for post in made)
    assert {State.READY} == {post.state for post in made}
    assert {None} == {post.items[0].moving_to for post in made}
    assert all(
        post.items[0].source.read_bytes() == _picture(names.index(post.name)) for post in made
    )
    (folder,) = {post.items[0].source.parent for post in made}
    assert folder.name in {post.id for post in made}
    assert ([], 20) == (house.inbox, len(house.engine.woken))


async def test_one_that_is_in_the_way_hinders_no_other(house: House) -> None:
    """Gone, changed, a link, known already, the same twice: each has its own outcome."""
    await house.take(house.drop("first.jpg", _picture(1)))
    known = house.drop("known.jpg", _picture(1))
    gone, changed = house.drop("gone.jpg", _picture(2)), house.drop("changed.jpg", _picture(3))
    gone.path.unlink()
    changed.path.write_bytes(b"something else by now")
    linked = house.drop("linked.jpg", _picture(4))
    linked.path.rename(linked.path.parent.parent / "secret.jpg")
    linked.path.symlink_to(linked.path.parent.parent / "secret.jpg")
    twin, other = house.drop("twin.jpg", _picture(5)), house.drop("other twin.jpg", _picture(5))
    good = house.drop("good.jpg", _picture(6))

    outcomes = await house.intake.take([known, gone, changed, linked, twin, other, good])

    assert [
        Taken.TAKEN,
        Taken.GONE,
        Taken.CHANGED,
        Taken.PROBLEM,
        Taken.TAKEN,
        Taken.TAKEN,
        Taken.TAKEN,
    ] == outcomes
    assert ["first.jpg", "good.jpg", "twin.jpg"] == sorted(
        post.name for post in await posts.listed(house.journal)
    )
    assert ["changed.jpg", "linked.jpg"] == house.inbox
    filed = {path.name for path in house.watch.duplicate_folder.glob("*.jpg")}
    assert {"known.jpg", "other twin.jpg"} == filed


async def test_killed_in_the_midst_of_the_renames(house: House) -> None:
    """Some of a group are renamed, some are not: the next start makes the rest of the renames."""
    dropped = [house.drop(f"{number}.jpg", _picture(number)) for number in range(6)]
    await house.intake.take(dropped)
    made = await posts.listed(house.journal)
    for number, post in enumerate(made):
        item = post.items[0]
        before = house.watch.folder / item.name
        back = dataclasses.replace(item, source=before, moving_to=item.source)
        _, running = posts.move(dataclasses.replace(post, state=State.READY), Event.CLAIM, now=0.0)
        await house.journal.apply([running, post_items.record_item(back)])
        if number % 2:
            item.source.rename(before)

    await house.recovery.run_once()

    again = await posts.listed(house.journal)
    assert ([], {State.READY}) == (house.inbox, {post.state for post in again})
    assert {post.id: post.items[0].source for post in made} == {
        post.id: post.items[0].source for post in again
    }
    assert 6 == len(house.work())


async def test_a_group_leaves_no_empty_folder(house: House) -> None:
    """The folder of a group goes with the last of its files, whichever that is."""
    await house.intake.take([house.drop(f"{n}.jpg", _picture(n)) for n in range(3)])
    for post in await posts.listed(house.journal):
        assert 1 == len(list(house.watch.work_folder.iterdir()))
        work = await house.claimed(post.id)
        await work.write(Event.FAIL)
        await house.archive.set_aside(work, "failed", Reason("corrupt", "It is broken."))
    assert [] == list(house.watch.work_folder.iterdir())


async def test_a_stray_among_known_files_is_held_alone(house: House) -> None:
    """The journal knows two of three files in a folder: only the third is held."""
    await house.intake.take([house.drop(f"{n}.jpg", _picture(n)) for n in range(2)])
    (folder,) = house.watch.work_folder.iterdir()
    (folder / "stray.jpg").write_bytes(b"bytes")

    await house.recovery.run_once()

    assert ["stray.jpg"] == [path.name for path in house.watch.held_folder.glob("*.jpg")]
    assert [f"{folder.name}/0.jpg", f"{folder.name}/1.jpg"] == house.work()


async def test_a_claim_is_safe_on_disk_before_the_journal_says_so(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A power cut between rename and journal must not leave a post without its file."""
    happened: list[str] = []
    sync, apply = filing.sync_folder, SqliteJournal.apply

    def noting_sync(folder: Path) -> None:
        sync(folder)
        happened.append(f"sync {folder.relative_to(house.watch.folder)}")

    async def noting_apply(journal: SqliteJournal, statements: object) -> object:
        happened.append("commit")
        return await apply(journal, statements)  # type: ignore[arg-type]

    monkeypatch.setattr(filing, "sync_folder", noting_sync)
    monkeypatch.setattr(SqliteJournal, "apply", noting_apply)
    await house.take(house.drop("a.jpg"))

    post = await house.only_post()
    synced = [f"sync .mediawatch/work/{post.id}", "sync .mediawatch/work"]
    assert ["commit", *synced, "commit"] == happened


async def test_what_cannot_be_recorded_goes_back(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The journal fails after the rename: the file lies where its owner sees it, and the next
    take finishes the same post."""
    candidate = house.drop("a.jpg")
    (house.watch.folder / "a.txt").write_text("Hello")
    os.utime(house.watch.folder / "a.txt", (1, 1))
    apply, calls = SqliteJournal.apply, 0

    async def full_disk(journal: SqliteJournal, statements: object) -> object:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise JournalError("The disk is full.", remedy="Free some space.")
        return await apply(journal, statements)  # type: ignore[arg-type]

    with monkeypatch.context() as broken:
        broken.setattr(SqliteJournal, "apply", full_disk)
        assert Taken.PROBLEM is await house.take(candidate)
    assert ["a.jpg", "a.txt"] == house.inbox
    post = await house.only_post()

    assert Taken.TAKEN is await house.take(house.candidate(candidate.path))

    again = await house.only_post()
    assert (post.id, "Hello") == (again.id, again.caption)
    assert ([], [f"{post.id}/a.jpg", f"{post.id}/a.txt"]) == (house.inbox, house.work())


# Links.


async def test_a_file_that_becomes_a_link_at_the_last_moment(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Swapped between the reading and the rename: the link is put back, what it leads to is
    neither moved nor read."""
    candidate = house.drop("a.jpg")
    secret = tmp_path / "secret.jpg"
    secret.write_bytes(b"not for anybody")
    rename = filing.claim_rename

    def swapped(source: Path, target: Path) -> None:
        source.unlink()
        source.symlink_to(secret)
        rename(source, target)

    monkeypatch.setattr(filing, "claim_rename", swapped)

    assert Taken.CHANGED is await house.take(candidate)

    assert (True, b"not for anybody") == (candidate.path.is_symlink(), secret.read_bytes())
    assert [] == await posts.listed(house.journal)


@pytest.mark.parametrize("part", ["work", "folder"])
async def test_a_work_folder_that_is_a_link(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    """Whoever may write into the inbox may not have files moved elsewhere, nor have strange
    files taken for strays."""
    outside = tmp_path / "outside"
    (outside / "photos").mkdir(parents=True)
    (outside / "photos" / "mine.jpg").write_bytes(b"mine")
    link = house.watch.work_folder
    if part == "folder":
        monkeypatch.setattr("mediawatch.watch.intake.new_post_id", lambda: "a" * 12)
        link = link / ("a" * 12)
    link.parent.mkdir(parents=True)
    link.symlink_to(outside)

    assert Taken.PROBLEM is await house.take(house.drop("a.jpg"))
    await house.recovery.run_once()

    assert ["a.jpg"] == house.inbox
    assert b"mine" == (outside / "photos" / "mine.jpg").read_bytes()
    assert {"photos"} == {path.name for path in outside.iterdir() if path.name != "a" * 12}
    assert not house.watch.held_folder.exists()


async def test_a_hard_link_to_a_file_outside(house: House, tmp_path: Path) -> None:
    """The system cannot tell it from a file: it is published, and the outside name stays."""
    outside = tmp_path / "outside.jpg"
    outside.write_bytes(jpeg(400, 400))
    (house.watch.folder / "a.jpg").hardlink_to(outside)

    assert Taken.TAKEN is await house.take(house.candidate(house.watch.folder / "a.jpg"))

    assert jpeg(400, 400) == outside.read_bytes()
    assert [] == house.inbox


# Notes, and standing still.


async def test_the_note_of_what_failed_goes_when_it_is_put_back(house: House) -> None:
    """It says what is no longer so; while a copy is left in failed, its note stays with it."""
    await house.take(house.drop("a.jpg"))
    work = await house.claimed((await house.only_post()).id)
    await work.write(Event.FAIL)
    await house.archive.set_aside(work, "failed", Reason("corrupt", "It is broken."))
    failed = house.watch.failed_folder / "a.jpg"
    note = failed.with_name("a.jpg.mediawatch.json")
    copy = house.drop("copy.jpg", failed.read_bytes())
    assert Taken.TAKEN is await house.take(copy)
    assert note.is_file()
    (again,) = await posts.listed(house.journal, states=[State.READY])
    work = await house.claimed(again.id)
    await work.write(Event.FAIL)

    back = failed.rename(house.watch.folder / "a.jpg")
    assert Taken.TAKEN is await house.take(house.candidate(back))

    assert not note.exists()


async def _fill_river(house: House, **facts: object) -> None:
    await house.take(house.drop("seed.jpg"))
    seed = dataclasses.replace(await house.only_post(), items=(), **facts)  # type: ignore[arg-type]
    await house.journal.apply(
        [
            statement
            for number in range(BACKLOG)
            for statement in posts.add(
                dataclasses.replace(seed, id=f"{number:012x}", content_key=str(number))
            )
        ]
    )
    (first,) = await posts.listed(house.journal, ids=[seed.id])
    await house.journal.apply([posts.forget(first.id)])


@pytest.mark.parametrize(("wait", "stands"), [(3600.0, True), (2.0, False)])
async def test_a_river_in_which_nothing_moves_is_said_to_stand_still(
    house: House, wait: float, stands: bool
) -> None:
    """Every post waits for long: whoever asks for a pass must not wait with them."""
    until = house.clock.now() + wait
    await _fill_river(house, state=State.WAITING, wait_until=until)
    waiting = asyncio.create_task(house.intake.room())
    try:
        await asyncio.wait({waiting}, timeout=0.5)
        assert not waiting.done()
        assert stands == ("none of them can go on now" in house.intake.standstill)
    finally:
        waiting.cancel()
        await asyncio.wait({waiting})
    assert "" == house.intake.standstill


async def test_a_standstill_ends_with_the_first_post_that_ends(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Room is found again, as much as there is, and nothing is said any more."""
    monkeypatch.setattr("mediawatch.watch.intake.LOOK_AGAIN", 0.01)
    await _fill_river(house, state=State.WAITING, wait_until=house.clock.now() + 3600)
    waiting = asyncio.create_task(house.intake.room())
    await until(lambda: house.intake.standstill)
    await house.journal.apply([posts.forget(f"{number:012x}") for number in range(3)])

    assert 3 == await asyncio.wait_for(waiting, 10)
    assert "" == house.intake.standstill


# What is said with a file that came back.


async def put_back(house: House, name: str, beside: str | None = None, **facts: object) -> Post:
    """Hold the only post, put its file back into the inbox, and what is to lie beside it."""
    work = await house.claimed((await house.only_post()).id)
    await work.write(Event.HOLD, **facts)
    await house.archive.set_aside(work, "held", Reason("sidecar", "Wrong.", "Mend it."))
    if beside is not None:
        beside_it = house.watch.folder / Path(name).with_suffix(".toml")
        beside_it.write_text(beside, encoding="utf-8")
        os.utime(beside_it, (1, 1))
    back = (house.watch.held_folder / name).rename(house.watch.folder / name)
    assert Taken.TAKEN is await house.take(house.candidate(back))
    return await house.only_post()


def write_beside(house: House, name: str, text: str) -> None:
    path = house.watch.folder / name
    path.write_text(text, encoding="utf-8")
    os.utime(path, (1, 1))


async def test_who_takes_the_caption_away_gets_the_usual_one(house: House) -> None:
    """A caption that was too long was deleted: it does not hold the post for ever."""
    write_beside(house, "a.txt", "x" * 3000)
    await house.take(house.drop("a.jpg"))
    work = await house.claimed((await house.only_post()).id)
    await work.write(Event.HOLD)
    await house.archive.set_aside(work, "held", Reason("caption", "Too long.", "Shorten it."))
    (house.watch.held_folder / "a.txt").unlink()
    back = (house.watch.held_folder / "a.jpg").rename(house.watch.folder / "a.jpg")

    assert Taken.TAKEN is await house.take(house.candidate(back))

    assert "a\n\n#tag" == (await house.only_post()).caption


async def test_a_caption_of_the_settings_is_made_anew(house: House) -> None:
    """Its hashtags were too many: mended there, as the remedy says, it is another caption."""
    many = PublishSettings(hashtags=tuple(f"tag{number}" for number in range(31)))
    mended, house.intake._words = house.intake._words, Words(many)
    await house.take(house.drop("a.jpg"))
    with pytest.raises(Rejected) as held:
        captions.check((await house.only_post()).caption)
    assert "[publish] caption or hashtags" in held.value.remedy
    house.intake._words = mended

    after = await put_back(house, "a.jpg")

    assert "a\n\n#tag" == after.caption


async def test_a_sidecar_that_is_forgotten_still_counts(house: House) -> None:
    """Only the picture is put back: it keeps its words, and above all its time."""
    said = 'caption = "Dawn"\nalt_text = "A beach."\npublish_at = "2031-01-01 10:00 UTC"'
    write_beside(house, "a.toml", said)
    await house.take(house.drop("a.jpg"))
    before = await house.only_post()

    after = await put_back(house, "a.jpg")

    assert before.wishes.publish_at is not None
    assert (before.wishes, "Dawn") == (after.wishes, after.caption)


async def test_what_is_said_beside_a_copy_of_a_held_file_counts(house: House) -> None:
    """Mended and copied into the inbox, not moved: it is not held again for what is mended."""
    write_beside(house, "a.toml", 'capton = "Dawn"')
    await house.take(house.drop("a.jpg"))
    assert (await house.only_post()).refusal is not None
    work = await house.claimed((await house.only_post()).id)
    await work.write(Event.HOLD)
    await house.archive.set_aside(work, "held", Reason("sidecar", "Wrong.", "Mend it."))

    write_beside(house, "a.toml", 'caption = "Dawn"')
    copy = house.drop("a.jpg", (house.watch.held_folder / "a.jpg").read_bytes())
    assert Taken.TAKEN is await house.take(copy)

    post = await house.only_post()
    assert (State.READY, "Dawn", None) == (post.state, post.caption, post.refusal)


@pytest.mark.parametrize(("said", "left"), [("2031", None), ("2030", 1_900_000_000.0)])
async def test_another_time_is_the_one_that_counts(
    house: House, said: str, left: float | None
) -> None:
    """The day to which a late post was moved is forgotten when its owner names another."""
    write_beside(house, "a.toml", 'publish_at = "2030-01-01 10:00 UTC"')
    await house.take(house.drop("a.jpg"))

    time_said = f'publish_at = "{said}-01-01 10:00 UTC"'
    after = await put_back(house, "a.jpg", time_said, moved_to=1_900_000_000.0)

    assert left == after.moved_to


async def test_a_picture_that_was_to_be_a_reel_becomes_a_picture(house: House) -> None:
    """As it is told to: put from reels/ into the inbox itself it is published there."""
    write_beside(house, "a.toml", 'kind = "reel"')
    await house.take(house.drop("a.jpg"))
    assert PostKind.REEL is (await house.only_post()).kind

    after = await put_back(house, "a.jpg", 'kind = "image"')

    assert PostKind.IMAGE is after.kind
