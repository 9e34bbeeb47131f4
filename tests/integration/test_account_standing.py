"""What concerns the account waits as the account: refused tokens, blocks, limits, quota."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from mediawatch.actions import posts as actions
from mediawatch.errors import GraphProblem
from mediawatch.graph.pacing import BELIEVED, SLOW_GAP
from mediawatch.graph.verdicts import BLOCKED_FOR
from mediawatch.journal import accounts, posts
from mediawatch.journal.schema import accounts as table
from mediawatch.model.lifecycle import Publication, Stage, State
from mediawatch.model.posts import Post
from mediawatch.pipeline.quota import READ_EVERY
from mediawatch.pipeline.standing import CATCH_UP_GAP
from mediawatch.simulator import SimulatorOptions
from mediawatch.simulator.faults import Endpoint
from tests.support.actors import MACHINE
from tests.support.publishing import PUBLISH_TIMEOUT, QUIET, Bench, bench
from tests.support.simulator import TOKEN, USER

OLD_TOKEN = "EAA-an-old-token"


@pytest.fixture
async def river(tmp_path: Path) -> AsyncIterator[Bench]:
    async with bench(tmp_path) as made:
        yield made


async def stood(river: Bench, *ids: str) -> list[Post]:
    return [await river.find(post_id) for post_id in ids]


async def until_done(river: Bench, *ids: str) -> list[float]:
    """Work on what is due, from time to time, as the sweep does; when each was published."""
    for _ in range(200):
        for post_id, _stage in await posts.workable(river.journal, now=river.time.now, limit=99):
            await river.runner.advance(post_id)
        found = await stood(river, *ids)
        if all(post.state is State.DONE for post in found):
            return [media.published_at for media in river.simulator.state.publications]
        river.time.now = max(
            river.time.now, min(post.wait_until for post in found if post.wait_until)
        )
    raise AssertionError(f"not all are done: {found}")


# A token that is refused.


async def test_a_refused_token_costs_one_call_for_all_posts(river: Bench) -> None:
    """The account is stopped, not each post after a call of its own: the others wait without
    one, nobody spends an attempt, and the alert is said once, with what to do."""
    await river.start(OLD_TOKEN)
    ids = [await river.post(f"Post {number}") for number in range(5)]

    for post_id in ids:
        await river.advance(post_id)

    assert 1 == river.calls
    for post in await stood(river, *ids):
        assert (State.WAITING, True, "token", 0) == (
            post.state,
            post.parked,
            post.reason,
            post.attempts,
        )
        assert "190" in (post.detail or "")
        assert "new access token" in (post.remedy or "")
    alerts = river.log.said("account")
    assert [("error", "token")] == [(line["level"], line["reason"]) for line in alerts]


async def test_posts_at_work_together_spend_a_call_each_at_most(river: Bench) -> None:
    """Calls that were under way when the first refusal came cannot be taken back; no new one."""
    await river.start(OLD_TOKEN)
    ids = [await river.post(str(number)) for number in range(6)]

    await asyncio.gather(*(river.runner.advance(post_id) for post_id in ids[:2]))
    await asyncio.gather(*(river.runner.advance(post_id) for post_id in ids[2:]))

    assert river.calls <= 2
    assert {"token"} == {post.reason for post in await stood(river, *ids)}
    assert 1 == len(river.log.said("account"))


async def test_a_restart_with_the_same_token_spends_nothing(river: Bench) -> None:
    """It is still the token that was refused: said again, and no call is made with it."""
    await river.start(OLD_TOKEN)
    ids = [await river.post(), await river.post()]
    await river.advance(ids[0])

    await river.start(OLD_TOKEN)
    for post_id in ids:
        await river.advance(post_id)

    assert 1 == river.calls
    assert "still stopped" in river.log.said("account")[-1]["event"]
    assert {"token"} == {post.reason for post in await stood(river, *ids)}
    assert [] == await posts.workable(river.journal, now=river.time.now + 3600, limit=9)


async def test_nice_to_have_calls_stop_with_the_account(river: Bench) -> None:
    """The link of a published post is not read with a dead token, after a restart either."""
    await river.start(OLD_TOKEN)
    post_id = await river.post()
    work = await river.claimed(post_id)
    await river.runner.advance(await river.post())

    for _ in range(2):
        with pytest.raises(GraphProblem, match="190"):
            await (await river.publish.api(work)).permalink("1")
        await river.start(OLD_TOKEN)

    assert 1 == river.calls


async def test_another_token_releases_the_posts_in_order_and_spaced(river: Bench) -> None:
    """Reconnected: they go out as they came, a minute apart, and not as a burst."""
    await river.start(OLD_TOKEN)
    ids = []
    for number in range(5):
        river.time.turn(1)
        ids.append(await river.post(f"Post {number}"))
    for post_id in reversed(ids):
        await river.advance(post_id)
    river.time.turn(1000)

    await river.start(TOKEN)
    began = river.time.now
    times = await until_done(river, *ids)

    assert [f"Post {number}" for number in range(5)] == river.published
    assert began == times[0]
    assert all(b - a >= CATCH_UP_GAP for a, b in itertools.pairwise(times))
    assert times[-1] - times[0] <= CATCH_UP_GAP * 5
    assert {0} == {post.attempts for post in await stood(river, *ids)}


async def test_the_backlog_is_spaced_after_another_restart_too(river: Bench) -> None:
    """The turns are in the journal: a daemon that was away for a day makes no burst of them."""
    await river.start(OLD_TOKEN)
    ids = [await river.post(f"Post {number}") for number in range(4)]
    await river.advance(ids[0])
    await river.start(TOKEN)
    for post_id in ids:
        await river.advance(post_id)
    assert ["Post 0"] == river.published

    river.time.turn(12 * 3600)
    await river.start(TOKEN)
    times = await until_done(river, *ids)

    assert [f"Post {number}" for number in range(4)] == river.published
    assert all(b - a >= CATCH_UP_GAP for a, b in itertools.pairwise(times))


async def test_posts_that_come_after_the_release_need_no_turn(river: Bench) -> None:
    """Only the backlog is spaced: whoever drops a picture now sees it now."""
    await river.start(OLD_TOKEN)
    ids = [await river.post(f"Old {number}") for number in range(3)]
    for post_id in ids:
        await river.advance(post_id)
    await river.start(TOKEN)
    for post_id in ids:
        await river.advance(post_id)
    river.time.turn(1)

    new = await river.advance(await river.post("New"))

    assert State.DONE is new.state
    assert ["Old 0", "New"] == river.published
    waiting = (await stood(river, ids[1]))[0]
    assert (State.WAITING, "catching-up") == (waiting.state, waiting.reason)
    assert "60 s apart" in (waiting.detail or "")


async def test_one_posts_trouble_does_not_hold_the_backlog_up(river: Bench) -> None:
    """The first of them fails and is tried again later: the next ones take their turns."""
    await river.start(OLD_TOKEN)
    ids = [await river.post(f"Post {number}") for number in range(3)]
    for post_id in ids:
        await river.advance(post_id)
    await river.start(TOKEN, delays=(3600.0,))
    river.simulator.script(
        {"on": "create", "match": "Post 0", "times": 1, "do": "error", "code": 24, "subcode": 1}
    )

    await until_done(river, *ids)

    assert ["Post 1", "Post 2", "Post 0"] == river.published


async def test_a_person_who_has_one_tried_again_releases_all(river: Bench) -> None:
    """`posts retry` says that the account is mended: its posts go out, the first at once."""
    river.simulator.script({"on": "create", "times": 1, "do": "error", "code": 190, "subcode": 459})
    ids = [await river.post(f"Post {number}") for number in range(3)]
    for post_id in ids:
        await river.advance(post_id)
    assert 1 == river.calls

    await actions.retry(river.journal, river.clock, MACHINE, ids[1])
    times = await until_done(river, *ids)

    assert ["Post 0", "Post 1", "Post 2"] == river.published
    assert all(b - a >= CATCH_UP_GAP for a, b in itertools.pairwise(times))


async def test_a_mended_token_that_is_refused_again_stops_again(river: Bench) -> None:
    """A retry that was too early costs one call, and is said again."""
    await river.start(OLD_TOKEN)
    ids = [await river.post(), await river.post()]
    for post_id in ids:
        await river.advance(post_id)

    await actions.retry(river.journal, river.clock, MACHINE, ids[0])
    for post_id in ids:
        await river.advance(post_id)

    assert 2 == river.calls
    assert {"token"} == {post.reason for post in await stood(river, *ids)}
    assert 2 == sum(line["level"] == "error" for line in river.log.said("account"))


@pytest.mark.parametrize("subcode", [None, 458, 459, 460, 463, 464, 467, 492])
@pytest.mark.parametrize("on", ["create", "status", "limit", "media_publish"])
async def test_a_token_refused_at_any_step(river: Bench, on: str, subcode: int | None) -> None:
    """Whichever call meets it: the account is stopped, the post waits and goes on from there."""
    rule = {"on": on, "times": 1, "do": "error", "code": 190}
    river.simulator.script(rule if subcode is None else {**rule, "subcode": subcode})
    post_id = await river.post("Hello")

    post = await river.advance(post_id)

    calls = river.calls
    assert (State.WAITING, True, "token", 0) == (
        post.state,
        post.parked,
        post.reason,
        post.attempts,
    )
    await river.advance(await river.post("Other"))
    assert calls == river.calls

    await actions.retry(river.journal, river.clock, MACHINE, post_id)
    post = await river.until_settled(post_id)
    assert State.DONE is post.state
    assert ["Hello"] == river.published
    assert 0 == river.republish_calls


async def test_a_token_refused_although_it_was_published(river: Bench) -> None:
    """190 as the answer to a publish call that took effect: after the reconnection the container
    tells, and nothing is sent a second time."""
    river.simulator.script({"on": "media_publish", "times": 1, "do": "error-after", "code": 190})
    post_id = await river.post("Hello")
    post = await river.advance(post_id)
    assert (Publication.ASKED, True, "token") == (post.publication, post.parked, post.reason)

    await actions.retry(river.journal, river.clock, MACHINE, post_id)
    post = await river.until_settled(post_id)

    assert (State.DONE, ["Hello"], 1) == (post.state, river.published, river.publish_calls)


async def test_the_token_itself_is_nowhere_in_the_journal(river: Bench) -> None:
    """Only a short digest of it is kept, which differs from account to account."""
    await river.start(OLD_TOKEN)
    await river.advance(await river.post())

    row = str([dict(found) for found in await river.journal.read(table.select())])

    assert OLD_TOKEN not in row
    digest = (await accounts.find(river.journal, USER)).token_digest
    assert digest is not None
    assert len(digest) == 16


@pytest.mark.parametrize(
    ("code", "subcode", "reason"),
    [
        (10, None, "permission"),
        (200, None, "permission"),
        (299, None, "permission"),
        (102, None, "token"),
        (25, 2207050, "account-restricted"),
    ],
)
async def test_what_only_a_person_can_mend(
    river: Bench, code: int, subcode: int | None, reason: str
) -> None:
    """Permissions and restrictions stop the account until a person says that it is mended."""
    rule: dict[str, Any] = {"on": "create", "times": 1, "do": "error", "code": code}
    river.simulator.script(rule if subcode is None else {**rule, "subcode": subcode})
    ids = [await river.post("First"), await river.post("Second")]

    for post_id in ids:
        await river.advance(post_id)
    river.time.turn(3 * 86400)
    for post_id in ids:
        await river.advance(post_id)

    assert 1 == river.calls
    assert {reason} == {post.reason for post in await stood(river, *ids)}
    await actions.retry_all(river.journal, river.clock, MACHINE)
    await until_done(river, *ids)
    assert ["First", "Second"] == river.published


# Blocks.


@pytest.mark.parametrize(
    ("effect", "published"), [("error", []), ("error-after", ["Blocked"])], ids=["not", "live"]
)
@pytest.mark.parametrize(("code", "subcode"), [(4, 2207051), (368, None)])
async def test_a_block_is_reconciled_first_and_then_the_account_rests_a_day(
    river: Bench, effect: str, published: list[str], code: int, subcode: int | None
) -> None:
    """Whether the blocked call took effect is found out; nothing else is sent for a day; then
    the account goes on by itself."""
    rule: dict[str, Any] = {"on": "media_publish", "times": 1, "do": effect, "code": code}
    river.simulator.script(rule if subcode is None else {**rule, "subcode": subcode})
    blocked_at = river.time.now
    ids = [await river.post("Blocked")]
    await river.advance(ids[0])
    river.time.turn(1)
    ids.append(await river.post("Other"))
    river.time.turn(PUBLISH_TIMEOUT + QUIET)

    for post_id in ids:
        await river.advance(post_id)

    assert published == river.published
    assert 1 == river.publish_calls
    assert 1 == len(river.simulator.state.containers)
    other = await river.find(ids[1])
    assert (State.WAITING, "account-blocked", 0) == (other.state, other.reason, other.attempts)
    assert blocked_at + BLOCKED_FOR == other.wait_until
    alert = river.log.said("account")[0]
    assert "error" == alert["level"]
    assert "Nothing is posted until 2027-01-16T08:00:00+00:00" in alert["event"]

    await actions.retry_all(river.journal, river.clock, MACHINE)
    await river.advance(ids[1])
    assert 1 == river.publish_calls

    times = await until_done(river, *ids)
    assert ["Blocked", "Other"] == river.published
    assert times[-1] >= blocked_at + BLOCKED_FOR
    assert 0 == river.republish_calls


# Limits of calls.


def usage(percent: int, regain: int = 0) -> dict[str, str]:
    row = {"type": "instagram", "call_count": percent, "estimated_time_to_regain_access": regain}
    return {
        "X-App-Usage": json.dumps({"call_count": 1}),
        "X-Business-Use-Case-Usage": json.dumps({USER: [row]}),
    }


@pytest.mark.parametrize("on", ["create", "status", "limit", "media_publish"])
@pytest.mark.parametrize("code", [4, 17, 32, 341, 613, 80001, 80002])
async def test_too_many_calls_wait_and_the_account_stays(river: Bench, on: str, code: int) -> None:
    """HTTP 400 with a limit's code: no attempt is spent, no call is made before its time, nobody
    is parked, and the post is published once."""
    river.simulator.script({"on": on, "times": 1, "do": "error", "code": code, "http": 400})
    post_id = await river.post("Hello")

    post = await river.advance(post_id)

    calls = river.calls
    assert (State.WAITING, False, 0) == (post.state, post.parked, post.attempts)
    assert "rate-limit" == post.reason
    assert river.time.now + 900 == post.wait_until
    assert "2027-01-15T08:15:00+00:00" in (post.detail or "")
    await river.advance(await river.post("Other"))
    await actions.retry(river.journal, river.clock, MACHINE, post_id)
    assert "rate-limit" == (await river.advance(post_id)).reason
    assert calls == river.calls
    assert (await accounts.find(river.journal, USER)).stopped_at is None

    river.time.turn(900)
    assert State.DONE is (await river.until_settled(post_id)).state
    assert 1 == river.published.count("Hello")
    assert 0 == river.republish_calls


async def test_three_quarters_slow_down(river: Bench) -> None:
    """80 %: posts are begun half a minute apart, and none waits for longer than it must."""
    river.simulator.script(headers=usage(80))
    ids = [await river.post(f"Post {number}") for number in range(4)]
    began = river.time.now
    for post_id in ids:
        await river.advance(post_id)

    assert ["Post 0", "Post 1"] == river.published
    waits = [(post.reason, post.wait_until) for post in (await stood(river, *ids))[2:]]
    assert [("slowing", began + SLOW_GAP), ("slowing", began + 2 * SLOW_GAP)] == waits
    times = await until_done(river, *ids)
    assert [0, 0, SLOW_GAP, 2 * SLOW_GAP] == [at - began for at in times]


async def test_nine_tenths_let_no_post_begin(river: Bench) -> None:
    """95 %: what waits says until when and spends nothing; then one call asks anew."""
    await river.advance(await river.post("Before"))
    river.simulator.script(headers=usage(95))
    await river.advance(await river.post("Told"))
    calls = river.calls
    post_id = await river.post("Waits")

    post = await river.advance(post_id)

    assert (State.WAITING, "rate-limit", 0) == (post.state, post.reason, post.attempts)
    assert river.time.now + BELIEVED == post.wait_until
    assert "95 % of Meta's limit" in (post.detail or "")
    assert calls == river.calls
    river.simulator.script(headers=usage(20))
    assert State.DONE is (await river.until_settled(post_id)).state


async def test_nine_tenths_still_find_out_what_came_of_a_publish_call(river: Bench) -> None:
    """The outcome of a call is worth its reads, until nothing at all is allowed."""
    river.simulator.script({"on": "media_publish", "times": 1, "do": "drop-after"})
    river.simulator.state.on_published.append(
        lambda _: river.simulator.script(headers=usage(95)),
    )

    post = await river.advance(await river.post("Hello"))

    assert "spare" == river.pacing.pace(USER).word
    assert (State.DONE, ["Hello"], 1) == (post.state, river.published, river.publish_calls)


async def test_a_hundred_with_minutes_waits_those_minutes(river: Bench) -> None:
    """100 % and three minutes to regain: nothing is asked for three minutes, then all goes on."""
    river.simulator.script(headers=usage(100, regain=3))
    post_id = await river.post("Hello")
    post = await river.advance(post_id)

    calls = river.calls
    assert (State.WAITING, "rate-limit", 0) == (post.state, post.reason, post.attempts)
    assert river.time.now + 180 == post.wait_until
    assert Stage.PUBLISH is post.stage
    assert (0, 1) == (river.publish_calls, calls)
    await river.advance(post_id, after=179)
    assert calls == river.calls

    river.simulator.script()
    assert State.DONE is (await river.advance(post_id, after=1)).state
    assert ["Hello"] == river.published


async def test_an_unknown_outcome_is_asked_after_when_it_is_allowed_again(river: Bench) -> None:
    """The answer is lost and the limit reached: no read before its time, no second call."""
    river.simulator.script(
        {"on": "media_publish", "times": 1, "do": "error-after", "code": 80002, "http": 400}
    )
    post_id = await river.post("Hello")

    post = await river.advance(post_id)

    calls = river.calls
    assert (Publication.ASKED, "rate-limit") == (post.publication, post.reason)
    assert river.time.now + 900 == post.wait_until
    await river.advance(post_id, after=899)
    assert calls == river.calls
    assert State.DONE is (await river.until_settled(post_id)).state
    assert (["Hello"], 1) == (river.published, river.publish_calls)


async def test_the_limits_are_told_once_for_each_change(river: Bench) -> None:
    """A line when it becomes tight, and one when there is room again; not one a call."""
    for percent in (80, 80, 85, 10, 10):
        river.simulator.script(headers=usage(percent))
        await river.until_settled(await river.post())

    assert ["warning", "info"] == [line["level"] for line in river.log.said("pace")]


# The quota.


async def test_what_others_publish_counts(tmp_path: Path) -> None:
    """Meta counts a post made elsewhere: no call is spent on what it would refuse."""
    async with bench(tmp_path, SimulatorOptions(quota_total=3)) as river:
        await river.caller.published(caption="By hand")
        ids = [await river.post(f"Ours {number}") for number in range(3)]

        stands = [await river.advance(post_id) for post_id in ids]

        assert [State.DONE, State.DONE, State.WAITING] == [post.state for post in stands]
        waiting = stands[2]
        assert ("quota", 0) == (waiting.reason, waiting.attempts)
        assert 2 == river.publish_calls - 1
        assert "allows 3 posts in 24 hours" in (waiting.detail or "")
        assert "2027-01-15T09:00:00+00:00" in (waiting.detail or "")
        assert State.DONE is (await river.until_settled(ids[2])).state


@pytest.mark.parametrize("total", [1, 3])
async def test_the_quota_is_read_and_not_assumed(tmp_path: Path, total: int) -> None:
    """Whatever number Meta tells is the number, and it is asked for once an hour."""
    async with bench(tmp_path, SimulatorOptions(quota_total=total)) as river:
        ids = [await river.post(f"Post {number}") for number in range(total + 1)]

        stands = [await river.advance(post_id) for post_id in ids]

        assert [*[State.DONE] * total, State.WAITING] == [post.state for post in stands]
        assert f"allows {total} posts" in (stands[-1].detail or "")
        assert 1 == river.simulator.state.asked[Endpoint.LIMIT]
        await actions.retry(river.journal, river.clock, MACHINE, ids[-1])
        await river.advance(ids[-1], after=READ_EVERY)
        assert 2 == river.simulator.state.asked[Endpoint.LIMIT]
        assert total == river.publish_calls


async def test_a_refusal_for_the_quota_has_it_read_again(tmp_path: Path) -> None:
    """Others were quicker since the last look: it is looked at again, and the post says when."""
    async with bench(tmp_path, SimulatorOptions(quota_total=2)) as river:
        await river.advance(await river.post("First"))
        await river.caller.published(caption="By hand")
        post_id = await river.post("Second")

        refused = await river.advance(post_id)

        assert ("quota", 0, None) == (refused.reason, refused.attempts, refused.publish_asked_at)
        assert "It goes on at 2027-01-15T09:00:00+00:00" in (refused.detail or "")
        calls = river.publish_calls
        waiting = await river.advance(post_id, after=3600)
        assert ("quota", calls) == (waiting.reason, river.publish_calls)
        assert 2 == river.simulator.state.asked[Endpoint.LIMIT]
        assert State.DONE is (await river.until_settled(post_id)).state


async def test_a_look_at_the_quota_can_be_done_without(river: Bench) -> None:
    """From 90 % on an older number does, and the post waits before it asks for anything."""
    await river.advance(await river.post("First"))
    river.time.turn(READ_EVERY + 1)
    container = await river.caller.container(caption="Second")
    post_id = await river.post(
        "Second",
        stage=Stage.PUBLISH,
        container_id=container,
        container_at=river.time.now,
        generation=1,
    )
    river.simulator.script(headers=usage(95))

    post = await river.advance(post_id)

    assert ("rate-limit", None) == (post.reason, post.publish_asked_at)
    assert 1 == river.simulator.state.asked[Endpoint.LIMIT]
    assert 1 == river.publish_calls


# Retries over hours.


async def test_retries_over_hours_survive_every_restart(tmp_path: Path) -> None:
    """1, 5, 30 minutes, 2 and 6 hours, each up to a fifth more or less, with a restart before
    each try; what is waited for in between spends none of them."""
    delays = (60.0, 300.0, 1800.0, 7200.0, 21600.0)
    async with bench(tmp_path) as river:
        post_id = await river.post("Hello")
        river.simulator.script({"on": "create", "times": 15, "do": "error", "code": 2})
        for attempt, delay in enumerate(delays, start=1):
            await river.start(delays=delays)
            tried_at = river.time.now
            post = await river.advance(post_id)
            assert (State.WAITING, "meta-busy", attempt) == (post.state, post.reason, post.attempts)
            assert post.wait_until is not None
            assert delay * 0.8 <= post.wait_until - tried_at <= delay * 1.2
            await river.start(delays=delays)
            assert attempt == (await river.advance(post_id)).attempts
            river.time.now = post.wait_until
            river.pacing.learn(USER, usage(100, regain=1))
            waiting = await river.advance(post_id)
            assert ("rate-limit", attempt) == (waiting.reason, waiting.attempts)
            river.time.turn(60)

        await river.start(delays=delays)
        assert State.DONE is (await river.advance(post_id)).state
        assert ["Hello"] == river.published
