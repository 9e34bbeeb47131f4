"""Carousels and stories, from a public address on: what is said to Meta, and what comes of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mediawatch.model.kinds import PostKind
from mediawatch.model.lifecycle import Stage, State
from mediawatch.simulator import SimulatorOptions
from mediawatch.simulator.state import Container, Kind
from tests.support.publishing import QUIET, Bench, bench


@pytest.fixture
async def river(tmp_path: Path) -> AsyncIterator[Bench]:
    async with bench(tmp_path) as made:
        yield made


async def carousel(river: Bench, pictures: int = 3, caption: str = "Album") -> str:
    return await river.post(caption, pictures=pictures, kind=PostKind.CAROUSEL)


def of_kind(river: Bench, kind: Kind) -> list[Container]:
    return [each for each in river.simulator.state.containers.values() if each.kind is kind]


async def test_a_carousel_is_one_post_of_all_its_pictures_in_order(river: Bench) -> None:
    """Each picture gets a container of its own, the whole one of them all; it is published once."""
    post = await river.until_settled(await carousel(river))

    assert State.DONE is post.state
    assert ["Album"] == river.published
    media = river.simulator.state.publications[0]
    assert [item.public_url for item in post.items] == [
        each.uri for each in media.container.pictures
    ]
    assert [item.container_id for item in post.items] == [c.id for c in media.container.children]
    assert (1, 0) == (river.publish_calls, river.republish_calls)


async def test_children_that_are_still_processed_are_waited_for(tmp_path: Path) -> None:
    """The whole is made only when each child is finished; waiting holds no worker and makes
    nothing twice."""
    async with bench(tmp_path, SimulatorOptions(processing_seconds=20.0)) as river:
        post_id = await carousel(river)
        first = await river.advance(post_id)
        assert (State.WAITING, "processing") == (first.state, first.reason)
        assert [] == of_kind(river, Kind.CAROUSEL)
        post = await river.until_settled(post_id)

    assert State.DONE is post.state
    assert 3 == len(of_kind(river, Kind.CHILD))
    assert 1 == len(of_kind(river, Kind.CAROUSEL))


async def test_one_bad_child_publishes_nothing_and_is_named(river: Bench) -> None:
    """A picture that Meta cannot use keeps the whole back: held, with the name of that file."""
    post_id = await carousel(river)
    bad = (await river.find(post_id)).items[1].public_url or ""
    river.simulator.script(
        {"on": "create", "match": bad, "do": "status", "status": "ERROR", "subcode": 2207004}
    )

    post = await river.until_settled(post_id)

    assert State.HELD is post.state
    assert "b.jpg" in (post.detail or "")
    assert "Nothing of" in (post.detail or "")
    assert [] == of_kind(river, Kind.CAROUSEL)
    assert [] == river.published


async def test_a_child_that_meta_lost_is_made_anew_and_the_others_stay(river: Bench) -> None:
    """One child expires or is unknown: that one gets another container, the others keep theirs."""
    post_id = await carousel(river)
    second = (await river.find(post_id)).items[1].public_url or ""
    river.simulator.script(
        {"on": "create", "match": second, "do": "status", "status": "EXPIRED", "nth": 1}
    )

    post = await river.until_settled(post_id)

    assert State.DONE is post.state
    assert 4 == len(of_kind(river, Kind.CHILD))
    assert ["Album"] == river.published


async def test_a_refused_child_is_named(river: Bench) -> None:
    """Meta refuses one picture at once: the sentence says which file it is."""
    post_id = await carousel(river)
    bad = (await river.find(post_id)).items[2].public_url or ""
    river.simulator.script(
        {"on": "create", "match": bad, "do": "error", "code": 36003, "subcode": 2207009}
    )

    post = await river.until_settled(post_id)

    assert State.HELD is post.state
    assert (post.detail or "").startswith("c.jpg: ")
    assert [] == river.published


async def test_a_carousel_whose_answer_was_lost_is_found_by_its_kind(river: Bench) -> None:
    """Published, the answer lost, the container unreadable for ever: the listing tells, and a
    picture with the same words is not taken for it."""
    await river.until_settled(await river.post("Album"))
    post_id = await carousel(river)
    river.simulator.script(
        {"on": "media_publish", "do": "drop-after", "times": 1},
        {"on": "status", "match": "Album", "do": "status", "status": "EXPIRED", "nth": 2},
    )

    post = await river.until_settled(post_id)

    assert State.DONE is post.state
    assert river.simulator.state.publications[-1].id == post.media_id
    assert 2 == len(river.published)


async def test_a_new_whole_gets_new_children(river: Bench) -> None:
    """The container of the whole failed: the children of the old one are not used for another."""
    post_id = await carousel(river)
    river.simulator.script(
        {"on": "create", "match": "Album", "do": "status", "status": "ERROR", "nth": 1}
    )

    post = await river.until_settled(post_id)

    assert State.DONE is post.state
    assert ["Album"] == river.published
    used = [c.id for c in river.simulator.state.publications[0].container.children]
    assert len(of_kind(river, Kind.CHILD)) == 6
    assert used == [item.container_id for item in post.items]


async def story(river: Bench) -> str:
    return await river.post("Never said", kind=PostKind.STORY)


async def test_a_story_is_a_story_without_words(river: Bench) -> None:
    """It goes to Meta as STORIES, without the caption that stories do not have."""
    post = await river.until_settled(await story(river))

    assert State.DONE is post.state
    (media,) = river.simulator.state.publications
    assert (Kind.STORY, "") == (media.container.kind, media.container.caption)


async def test_a_story_whose_answer_was_lost_is_bound_from_the_stories(river: Bench) -> None:
    """Its container reads PUBLISHED; the one new story of the account is it."""
    post_id = await story(river)
    river.simulator.script({"on": "media_publish", "do": "drop-after", "times": 1})

    post = await river.until_settled(post_id)

    assert State.DONE is post.state
    assert river.simulator.state.publications[0].id == post.media_id
    assert (1, 0) == (river.publish_calls, river.republish_calls)


async def test_a_story_that_nobody_can_tell_apart_is_held(river: Bench) -> None:
    """The answer is lost and the container reads EXPIRED, while a story is listed: stories have
    no words to know them by, so a person looks, and nothing is sent again."""
    post_id = await story(river)
    river.simulator.script(
        {"on": "media_publish", "do": "drop-after", "times": 1},
        {"on": "status", "do": "status", "status": "EXPIRED", "nth": 2},
        {"on": "status", "do": "status", "status": "EXPIRED", "nth": 3},
    )
    await river.advance(post_id)
    post = await river.advance(post_id, after=QUIET * 2)
    while post.state is State.WAITING:
        post = await river.advance(post_id, after=60.0)

    assert (State.HELD, "unknown-outcome") == (post.state, post.reason)
    assert 1 == river.publish_calls


async def test_a_story_of_yesterday_ends_without_its_id(river: Bench) -> None:
    """It was live, mediawatch was off for a day, and no listing shows it any more: it is done."""
    post_id = await story(river)
    river.simulator.script(
        {"on": "media_publish", "do": "drop-after", "times": 1},
        {"on": "stories", "do": "error", "code": 2, "times": 3},
    )
    post = await river.advance(post_id)
    assert Stage.CONFIRM is post.stage

    post = await river.advance(post_id, after=90_000.0)

    assert (State.DONE, None) == (post.state, post.media_id)
    assert 1 == river.publish_calls


async def test_ten_carousels_of_one_account_at_once(river: Bench) -> None:
    """The account publishes one at a time; each is there once, with its own pictures."""
    ids = [await carousel(river, 2, f"Album {number}") for number in range(5)]

    await asyncio.gather(*(river.until_settled(each) for each in ids))

    assert {f"Album {number}" for number in range(5)} == set(river.published)
    assert 5 == len(river.published)
