"""What can be read from the simulator: objects, fields, listings, and who may read."""

from __future__ import annotations

import logging
import re

import pytest

from mediawatch.simulator import SimulatorOptions
from tests.support.simulator import TOKEN, USER, Clock, jpeg, running


@pytest.mark.parametrize("token", [None, "wrong"])
async def test_without_the_right_token_nothing_is_told(token: str | None) -> None:
    """190 for a missing and for a wrong token, with Meta's wording."""
    async with running(SimulatorOptions(token=TOKEN)) as graph:
        answer = await graph.get("/me", token=token)
    assert (400, (190, None)) == (answer.status, answer.code)
    assert (
        "Invalid OAuth access token - Cannot parse access token" == answer.json["error"]["message"]
    )


async def test_any_token_serves_if_none_was_chosen() -> None:
    """Without a chosen token every token is good, but there must be one."""
    async with running() as graph:
        assert 200 == (await graph.get("/me", token="anything")).status
        assert 400 == (await graph.get("/me", token=None)).status


async def test_the_error_envelope_is_metas() -> None:
    """An unknown object is 100/33 as GraphMethodException, with a trace id."""
    async with running() as graph:
        answer = await graph.get("/123")
    error = answer.json["error"]
    assert ("GraphMethodException", 100, 33) == (
        error["type"],
        error["code"],
        error["error_subcode"],
    )
    assert error["message"].startswith("Unsupported get request. Object with ID '123' does not")
    assert error["fbtrace_id"].startswith("A")


@pytest.mark.parametrize("path", ["/v25.0/1/2/3", "/v25.0"])
async def test_unknown_paths_are_named(path: str) -> None:
    """Code 2500 for a path that leads nowhere."""
    async with running() as graph:
        assert (2500, None) == (await graph.get(path)).code


async def test_one_unknown_field_fails_the_call() -> None:
    """A container knows no permalink, an account no caption, a post no shoe size: code 100."""
    async with running() as graph:
        container = await graph.container()
        media = (await graph.publish(container)).json["id"]
        codes = [
            (await graph.get(f"/{container}", fields="status_code,permalink")).code,
            (await graph.get(f"/{USER}", fields="caption")).code,
            (await graph.get(f"/{media}", fields="permalink,shoe_size")).code,
            (await graph.get(f"/{media}", fields="children{id")).code,
        ]
    assert [(100, None)] * 4 == codes


async def test_me_is_the_first_account() -> None:
    """``/me`` is flat and an alias on the edges too."""
    async with running() as graph:
        media = await graph.published()
        me = await graph.get("/me", fields="user_id,username,account_type,media_count")
        listing = await graph.get("/me/media")
    assert {
        "id": USER,
        "user_id": USER,
        "username": "mediawatch",
        "account_type": "BUSINESS",
        "media_count": 1,
    } == me.json
    assert [{"id": media}] == listing.json["data"]


async def test_the_listing_is_newest_first_and_pages() -> None:
    """``limit`` bounds a page; ``next`` and ``before`` walk there and back. As at Meta the link
    repeats the token, and works by itself."""
    async with running() as graph:
        ids = [await graph.published(caption=str(number)) for number in range(3)]
        first = await graph.get(f"/{USER}/media", fields="caption", limit="2")
        async with graph.session.get(first.json["paging"]["next"]) as answer:
            second = await answer.json()
        back = await graph.get(
            f"/{USER}/media", limit="2", before=second["paging"]["cursors"]["before"]
        )
    assert [{"caption": "2", "id": ids[2]}, {"caption": "1", "id": ids[1]}] == first.json["data"]
    assert [{"caption": "0", "id": ids[0]}] == second["data"]
    assert "next" not in second["paging"]
    assert [ids[2], ids[1]] == [entry["id"] for entry in back.json["data"]]
    assert f"access_token={TOKEN}" in first.json["paging"]["next"]


async def test_the_listing_takes_since_and_until() -> None:
    """Unix seconds bound the listing on both sides."""
    clock = Clock()
    async with running(SimulatorOptions(clock=clock)) as graph:
        ids = []
        for _ in range(3):
            ids.append(await graph.published())
            clock.turn(10)
        middle = str(int(clock.now) - 20)
        answer = await graph.get(f"/{USER}/media", since=middle, until=middle)
    assert [{"id": ids[1]}] == answer.json["data"]


async def test_a_listing_may_lag_behind() -> None:
    """With a lag a publication is readable by id before it is listed."""
    clock = Clock()
    async with running(SimulatorOptions(clock=clock, listing_lag=60)) as graph:
        media = await graph.published()
        early = (await graph.get(f"/{USER}/media")).json
        node = (await graph.get(f"/{media}")).json
        clock.turn(60)
        late = (await graph.get(f"/{USER}/media")).json
    assert {"data": []} == early
    assert {"id": media} == node
    assert [{"id": media}] == late["data"]


async def test_stories_have_their_own_listing_for_a_day() -> None:
    """A story is in ``/stories`` only, for 24 hours, without a caption."""
    clock = Clock()
    async with running(SimulatorOptions(clock=clock)) as graph:
        media = await graph.published(media_type="STORIES", caption="lost")
        feed = (await graph.get(f"/{USER}/media")).json
        stories = (await graph.get(f"/{USER}/stories", fields="caption,media_product_type")).json
        clock.turn(86_400)
        later = (await graph.get(f"/{USER}/stories")).json
    assert {"data": []} == feed == later
    assert [{"id": media, "media_product_type": "STORY"}] == stories["data"]


