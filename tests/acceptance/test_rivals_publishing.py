"""Publishing, where other tools posted twice, gave up on what was live, or lost it.

The time that passes here is the clock's, which the simulator reads too; the journal, the HTTP
and the answers are real.

Guarded elsewhere already:

| what | by |
|---|---|
| the publish call times out, but the post is live: one post, published | test_lost_answers.py: test_no_lost_answer_loses_or_doubles_a_post |
"""  # noqa: E501 - a table has one line a row

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mediawatch import config, daemon
from mediawatch.clock import iso
from mediawatch.journal import accounts
from mediawatch.log import silent
from mediawatch.model.lifecycle import Stage, State
from mediawatch.model.posts import Post
from mediawatch.pipeline.standing import CATCH_UP_GAP
from mediawatch.simulator import Republish, SimulatorOptions
from tests.support.pictures import jpeg
from tests.support.publishing import Bench, bench
from tests.support.river import River, open_river
from tests.support.simulator import TOKEN, USER

HOUR = 3600.0
DAY = 24 * HOUR
LIMITS = (4, 17, 32, 613, 80002)


@pytest.fixture
async def evil(tmp_path: Path) -> AsyncIterator[Bench]:
    """A Meta that publishes twice if it is asked twice for one container."""
    async with bench(tmp_path, SimulatorOptions(republish=Republish.EVIL)) as made:
        yield made


async def test_a_block_that_hid_a_success_is_reconciled_and_not_retried(evil: Bench) -> None:
    """ "Action blocked" although the post is live: found published, sent once; what comes next
    waits as the account does, since it was told to post less."""
    evil.simulator.script(
        {"on": "media_publish", "times": 1, "do": "error-after", "code": 4, "subcode": 2207051}
    )
    first, second = await evil.post("First"), await evil.post("Second")

    live = await evil.advance(first)
    waiting = await evil.advance(second)

    assert (State.DONE, ["First"]) == (live.state, evil.published)
    assert evil.simulator.state.publications[0].id == live.media_id
    assert (State.WAITING, "account-blocked", 0) == (
        waiting.state,
        waiting.reason,
        waiting.attempts,
    )
    assert State.DONE is (await evil.until_settled(second)).state
    assert (["First", "Second"], 2) == (evil.published, evil.publish_calls)


async def test_a_container_that_cannot_be_read_at_first_is_published(evil: Bench) -> None:
    """100/33 "does not exist" on a container that is fine: read again, and not made anew."""
    evil.simulator.script({"on": "status", "times": 2, "do": "error", "code": 100, "subcode": 33})

    post = await evil.until_settled(await evil.post("Hello"))

    assert (State.DONE, ["Hello"]) == (post.state, evil.published)
    assert (1, 1) == (len(evil.simulator.state.containers), evil.publish_calls)


async def test_a_link_that_cannot_be_read_is_filled_in_later_and_fails_no_post(
    river: River,
) -> None:
    """Published and filed without its link, for one call of publishing; the link comes when Meta
    tells it."""
    river.simulator.script({"on": "permalink", "do": "error", "code": 2, "http": 500})
    original = river.drop("beach.jpg", jpeg())
    async with daemon.running(config.load(river.config), silent()) as at_work:
        await river.arrived({"beach.jpg": original})
        assert (await river.post("beach.jpg")).permalink is None
        river.simulator.script()

        assert 1 == await at_work.app.links.run_once()

        post = await river.post("beach.jpg", state="done")
    (media,) = river.simulator.state.publications
    assert media.shortcode in (post.permalink or "")
    assert 1 == media.container.publish_calls


async def test_a_container_that_takes_hours_is_neither_published_nor_given_up(evil: Bench) -> None:
    """It waits without spending an attempt, over a restart too, and is published once ready."""
    evil.simulator.script({"on": "status", "do": "status", "status": "IN_PROGRESS"})
    post_id = await evil.post("Slow")
    began = evil.time.now
    post = await evil.advance(post_id)
    while evil.time.now < began + 12 * HOUR:
        assert (State.WAITING, "processing", 0) == (post.state, post.reason, post.attempts)
        assert post.wait_until is not None
        assert evil.time.now < post.wait_until <= evil.time.now + 600
        post = await evil.advance(post_id, after=600)
    assert 0 == evil.publish_calls
    await evil.start()
    evil.simulator.script()

    post = await evil.until_settled(post_id)

    assert (State.DONE, ["Slow"]) == (post.state, evil.published)
    assert (1, 1) == (len(evil.simulator.state.containers), evil.publish_calls)


async def test_a_container_that_is_never_ready_is_made_anew_after_a_day(evil: Bench) -> None:
    """Meta drops what was not published in 24 hours: nothing was asked of it, so that a new one
    takes its place, and the post is published once."""
    evil.simulator.script({"on": "status", "do": "status", "status": "IN_PROGRESS"})
    post_id = await evil.post("Stuck")
    await evil.advance(post_id)
    await evil.advance(post_id, after=DAY)
    evil.simulator.script()

    post = await evil.until_settled(post_id)

    assert (State.DONE, ["Stuck"]) == (post.state, evil.published)
    assert (2, 1) == (len(evil.simulator.state.containers), evil.publish_calls)


