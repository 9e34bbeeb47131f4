"""What a person decides: posts in doubt, posts wanted twice, and a journal that is too old."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mediawatch.actions import posts as actions
from mediawatch.actions.again import publish_again
from mediawatch.actions.posts import NotPossible
from mediawatch.config import PublishSettings, WatchSettings
from mediawatch.config.inboxes import inboxes
from mediawatch.journal import accounts, attempts, post_items, posts
from mediawatch.journal.sqlite import SqliteJournal
from mediawatch.journal.witness import Witness
from mediawatch.log import silent
from mediawatch.model.lifecycle import Event, Publication, Stage, State
from mediawatch.model.posts import JOURNAL_RESTORED, Post
from mediawatch.pipeline.archive import Archive
from mediawatch.pipeline.recovery import Recovery
from mediawatch.simulator import SimulatorOptions
from tests.support.actors import MACHINE
from tests.support.publishing import PUBLISH_TIMEOUT, QUIET, Bench, TurnedClock, bench
from tests.support.simulator import USER
from tests.support.simulator import Clock as SimulatorClock

DAY = 86400.0
WINDOW = PUBLISH_TIMEOUT + QUIET
#: The container can be read once, before the call, and then never again.
UNREADABLE = (
    {"on": "status", "nth": 1, "do": "delay", "seconds": 0},
    {"on": "status", "do": "error", "code": 100, "subcode": 33, "times": 10_000},
)


@pytest.fixture
async def river(tmp_path: Path) -> AsyncIterator[Bench]:
    async with bench(tmp_path) as made:
        yield made


@pytest.fixture
async def dumb_meta(tmp_path: Path) -> AsyncIterator[Bench]:
    """A Meta that lists nothing before two days are over."""
    async with bench(tmp_path, SimulatorOptions(listing_lag=2 * DAY)) as made:
        yield made


async def in_doubt(river: Bench, how: str) -> Post:
    """A post whose publication was asked, and of which nothing can be found out."""
    river.simulator.script(
        {"on": "media_publish", "times": 1, "do": how},
        *UNREADABLE,
    )
    post = await river.until_settled(await river.post("Hello"), limit=400)
    assert (State.HELD, Publication.ASKED) == (post.state, post.publication)
    river.simulator.script()
    river.time.turn(2 * DAY)
    return post


async def test_in_doubt_a_person_is_told_what_to_look_at(dumb_meta: Bench) -> None:
    """Held, with a sentence that says where to look and the two commands to choose from."""
    post = await in_doubt(dumb_meta, "drop-after")

    assert "unknown-outcome" == post.reason
    assert "Open the account in Instagram" in (post.remedy or "")
    assert f"`mediawatch posts confirm {post.id}`" in (post.remedy or "")
    assert f"`mediawatch posts deny {post.id}`" in (post.remedy or "")


async def test_confirmed_by_a_person(dumb_meta: Bench) -> None:
    """It is there: filed as published, nothing sent again, whatever Meta says."""
    held = await in_doubt(dumb_meta, "drop-after")

    await actions.confirm(dumb_meta.journal, dumb_meta.clock, MACHINE, held.id, "17900000000000001")
    post = await dumb_meta.until_settled(held.id)

    assert (State.DONE, "17900000000000001") == (post.state, post.media_id)
    assert held.publish_asked_at == post.published_at
    assert (["Hello"], 1) == (dumb_meta.published, dumb_meta.publish_calls)


async def test_denied_by_a_person(dumb_meta: Bench) -> None:
    """It is not there: published, once, and the account and its quota slot are free meanwhile."""
    held = await in_doubt(dumb_meta, "drop-before")

    await actions.deny(dumb_meta.journal, dumb_meta.clock, MACHINE, held.id, quiet=WINDOW)
    assert [] == await accounts.slots(dumb_meta.journal, USER, since=0)
    post = await dumb_meta.until_settled(held.id)

    assert State.DONE is post.state
    assert ["Hello"] == dumb_meta.published


async def test_denied_by_a_person_who_was_mistaken(dumb_meta: Bench) -> None:
    """The container is read before anything is sent: a post that is there stays alone."""
    held = await in_doubt(dumb_meta, "drop-after")

    await actions.deny(dumb_meta.journal, dumb_meta.clock, MACHINE, held.id, quiet=WINDOW)
    post = await dumb_meta.until_settled(held.id)

    assert State.DONE is post.state
    assert (["Hello"], 1) == (dumb_meta.published, dumb_meta.publish_calls)


async def test_no_denial_while_the_call_may_take_effect(river: Bench) -> None:
    """Within the quiet window nobody can know: refused, with the time after which to look."""
    river.simulator.script({"on": "media_publish", "times": 1, "do": "drop-after"}, *UNREADABLE)
    post_id = await river.post("Hello")
    await river.advance(post_id)

    with pytest.raises(NotPossible, match="may still publish") as refused:
        await actions.deny(river.journal, river.clock, MACHINE, post_id, quiet=WINDOW)

    assert "Look again after" in refused.value.remedy


async def test_confirmed_while_mediawatch_still_asks(river: Bench) -> None:
    """Whoever sees the post need not wait until mediawatch has found out by itself."""
    river.simulator.script({"on": "media_publish", "times": 1, "do": "drop-after"}, *UNREADABLE)
    post_id = await river.post("Hello")
    waiting = await river.advance(post_id)
    assert (State.WAITING, Publication.ASKED) == (waiting.state, waiting.publication)

    await actions.confirm(river.journal, river.clock, MACHINE, post_id)

    assert State.DONE is (await river.advance(post_id)).state
    assert None is (await accounts.find(river.journal, USER)).publishing
    assert (["Hello"], 1) == (river.published, river.publish_calls)


async def test_which_media_it_is(river: Bench) -> None:
    """Two fit: the owner names one, or has the original filed without a link."""
    stranger = await river.caller.published(caption="Same")
    river.simulator.script({"on": "media_publish", "times": 1, "do": "drop-after"})
    held = await river.until_settled(await river.post("Same"))
    assert "which-media" == held.reason
    ours = next(m.id for m in river.simulator.state.publications if m.id != stranger)

    await actions.confirm(river.journal, river.clock, MACHINE, held.id, ours)

    post = await river.until_settled(held.id)
    assert (State.DONE, ours) == (post.state, post.media_id)


@pytest.mark.parametrize("state", [State.HELD, State.WAITING, State.READY, State.DONE])
async def test_nothing_to_decide(river: Bench, state: State) -> None:
    """A post that was never asked for can be neither confirmed nor denied by a slip."""
    stage = Stage.ARCHIVE if state is State.DONE else Stage.UPLOAD
    post_id = await river.post("Hello", state=state, stage=stage)

    for decide in (
        actions.confirm(river.journal, river.clock, MACHINE, post_id),
        actions.deny(river.journal, river.clock, MACHINE, post_id, quiet=0),
    ):
        with pytest.raises(NotPossible, match="not in doubt"):
            await decide
    assert state is (await river.find(post_id)).state


async def test_what_a_person_did_is_in_the_history(dumb_meta: Bench) -> None:
    """The history tells who decided, between what Meta was asked before and after."""
    held = await in_doubt(dumb_meta, "drop-before")
    await actions.deny(dumb_meta.journal, dumb_meta.clock, MACHINE, held.id, quiet=WINDOW)
    await dumb_meta.until_settled(held.id)

    told = [
        (row["status"], row["detail"]) for row in await attempts.history(dumb_meta.journal, held.id)
    ]
    words = [status for status, _ in told]

    assert ("disown", "A person confirmed that it is not on Instagram.") in told
    assert words.index("held") < words.index("disown") < len(words) - 1
    assert any("confirm" in (detail or "") for status, detail in told if status == "held")


# A dead container after an unknown outcome.


async def test_meta_does_not_know_the_container_any_more(river: Bench) -> None:
    """24/2207008 after the asking: a new container only after listing and count agree."""
    river.simulator.script(
        {"on": "media_publish", "times": 1, "do": "drop-before"},
        {"on": "status", "nth": 1, "do": "delay", "seconds": 0},
        {"on": "status", "do": "error", "code": 24, "subcode": 2207008, "times": 30},
    )
    post_id = await river.post("Hello")
    await river.advance(post_id)
    await river.advance(post_id, after=WINDOW + 1)
    assert 1 == len(river.simulator.state.containers)
    await river.advance(post_id, after=400)
    river.simulator.script()

    post = await river.until_settled(post_id)

    assert (State.DONE, 2) == (post.state, post.generation)
    assert ["Hello"] == river.published


async def test_meta_counts_a_post_that_it_does_not_list(dumb_meta: Bench) -> None:
    """Listed nowhere, the container dead, but the quota shows one post too many: a person looks."""
    dumb_meta.simulator.script(
        {"on": "media_publish", "times": 1, "do": "drop-after"},
        {"on": "status", "nth": 1, "do": "delay", "seconds": 0},
        {"on": "status", "do": "status", "status": "ERROR", "times": 10_000},
    )

    post = await dumb_meta.until_settled(await dumb_meta.post("Hello"), limit=400)

    assert (State.HELD, "unknown-outcome") == (post.state, post.reason)
    assert "counts a post more" in (post.detail or "")
    assert (["Hello"], 1) == (dumb_meta.published, len(dumb_meta.simulator.state.containers))


async def test_a_clock_that_is_ahead_makes_no_second_post(river: Bench) -> None:
    """By our clock the live post is older than its asking: a person looks, nothing is made anew."""
    river.simulator.script(
        {"on": "media_publish", "times": 1, "do": "drop-after"},
        {"on": "status", "nth": 1, "do": "delay", "seconds": 0},
        {"on": "status", "do": "status", "status": "ERROR", "times": 10_000},
    )
    post_id = await river.post("Hello")
    await river.advance(post_id)
    asked = await river.find(post_id)
    river.time.turn(7200)
    _, ahead = posts.move(asked, now=river.time.now, publish_asked_at=river.time.now)
    await river.journal.apply([ahead])

    post = await river.until_settled(post_id, limit=400)

    assert (State.HELD, "unknown-outcome") == (post.state, post.reason)
    assert "clock" in (post.detail or "")
    assert (["Hello"], 1) == (river.published, len(river.simulator.state.containers))


async def test_a_container_lost_before_the_asking(river: Bench) -> None:
    """24 before anything was asked: believed at the third reading, and made anew."""
    river.simulator.script(
        {"on": "status", "do": "error", "code": 24, "subcode": 2207008, "times": 9}
    )
    post_id = await river.post("Hello")
    for _ in range(2):
        assert 1 == (await river.advance(post_id)).generation
        river.time.now = (await river.find(post_id)).wait_until or river.time.now
    await river.advance(post_id)
    river.simulator.script()

    post = await river.until_settled(post_id)

    assert (State.DONE, 2) == (post.state, post.generation)
    assert ["Hello"] == river.published


# A journal that is older than what was done.


class House:
    """Folders, a journal and the recovery at a start."""

    def __init__(self, root: Path, journal: SqliteJournal) -> None:
        self.watch = WatchSettings(folder=root / "download")
        self.watch.folder.mkdir(exist_ok=True)
        self.inboxes = inboxes(self.watch, PublishSettings())
        self.journal, self.clock = journal, TurnedClock(SimulatorClock())
        self.witness = Witness(root / "asked.json")

    async def recover(self) -> None:
        await Recovery(
            self.inboxes,
            self.journal,
            self.clock,
            silent(),
            Archive(self.inboxes, self.clock),
            self.witness,
        ).run_once()


async def test_each_ask_has_a_witness(river: Bench, tmp_path: Path) -> None:
    """Before Meta hears of it, a file beside the journal counts it too."""
    seen: list[object] = []
    river.simulator.state.on_published.append(
        lambda _: seen.append(Witness(tmp_path / "asked.json").asks())
    )

    for caption in ("One", "Two"):
        await river.advance(await river.post(caption))

    assert [{USER: 1}, {USER: 2}] == seen
    assert 2 == (await accounts.find(river.journal, USER)).asks


async def test_an_older_journal_publishes_nothing_by_itself(river: Bench, tmp_path: Path) -> None:
    """Put back from a copy, it takes a published post for unpublished: held, not sent again."""
    post_id = await river.post("Hello")
    house = House(tmp_path, river.journal)
    house.clock = river.clock
    house.witness.record(USER, 1)

    await house.recover()

    post = await river.find(post_id)
    assert (State.HELD, JOURNAL_RESTORED) == (post.state, post.reason)
    assert "1 requests to publish" in (post.detail or "")
    await house.recover()
    assert 0 == river.publish_calls

    await actions.confirm(river.journal, river.clock, MACHINE, post_id)
    assert State.DONE is (await river.until_settled(post_id)).state
    assert 0 == river.publish_calls


async def test_an_older_journal_keeps_no_new_post_back(river: Bench, tmp_path: Path) -> None:
    """The copy was made while a publication was asked: that post is held, the account is free."""
    river.simulator.script({"on": "media_publish", "times": 1, "do": "drop-before"})
    asked = await river.advance(await river.post("Asked"))
    assert Publication.ASKED is asked.publication
    house = House(tmp_path, river.journal)
    house.clock = river.clock
    house.witness.record(USER, 2)

    await house.recover()
    new = await river.until_settled(await river.post("New"), limit=5)

    assert State.DONE is new.state
    assert State.HELD is (await river.find(asked.id)).state


async def test_an_older_journal_is_distrusted_once(river: Bench, tmp_path: Path) -> None:
    """After the owner has decided, the next start holds nothing for it again."""
    post_id = await river.post("Hello")
    house = House(tmp_path, river.journal)
    house.witness.record(USER, 5)
    await house.recover()
    await actions.retry(river.journal, river.clock, MACHINE, post_id)

    await house.recover()

    assert State.READY is (await river.find(post_id)).state


async def test_no_order_for_all_sends_what_may_be_published_already(
    river: Bench, tmp_path: Path
) -> None:
    """`posts retry --all`, also by a cron job, leaves alone what an older journal has forgotten:
    only its owner, one post at a time, says that it is not on Instagram."""
    post_id = await river.post("Hello")
    house = House(tmp_path, river.journal)
    house.witness.record(USER, 1)
    await house.recover()

    assert [] == await actions.retry_all(river.journal, river.clock, MACHINE)
    assert State.HELD is (await river.advance(post_id)).state
    assert 0 == river.publish_calls


async def test_a_work_folder_that_cannot_be_read_stops_no_start(
    river: Bench, tmp_path: Path
) -> None:
    """What may lie there is looked for at the next start; the watcher tells what is wrong."""
    house = House(tmp_path, river.journal)
    house.watch.work_folder.parent.symlink_to(house.watch.work_folder.parent)

    await house.recover()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"a": "b"}', "\x00" * 20, '{"1": true}'])
async def test_a_witness_that_cannot_be_read(river: Bench, tmp_path: Path, text: str) -> None:
    """Garbage says nothing: the start goes on, and the next ask writes it anew."""
    (tmp_path / "asked.json").write_text(text)
    post_id = await river.post("Hello")
    house = House(tmp_path, river.journal)

    assert None is house.witness.asks()
    await house.recover()

    assert State.DONE is (await river.until_settled(post_id)).state
    assert {USER: 1} == house.witness.asks()


# Wanted twice.


@pytest.fixture
async def published(river: Bench, tmp_path: Path) -> tuple[House, Post]:
    """A published post with its original filed."""
    house = House(tmp_path, river.journal)
    house.watch.processed_folder.mkdir()
    original = house.watch.processed_folder / "a.jpg"
    original.write_bytes(b"the original")
    post_id = await river.post("Hello")
    post = await river.until_settled(post_id)
    facts = {"source": original, "sha256": hashlib.sha256(b"the original").hexdigest()}
    item = post.items[0]
    filed = type(item)(**{**{f: getattr(item, f) for f in item.__slots__}, **facts})
    await river.journal.apply([post_items.record_item(filed, item)])
    return house, await river.find(post_id)


async def test_published_once_more(river: Bench, published: tuple[House, Post]) -> None:
    """A second post of a copy; the filed original stays where it is."""
    house, old = published

    new = await publish_again(river.journal, river.clock, MACHINE, old.id, house.inboxes)

    assert (State.READY, Stage.CONVERT, "Hello") == (new.state, new.stage, new.caption)
    copy = new.items[0].source
    assert house.watch.work_folder / new.id == copy.parent
    assert copy.read_bytes() == old.items[0].source.read_bytes()
    assert new.content_key != old.content_key


async def test_wanted_once_more_by_two_people(river: Bench, published: tuple[House, Post]) -> None:
    """Asked twice, or by somebody who got no answer: one more post, until that one is out."""
    house, old = published

    async def again() -> Post:
        return await publish_again(river.journal, river.clock, MACHINE, old.id, house.inboxes)

    new, refused = await asyncio.gather(again(), again(), return_exceptions=True)
    if isinstance(new, BaseException):
        new, refused = refused, new
    assert isinstance(new, Post)
    assert isinstance(refused, NotPossible)
    with pytest.raises(NotPossible, match=new.id):
        await again()

    assert 2 == len(await posts.listed(river.journal))

    work = await river.claimed(new.id)
    to_publish = [Event.ADVANCE] * 3
    await work.write(*to_publish, Event.ASK, Event.CONFIRM, Event.ADVANCE, Event.FINISH)
    assert (await again()).id not in {old.id, new.id}


async def test_a_repetition_that_was_cut_off_is_in_nobodys_way(
    river: Bench, published: tuple[House, Post]
) -> None:
    """Killed in mid-copy it can never go out: whoever asks again gets another one."""
    house, old = published
    cut_off = await publish_again(river.journal, river.clock, MACHINE, old.id, house.inboxes)
    with pytest.raises(NotPossible, match="once more already"):
        await publish_again(river.journal, river.clock, MACHINE, old.id, house.inboxes)
    held = posts.move(cut_off, Event.HOLD, now=river.time.now, reason="source-changed")[1]
    await river.journal.apply([held])

    new = await publish_again(river.journal, river.clock, MACHINE, old.id, house.inboxes)

    assert cut_off.id != new.id
    assert new.items[0].source.is_file()


@pytest.mark.parametrize("harm", ["gone", "changed"])
async def test_an_original_that_is_not_there(
    river: Bench, published: tuple[House, Post], harm: str
) -> None:
    """Refused with the reason, and no half post is left behind."""
    house, old = published
    original = old.items[0].source
    original.unlink() if harm == "gone" else original.write_bytes(b"another one")

    with pytest.raises(NotPossible, match=r"no longer at|was changed"):
        await publish_again(river.journal, river.clock, MACHINE, old.id, house.inboxes)

    assert [old.id] == [post.id for post in await posts.listed(river.journal)]
    assert not list(house.watch.work_folder.rglob("*"))


async def test_only_what_is_published_can_be_published_again(
    river: Bench, published: tuple[House, Post]
) -> None:
    """Not a way around the duplicate check; and a published one is not sent by `publish` alone."""
    house, old = published
    waiting = await river.post("Other")

    with pytest.raises(NotPossible, match="only what is published"):
        await publish_again(river.journal, river.clock, MACHINE, waiting, house.inboxes)
    with pytest.raises(NotPossible, match="published already") as refused:
        await actions.publish_now(river.journal, river.clock, MACHINE, old.id)

    assert "--again" in refused.value.remedy
