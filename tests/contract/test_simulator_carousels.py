"""Carousels of pictures and videos: their items, their words, how they are read again."""

from __future__ import annotations

import json

from mediawatch.simulator import SimulatorOptions
from tests.support.clips import clip
from tests.support.simulator import USER, Caller, Clock, jpeg, running

ITEM = {"is_carousel_item": "true"}
VIDEO = {"media_type": "VIDEO", "is_carousel_item": "true"}


async def _carousel(graph: Caller, *children: str, **form: str) -> str:
    """The id of the parent container."""
    made = await graph.post(
        f"/{USER}/media", media_type="CAROUSEL", children=json.dumps(children), **form
    )
    container: str = made.json["id"]
    return container


async def test_pictures_and_videos_may_be_mixed() -> None:
    """One post that counts once; each item tells its own type, in the order of the children."""
    async with running() as graph:
        picture = (await graph.create(jpeg(), **ITEM, alt_text="Teal")).json["id"]
        video = (await graph.video(clip(), **VIDEO)).json["id"]
        parent = await _carousel(graph, video, picture, caption="Both")
        media = (await graph.publish(parent)).json["id"]
        node = await graph.get(
            f"/{media}",
            fields="media_type,media_product_type,thumbnail_url,caption,"
            "children{media_type,media_url,thumbnail_url,alt_text}",
        )
        limit = await graph.get(f"/{USER}/content_publishing_limit")
        (post,) = graph.simulator.state.snapshot()["publications"]
    assert ("CAROUSEL_ALBUM", "FEED", "Both") == (
        node.json["media_type"],
        node.json["media_product_type"],
        node.json["caption"],
    )
    moving, still = node.json["children"]["data"]
    assert ("VIDEO", "IMAGE", "Teal") == (
        moving["media_type"],
        still["media_type"],
        still["alt_text"],
    )
    assert moving["media_url"].endswith(".mp4")
    assert "thumbnail_url" in moving
    assert "thumbnail_url" not in still.keys() | node.json.keys()
    assert ["Teal"] == [
        child["details"]["alt_text"] for child in post["children"] if child["details"]["alt_text"]
    ]
    assert 2 == len(post["sha256"])
    assert {"data": [{"quota_usage": 1}]} == limit.json


async def test_a_parent_waits_for_its_videos() -> None:
    """A child that is still processed is 9007/2207027; later the same children make a carousel."""
    clock = Clock()
    async with running(SimulatorOptions(video_processing_seconds=9, clock=clock)) as graph:
        children = [
            (await graph.create(jpeg(), **ITEM)).json["id"],
            (await graph.video(clip(), **VIDEO)).json["id"],
        ]
        form = {"media_type": "CAROUSEL", "children": ",".join(children)}
        early = await graph.post(f"/{USER}/media", **form)
        clock.turn(9)
        late = await graph.post(f"/{USER}/media", **form)
    assert ((9007, 2207027), 200) == (early.code, late.status)


async def test_a_bad_video_makes_no_carousel() -> None:
    """A child that failed is refused as expired: it has to be made anew."""
    async with running() as graph:
        picture = (await graph.create(jpeg(), **ITEM)).json["id"]
        video = (await graph.video(b"no video", **VIDEO)).json["id"]
        answer = await graph.post(
            f"/{USER}/media", media_type="CAROUSEL", children=f"{picture},{video}"
        )
    assert (-2, 2207020) == answer.code


async def test_a_reel_is_no_item_of_a_carousel() -> None:
    """Only what was made as an item is taken."""
    async with running() as graph:
        picture = (await graph.create(jpeg(), **ITEM)).json["id"]
        reel = (await graph.video(clip())).json["id"]
        answer = await graph.post(
            f"/{USER}/media", media_type="CAROUSEL", children=f"{picture},{reel}"
        )
    assert (100, None) == answer.code


async def test_the_words_of_an_item_are_not_shown() -> None:
    """A caption belongs to the parent; at an item it is lost."""
    async with running() as graph:
        children = [
            (await graph.create(jpeg(), **ITEM, caption="lost")).json["id"] for _ in range(2)
        ]
        media = (await graph.publish(await _carousel(graph, *children))).json["id"]
        node = await graph.get(f"/{media}", fields="caption")
    assert {"id": media} == node.json


async def test_items_of_carousels_have_faults_of_their_own() -> None:
    """``create-child`` leaves the parent alone; ``create`` is for both; both see the address."""
    async with running() as graph:
        graph.simulator.script({"on": "create-child", "nth": 2, "do": "error", "code": 2})
        children = [await graph.create(jpeg(), **ITEM) for _ in range(3)]
        good = [child.json["id"] for child in children if child.status == 200]
        parent = await graph.post(f"/{USER}/media", media_type="CAROUSEL", children=",".join(good))
        asked = dict(graph.simulator.state.asked)
        graph.simulator.script({"on": "create", "match": ".mp4", "do": "error", "code": 1})
        video, picture = await graph.video(clip(), **VIDEO), await graph.create(jpeg(), **ITEM)
    assert [200, 500, 200, 200] == [answer.status for answer in (*children, parent)]
    assert {"create-child": 3, "create": 1} == asked
    assert [500, 200] == [video.status, picture.status]


async def test_a_rule_follows_a_video_to_its_carousel() -> None:
    """``match`` finds the address of an item also when its carousel is published."""
    async with running() as graph:
        graph.simulator.script({"on": "media_publish", "match": ".mp4", "do": "error", "code": 2})
        children = [(await graph.video(clip(), **VIDEO)).json["id"] for _ in range(2)]
        answer = await graph.publish(await _carousel(graph, *children))
    assert 500 == answer.status
