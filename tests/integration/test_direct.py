"""Videos sent to Meta itself: what is said, what a broken line costs, and when another way is
taken."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mediawatch.journal import attempts
from mediawatch.model.kinds import PostKind
from mediawatch.model.lifecycle import State
from mediawatch.model.posts import Post
from mediawatch.simulator.state import Container, Kind
from tests.support.clips import clip
from tests.support.publishing import Bench, bench
from tests.support.simulator import TOKEN

CLIP = clip(seconds=3)
SQUARE = clip(seconds=3, width=640, height=640)


@pytest.fixture
async def river(tmp_path: Path) -> AsyncIterator[Bench]:
    async with bench(tmp_path, video_upload="auto") as made:
        yield made


async def settled(river: Bench, post_id: str) -> Post:
    """As it stands in the end; the simulator works on videos behind its answers."""
    for _ in range(100):
        post = await river.advance(post_id, after=1.0)
        await river.simulator.settled()
        if post.state not in {State.READY, State.WAITING}:
            return post
        if post.wait_until is not None:
            river.time.now = max(river.time.now, post.wait_until)
    raise AssertionError(f"{post_id} does not come to an end: {post}")


def sent(river: Bench) -> list[Container]:
    """The containers that a video was, or was to be, sent to."""
    found = river.simulator.state.containers.values()
    return [each for each in found if each.upload is not None and each.upload.resumable]


def stored(river: Bench, container: Container) -> bytes:
    """The video that this container holds."""
    (video,) = container.videos
    path = river.simulator.state.video(video.sha256)
    assert path is not None
    return path.read_bytes()


@pytest.mark.parametrize("kind", [PostKind.REEL, PostKind.STORY])
async def test_a_video_needs_no_address(river: Bench, kind: PostKind) -> None:
    """Its container is made for an upload and gets the very bytes; no web host has a part in it."""
    post = await settled(river, await river.video_post({"waves.mp4": CLIP}, kind=kind))

    assert State.DONE is post.state
    (media,) = river.simulator.state.publications
    assert Kind(kind.name) is media.container.kind
    assert CLIP == stored(river, media.container)
    assert ([], (1, 0)) == (river.hosted, (river.publish_calls, river.republish_calls))


async def test_a_carousel_takes_each_of_its_items_by_its_own_way(river: Bench) -> None:
    """Pictures by address, videos directly, in their order, in one post."""
    post = await settled(
        river,
        await river.video_post(
            {"a.jpg": None, "b.mp4": SQUARE, "c.jpg": None}, kind=PostKind.CAROUSEL
        ),
    )

    assert State.DONE is post.state
    (media,) = river.simulator.state.publications
    assert [False, True, False] == [child.is_video for child in media.container.children]
    assert [item.container_id for item in post.items] == [c.id for c in media.container.children]
    assert SQUARE == stored(river, media.container.children[1])
    assert [] == river.hosted
