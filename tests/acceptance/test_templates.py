"""Captions that the template makes, as they are on Instagram in the end."""

from __future__ import annotations

import pytest

from tests.acceptance.test_kinds import drop_folder
from tests.support.clips import clip
from tests.support.pictures import jpeg
from tests.support.river import River

TEMPLATE = "{title} | {stem} | {name} | {folder} | {n}"


def two(seed: int) -> dict[str, bytes]:
    return {f"{number}.jpg": jpeg(400, 320, seed=seed + number) for number in range(2)}


async def test_a_file_and_a_carousel_fill_the_template(river: River) -> None:
    """The names of each as they were, and as people would write them; a folder has no suffix."""
    river.configure(publish={"caption": TEMPLATE, "hashtags": ["sea"]})
    (river.inbox / "reels").mkdir()
    async with river.daemon():
        river.drop("beach_day-2.jpg", jpeg(400, 320, seed=9))
        river.drop("reels/waves.mp4", clip(seconds=3))
        drop_folder(river, "summer_days", {**two(10), "2.jpg": jpeg(400, 320, seed=19)})
        drop_folder(river, "St. Moritz", two(20))
        await river.until(lambda: len(river.captions()) == 4)
    assert [
        "St. Moritz | St. Moritz | St. Moritz | St. Moritz | 2\n\n#sea",
        "beach day 2 | beach_day-2 | beach_day-2.jpg |  | 1\n\n#sea",
        "summer days | summer_days | summer_days | summer days | 3\n\n#sea",
        "waves | waves | waves.mp4 |  | 1\n\n#sea",
    ] == river.captions()


@pytest.mark.parametrize("name", ["2026-01-02 03.04 first_walk.jpg", "2026-01-02 03.04 first_walk"])
async def test_a_time_in_front_is_no_part_of_the_words(river: River, name: str) -> None:
    """It says when to publish."""
    river.configure(publish={"caption": "{title}, {n} of them"})
    async with river.daemon():
        if name.endswith(".jpg"):
            river.drop(name, jpeg(400, 320))
        else:
            drop_folder(river, name, two(30))
        post = await river.post(name, state="done")
    assert [f"first walk, {len(post.items)} of them"] == river.captions()
