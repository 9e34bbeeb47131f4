"""Meta's answer to the one call that cannot be taken back is lost, late, or a lie."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from mediawatch.simulator import Republish
from tests.support.river import River, open_river


@pytest.fixture(params=[Republish.EVIL, Republish.STRICT])
async def river(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[River]:
    """A Meta that publishes twice if it is asked twice; and one that refuses the second time."""
    async with open_river(tmp_path, republish=request.param) as opened:
        yield opened


ANSWERS: dict[str, dict[str, Any]] = {
    "cut off before": {"do": "drop-before"},
    "cut off after": {"do": "drop-after"},
    "page before": {"do": "html-500"},
    "page after": {"do": "html-500-after"},
    "restricted, and not done": {"do": "error", "code": 4, "subcode": 2207051},
    "restricted, but done": {"do": "error-after", "code": 4, "subcode": 2207051},
    "failed, but done": {"do": "error-after", "code": 2, "http": 500},
    "refused, but done": {"do": "error-after", "code": 24, "subcode": 2207008},
    "token refused, but done": {"do": "error-after", "code": 190},
    "too late": {"do": "delay", "seconds": 1.5},
    "done only later": {"do": "delay-effect", "seconds": 1.5},
}


@pytest.mark.parametrize("answer", ANSWERS)
async def test_a_lost_answer_neither_loses_nor_doubles_a_post(river: River, answer: str) -> None:
    """Whatever Meta said of the first of three pictures: three posts, and all of them done."""
    river.simulator.script({"on": "media_publish", "times": 1, **ANSWERS[answer]})
    originals = river.drop_pictures(3)
    async with river.daemon():
        await river.arrived(originals)
    assert {"done"} == {post.state.value for post in (await river.posts()).values()}
    bound = [post.media_id for post in (await river.posts()).values()]
    assert sorted(media.id for media in river.simulator.state.publications) == sorted(
        map(str, bound)
    )


async def test_every_answer_lost_is_still_every_picture_once(river: River) -> None:
    """Not one publish call is ever answered: all of it is found out by asking."""
    river.simulator.script({"on": "media_publish", "do": "drop-after"})
    originals = river.drop_pictures(5)
    async with river.daemon():
        await river.arrived(originals)


async def test_reading_fails_as_well(river: River) -> None:
    """The answer is lost and the container cannot be read for a while: asked until it can."""
    river.simulator.script(
        {"on": "media_publish", "do": "drop-after", "times": 1},
        {"on": "status", "do": "error", "code": 2, "http": 500, "nth": 2, "times": 3},
    )
    originals = river.drop_pictures(1)
    async with river.daemon():
        await river.arrived(originals)


@pytest.mark.parametrize("do", ["drop-after", "html-500-after", "drop-before"])
async def test_a_lost_container_is_made_again(river: River, do: str) -> None:
    """The answer with the container's id is lost: the orphan is left unpublished."""
    river.simulator.script({"on": "create", "do": do, "times": 1})
    originals = river.drop_pictures(2)
    async with river.daemon():
        await river.arrived(originals)


@pytest.mark.slow
async def test_a_listing_that_lags_is_waited_for(tmp_path: Path) -> None:
    """The answer is lost and the post shows only later: bound to its own media then, not before."""
    async with open_river(tmp_path, republish=Republish.EVIL, listing_lag=1.0) as river:
        river.simulator.script({"on": "media_publish", "do": "drop-after", "times": 1})
        originals = river.drop_pictures(2)
        async with river.daemon():
            await river.arrived(originals)
        for post in (await river.posts()).values():
            (media,) = [m for m in river.simulator.state.publications if m.id == post.media_id]
            assert Path(post.name).stem == media.container.caption
