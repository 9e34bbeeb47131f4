"""The publishing protocol: whatever is lost, cut off or garbled, a post is published once."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mediawatch.actions import posts as actions
from mediawatch.errors import Conflict
from mediawatch.graph.publishing import PublishedMedia
from mediawatch.journal import accounts, attempts, post_items, posts
from mediawatch.log import silent
from mediawatch.model.kinds import PostKind
from mediawatch.model.lifecycle import Stage, State
from mediawatch.model.posts import Post
from mediawatch.pipeline.listed import looks_like
from mediawatch.pipeline.work import Work
from mediawatch.simulator import Republish, SimulatorOptions
from tests.support.actors import MACHINE
from tests.support.publishing import PUBLISH_TIMEOUT, QUIET, Bench, bench
from tests.support.simulator import TOKEN, USER

LOST_ANSWERS = [
    {"do": "drop-after"},
    {"do": "html-500-after"},
    {"do": "error-after", "code": 4, "subcode": 2207051},
    {"do": "error-after", "code": -1, "subcode": 2207001},
    {"do": "error-after", "code": 2},
    {"do": "error-after", "code": 24, "subcode": 2207008},
]
CALLS_THAT_NEVER_ARRIVED = [
    {"do": "drop-before"},
    {"do": "html-500"},
    {"do": "error", "code": -1},
    {"do": "error", "code": -2},
    {"do": "error", "code": 2},
    {"do": "error", "code": 1},
]


def named(rule: dict[str, object]) -> str:
    return "-".join(str(value) for value in rule.values())


@pytest.fixture
async def river(tmp_path: Path) -> AsyncIterator[Bench]:
    async with bench(tmp_path) as made:
        yield made


@pytest.fixture(params=list(Republish), ids=str)
async def any_meta(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Bench]:
    """Nobody knows what Meta does with a second publish call: safe with all three."""
    async with bench(tmp_path, SimulatorOptions(republish=request.param)) as made:
        yield made


async def test_the_straight_way(river: Bench) -> None:
    """Nothing in the way: one container, one call, one post, bound to its media."""
    post = await river.advance(await river.post("Hello"))

    assert State.DONE is post.state
    assert ["Hello"] == river.published
    assert river.simulator.state.publications[0].id == post.media_id
    assert (1, 0) == (river.publish_calls, river.republish_calls)


@pytest.mark.parametrize("rule", LOST_ANSWERS, ids=named)
async def test_an_answer_lost_after_the_effect(any_meta: Bench, rule: dict[str, object]) -> None:
    """Published, but the answer is lost or lies: found out by asking, never sent again."""
    any_meta.simulator.script({"on": "media_publish", "times": 1, **rule})

    post = await any_meta.until_settled(await any_meta.post("Hello"))

    assert State.DONE is post.state
    assert ["Hello"] == any_meta.published
    assert any_meta.simulator.state.publications[0].id == post.media_id
    assert 0 == any_meta.republish_calls


@pytest.mark.parametrize("rule", CALLS_THAT_NEVER_ARRIVED, ids=named)
async def test_a_call_without_effect(any_meta: Bench, rule: dict[str, object]) -> None:
    """Not published: asked again after the quiet window, with the same container."""
    any_meta.simulator.script({"on": "media_publish", "times": 1, **rule})

    post = await any_meta.until_settled(await any_meta.post("Hello"))

    assert State.DONE is post.state
    assert ["Hello"] == any_meta.published
    assert 1 == post.generation
    assert (2, 0) == (any_meta.publish_calls, any_meta.republish_calls)


async def test_nothing_is_sent_within_the_quiet_window(river: Bench) -> None:
    """I5: after an unknown outcome nothing is sent before the slowest effect would show."""
    river.simulator.script({"on": "media_publish", "times": 1, "do": "drop-before"})
    post_id = await river.post()
    await river.advance(post_id)

    for _ in range(5):
        post = await river.advance(post_id, after=(PUBLISH_TIMEOUT + QUIET - 1) / 5)
        assert 1 == river.publish_calls
        assert (State.WAITING, "unknown-outcome") == (post.state, post.reason)

    await river.advance(post_id, after=2)
    assert 2 == river.publish_calls


async def test_unreadable_containers_are_read_again(river: Bench) -> None:
    """100/33 on an existing container says nothing: it is asked again until it can be read."""
    # The first read, before the call, passes.
    river.simulator.script(
        {"on": "media_publish", "times": 1, "do": "drop-after"},
        {"on": "status", "nth": 1, "do": "delay", "seconds": 0},
        {"on": "status", "times": 25, "do": "error", "code": 100, "subcode": 33},
    )

    post = await river.until_settled(await river.post())

    assert State.DONE is post.state
    assert (1, 0) == (river.publish_calls, river.republish_calls)


async def test_a_dead_container_after_an_unknown_outcome(river: Bench) -> None:
    """I1: a new container only after the listing lacked the post twice, minutes apart."""
    river.simulator.script(
        {"on": "media_publish", "times": 1, "do": "drop-before"},
        {"on": "status", "nth": 1, "do": "delay", "seconds": 0},
        {"on": "status", "do": "status", "status": "ERROR", "times": 8},
    )
    post_id = await river.post()
    await river.advance(post_id)
    await river.advance(post_id, after=PUBLISH_TIMEOUT + QUIET + 1)
    assert 1 == len(river.simulator.state.containers)
    await river.advance(post_id, after=200)
    assert 1 == len(river.simulator.state.containers)
    river.simulator.script()
    river.simulator.script({"on": "status", "nth": 1, "do": "status", "status": "ERROR"})

    await river.advance(post_id, after=200)
    post = await river.until_settled(post_id)

    assert State.DONE is post.state
    assert (1, 2) == (len(river.published), post.generation)


async def test_a_container_that_lies_dead_though_it_is_live(river: Bench) -> None:
    """ERROR after the asking, but the listing shows the post: published, no second container."""
    river.simulator.script(
        {"on": "media_publish", "times": 1, "do": "drop-after"},
        {"on": "status", "nth": 1, "do": "delay", "seconds": 0},
        {"on": "status", "do": "status", "status": "EXPIRED", "times": 100},
    )

    post = await river.until_settled(await river.post("Hello"))

    assert State.DONE is post.state
    assert ["Hello"] == river.published
    assert 1 == len(river.simulator.state.containers)


async def test_an_intent_that_was_written_but_never_sent(river: Bench) -> None:
    """Killed between the intent and the call: the next owner asks first, and sends once."""
    container = await river.caller.container(caption="Hello")
    post_id = await river.post(
        "Hello",
        stage=Stage.PUBLISH,
        state=State.READY,
        container_id=container,
        container_at=river.time.now,
        generation=1,
        publish_asked_at=river.time.now,
    )
    await river.advance(post_id)
    assert 0 == river.publish_calls

    post = await river.until_settled(post_id)

    assert State.DONE is post.state
    assert (["Hello"], 1) == (river.published, river.publish_calls)


async def test_an_answer_that_was_given_but_never_written(river: Bench) -> None:
    """Killed between the answer and its record: found published, bound, not sent again."""
    container = await river.caller.container(caption="Hello")
    media_id = (await river.caller.publish(container)).json["id"]
    post_id = await river.post(
        "Hello",
        stage=Stage.PUBLISH,
        container_id=container,
        container_at=river.time.now,
        generation=1,
        publish_asked_at=river.time.now,
    )

    post = await river.advance(post_id)

    assert (State.DONE, media_id) == (post.state, post.media_id)
    assert (["Hello"], 1) == (river.published, river.publish_calls)


async def test_an_intent_that_the_journal_forgot(river: Bench) -> None:
    """A container that reads PUBLISHED before we asked is ours: never asked again."""
    container = await river.caller.container(caption="Hello")
    await river.caller.publish(container)
    post_id = await river.post(
        "Hello",
        stage=Stage.PUBLISH,
        container_id=container,
        container_at=river.time.now,
        generation=1,
    )

    post = await river.advance(post_id)

    assert State.DONE is post.state
    assert (["Hello"], 1) == (river.published, river.publish_calls)


async def test_the_same_caption_is_not_the_same_post(river: Bench) -> None:
    """Binding takes what no other post of ours has, never simply the newest."""
    first = await river.advance(await river.post("Same"))
    river.simulator.script({"on": "media_publish", "times": 1, "do": "drop-after"})
    second = await river.until_settled(await river.post("Same"))

    ids = [media.id for media in river.simulator.state.publications]
    assert ids == [first.media_id, second.media_id]


async def test_two_strangers_with_our_caption_are_held_as_published(river: Bench) -> None:
    """Several media fit: live for certain, so held as published, and not sent again."""
    await river.caller.published(caption="Same")
    river.simulator.script({"on": "media_publish", "times": 1, "do": "drop-after"})

    post = await river.until_settled(await river.post("Same"))

    assert (State.HELD, Stage.CONFIRM, "which-media") == (post.state, post.stage, post.reason)
    assert ["Same", "Same"] == river.published
    assert [("held", "which-media")] == [(where, why.code) for where, why in river.aside]


async def test_another_kind_with_our_caption_is_no_candidate(river: Bench) -> None:
    """An album that its owner posted by hand meanwhile is not taken for our picture."""
    children = [await river.caller.container(is_carousel_item="true") for _ in range(2)]
    form = {"media_type": "CAROUSEL", "children": ",".join(children), "caption": "Same"}
    album = await river.caller.post(f"/{USER}/media", **form)
    await river.caller.publish(album.json["id"])
    river.simulator.script({"on": "media_publish", "times": 1, "do": "drop-after"})

    post = await river.until_settled(await river.post("Same"))

    ours = river.simulator.state.publications[-1].id
    assert (State.DONE, ours) == (post.state, post.media_id)


@pytest.mark.parametrize(
    ("written", "listed"),
    [("One\r\n\r\nTwo", "One\n\nTwo"), ("Cafe\u0301  au lait", "Caf\u00e9 au lait"), ("", None)],
    ids=["line ends", "accents and spaces", "none"],
)
def test_a_caption_is_known_by_its_words(written: str, listed: str | None) -> None:
    """Instagram writes line ends, spaces and accents in its own way; it is still our post."""
    post = Post(
        "0" * 12, USER, PostKind.IMAGE, "a.jpg", written, "k", Stage.CONFIRM, State.RUNNING, 0, 0
    )

    assert looks_like(PublishedMedia.model_validate({"id": "1", "caption": listed}), post)
    assert not looks_like(PublishedMedia(id="1", caption="Three"), post)


async def test_a_listing_that_lags(tmp_path: Path) -> None:
    """Live but not listed yet: looked for again, not published again."""
    async with bench(tmp_path, SimulatorOptions(listing_lag=40)) as river:
        river.simulator.script({"on": "media_publish", "times": 1, "do": "drop-after"})

        post = await river.until_settled(await river.post("Hello"))

        assert State.DONE is post.state
        assert ["Hello"] == river.published


async def test_one_unknown_outcome_an_account(river: Bench) -> None:
    """I3: while one outcome is unknown, the account's next post waits; then both go out."""
    river.simulator.script({"on": "media_publish", "nth": 1, "do": "drop-before"})
    first, second = await river.post("First"), await river.post("Second")
    await river.advance(first)

    waiting = await river.advance(second)
    assert (State.WAITING, "account-busy") == (waiting.state, waiting.reason)
    assert 1 == river.publish_calls
    history = await attempts.history(river.journal, second)
    assert "started" not in {row["status"] for row in history}

    await river.until_settled(first)
    assert (second, 0.0) in river.engine.woken
    await river.until_settled(second)
    assert ["First", "Second"] == river.published


