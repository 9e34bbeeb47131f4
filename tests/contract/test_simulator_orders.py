"""What may be asked of ``POST /{ig-user}/media``, and where it can be read again."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mediawatch.simulator import SimulatorOptions
from tests.support.clips import clip
from tests.support.simulator import USER, encoded, jpeg, running

TAGS = json.dumps([{"username": "ann", "x": 0.0, "y": 1.0}, {"username": "bob", "x": 1, "y": 0.5}])
NAMES = json.dumps([{"username": "ann"}])


async def test_everything_said_about_a_picture_is_kept() -> None:
    """The post's words, place, people and collaborators stand in the state, under their names."""
    async with running() as graph:
        await graph.published(
            caption="Hello",
            alt_text="A teal square",
            location_id="7640348500",
            user_tags=TAGS,
            collaborators='["carl","dora"]',
        )
        container = graph.simulator.state.snapshot()["containers"][0]
        post = graph.simulator.state.snapshot()["publications"][0]
        node = await graph.get(
            f"/{post['media']}", fields="caption,alt_text,collaborators{username}"
        )
    assert {
        "alt_text": "A teal square",
        "location_id": "7640348500",
        "user_tags": tuple(json.loads(TAGS)),
        "collaborators": ("carl", "dora"),
        "share_to_feed": None,
        "thumb_offset": 0,
        "cover": None,
        "audio_name": "",
    } == post["details"]
    assert container["details"] == post["details"]
    assert ("Hello", "A teal square") == (node.json["caption"], node.json["alt_text"])
    names = [entry["username"] for entry in node.json["collaborators"]["data"]]
    assert ["carl", "dora"] == names


async def test_everything_said_about_a_reel_is_kept() -> None:
    """Cover, moment, sound and where it is shown, besides caption, place and people."""
    async with running() as graph:
        made = await graph.video(
            clip(),
            caption="Waves",
            location_id="7640348500",
            user_tags=NAMES,
            collaborators="carl",
            share_to_feed="false",
            thumb_offset="1500",
            cover_url=graph.pictures.add("cover.jpg", jpeg(300, 600)),
            audio_name="My sound",
        )
        await graph.publish(made.json["id"])
        (post,) = graph.simulator.state.snapshot()["publications"]
        node = await graph.get(f"/{post['media']}", fields="is_shared_to_feed")
    told = post["details"]
    assert (300, 600) == (told["cover"]["width"], told["cover"]["height"])
    assert (1500, "My sound", False) == (
        told["thumb_offset"],
        told["audio_name"],
        told["share_to_feed"],
    )
    assert ("7640348500", ("carl",)) == (told["location_id"], told["collaborators"])
    assert node.json["is_shared_to_feed"] is False


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({"media_type": "VIDEO"}, (100, 2207023)),
        ({}, (100, 2207023)),
        ({"media_type": "IMAGE"}, (100, 2207023)),
        ({"media_type": "REELS", "is_carousel_item": "true"}, (100, None)),
        ({"media_type": "STORIES", "is_carousel_item": "true"}, (100, None)),
        ({"media_type": "CAROUSEL", "is_carousel_item": "true"}, (100, None)),
        ({"media_type": "REELS", "image_url": "http://127.0.0.1/a.jpg"}, (100, None)),
        ({"media_type": "STORIES", "image_url": "http://127.0.0.1/a.jpg"}, (100, None)),
        ({"media_type": "REELS", "upload_type": "resumable"}, (100, None)),
    ],
    ids=str,
)
async def test_a_video_needs_a_type_that_takes_it(
    form: dict[str, str], code: tuple[int, int | None]
) -> None:
    """A lone VIDEO is no type any more, a reel is no item of a carousel, one source is enough."""
    async with running() as graph:
        answer = await graph.post(f"/{USER}/media", video_url="http://127.0.0.1/a.mp4", **form)
        assert {} == graph.simulator.state.containers
    assert code == answer.code


@pytest.mark.parametrize("media_type", ["", "VIDEO"])
async def test_a_video_for_a_carousel_may_leave_its_type_out(media_type: str) -> None:
    """With ``is_carousel_item`` a video_url alone says enough."""
    async with running() as graph:
        made = await graph.video(clip(), media_type=media_type, is_carousel_item="true")
        assert "FINISHED" == await graph.status(made.json["id"])


async def test_image_is_the_same_as_no_type() -> None:
    """Nobody documents it, and everybody may send it."""
    async with running() as graph:
        assert 200 == (await graph.create(media_type="IMAGE")).status


IMAGE: dict[str, str] = {}
REEL = {"media_type": "REELS"}
STORY = {"media_type": "STORIES"}
ITEM = {"is_carousel_item": "true"}
CAROUSEL = {"media_type": "CAROUSEL", "children": "1,2"}


