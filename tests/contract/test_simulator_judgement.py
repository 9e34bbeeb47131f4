"""Which pictures and captions the simulator takes, and the documented error for each other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from mediawatch.simulator import SimulatorOptions
from mediawatch.simulator.judge import MAX_BYTES
from tests.support.simulator import USER, encoded, jpeg, running


@pytest.mark.parametrize("size", [(400, 500), (400, 400), (764, 400)])
async def test_feed_shapes_are_taken(size: tuple[int, int]) -> None:
    """4:5, square and 1.91:1 are the documented range, ends included."""
    async with running() as graph:
        assert 200 == (await graph.create(jpeg(*size))).status


@pytest.mark.parametrize("size", [(300, 400), (800, 400)])
async def test_other_shapes_are_refused_except_in_stories(size: tuple[int, int]) -> None:
    """3:4 and 2:1 give 36003/2207009 in the feed; a story has no bound."""
    async with running() as graph:
        feed = await graph.create(jpeg(*size))
        story = await graph.create(jpeg(*size), media_type="STORIES")
    assert ((36003, 2207009), 200) == (feed.code, story.status)


@pytest.mark.parametrize("form", ["PNG", "GIF", "WEBP", "MPO", "BMP"])
async def test_only_jpeg_is_taken_whatever_the_name_says(form: str) -> None:
    """The bytes are judged, not the name or Content-Type: 36001/2207005 names the format."""
    async with running() as graph:
        answer = await graph.create(encoded(form))
    assert (36001, 2207005) == answer.code
    assert f"format {form} is" in answer.json["error"]["error_user_msg"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", (36003, 2207009)),
        (b"<!DOCTYPE html><p>Not found", (9004, 2207052)),
        (jpeg(900, 900)[:-1500], (9004, 2207052)),
        (jpeg() + bytes(MAX_BYTES), (36000, 2207004)),
    ],
    ids=["empty", "html", "cut off", "too large"],
)
async def test_bodies_that_are_no_whole_picture(body: bytes, code: tuple[int, int]) -> None:
    """Empty, a web page, half a file and more than 8 MiB are told apart as Meta does."""
    async with running() as graph:
        answer = await graph.create(body)
    assert (400, code) == (answer.status, answer.code)


@pytest.mark.parametrize(
    "uri",
    ["{host}/absent.jpg", "http://127.0.0.1:1/a.jpg", "ftp://127.0.0.1/a.jpg", "{host}/é.jpg", "x"],
)
async def test_addresses_that_give_no_picture(uri: str) -> None:
    """404, nobody there, another scheme and non-ASCII are 9004/2207052 with the address."""
    async with running() as graph:
        address = uri.format(host=graph.pictures.url)
        answer = await graph.post(f"/{USER}/media", image_url=address)
    assert (9004, 2207052) == answer.code
    assert answer.json["error"]["error_user_msg"].endswith(address)


async def test_redirects_are_not_followed() -> None:
    """A host that sends the fetcher elsewhere gives no picture: 9004/2207052."""
    async with running() as graph:
        graph.pictures.moved["old.jpg"] = graph.pictures.add("new.jpg", jpeg())
        answer = await graph.post(f"/{USER}/media", image_url=f"{graph.pictures.url}/old.jpg")
    assert (9004, 2207052) == answer.code


@asynccontextmanager
async def _silent_host() -> AsyncIterator[str]:
    """Takes connections and never answers."""
    done = asyncio.Event()

    async def wait(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await done.wait()
        writer.close()

    server = await asyncio.start_server(wait, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/a.jpg"
    finally:
        done.set()
        server.close()


async def test_a_slow_host_is_a_time_out() -> None:
    """A download that takes too long is -2/2207003, marked as transient."""
    async with _silent_host() as address, running(SimulatorOptions(fetch_seconds=0.05)) as graph:
        answer = await graph.post(f"/{USER}/media", image_url=address)
    assert (-2, 2207003) == answer.code
    assert answer.json["error"]["is_transient"]


@pytest.mark.parametrize(
    ("caption", "code"),
    [
        ("x" * 2200, None),
        ("x" * 2201, (36004, 2207010)),
        ("😀" * 1101, (36004, 2207010)),
        ("#tag " * 30, None),
        ("#tag " * 31, (100, 2207040)),
        ("@name " * 20, None),
        ("@name " * 21, (100, 2207040)),
        ("me@example.org " * 21, None),
    ],
)
async def test_captions_have_limits(caption: str, code: tuple[int, int] | None) -> None:
    """2200 characters, 30 hashtags, 20 mentions; an e-mail address mentions nobody."""
    async with running() as graph:
        answer = await graph.create(caption=caption)
    assert code == (answer.code if answer.status != 200 else None)