async def test_a_post_that_stays_unknown_keeps_nobody_back(river: Bench) -> None:
    """I3 ends with the quiet window: hours of unreadable containers delay no other post."""
    river.simulator.script(
        {"on": "media_publish", "nth": 1, "do": "drop-after"},
        {"on": "status", "nth": 1, "do": "delay", "seconds": 0},
        {"on": "status", "do": "error", "code": 100, "subcode": 33, "times": 30},
    )
    first, second = await river.post("First"), await river.post("Second")
    await river.advance(first)
    river.simulator.script(
        {"on": "status", "do": "error", "code": 100, "subcode": 33, "times": 3},
    )
    still = await river.advance(first, after=PUBLISH_TIMEOUT + QUIET + 1)
    assert (State.WAITING, "unknown-outcome") == (still.state, still.reason)
    river.simulator.script()

    assert State.DONE is (await river.until_settled(second)).state
    assert State.DONE is (await river.until_settled(first)).state
    assert ["First", "Second"] == river.published
    ids = [media.id for media in river.simulator.state.publications]
    assert ids == [(await river.find(post_id)).media_id for post_id in (first, second)]


async def test_a_post_that_meta_never_publishes_keeps_nobody_back(river: Bench) -> None:
    """Each asking without effect holds the account for the quiet window: it is repeated as any
    failure is, less and less often, and then a person is told; the others go out meanwhile."""
    rule = {"on": "media_publish", "match": "Never", "do": "error", "code": -1, "times": 10_000}
    river.simulator.script(rule)
    never = await river.post("Never")
    await river.advance(never)
    other = await river.post("Other")

    for _ in range(60):  # by then two askings have had their window
        await river.advance(never)  # which does nothing before it is due
        await river.advance(other)
        river.time.turn(5.0)

    assert (["Other"], State.DONE) == (river.published, (await river.find(other)).state)
    held = await river.until_settled(never, limit=400)
    assert (State.HELD, "not-published") == (held.state, held.reason)
    assert f"mediawatch posts retry {never}" in (held.remedy or "")
    assert 1 + 3 == river.publish_calls  # of three attempts that the delays allow