async def test_rate_limit_headers_tell_the_scripted_usage() -> None:
    """Both headers carry the percentage of the scenario."""
    async with running() as graph:
        graph.simulator.script(usage=85)
        headers = (await graph.get("/me")).headers
    assert '"call_count": 85' in headers["X-App-Usage"]
    assert (
        f'{{"{USER}": [{{"type": "instagram", "call_count": 85'
        in (headers["X-Business-Use-Case-Usage"])
    )


async def test_the_token_is_nowhere_to_be_seen(caplog: pytest.LogCaptureFixture) -> None:
    """No log line, no repr, no page and no state shows the token, not even after an error."""
    caplog.set_level(logging.DEBUG)
    options = SimulatorOptions(token=TOKEN)
    async with running(options) as graph:
        await graph.published()
        await graph.get("/nothing")
        texts = [repr(options), caplog.text]
        for path in ("/", "/_simulator/state"):
            async with graph.session.get(graph.simulator.url + path) as answer:
                texts.append(await answer.text())
    assert [] == [text for text in texts if TOKEN in text]


async def test_the_page_shows_what_was_published_and_escapes_it() -> None:
    """Caption and size are there as text, never as markup; the picture is the very bytes."""
    body = jpeg(450, 400)
    async with running() as graph:
        await graph.publish((await graph.create(body, caption='<b onclick="x">&')).json["id"])
        media = graph.simulator.state.publications[0]
        pages = []
        for path in ("/", f"/p/{media.shortcode}/"):
            async with graph.session.get(graph.simulator.url + path) as answer:
                pages.append(await answer.text())
        picture = f"/_simulator/pictures/{media.container.pictures[0].sha256}.jpg"
        async with graph.session.get(graph.simulator.url + picture) as answer:
            shown = await answer.read()
    assert [True, True] == ["&lt;b onclick=&quot;x&quot;&gt;&amp;" in page for page in pages]
    assert [False, False] == ["<b onclick" in page for page in pages]
    assert "450 \u00d7 400" in pages[0]
    assert body == shown


async def test_a_page_needs_nothing_from_elsewhere() -> None:
    """Style, script, icon and the other page come with the package; the policy forbids the rest."""
    async with running() as graph:
        async with graph.session.get(graph.simulator.url + "/") as answer:
            page, policy = await answer.text(), answer.headers["Content-Security-Policy"]
        wanted = set(re.findall(r'(?:src|href)="([^"]+)"', page))
        kinds = {}
        for path in wanted:
            async with graph.session.get(graph.simulator.url + path) as answer:
                kinds[path] = (answer.status, answer.content_type)
    assert {
        "/_simulator/page.css": (200, "text/css"),
        "/_simulator/page.js": (200, "text/javascript"),
        "/_simulator/icon.svg": (200, "image/svg+xml"),
        "/_simulator/apps": (200, "text/html"),
    } == kinds
    assert policy.startswith("default-src 'none'")


async def test_the_page_shows_every_picture_of_a_carousel_and_whose_it_is() -> None:
    """A carousel's own page has all its pictures; with several accounts a tile names its owner."""
    options = SimulatorOptions(users=(USER, "17841400000000002"))
    async with running(options) as graph:
        children = [
            (await graph.create(jpeg(color=color), is_carousel_item="true")).json["id"]
            for color in ("red", "green", "blue")
        ]
        parent = await graph.post(
            f"/{USER}/media", media_type="CAROUSEL", children=",".join(children)
        )
        await graph.publish(parent.json["id"])
        post = graph.simulator.state.publications[0]
        async with graph.session.get(f"{graph.simulator.url}/p/{post.shortcode}/") as answer:
            page = await answer.text()
        async with graph.session.get(graph.simulator.url + "/") as answer:
            profile = await answer.text()
    assert 3 == page.count('<img src="/_simulator/pictures/')
    assert "3 pictures" in profile
    assert "mediawatch · <time" in profile


async def test_pages_for_what_is_not_there() -> None:
    """An empty profile says so; an unknown post, picture or asset is a 404."""
    async with running() as graph:
        async with graph.session.get(graph.simulator.url + "/") as answer:
            assert "No posts yet" in await answer.text()
        for path in ("/p/none/", "/_simulator/pictures/00.jpg", "/_simulator/options.py"):
            async with graph.session.get(graph.simulator.url + path) as answer:
                assert 404 == answer.status


async def test_pictures_make_room_for_newer_ones() -> None:
    """Memory is bounded: the oldest bytes go, the post and its facts stay."""
    bodies = [jpeg(color=color) for color in ("red", "green")]
    async with running(SimulatorOptions(keep_bytes=len(bodies[1]))) as graph:
        for body in bodies:
            await graph.publish((await graph.create(body)).json["id"])
        state = graph.simulator.state
        kept = [state.picture(post.container.pictures[0].sha256) for post in state.publications]
    assert [None, bodies[1]] == kept
