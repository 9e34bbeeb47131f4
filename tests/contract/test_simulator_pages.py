"""How people see videos, reels, stories and carousels on the simulator's pages."""

from __future__ import annotations

import json

import pytest

from tests.support.clips import clip
from tests.support.simulator import USER, Caller, jpeg, running


async def _page(graph: Caller, path: str) -> str:
    async with graph.session.get(graph.simulator.url + path) as answer:
        assert 200 == answer.status
        return await answer.text()


async def test_a_reel_is_shown_as_a_video_with_its_words() -> None:
    """Controls, the cover as poster, the very bytes; what was said about it, escaped."""
    async with running() as graph:
        made = await graph.video(clip(), caption="Waves", audio_name="<b>", share_to_feed="false")
        media = (await graph.publish(made.json["id"])).json["id"]
        await graph.post(f"/{media}/comments", message="<i>First")
        post = graph.simulator.state.media[media]
        page = await _page(graph, f"/reel/{post.shortcode}/")
        video = post.container.videos[0]
        source = f"/_simulator/videos/{video.sha256}.mp4"
        async with graph.session.get(graph.simulator.url + source) as answer:
            assert ("video/mp4", clip()) == (answer.content_type, await answer.read())
    poster = f"/_simulator/pictures/{video.cover.sha256}.jpg"
    assert f'<video controls preload="none" src="{source}" poster="{poster}"' in page
    for words in ("&lt;b&gt;", "&lt;i&gt;First", "Shown in the feed"):
        assert words in page
    assert "<b>" not in page


async def test_a_player_may_ask_for_a_part() -> None:
    """Seeking needs ranges; without them a browser cannot go back."""
    async with running() as graph:
        await graph.video(clip())
        (container,) = graph.simulator.state.containers.values()
        address = f"{graph.simulator.url}/_simulator/videos/{container.videos[0].sha256}.mp4"
        async with graph.session.get(address, headers={"Range": "bytes=10-19"}) as answer:
            assert (206, clip()[10:20]) == (answer.status, await answer.read())


async def test_the_profile_marks_reels_stories_and_carousels() -> None:
    """Each tile is a still with a badge, and leads to the post's own page; no video is loaded."""
    async with running() as graph:
        story = {"media_type": "STORIES"}
        await graph.publish((await graph.video(clip())).json["id"])
        await graph.publish((await graph.video(clip(), **story)).json["id"])
        await graph.published(**story)
        item = {"is_carousel_item": "true"}
        children = [
            (await graph.create(jpeg(), **item)).json["id"],
            (await graph.video(clip(), media_type="VIDEO", **item)).json["id"],
        ]
        parent = await graph.post(
            f"/{USER}/media", media_type="CAROUSEL", children=json.dumps(children)
        )
        await graph.publish(parent.json["id"])
        profile = await _page(graph, "/")
        carousel = graph.simulator.state.publications[-1]
        page = await _page(graph, f"/p/{carousel.shortcode}/")
    badges = {
        name: profile.count(f'<span class="badge">{name}</span>')
        for name in ("Reel", "Story", "Carousel")
    }
    assert {"Reel": 1, "Story": 2, "Carousel": 1} == badges
    assert "<video" not in profile
    assert "2 items" in profile
    assert (1, 1) == (page.count("<video "), page.count("<img src="))
    assert page.index("<img src=") < page.index("<video ")


async def test_the_policy_lets_videos_come_from_here_only() -> None:
    """Everything else stays forbidden."""
    async with running() as graph, graph.session.get(graph.simulator.url + "/") as answer:
        policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "media-src 'self';" in policy


@pytest.mark.parametrize("path", ["/reel/none/", "/_simulator/videos/00.mp4"])
async def test_pages_of_videos_that_are_not_there(path: str) -> None:
    """404 for an unknown reel and for bytes that had to make room."""
    async with running() as graph, graph.session.get(graph.simulator.url + path) as answer:
        assert 404 == answer.status