async def test_a_container_that_is_never_ready_though_it_is_finished(river: Bench) -> None:
    """Meta contradicts itself: a moment is waited once; then that is a failure as any other."""
    rule = {"on": "media_publish", "do": "error", "code": 9007, "subcode": 2207027}
    river.simulator.script({**rule, "times": 10_000})

    post = await river.until_settled(await river.post("Never"))

    assert (State.HELD, "not-published") == (post.state, post.reason)
    assert 3 == river.publish_calls


async def test_posts_of_one_account_at_once(river: Bench) -> None:
    """Many workers, one account: each post once, none in the other's way."""
    ids = [await river.post(str(n)) for n in range(20)]

    await asyncio.gather(*(river.advance(post_id) for post_id in ids))

    assert sorted(map(str, range(20))) == sorted(river.published)
    assert {State.DONE} == {(await river.find(post_id)).state for post_id in ids}


async def test_an_account_that_is_freed_before_the_wait_is_written_keeps_nobody_waiting(
    river: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The account is released between a post's being turned away and its wait: whoever released it
    found nobody to wake, so the post sees for itself."""
    first, second = await river.post("First"), await river.post("Second")
    river.simulator.script({"on": "media_publish", "do": "drop-before", "times": 1})
    await river.advance(first)
    write_the_wait = river.runner._stop

    async def released_just_before(work: Work, *words: object, **facts: object) -> None:
        await river.journal.apply([accounts.unlock(USER, first)])
        await river.publish.released(USER, work)
        await write_the_wait(work, *words, **facts)  # type: ignore[arg-type]

    monkeypatch.setattr(river.runner, "_stop", released_just_before)
    post = await river.advance(second)

    assert "account-busy" == post.reason
    assert (post.wait_until or 0.0) <= river.time.now
    assert (second, 0.0) in river.engine.woken


async def test_a_stale_worker_cannot_ask(river: Bench) -> None:
    """I4: a worker that was overtaken cannot write its intent, so it cannot send."""
    post_id = await river.post()
    claimed = posts.claim(post_id, now=river.time.now, lease=1)
    row = (await river.journal.apply([claimed]))[0][0]
    stale_post = posts.from_row(row, await post_items.items_of(river.journal, post_id))
    stale = Work(river.journal, river.clock, silent(), stale_post)
    await river.publish.container(stale)
    await river.journal.apply([posts.claim(post_id, now=river.time.now + 500, lease=60)])

    with pytest.raises(Conflict):
        await river.publish.publish(stale)

    assert 0 == river.publish_calls


async def test_the_intent_is_durable_before_the_call(river: Bench) -> None:
    """I2: when Meta hears of it, intent, account lock and quota slot are in the journal."""
    seen: list[tuple[float | None, str | None, int]] = []
    post_id = await river.post()

    async def look() -> None:
        post = await river.find(post_id)
        account = await accounts.find(river.journal, USER)
        slots = await accounts.slots(river.journal, USER, since=0)
        seen.append((post.publish_asked_at, account.publishing, len(slots)))

    looks: list[asyncio.Task[None]] = []
    river.simulator.state.on_published.append(
        lambda _media: looks.append(asyncio.create_task(look()))
    )
    river.simulator.script({"on": "media_publish", "do": "delay", "seconds": 0.3})

    await river.advance(post_id)
    await asyncio.gather(*looks)

    assert [(river.time.now, post_id, 1)] == seen


async def test_the_quota_is_read_and_kept(tmp_path: Path) -> None:
    """At the limit a post waits until the oldest slot leaves the window, and says until when."""
    async with bench(tmp_path, SimulatorOptions(quota_total=1)) as river:
        first = await river.advance(await river.post("First"))
        second_id = await river.post("Second")

        waiting = await river.advance(second_id)

        assert (State.WAITING, "quota") == (waiting.state, waiting.reason)
        assert (first.published_at or 0) + 86400 == waiting.wait_until
        assert 1 == river.publish_calls
        river.time.turn(86401)
        assert State.DONE is (await river.until_settled(second_id)).state


async def test_a_quota_used_up_elsewhere(tmp_path: Path) -> None:
    """Meta says 9/2207042: nothing was published, so the post waits and spends no attempt."""
    async with bench(tmp_path, SimulatorOptions(quota_total=1)) as river:
        await river.caller.published(caption="By hand")
        post_id = await river.post("Ours")

        waiting = await river.advance(post_id)

        assert (State.WAITING, "quota", 0) == (waiting.state, waiting.reason, waiting.attempts)
        assert waiting.publish_asked_at is None
        assert [] == await accounts.slots(river.journal, USER, since=0)
        river.time.turn(86401)
        assert State.DONE is (await river.until_settled(post_id)).state


async def test_a_quota_of_nothing_is_asked_after_again(tmp_path: Path) -> None:
    """There is no slot of ours whose age could be waited for: an hour, as for what others use."""
    async with bench(tmp_path, SimulatorOptions(quota_total=0)) as river:
        waiting = await river.advance(await river.post())

        assert (State.WAITING, "quota") == (waiting.state, waiting.reason)
        assert river.time.now + 3600 == waiting.wait_until


async def test_a_gap_between_posts(tmp_path: Path) -> None:
    """publish.min_gap keeps the account's posts apart."""
    async with bench(tmp_path, min_gap=60.0) as river:
        await river.advance(await river.post("First"))
        second = await river.post("Second")

        waiting = await river.advance(second)
        assert (State.WAITING, "min-gap") == (waiting.state, waiting.reason)

        assert State.DONE is (await river.advance(second, after=60)).state


async def test_a_gap_after_a_clock_that_was_wrong(tmp_path: Path) -> None:
    """The last publication lies years ahead, since the clock was set back: nobody waits for it."""
    async with bench(tmp_path, min_gap=60.0) as river:
        await river.advance(await river.post("First"))
        river.time.turn(-2 * 365 * 86400.0)
        now = river.time.now

        assert State.DONE is (await river.until_settled(await river.post("Second"))).state
        assert river.time.now - now < 3600


async def test_a_container_in_progress_holds_no_worker(tmp_path: Path) -> None:
    """While Meta processes, the post waits in the journal, longer from read to read."""
    async with bench(tmp_path, SimulatorOptions(processing_seconds=4)) as river:
        post_id = await river.post()

        first = await river.advance(post_id)
        assert (State.WAITING, "processing", 0) == (first.state, first.reason, first.attempts)
        assert river.time.now + 2.0 == first.wait_until
        second = await river.advance(post_id, after=2)
        assert river.time.now + 3.0 == second.wait_until
        assert State.DONE is (await river.advance(post_id, after=3)).state


async def test_an_old_container_is_made_anew(river: Bench) -> None:
    """A container near its end that was never asked for is replaced, not trusted."""
    river.simulator.script({"on": "limit", "times": 3, "do": "error", "code": 2})
    post_id = await river.post()
    waiting = await river.advance(post_id)
    assert State.WAITING is waiting.state

    post = await river.advance(post_id, after=23.5 * 3600)

    assert (State.DONE, 2) == (post.state, post.generation)
    assert 1 == len(river.published)


async def test_a_token_refused_parks_the_post(river: Bench) -> None:
    """190: the post waits for a person, spends no attempt and is not failed."""
    river.simulator.script({"on": "create", "times": 1, "do": "error", "code": 190})
    post_id = await river.post()

    post = await river.advance(post_id)

    assert (State.WAITING, True, "token", 0) == (
        post.state,
        post.parked,
        post.reason,
        post.attempts,
    )
    await actions.retry(river.journal, river.clock, MACHINE, post_id)
    assert State.DONE is (await river.advance(post_id)).state


async def test_retries_run_out_and_a_person_is_asked(river: Bench) -> None:
    """Attempts are spent one by one, then the post is held, with what was tried."""
    river.simulator.script({"on": "create", "do": "error", "code": 2, "times": 1000})

    post = await river.until_settled(await river.post())

    assert (State.HELD, "meta-busy") == (post.state, post.reason)
    assert "It was tried 3 times" in (post.detail or "")
    history = await attempts.history(river.journal, post.id)
    assert 2 == sum(row["status"] == "retry" for row in history)
    assert 0 == len(river.published)


async def test_a_stop_in_the_middle_of_the_call(river: Bench) -> None:
    """A clean stop lets the one call end and its answer be written."""
    river.simulator.script({"on": "media_publish", "do": "delay", "seconds": 0.2})
    arrived = asyncio.Event()
    river.simulator.state.on_published.append(lambda _media: arrived.set())
    post_id = await river.post()
    task = asyncio.create_task(river.runner.advance(post_id))
    await arrived.wait()

    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    post = await river.find(post_id)
    assert (State.READY, Stage.ARCHIVE) == (post.state, post.stage)
    assert river.simulator.state.publications[0].id == post.media_id


async def test_the_log_of_a_post_tells_all_and_no_token(river: Bench) -> None:
    """Every request is in the publishing log, with its answer, and without the token."""
    river.simulator.script({"on": "create", "nth": 1, "do": "error", "code": 2})
    post_id = await river.post("Hello")
    await river.advance(post_id)

    history = await attempts.history(river.journal, post_id)

    endpoints = [(row["status"], row["endpoint"].split("/")[-1]) for row in history]
    assert ("error", "media") in endpoints
    assert ("container_created", "media") in endpoints
    assert ("started", "media_publish") in endpoints
    assert ("success", "media_publish") in endpoints
    assert "token" not in str([dict(row) for row in history]).lower()


async def test_a_deleted_upload_is_uploaded_again(river: Bench) -> None:
    """A post that is reopened after its upload was deleted gets a new address first."""
    post_id = await river.post("Hello")
    post = await river.find(post_id)
    bare = dataclasses.replace(post.items[0], public_url=None)
    await river.journal.apply([post_items.record_item(bare)])

    done = await river.advance(post_id)

    assert State.DONE is done.state
    assert "again-" in (done.items[0].public_url or "")


async def test_a_clock_set_forward_during_the_call(tmp_path: Path) -> None:
    """The lease and the quiet window seem over, but the call is under way: nothing is sent."""
    async with bench(tmp_path, SimulatorOptions(republish=Republish.EVIL)) as river:
        river.simulator.script(
            {"on": "media_publish", "times": 1, "do": "delay-effect", "seconds": 1}
        )
        post_id = await river.post("Hello")
        first = asyncio.create_task(river.runner.advance(post_id))
        async with asyncio.timeout(10):
            while river.publish_calls == 0:  # noqa: ASYNC110 - the simulator tells no arrival
                await asyncio.sleep(0.01)

        river.time.turn(3600)
        await river.runner.advance(post_id)
        await first

        assert (["Hello"], 1) == (river.published, river.publish_calls)
        assert State.DONE is (await river.find(post_id)).state


async def test_a_clock_set_forward_after_the_call(river: Bench) -> None:
    """The quiet window is over only when the clock that never jumps says so too."""
    river.simulator.script({"on": "media_publish", "times": 1, "do": "drop-before"})
    post_id = await river.post()
    await river.advance(post_id)
    steady = river.clock.monotonic()
    river.clock.monotonic = lambda: steady  # type: ignore[method-assign]

    await river.advance(post_id, after=3600)

    assert 1 == river.publish_calls


async def test_a_token_that_dies_after_the_asking(river: Bench) -> None:
    """The outcome is unknown and the token is refused: parked, with what a person must do."""
    river.simulator.script(
        {"on": "media_publish", "times": 1, "do": "drop-after"},
        {"on": "status", "nth": 1, "do": "delay", "seconds": 0},
        {"on": "status", "times": 1, "do": "error", "code": 190},
    )
    post_id = await river.post()

    post = await river.advance(post_id)

    assert (State.WAITING, True, "token") == (post.state, post.parked, post.reason)
    assert "new access token" in (post.remedy or "")
    await actions.retry(river.journal, river.clock, MACHINE, post_id)
    assert State.DONE is (await river.until_settled(post_id)).state
    assert 1 == len(river.published)


@pytest.mark.parametrize(("effect", "ends"), [("drop-before", "held"), ("drop-after", "done")])
async def test_a_container_that_is_never_readable_again(
    river: Bench, effect: str, ends: str
) -> None:
    """After a day the listing decides; if it has nothing, a person does. The account is free."""
    river.simulator.script(
        {"on": "media_publish", "times": 1, "do": effect},
        {"on": "status", "nth": 1, "do": "delay", "seconds": 0},
        {"on": "status", "times": 10_000, "do": "error", "code": 100, "subcode": 33},
    )

    post = await river.until_settled(await river.post(), limit=1000)

    assert ends == post.state
    assert (await accounts.find(river.journal, USER)).publishing is None
    assert 1 == river.publish_calls


async def test_a_post_behind_many_newer_ones(river: Bench) -> None:
    """The listing is read back to the asking: thirty strangers do not hide our post."""
    river.simulator.script(
        {"on": "media_publish", "times": 1, "do": "drop-after"},
        {"on": "status", "nth": 1, "do": "delay", "seconds": 0},
        {"on": "status", "times": 1, "do": "error", "code": 2},
        {"on": "status", "times": 1, "do": "error", "code": 2},
        {"on": "status", "times": 1, "do": "error", "code": 2},
        {"on": "status", "times": 100, "do": "status", "status": "EXPIRED"},
    )
    post_id = await river.post("Mine")
    await river.advance(post_id)
    for number in range(60):
        await river.caller.published(caption=f"Stranger {number}")

    post = await river.until_settled(post_id)

    assert State.DONE is post.state
    assert 1 == river.published.count("Mine")


async def test_a_corrected_address_is_used(river: Bench) -> None:
    """After a retry the upload gets its address anew, from the settings of today."""
    river.simulator.script(
        {"on": "create", "times": 100, "do": "error", "code": 9004, "subcode": 2207052}
    )
    held = await river.until_settled(await river.post("Hello"))
    assert (State.HELD, "not-fetchable") == (held.state, held.reason)
    river.simulator.script()

    await actions.retry(river.journal, river.clock, MACHINE, held.id)
    done = await river.advance(held.id)

    assert State.DONE is done.state
    assert "again-" in (done.items[0].public_url or "")


async def test_half_a_character_from_meta(river: Bench) -> None:
    """A broken emoji in an answer neither stops this post's record nor anybody else's."""
    river.simulator.script(
        {"on": "create", "times": 1, "do": "error", "code": 424242, "message": "\ud83d"}
    )
    post_id = await river.post()

    post = await river.advance(post_id)

    assert State.HELD is post.state
    assert "Meta refused (424242): ?" == post.detail


async def test_a_token_in_an_answer_is_hidden(river: Bench) -> None:
    """Some of Meta's errors repeat the token: it reaches neither the post nor its log."""
    river.simulator.script(
        {"on": "create", "times": 1, "do": "error", "code": 190, "message": f"Bad token {TOKEN}"}
    )
    post = await river.advance(await river.post())

    history = str([dict(row) for row in await attempts.history(river.journal, post.id)])
    assert "Bad token (hidden)" in (post.detail or "")
    assert TOKEN not in history + str(post)


async def test_an_account_that_left_the_settings(river: Bench) -> None:
    """Its posts are parked with what to do; they are nobody's mistake."""
    await river.journal.apply([accounts.ensure("99999")])
    post_id = await river.post(account_id="99999")

    post = await river.advance(post_id)

    assert (State.WAITING, True, "unknown-account") == (post.state, post.parked, post.reason)
