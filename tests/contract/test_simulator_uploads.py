"""Resumable upload: whole, in parts, broken off, refused."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import aiohttp
import pytest

from mediawatch.simulator import SimulatorOptions
from tests.support.clips import clip
from tests.support.simulator import TOKEN, USER, Answer, Caller, Clock, running

BODY = clip()


async def _order(graph: Caller, **form: str) -> tuple[str, str]:
    """Id and address of a new resumable container."""
    form = {"media_type": "REELS", "upload_type": "resumable"} | form
    made = await graph.post(f"/v25.0/{USER}/media", **form)
    return made.json["id"], made.json["uri"]


async def _stored(graph: Caller, container: str) -> int:
    """How many bytes the container says it has."""
    read = await graph.get(f"/{container}", fields="video_status")
    number: int = read.json["video_status"]["uploading_phase"]["bytes_transferred"]
    return number


def _words(answer: Answer) -> str:
    """The failure within the failure."""
    info = answer.json["debug_info"]
    assert {"retriable", "type", "message"} == info.keys()
    assert "ProcessingFailedError" == info["type"]
    inner = json.loads(info["message"])
    assert inner["success"] is False
    message: str = inner["error"]["message"]
    return message


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"media_type": "STORIES"},
        {"media_type": "VIDEO", "is_carousel_item": "true"},
    ],
    ids=str,
)
async def test_a_video_is_sent_to_its_container(form: dict[str, str]) -> None:
    """Create gives an address at the simulator; the bytes that arrive there make it FINISHED."""
    async with running(SimulatorOptions(token=TOKEN)) as graph:
        container, uri = await _order(graph, **form)
        before = await graph.status(container)
        sent = await graph.upload(uri, BODY)
        await graph.simulator.settled()
        after = await graph.status(container)
        (video,) = graph.simulator.state.containers[container].videos
        path = graph.simulator.state.video(video.sha256)
        assert path is not None
        assert BODY == path.read_bytes()
    assert f"{graph.simulator.url}/ig-api-upload/v25.0/{container}" == uri
    assert ("IN_PROGRESS", 200, "FINISHED") == (before, sent.status, after)
    assert sent.json["success"] is True
    assert sent.json["message"].startswith("Upload successful.")


async def test_an_upload_goes_on_where_it_broke_off() -> None:
    """The line is cut after so many bytes; the node tells how many; the rest makes it whole."""
    async with running() as graph:
        graph.simulator.script({"on": "upload", "nth": 1, "do": "drop-within", "bytes": 5000})
        container, uri = await _order(graph)
        with pytest.raises(aiohttp.ClientError):
            await graph.upload(uri, BODY)
        stored = await _stored(graph, container)
        rest = await graph.upload(uri, BODY[stored:], offset=str(stored), file_size=str(len(BODY)))
        await graph.simulator.settled()
        assert "FINISHED" == await graph.status(container)
    assert (5000, 200) == (stored, rest.status)


async def test_a_client_that_leaves_may_come_back() -> None:
    """What came before the client went away is kept, and counted."""
    async with running() as graph:
        container, uri = await _order(graph)
        sent, go = asyncio.Event(), asyncio.Event()

        async def half() -> AsyncIterator[bytes]:
            yield BODY[:4000]
            sent.set()
            await go.wait()

        headers = {"Authorization": "OAuth t", "offset": "0", "file_size": str(len(BODY))}
        call = asyncio.create_task(
            graph.session.post(uri, data=half(), headers=headers).__aenter__()
        )
        await sent.wait()
        while await _stored(graph, container) < 4000:
            pass
        call.cancel()
        await asyncio.wait([call])
        rest = await graph.upload(uri, BODY[4000:], offset="4000", file_size=str(len(BODY)))
        await graph.simulator.settled()
        assert "FINISHED" == await graph.status(container)
    assert 200 == rest.status


@pytest.mark.parametrize(
    ("headers", "words"),
    [
        ({"Authorization": "OAuth wrong"}, "unauthorized user request"),
        ({"Authorization": f"Bearer {TOKEN}"}, "unauthorized user request"),
        ({"offset": "1"}, "offset must be 0"),
        ({"offset": "soon"}, "offset is required"),
        ({"file_size": "0"}, "file_size must be"),
        ({"file_size": "300000001"}, "file_size must be"),
        ({"file_size": "10"}, "More bytes"),
        ({"file_size": str(len(BODY) + 1)}, "Fewer bytes"),
    ],
    ids=str,
)
async def test_a_wrong_upload_fails_in_the_words_of_the_upload_host(
    headers: dict[str, str], words: str
) -> None:
    """Token, offset and size are checked; the failure is a text within ``debug_info``."""
    async with running(SimulatorOptions(token=TOKEN)) as graph:
        container, uri = await _order(graph)
        answer = await graph.upload(uri, BODY, **headers)
        assert "IN_PROGRESS" == await graph.status(container)
    assert 400 == answer.status
    assert words in _words(answer)


async def test_an_upload_has_one_size_and_one_end() -> None:
    """Another file_size than at first is refused, and so is a second upload."""
    async with running() as graph:
        container, uri = await _order(graph)
        await graph.upload(uri, BODY[:10], file_size=str(len(BODY)))
        other = await graph.upload(uri, BODY[10:], offset="10")
        rest = await graph.upload(uri, BODY[10:], offset="10", file_size=str(len(BODY)))
        await graph.simulator.settled()
        again = await graph.upload(uri, BODY)
        assert "FINISHED" == await graph.status(container)
    assert "not the one of the first" in _words(other)
    assert 200 == rest.status
    assert 400 == again.status


async def test_only_a_resumable_container_takes_an_upload() -> None:
    """Unknown, a picture, fetched by address, expired: a failure, never an effect."""
    clock = Clock()
    async with running(SimulatorOptions(clock=clock)) as graph:
        _, uri = await _order(graph)
        others = ["17", await graph.container(), (await graph.video(BODY)).json["id"]]
        address = uri.rpartition("/")[0]
        refused = [await graph.upload(f"{address}/{other}", BODY) for other in others]
        clock.turn(86_400)
        refused.append(await graph.upload(uri, BODY))
    assert [400] * 4 == [answer.status for answer in refused]
    assert all(_words(answer) for answer in refused)


async def test_a_bad_video_is_taken_and_fails_by_its_status() -> None:
    """The upload host judges nothing."""
    async with running() as graph:
        container, uri = await _order(graph)
        sent = await graph.upload(uri, b"no video")
        await graph.simulator.settled()
        read = await graph.get(f"/{container}", fields="status")
    assert 200 == sent.status
    assert read.json["status"].endswith("2207026")


async def test_the_upload_host_may_fetch_by_address() -> None:
    """``file_url`` in place of the bytes: taken at once, fetched later, judged as any other."""
    async with running() as graph:
        seen = []
        for name in ("good.mp4", "absent.mp4"):
            container, uri = await _order(graph)
            if name == "good.mp4":
                graph.pictures.add(name, BODY)
            sent = await graph.upload(uri, file_url=f"{graph.pictures.url}/{name}")
            await graph.simulator.settled()
            seen.append((sent.status, await graph.status(container)))
    assert [(200, "FINISHED"), (200, "ERROR")] == seen


async def test_uploads_go_wrong_as_scripted() -> None:
    """An error comes as ``debug_info``, a page as a page; neither keeps a byte; then it works."""
    async with running() as graph:
        graph.simulator.script(
            {"on": "upload", "nth": 1, "do": "error", "code": 2, "http": 503, "message": "Busy"},
            {"on": "upload", "nth": 2, "do": "body", "text": "{}", "http": 500},
        )
        container, uri = await _order(graph, caption="Beach")
        busy, broken = await graph.upload(uri, BODY), await graph.upload(uri, BODY)
        kept = await _stored(graph, container)
        good = await graph.upload(uri, BODY)
    assert (503, "Busy") == (busy.status, _words(busy))
    assert busy.json["debug_info"]["retriable"] is True
    assert (500, {}, 0, 200) == (broken.status, broken.json, kept, good.status)


async def test_the_answer_to_an_upload_may_be_lost() -> None:
    """drop-after: everything has come, which the node tells, and the client does not know."""
    async with running() as graph:
        graph.simulator.script({"on": "upload", "match": "Beach", "do": "drop-after"})
        container, uri = await _order(graph, caption="Beach")
        with pytest.raises(aiohttp.ClientError):
            await graph.upload(uri, BODY)
        await graph.simulator.settled()
        assert len(BODY) == await _stored(graph, container)
        assert "FINISHED" == await graph.status(container)