@pytest.mark.parametrize("listed", [True, False])
@pytest.mark.parametrize("remembered", [True, False])
async def test_what_is_live_without_a_known_media_is_never_sent_again_nor_guessed(
    evil: Bench, listed: bool, remembered: bool
) -> None:
    """The container says PUBLISHED, the media's id was never stored, perhaps not even that it was
    asked for, and others posted since: bound to its own media if that is listed, else held as
    published. "The newest" is a guess."""
    container = await evil.caller.container(caption="Ours")
    media_id = (await evil.caller.publish(container)).json["id"]
    newest = [await evil.caller.published(caption=f"Stranger {number}") for number in range(3)]
    if not listed:
        del evil.simulator.state.publications[0]
    post_id = await evil.post(
        "Ours",
        stage=Stage.PUBLISH,
        container_id=container,
        container_at=evil.time.now,
        generation=1,
        publish_asked_at=evil.time.now if remembered else None,
    )

    post = await evil.until_settled(post_id)

    assert post.media_id not in newest
    if listed:
        assert (State.DONE, media_id) == (post.state, post.media_id)
    else:
        assert (State.HELD, "which-media", None) == (post.state, post.reason, post.media_id)
        assert f"posts confirm {post_id}" in (post.remedy or "")
    assert 1 == evil.simulator.state.containers[container].publish_calls
    assert 1 == len(evil.simulator.state.containers) - len(newest)


async def test_a_refused_token_holds_the_account_and_a_new_one_releases_it_spaced(
    evil: Bench,
) -> None:
    """190: every post is kept, for one call and no attempt; connected again, they go out in their
    order, and not all at once."""
    await evil.start("EAA-an-old-token")
    ids = []
    for caption in ("First", "Second", "Third"):
        evil.time.turn(1)
        ids.append(await evil.post(caption))
    for post_id in reversed(ids):
        post = await evil.advance(post_id)
        assert (State.WAITING, "token", True) == (post.state, post.reason, post.parked)
        assert "new access token" in (post.remedy or "")
        assert 0 == post.attempts
    assert 1 == evil.calls

    await evil.start(TOKEN)
    for _ in range(100):
        for post_id in reversed(ids):
            await evil.advance(post_id)
        evil.time.turn(CATCH_UP_GAP / 10)

    assert ["First", "Second", "Third"] == evil.published
    times = [media.published_at for media in evil.simulator.state.publications]
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert all(gap >= CATCH_UP_GAP for gap in gaps), gaps


@pytest.mark.parametrize("on", ["create", "media_publish"])
@pytest.mark.parametrize("code", LIMITS)
async def test_a_rate_limit_delays_the_post_and_leaves_the_account_connected(
    evil: Bench, code: int, on: str
) -> None:
    """A limit comes as HTTP 400, as a dead token does: it is waited out, and nobody is asked to
    connect anything again."""
    evil.simulator.script({"on": on, "times": 1, "do": "error", "code": code, "http": 400})
    post_id = await evil.post("Hello")

    waiting = await evil.advance(post_id)

    assert (State.WAITING, False, 0) == (waiting.state, waiting.parked, waiting.attempts)
    assert waiting.wait_until is not None
    assert waiting.wait_until > evil.time.now
    account = await accounts.find(evil.journal, USER)
    assert (None, None) == (account.stopped_at, account.stopped_code)
    assert State.DONE is (await evil.until_settled(post_id)).state
    assert ["Hello"] == evil.published


async def test_a_used_up_quota_moves_posts_to_the_next_window_and_says_so(tmp_path: Path) -> None:
    """One post a day is allowed, two lie there: the second says why it waits, and until when."""
    async with open_river(tmp_path, quota_total=1) as river:
        river.drop_pictures(2)

        async def one_of_two() -> tuple[Post, Post] | None:
            found = sorted((await river.posts()).values(), key=lambda post: post.state)
            ends = [(State.DONE, None), (State.WAITING, "quota")]
            done = ends == [(post.state, post.reason) for post in found]
            return (found[0], found[1]) if done else None

        async with river.daemon():
            done, waiting = await river.until(one_of_two)
            shown = (await river.run("posts", "show", waiting.id)).out
    assert [Path(done.name).stem] == river.captions()
    assert 0 == waiting.attempts
    assert (done.published_at or 0.0) + DAY == pytest.approx(waiting.wait_until, abs=2)
    assert "Instagram allows 1 posts in 24 hours" in shown
    assert iso(waiting.wait_until or 0.0) in shown


async def test_a_quota_window_that_opens_lets_the_post_through(tmp_path: Path) -> None:
    """A day later it goes out by itself, once."""
    async with bench(tmp_path, SimulatorOptions(quota_total=1)) as river:
        await river.advance(await river.post("First"))
        second = await river.post("Second")
        assert "quota" == (await river.advance(second)).reason
        assert "quota" == (await river.advance(second, after=DAY - 60)).reason
        assert ["First"] == river.published
        assert State.DONE is (await river.advance(second, after=61)).state
        assert ["First", "Second"] == river.published
