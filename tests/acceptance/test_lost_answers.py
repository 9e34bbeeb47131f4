"""Meta's answer to the one call that cannot be taken back is lost, late, or a lie."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.support.pictures import jpeg
from tests.support.river import River

ANSWERS: dict[str, dict[str, Any]] = {
    "cut off before": {"do": "drop-before"},
    "cut off after": {"do": "drop-after"},
    "page before": {"do": "html-500"},
    "page after": {"do": "html-500-after"},
    "fatal, and not done": {"do": "error", "code": -1, "subcode": 2207001},
    "fatal, but done": {"do": "error-after", "code": -1, "subcode": 2207001},
    "timed out, but done": {"do": "error-after", "code": -2},
    "failed, but done": {"do": "error-after", "code": 2, "http": 500},
    "refused, but done": {"do": "error-after", "code": 24, "subcode": 2207008},
    "no words, but done": {"do": "body-after", "http": 502},
    "half a word, but done": {"do": "body-after", "text": '{"id": "1', "http": 200},
    "too late": {"do": "delay", "seconds": 1.5},
    "done only later": {"do": "delay-effect", "seconds": 1.5},
}


async def test_no_lost_answer_loses_or_doubles_a_post(evil: River) -> None:
    """One picture for each way to lose the answer: each is one post, bound to its own media."""
    evil.simulator.script(
        *({"on": "media_publish", "match": name, "times": 1, **ANSWERS[name]} for name in ANSWERS)
    )
    originals = {
        f"{name}.jpg": evil.drop(f"{name}.jpg", jpeg(400, 320, seed=number))
        for number, name in enumerate(ANSWERS)
    }
    async with evil.daemon():
        await evil.arrived(originals, limit=60)
    assert {1} == {rule["fired"] for rule in await evil.rules()}
    journal = {Path(post.name).stem: post for post in (await evil.posts()).values()}
    published = {media.container.caption: media.id for media in evil.simulator.state.publications}
    assert published == {name: post.media_id for name, post in journal.items()}


async def test_every_answer_lost_is_still_every_picture_once(evil: River) -> None:
    """Not one publish call is ever answered: all of it is found out by asking."""
    evil.simulator.script({"on": "media_publish", "do": "drop-after"})
    originals = evil.drop_pictures(5)
    async with evil.daemon():
        await evil.arrived(originals)


async def test_reading_fails_as_well(evil: River) -> None:
    """The answer is lost and the container cannot be read for a while: asked until it can."""
    evil.simulator.script(
        {"on": "media_publish", "do": "drop-after", "times": 1},
        {"on": "status", "do": "error", "code": 2, "http": 500, "nth": 2, "times": 3},
    )
    originals = evil.drop_pictures(1)
    async with evil.daemon():
        await evil.arrived(originals)


async def test_a_lost_container_is_made_again(evil: River) -> None:
    """The answer with the container's id is lost: the orphan is left unpublished."""
    answers = ("drop-after", "html-500-after", "drop-before")
    originals = evil.drop_pictures(len(answers))
    evil.simulator.script(
        *(
            {"on": "create", "do": do, "match": Path(name).stem, "times": 1}
            for do, name in zip(answers, originals, strict=True)
        )
    )
    async with evil.daemon():
        await evil.arrived(originals)
    assert len(originals) + 2 == len(evil.simulator.state.containers)
