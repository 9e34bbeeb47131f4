"""Pictures and captions that other tools refused late, spoiled, or posted twice.

Guarded elsewhere already:

| what | by |
|---|---|
| the same bytes under a new name lie in duplicate, with the link of the first post | test_folders.py: test_the_same_bytes_are_not_posted_twice |
"""  # noqa: E501 - a table has one line a row

from __future__ import annotations

import io
import json
import random
from collections.abc import Callable

import pytest
from PIL import Image

from mediawatch.model.captions import MAX_CHARACTERS, MAX_HASHTAGS, MAX_MENTIONS
from tests.support import icc
from tests.support.pictures import (
    deep_grey,
    encoded,
    jpeg,
    photo,
    require_publishable,
    see_through_png,
)
from tests.support.river import River

DISPLAY_P3 = icc.rgb("Display P3", icc.DISPLAY_P3, None)
#: One colour in Display P3, and the same in sRGB by the matrices of CSS Color 4.
IN_P3, IN_SRGB = (200, 100, 50), (215, 92, 31)


def noise(side: int) -> bytes:
    """A PNG of random pixels: three bytes for each, since nothing can be packed."""
    pixels = random.Random(1).randbytes(3 * side * side)
    return encoded(Image.frombytes("RGB", (side, side), pixels), "PNG", compress_level=0)


def vast() -> bytes:
    """A JPEG of 60 million pixels."""
    ramp = Image.linear_gradient("L").resize((10_000, 6_000))
    return encoded(ramp, "JPEG", quality=75)


#: What cameras and programs make -> what must be told of the way to Instagram.
PICTURES: dict[str, tuple[Callable[[], bytes], set[str]]] = {
    "9 to 16.jpg": (lambda: jpeg(900, 1600), {"padded to 4:5"}),
    "21 to 9.jpg": (lambda: jpeg(1400, 600), {"padded to 1.91:1"}),
    "200 across.jpg": (lambda: jpeg(200, 200), {"200x200 to 320x320"}),
    "60 megapixels.jpg": (vast, {"10000x6000 to 1440x864"}),
    "40 megabytes.png": (lambda: noise(3700), {"PNG to JPEG", "3700x3700 to 1440x1440"}),
    "cmyk.jpg": (lambda: encoded(photo().convert("CMYK"), "JPEG"), {"CMYK to sRGB"}),
    "16 bits.png": (lambda: encoded(deep_grey(), "PNG"), {"PNG to JPEG", "16-bit grey to 8 bits"}),
    "p3.jpg": (
        lambda: encoded(
            Image.new("RGB", (800, 800), IN_P3), "JPEG", quality=95, icc_profile=DISPLAY_P3
        ),
        {"Display P3 to sRGB"},
    ),
    "alpha.png": (see_through_png, {"PNG to JPEG", "transparency on white"}),
}

#: Captions one beyond what Meta takes -> what the reason names. 🌊 counts as two characters.
TOO_MUCH = {
    "letters": ("a" * (MAX_CHARACTERS + 1), "2201 characters"),
    "emoji": ("🌊" * (MAX_CHARACTERS // 2) + "!", "2201 characters"),
    "right to left": ("ש" * (MAX_CHARACTERS + 1), "2201 characters"),
    "hashtags": ("#sea " * (MAX_HASHTAGS + 1), "31 hashtags"),
    "hashtags right to left": ("#ים " * (MAX_HASHTAGS + 1), "31 hashtags"),
    "mentions": ("@gizmo " * (MAX_MENTIONS + 1), "21 mentions"),
}
#: Captions that just fit.
JUST_RIGHT = {
    "all letters": "a" * MAX_CHARACTERS,
    "all emoji": "🌊" * (MAX_CHARACTERS // 2),
    "arabic": "مرحبا بالعالم " + "#بحر " * (MAX_HASHTAGS - 1) + "#بحر",
    "people": "@gizmo " * (MAX_MENTIONS - 1) + "@gizmo",
}


@pytest.mark.slow
async def test_pictures_of_every_kind_are_made_to_fit_and_the_changes_are_listed(
    river: River,
) -> None:
    """Shape, size, colours, depth, transparency: none is refused, each is a picture that Instagram
    takes, the owner can read what was changed, and the original stays what it was."""
    originals = {name: river.drop(name, make()) for name, (make, _) in PICTURES.items()}
    assert len(originals["40 megabytes.png"]) > 40_000_000
    async with river.daemon():
        for name in originals:
            await river.post(name, state="done")
        await river.arrived(originals)
        told = json.loads((await river.run("posts", "list", "--json")).out)
        shown = (await river.run("posts", "show", told[0]["post"])).out
    changes = {post["file"]: set(post["changes"].split("; ")) for post in told}
    assert {name: wanted for name, (_, wanted) in PICTURES.items()} == {
        name: changes[name] & wanted for name, (_, wanted) in PICTURES.items()
    }, changes
    assert told[0]["changes"] in shown
    published = {
        media.container.caption: river.simulator.state.picture(media.container.pictures[0].sha256)
        for media in river.simulator.state.publications
    }
    for picture in published.values():
        require_publishable(picture or b"")
    with Image.open(io.BytesIO(published["p3"] or b"")) as opened:
        seen = opened.convert("RGB").getpixel((400, 400))
    assert IN_SRGB == pytest.approx(seen, abs=4)


async def test_a_caption_that_meta_refuses_is_caught_before_any_call(river: River) -> None:
    """Too long, counted as Meta counts; too many tags or mentions, in any script: held with the
    number and the limit, and nothing was uploaded or asked for it."""
    for number, (name, (caption, _)) in enumerate(TOO_MUCH.items()):
        (river.inbox / f"{name}.txt").write_text(caption, encoding="utf-8")
        river.drop(f"{name}.jpg", jpeg(400, 320, seed=number))
    async with river.daemon():
        for name, (_, said) in TOO_MUCH.items():
            post = await river.post(f"{name}.jpg", state="held", reason="caption")
            assert said in (post.detail or "")
            assert "put both back" in (post.remedy or "")
        assert 0 == river.simulator.state.calls
        assert {} == river.host.ftp.files()

        for number, (name, caption) in enumerate(JUST_RIGHT.items()):
            (river.inbox / f"{name}.txt").write_text(caption, encoding="utf-8")
            river.drop(f"{name}.jpg", jpeg(400, 320, seed=50 + number))
        for name in JUST_RIGHT:
            await river.post(f"{name}.jpg", state="done")
    assert sorted(JUST_RIGHT.values()) == river.captions()
