"""The river as its owner sees it: a file goes in, a post comes out, the original is filed."""

from __future__ import annotations

import hashlib
from collections import Counter

import pytest

from tests.support.ftp_servers import PASSWORD
from tests.support.pictures import MP4, jpeg, markers, phone_jpeg
from tests.support.river import River
from tests.support.simulator import TOKEN


async def test_a_picture_is_published_once_and_filed_as_it_was(river: River) -> None:
    """One post of the very bytes; the original unchanged in processed; nothing left lying."""
    async with river.daemon():
        original = river.drop("beach.jpg", jpeg(1080, 1080))
        await river.arrived({"beach.jpg": original})
    (media,) = river.simulator.state.publications
    assert "beach" == media.container.caption
    assert hashlib.sha256(original).hexdigest() == media.container.pictures[0].sha256
    assert media.container.pictures[0].uri.startswith(river.host.public_url)


async def test_no_secret_is_ever_told(river: River) -> None:
    """Neither log, journal, output nor any other file of ours holds a token or a password."""
    river.drop("whole.jpg", jpeg())
    river.drop("clip.mp4", MP4)
    river.simulator.script({"on": "media_publish", "do": "error", "code": 2, "times": 1})
    async with river.daemon():
        await river.until(lambda: "whole.jpg" in river.filed() and any(river.held.glob("*.mp4")))
        said = await river.run("status", "--json")
    shown = await river.run("posts", "list", "--json")
    config = river.config.read_bytes()
    assert all(secret.encode() in config for secret in (TOKEN, PASSWORD))
    river.config.unlink()
    told = said.out + said.err + shown.out + shown.err
    for secret in (TOKEN, PASSWORD):
        assert secret not in told
        holding = [
            path
            for path in river.root.rglob("*")
            if path.is_file() and secret.encode() in path.read_bytes()
        ]
        assert [] == holding


async def test_every_log_line_says_what_was_done_and_for_which_post(river: River) -> None:
    """The log is JSON a line, each with an action; each step of a post carries the post's id."""
    async with river.daemon():
        original = river.drop("beach.jpg", jpeg())
        await river.arrived({"beach.jpg": original})
        await river.until(lambda: river.said("archive"))
    steps = ["claim", "convert", "upload", "container", "ask", "publish", "archive"]
    lines = river.said()
    assert all(line["event"] and line["level"] and line["timestamp"] for line in lines)
    assert steps == [line["action"] for line in lines if line["action"] in steps]
    assert 1 == len({line["post"] for line in lines if line["action"] in steps})
    assert ["start", "stop", "stop"] == [
        line["action"] for line in lines if line["action"] in {"start", "stop"}
    ]


async def test_the_caption_comes_from_the_text_beside_the_picture(river: River) -> None:
    """name.txt is the caption of name.jpg and is filed with it; others get the template's."""
    river.configure(publish={"caption": "{title} ☀️", "hashtags": ["gizmo", "#bbs"]})
    written = "Ein Tag am Meer 🌊\n\n#nordsee"
    (river.inbox / "sea_day-1.txt").write_text(written, encoding="utf-8")
    with_text = river.drop("sea_day-1.jpg", jpeg(seed=2))
    without = river.drop("my_summer-day.jpg", jpeg(seed=3))
    async with river.daemon():
        await river.until(lambda: len(river.filed()) == 3 and not river.leftovers())
    assert ["Ein Tag am Meer 🌊\n\n#nordsee", "my summer day ☀️\n\n#gizmo #bbs"] == river.captions()
    assert {
        "sea_day-1.jpg": with_text,
        "sea_day-1.txt": written.encode(),
        "my_summer-day.jpg": without,
    } == river.filed()


async def test_what_is_published_tells_nothing_of_where_it_was_taken(river: River) -> None:
    """A phone picture is turned upright and stripped for Instagram; the original keeps it all."""
    original = river.drop("phone.jpg", phone_jpeg())
    async with river.daemon():
        await river.arrived({"phone.jpg": original})
    (uploaded,) = river.host.ftp.files().values()
    (media,) = river.simulator.state.publications
    picture = media.container.pictures[0]
    assert picture.height > picture.width
    assert 0xE1 not in markers(uploaded)
    assert b"secret" not in uploaded


@pytest.mark.slow
async def test_sixty_pictures_at_once_are_sixty_posts(river: River) -> None:
    """A pile dropped in one go: each picture one post and one file, in no more calls than that."""
    originals = river.drop_pictures(60)
    async with river.daemon():
        await river.arrived(originals, limit=60)
    assert Counter(dict.fromkeys(originals, 1)) == Counter(
        f"{media.container.caption}.jpg" for media in river.simulator.state.publications
    )
    assert 60 == river.simulator.state.asked["media_publish"]  # type: ignore[index]
    assert 60 == len(river.host.ftp.files())
