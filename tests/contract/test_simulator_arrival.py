"""How a video comes to its container: fetched after the answer, then judged and processed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha256

import pytest

from mediawatch.simulator import SimulatorOptions
from tests.support.clips import clip
from tests.support.simulator import USER, Clock, encoded, jpeg, running


async def test_a_reel_from_container_to_permalink() -> None:
    """Create answers at once, the status says FINISHED, publishing gives a reel."""
    async with running() as graph:
        container = (await graph.video(clip(), caption="Waves")).json["id"]
        read = await graph.get(f"/{container}", fields="status_code,status,video_status")
        media = (await graph.publish(container)).json["id"]
        node = await graph.get(f"/{media}", fields="media_type,media_product_type,permalink")
        shortcode = graph.simulator.state.media[media].shortcode
    assert "FINISHED" == read.json["status_code"]
    assert {
        "uploading_phase": {
            "status": "complete",
            "bytes_transferred": len(clip()),
            "source_file_size": len(clip()),
            "errors": [],
        },
        "processing_phase": {"status": "complete", "errors": []},
    } == read.json["video_status"]
    assert {
        "id": media,
        "media_type": "VIDEO",
        "media_product_type": "REELS",
        "permalink": f"{graph.simulator.url}/reel/{shortcode}/",
    } == node.json


async def test_the_video_is_fetched_as_metas_crawler_does() -> None:
    """The host sees Meta's user agent; the oracle holds what the video is, and its very bytes."""
    async with running() as graph:
        await graph.publish((await graph.video(clip())).json["id"])
        (video,) = graph.simulator.state.publications[0].container.videos
        path = graph.simulator.state.video(video.sha256)
        assert path is not None
        assert clip() == path.read_bytes()
    assert graph.pictures.agents[-1].startswith("facebookexternalhit/1.1")
    assert sha256(clip()).hexdigest() == video.sha256
    assert (360, 640, 3.0, 30.0, "h264", "aac") == (
        *(video.width, video.height, video.seconds, video.frame_rate),
        *(video.codec, video.audio),
    )


@asynccontextmanager
async def _host(begin: bytes = b"", *, breaks: bool = False) -> AsyncIterator[str]:
    """Takes connections, sends the beginning of an answer, and then nothing more, or breaks."""
    done = asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(begin)
        if not breaks:
            await done.wait()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/a.mp4"
    finally:
        done.set()
        server.close()


async def test_a_container_is_in_progress_while_its_video_comes() -> None:
    """The answer does not wait for a host that takes its time; publishing early is 9007/2207027."""
    async with _host() as address, running() as graph:
        made = await graph.post(f"/{USER}/media", media_type="REELS", video_url=address)
        status = await graph.status(made.json["id"])
        early = await graph.publish(made.json["id"])
        read = await graph.get(f"/{made.json['id']}", fields="video_status,status")
    assert (200, "IN_PROGRESS") == (made.status, status)
    assert (9007, 2207027) == early.code
    assert "not_started" == read.json["video_status"]["uploading_phase"]["status"]
    assert "In Progress: Media is still being processed." == read.json["status"]


async def test_videos_have_a_processing_time_of_their_own() -> None:
    """It begins when the video has come; pictures keep theirs."""
    clock = Clock()
    options = SimulatorOptions(processing_seconds=2, video_processing_seconds=30, clock=clock)
    async with running(options) as graph:
        video = (await graph.video(clip())).json["id"]
        picture = await graph.container()
        seen = []
        for seconds in (2, 27, 1):
            clock.turn(seconds)
            seen.append((await graph.status(picture), await graph.status(video)))
    assert ["FINISHED"] * 3 == [status for status, _ in seen]
    assert ["IN_PROGRESS", "IN_PROGRESS", "FINISHED"] == [status for _, status in seen]


async def test_a_bad_video_fails_only_after_its_processing() -> None:
    """Until then nobody knows; then the status is ERROR, and publishing is refused."""
    clock = Clock()
    async with running(SimulatorOptions(video_processing_seconds=5, clock=clock)) as graph:
        container = (await graph.video(b"no video")).json["id"]
        early = await graph.status(container)
        clock.turn(5)
        late = await graph.status(container)
        read = await graph.get(f"/{container}", fields="video_status")
        refused = await graph.publish(container)
    assert ("IN_PROGRESS", "ERROR") == (early, late)
    assert 2207026 == read.json["video_status"]["processing_phase"]["errors"][0]["code"]
    assert (-1, 2207032) == refused.code


