"""Comments: written, listed, refused, and lost on the way."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest

from mediawatch.simulator import SimulatorOptions
from tests.support.simulator import USER, Caller, Clock, running


async def _texts(graph: Caller, media: str) -> list[str]:
    listing = await graph.get(f"/{media}/comments")
    return [entry["text"] for entry in listing.json["data"]]


async def test_a_comment_is_written_and_read() -> None:
    """The id of the answer is the one in the listing; the post counts it; the state has it."""
    clock = Clock()
    async with running(SimulatorOptions(clock=clock)) as graph:
        media = await graph.published()
        made = await graph.post(f"/{media}/comments", message="First! #sea")
        listing = await graph.get(f"/{media}/comments", fields="id,text,timestamp,username,from")
        node = await graph.get(f"/{made.json['id']}")
        post = await graph.get(f"/{media}", fields="comments_count")
        (told,) = graph.simulator.state.snapshot()["publications"]
    entry = {
        "id": made.json["id"],
        "text": "First! #sea",
        "timestamp": "2027-01-15T08:00:00+0000",
        "username": "mediawatch",
        "from": {"id": USER, "username": "mediawatch"},
    }
    assert [entry] == listing.json["data"]
    assert {name: entry[name] for name in ("id", "text", "timestamp")} == node.json
    assert 1 == post.json["comments_count"]
    assert [{"id": made.json["id"], "text": "First! #sea", "time": clock.now}] == told["comments"]


async def test_comments_are_newest_first_and_paged() -> None:
    """25 to a page, 50 at most; the link to the next page works by itself."""
    async with running() as graph:
        media = await graph.published()
        for number in range(60):
            await graph.post(f"/{media}/comments", message=str(number))
        sizes = [
            len((await graph.get(f"/{media}/comments", **limit)).json["data"])
            for limit in ({}, {"limit": "100"})
        ]
        first = await graph.get(f"/{media}/comments", fields="text", limit="50")
        async with graph.session.get(first.json["paging"]["next"]) as answer:
            second = await answer.json()
    assert [25, 50] == sizes
    texts = [entry["text"] for entry in first.json["data"] + second["data"]]
    assert [str(number) for number in reversed(range(60))] == texts


async def test_a_story_takes_no_comments() -> None:
    """Neither written nor read: 100/33, as for what does not support the call."""
    async with running() as graph:
        media = await graph.published(media_type="STORIES")
        written = await graph.post(f"/{media}/comments", message="Hi")
        read = await graph.get(f"/{media}/comments")
    assert ((100, 33), (100, 33)) == (written.code, read.code)


async def test_there_is_nothing_to_comment_on() -> None:
    """An unknown post, and a container that was not published, are 100/33."""
    async with running() as graph:
        container = await graph.container()
        for node in ("17", container):
            assert (100, 33) == (await graph.post(f"/{node}/comments", message="Hi")).code
            assert (100, 33) == (await graph.get(f"/{node}/comments")).code


@pytest.mark.parametrize(
    ("text", "fine"),
    [
        ("x" * 300, True),
        ("x" * 301, False),
        ("#a #b #c #d", True),
        ("#a #b #c #d #e", False),
        ("https://example.org", True),
        ("https://example.org http://example.com", False),
        ("  ", False),
    ],
)
async def test_comments_have_limits(text: str, fine: bool) -> None:
    """300 characters, 4 hashtags, 1 web address, and some text: else code 100, and no comment."""
    async with running() as graph:
        media = await graph.published()
        answer = await graph.post(f"/{media}/comments", message=text)
        assert ([text] if fine else []) == await _texts(graph, media)
    assert fine is (answer.status == 200)
    assert fine or answer.code == (100, None)


async def test_fields_on_a_new_comment_fail_after_it_was_written() -> None:
    """20/1772107, and the comment is there all the same: a client that repeats writes two."""
    async with running() as graph:
        media = await graph.published()
        answer = await graph.post(f"/{media}/comments", message="Hi", fields="id")
        assert ["Hi"] == await _texts(graph, media)
    assert (20, 1772107) == answer.code


@pytest.mark.parametrize(
    ("do", "effects"), [("drop-before", 0), ("drop-after", 1), ("html-500-after", 1)]
)
async def test_a_comment_may_be_lost_or_only_its_answer(do: str, effects: int) -> None:
    """The client sees the same; the listing tells which it was."""
    async with running() as graph:
        media = await graph.published()
        graph.simulator.script({"on": "comment", "nth": 1, "do": do})
        try:
            await graph.post(f"/{media}/comments", message="Hi")
        except aiohttp.ClientError:
            pass
        assert effects == len(await _texts(graph, media))


async def test_faults_of_comments_are_scripted_by_text_and_post() -> None:
    """``match`` looks at the comment and at the caption; reading has an endpoint of its own."""
    async with running() as graph:
        beach, town = [await graph.published(caption=name) for name in ("Beach", "Town")]
        graph.simulator.script(
            {"on": "comment", "match": "#sea", "do": "error", "code": 2},
            {"on": "comments", "match": "Beach", "do": "error", "code": 80002},
        )
        written = [
            (await graph.post(f"/{beach}/comments", message=text)).status for text in ("#sea", "Hi")
        ]
        read = [(await graph.get(f"/{media}/comments")).status for media in (beach, town)]
    assert ([500, 200], [400, 200]) == (written, read)


async def test_a_late_answer_to_a_comment_is_written_at_once() -> None:
    """delay: the comment is there while the client still waits."""
    waiting, go = asyncio.Event(), asyncio.Event()

    async def sleep(_: float) -> None:
        waiting.set()
        await go.wait()

    async with running(SimulatorOptions(sleep=sleep)) as graph:
        media = await graph.published()
        graph.simulator.script({"on": "comment", "do": "delay", "seconds": 60})
        call = asyncio.create_task(graph.post(f"/{media}/comments", message="Hi"))
        await waiting.wait()
        assert ["Hi"] == await _texts(graph, media)
        go.set()
        assert 200 == (await call).status