@pytest.mark.parametrize(
    ("form", "name", "value"),
    [
        (REEL, "alt_text", "words"),
        (STORY, "alt_text", "words"),
        (CAROUSEL, "alt_text", "words"),
        (ITEM, "location_id", "1"),
        (ITEM, "collaborators", "carl"),
        (STORY, "collaborators", "carl"),
        (CAROUSEL, "user_tags", NAMES),
        (IMAGE, "share_to_feed", "true"),
        (STORY, "share_to_feed", "true"),
        (IMAGE, "cover_url", "http://127.0.0.1/a.jpg"),
        (STORY, "thumb_offset", "1"),
        (IMAGE, "audio_name", "words"),
        (ITEM, "is_ai_generated", "true"),
    ],
)
async def test_a_parameter_is_refused_where_it_has_no_place(
    form: dict[str, str], name: str, value: str
) -> None:
    """Code 100 names the parameter; a client that sends it everywhere learns of it."""
    async with running() as graph:
        source = "video_url" if form is REEL else "image_url"
        address = {source: graph.pictures.add("a", jpeg())}
        answer = await graph.post(f"/{USER}/media", **form, **address, **{name: value})
    assert (100, None) == answer.code
    assert f"The parameter {name} is not supported" in answer.json["error"]["message"]


@pytest.mark.parametrize(
    ("tags", "code"),
    [
        ([{"username": "ann"}], (100, None)),
        ([{"username": "ann", "x": 0.5}], (100, None)),
        ([{"username": "ann", "x": -0.1, "y": 0}], (100, None)),
        ([{"username": "ann", "x": 0, "y": 1.1}], (100, None)),
        ([{"username": "ann", "x": "0", "y": True}], (100, None)),
        ([{"x": 0, "y": 0}], (100, None)),
        (["ann"], (100, None)),
        ({"username": "ann"}, (100, None)),
        ([{"username": "ann", "x": 0, "y": 0}] * 21, (100, 2207040)),
    ],
    ids=str,
)
async def test_people_in_a_picture_have_a_place_in_it(
    tags: Any, code: tuple[int, int | None]
) -> None:
    """``x`` and ``y`` are shares from 0 to 1, both, as numbers; at most 20 people."""
    async with running() as graph:
        answer = await graph.create(user_tags=json.dumps(tags))
    assert code == answer.code


async def test_people_in_stories_and_reels_need_no_place() -> None:
    """In a story it may be there, in a reel it has no meaning."""
    async with running() as graph:
        answers = [
            await graph.create(**STORY, user_tags=NAMES),
            await graph.create(**STORY, user_tags=TAGS),
            await graph.video(clip(), user_tags=NAMES),
            await graph.video(clip(), user_tags=TAGS),
        ]
    assert [200, 200, 200, 400] == [answer.status for answer in answers]


async def test_at_most_three_collaborators_are_taken() -> None:
    """A fourth one refuses the call, as does what is no list."""
    async with running() as graph:
        answers = [
            await graph.create(collaborators=names)
            for names in ('["a","b","c"]', '["a","b","c","d"]', '["a"')
        ]
    assert [200, 400, 400] == [answer.status for answer in answers]


@pytest.mark.parametrize(("length", "fine"), [(1000, True), (1001, False)])
async def test_alternative_text_has_at_most_a_thousand_characters(length: int, fine: bool) -> None:
    """Longer is code 100."""
    async with running() as graph:
        answer = await graph.create(alt_text="x" * length)
    assert fine is (answer.status == 200)


@pytest.mark.parametrize(("page", "fine"), [("7640348500", True), ("1", False), ("home", False)])
async def test_a_place_must_be_a_page_with_a_location(page: str, fine: bool) -> None:
    """Other ids are refused with the word that Meta documents."""
    async with running(SimulatorOptions(locations=("7640348500",))) as graph:
        answer = await graph.create(location_id=page)
    assert fine is (answer.status == 200)
    if not fine:
        assert "INSTAGRAM_PLATFORM_API__INVALID_LOCATION_ID" in answer.json["error"]["message"]


async def test_a_story_may_be_a_picture_or_a_video_of_any_shape() -> None:
    """Neither 0.8 nor 1.91 bounds it; its caption is not kept."""
    async with running() as graph:
        wide = await graph.create(jpeg(1000, 100), **STORY, caption="lost")
        video = await graph.video(clip(3, 640, 320), **STORY, caption="lost")
        for made in (wide, video):
            await graph.publish(made.json["id"])
        stories = await graph.get(
            f"/{USER}/stories", fields="media_type,media_product_type,caption"
        )
        feed = await graph.get(f"/{USER}/media")
    assert [("VIDEO", "STORY"), ("IMAGE", "STORY")] == [
        (entry["media_type"], entry["media_product_type"]) for entry in stories.json["data"]
    ]
    assert not any("caption" in entry for entry in stories.json["data"])
    assert {"data": []} == feed.json


async def test_a_story_must_be_a_jpeg_too() -> None:
    """Only the shape is free."""
    async with running() as graph:
        assert (36001, 2207005) == (await graph.create(encoded("PNG"), **STORY)).code