@pytest.mark.parametrize(
    "uri", ["{host}/absent.mp4", "http://127.0.0.1:1/a.mp4", "ftp://127.0.0.1/a.mp4", "x"]
)
async def test_addresses_that_give_no_video(uri: str) -> None:
    """404, nobody there and another scheme are 2207052, told by the status."""
    async with running() as graph:
        address = uri.format(host=graph.pictures.url)
        assert "2207052" == await graph.failure(b"", video_url=address)


async def test_redirects_are_not_followed() -> None:
    """A host that sends the fetcher elsewhere gives no video."""
    async with running() as graph:
        graph.pictures.moved["old.mp4"] = graph.pictures.add("new.mp4", clip())
        address = f"{graph.pictures.url}/old.mp4"
        assert "2207052" == await graph.failure(b"", video_url=address)


async def test_a_download_that_breaks_off_is_told_apart() -> None:
    """The host answered and then the line was cut: 2207077."""
    begin = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf"
    async with _host(begin, breaks=True) as address, running() as graph:
        assert "2207077" == await graph.failure(b"", video_url=address)


async def test_a_slow_host_is_a_time_out() -> None:
    """A download that takes longer than the option allows is 2207003."""
    async with _host() as address, running(SimulatorOptions(video_fetch_seconds=0.05)) as graph:
        assert "2207003" == await graph.failure(b"", video_url=address)


async def test_no_container_waits_for_ever_when_the_disk_is_full(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What goes wrong on the side of the simulator is an unknown upload error, 2207053."""

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    async with running() as graph:
        monkeypatch.setattr(graph.simulator.state.shelf, "keep_video", full)
        assert "2207053" == await graph.failure(clip())


async def test_an_offset_behind_the_end_fails_the_container() -> None:
    """``thumb_offset`` is in ms and below the length; the length is known after the answer."""
    async with running() as graph:
        last = await graph.video(clip(), thumb_offset="2999")
        status = await graph.status(last.json["id"])
        assert "2207057" == await graph.failure(clip(), thumb_offset="3000")
        negative = await graph.video(clip(), thumb_offset="-1")
        word = await graph.video(clip(), thumb_offset="soon")
    assert "FINISHED" == status
    assert ((1, 2207057), (100, None)) == (negative.code, word.code)


async def test_the_cover_is_the_frame_at_the_offset() -> None:
    """Another moment gives another thumbnail, a JPEG that can be fetched."""
    async with running() as graph:
        covers = []
        for offset in ("0", "500"):
            container = (await graph.video(clip(), thumb_offset=offset)).json["id"]
            media = (await graph.publish(container)).json["id"]
            node = await graph.get(f"/{media}", fields="thumbnail_url")
            async with graph.session.get(node.json["thumbnail_url"]) as answer:
                covers.append(await answer.read())
    assert [True, True] == [cover.startswith(b"\xff\xd8") for cover in covers]
    assert covers[0] != covers[1]


async def test_a_cover_of_ones_own_wins_over_the_offset() -> None:
    """It is fetched at once and may have any shape; the offset is not looked at any more."""
    body = jpeg(300, 1200)
    async with running() as graph:
        address = graph.pictures.add("cover.jpg", body)
        made = await graph.video(clip(), cover_url=address, thumb_offset="99999")
        media = (await graph.publish(made.json["id"])).json["id"]
        node = await graph.get(f"/{media}", fields="thumbnail_url")
        async with graph.session.get(node.json["thumbnail_url"]) as answer:
            assert body == await answer.read()


async def test_a_cover_is_judged_like_a_picture_and_at_once() -> None:
    """A cover that is no JPEG, or not there, refuses the call; no container is made."""
    async with running() as graph:
        png = graph.pictures.add("cover.png", encoded("PNG"))
        wrong = await graph.video(clip(), cover_url=png)
        absent = await graph.video(clip(), cover_url=f"{graph.pictures.url}/absent.jpg")
        made = dict(graph.simulator.state.containers)
    assert ((36001, 2207005), (9004, 2207052)) == (wrong.code, absent.code)
    assert {} == made


async def test_videos_make_room_for_newer_ones_and_go_with_the_simulator() -> None:
    """The files are bounded by ``keep_bytes``; nothing is left once the simulator has stopped."""
    bodies = [clip(seed=number) for number in range(2)]
    async with running(SimulatorOptions(keep_bytes=len(bodies[1]) + 1000)) as graph:
        state = graph.simulator.state
        for body in bodies:
            await graph.publish((await graph.video(body)).json["id"])
        digests = [post.container.videos[0].sha256 for post in state.publications]
        paths = [state.video(digest) for digest in digests]
        folder = state.shelf.place("1").parent
        assert [digests[1]] == [path.name for path in folder.iterdir()]
    assert paths[0] is None
    assert not folder.exists()
