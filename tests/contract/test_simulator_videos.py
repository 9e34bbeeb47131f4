"""Which videos the simulator takes, and which subcode the status of the others tells."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import pytest

from mediawatch.simulator import SimulatorOptions
from mediawatch.simulator.containers import Kind
from mediawatch.simulator.judge_video import LIMITS, Limits, judge_video
from mediawatch.simulator.refusals import Unusable
from tests.support.clips import clip
from tests.support.simulator import jpeg, running

REEL, STORY = {"media_type": "REELS"}, {"media_type": "STORIES"}
CHILD = {"media_type": "VIDEO", "is_carousel_item": "true"}


@pytest.mark.parametrize(
    "made",
    [
        {},
        {"codec": "libx265"},
        {"form": "mov"},
        {"pixels": "yuvj420p"},
        {"audio": False},
        {"layout": "stereo", "rate": 44_100},
        {"fps": 23},
        {"fps": 29.97},
        {"fps": 60},
        {"width": 1920, "height": 1080},
        {"width": 640, "height": 64},
    ],
    ids=str,
)
async def test_what_meta_documents_is_taken(made: dict[str, Any]) -> None:
    """H.264 or HEVC, MP4 or MOV, 23 to 60 frames, up to 1920 across, AAC or silent, 10:1."""
    async with running() as graph:
        container = await graph.video(clip(**made))
        assert "FINISHED" == await graph.status(container.json["id"])


@pytest.mark.parametrize(
    ("made", "why"),
    [
        ({"codec": "mpeg4"}, "neither H.264 nor HEVC"),
        ({"form": "matroska"}, "no MP4 or MOV"),
        ({"pixels": "yuv444p"}, "yuv444p"),
        ({"interlaced": True}, "interlaced"),
        ({"faststart": False}, "behind the media"),
        ({"edit_list": True}, "edit list"),
        ({"fps": 22}, "22.00 frames a second"),
        ({"fps": 61}, "61.00 frames a second"),
        ({"width": 1922, "height": 1080}, "more than 1920"),
        ({"width": 704, "height": 64}, "704:64"),
        ({"sound": "libmp3lame"}, "not AAC"),
        ({"rate": 96_000}, "96000 Hz"),
        ({"layout": "5.1"}, "more than two channels"),
    ],
    ids=str,
)
async def test_every_other_form_is_an_unsupported_format(made: dict[str, Any], why: str) -> None:
    """The client learns only 2207026, and from the status; the state tells people the reason."""
    async with running() as graph:
        assert "2207026" == await graph.failure(clip(**made))
        (container,) = graph.simulator.state.containers.values()
    assert why in container.why


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<!DOCTYPE html><p>Not found",
        jpeg(),
        clip()[:-1000],
        clip()[:100],
        struct.pack(">I4s", 3, b"moov") * 9,
    ],
    ids=["empty", "html", "picture", "cut off", "only begun", "nonsense"],
)
async def test_what_is_no_whole_video_is_an_unsupported_format(body: bytes) -> None:
    """Nothing, a page, a picture, a part: 2207026, whatever the address is called."""
    async with running() as graph:
        assert "2207026" == await graph.failure(body)


async def test_a_video_whose_frames_are_damaged_is_refused() -> None:
    """The boxes may be right and the pictures within them not."""
    whole = clip(audio=False)
    media = whole.index(b"mdat") + 4
    async with running() as graph:
        assert "2207026" == await graph.failure(whole[:media] + bytes(len(whole) - media))


async def test_a_codec_that_nobody_knows_is_refused() -> None:
    """Phones bring new ones every year."""
    async with running() as graph:
        assert "2207026" == await graph.failure(clip().replace(b"avc1", b"zzzz"))


async def test_an_edit_list_may_be_tolerated() -> None:
    """With the option it is only told; nobody knows how strict Meta is."""
    async with running(SimulatorOptions(tolerate_edit_lists=True)) as graph:
        container = (await graph.video(clip(edit_list=True))).json["id"]
        (entry,) = graph.simulator.state.snapshot()["containers"]
        assert "FINISHED" == await graph.status(container)
    assert ["edit list"] == entry["items"][0]["warnings"]


@pytest.mark.parametrize(
    ("form", "seconds", "fine"),
    [
        (REEL, 2.9, False),
        (REEL, 900, True),
        (REEL, 901, False),
        (STORY, 2.9, False),
        (STORY, 60, True),
        (STORY, 61, False),
        (CHILD, 2.9, False),
        (CHILD, 60, True),
        (CHILD, 61, False),
    ],
    ids=str,
)
async def test_each_kind_has_its_length(form: dict[str, str], seconds: float, fine: bool) -> None:
    """A reel has 3 s to 15 min, a story and an item of a carousel 3 s to 60 s."""
    body = clip(seconds, 64, 64, 30, audio=False)
    async with running() as graph:
        container = await graph.video(body, **form)
        assert ("FINISHED" if fine else "ERROR") == await graph.status(container.json["id"])


async def test_a_video_that_is_too_large_is_not_fetched_to_its_end() -> None:
    """More bytes than the kind may have: 2207026, and nothing of it stays."""
    large = clip(61, 64, 64, 30, audio=False) + bytes(LIMITS[Kind.STORY].bytes)
    async with running() as graph:
        assert "2207026" == await graph.failure(large, **STORY)
        assert not list(graph.simulator.state.shelf.place("1").parent.iterdir())


def test_the_limits_are_metas() -> None:
    """300 MB for a reel, 100 MB for a story and an item of a carousel."""
    assert {Kind.REEL: 300_000_000, Kind.STORY: 100_000_000, Kind.CHILD: 100_000_000} == {
        kind: limits.bytes for kind, limits in LIMITS.items()
    }


def test_more_bits_a_second_than_meta_plays_are_refused(tmp_path: Path) -> None:
    """25 Mbit/s at most: a box of nothing makes a small clip as heavy as a large one."""
    path = tmp_path / "a.mp4"
    path.write_bytes(clip() + struct.pack(">I4s", 10_000_000, b"free") + bytes(9_999_992))
    with pytest.raises(Unusable, match="25 Mbit/s"):
        judge_video(path, Limits(3, 60, 100_000_000))
