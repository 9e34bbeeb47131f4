"""Videos that are broken, lie, or are made to do harm: each gets its verdict, none does harm."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from mediawatch.errors import Handling, MediawatchError, Rejected
from mediawatch.media.order import ImageOptions, Purpose
from mediawatch.media.pool import Preparer
from tests.support import ffprobe, pictures, videos
from tests.support.clips import clip

OPTIONS = ImageOptions()


def plain() -> bytes:
    return videos.video()


def front() -> bytes:
    return videos.video(movflags="faststart")


def late_box(kind: bytes, field: int, value: bytes) -> bytes:
    """A good MP4, with one field of the first box of that kind overwritten."""
    data = plain()
    at = data.index(kind) + 4 + field
    return data[:at] + value + data[at + len(value) :]


#: Name: bytes, the code, and what becomes of the post.
VERDICTS: dict[str, tuple[Callable[[], bytes], str, Handling]] = {
    "empty": (lambda: b"", "empty", Handling.FAIL),
    "half of it, index behind": (lambda: plain()[:60_000], "truncated", Handling.HOLD),
    "half of it, index first": (lambda: front()[:60_000], "truncated", Handling.HOLD),
    "99 % of it": (lambda: front()[:-1200], "truncated", Handling.HOLD),
    "its head alone": (lambda: front()[:32], "truncated", Handling.HOLD),
    "no index": (lambda: videos.without_index(plain()), "truncated", Handling.HOLD),
    "half a Matroska": (
        lambda: videos.video(container="matroska")[:60_000], "truncated", Handling.HOLD),
    "half a WebM": (
        lambda: videos.video(
            container="webm", codec="libvpx-vp9", sound="libopus",
            options=(("deadline", "realtime"), ("cpu-used", "8")),
        )[:20_000], "truncated", Handling.HOLD),
    "half an AVI": (
        lambda: videos.video(container="avi", codec="mpeg4", sound="mp3")[:40_000], "truncated",
        Handling.HOLD),
    "damaged in the middle": (
        lambda: videos.damaged(plain()), "corrupt", Handling.FAIL),
    "damaged where the sound is, too": (
        lambda: videos.damaged(clip(seconds=4, seed=9)), "corrupt", Handling.FAIL),
    "nearly all of it garbage": (
        lambda: videos.damaged(plain(), 0.01, 0.98), "corrupt", Handling.FAIL),
    "promises a terabyte": (lambda: videos.promising(plain()), "truncated", Handling.HOLD),
    "promises four thousand million frames": (
        lambda: late_box(b"stsz", 8, struct.pack(">I", 0xFFFFFFFF)), "corrupt", Handling.FAIL),
    "a playlist of FFmpeg": (lambda: videos.FFCONCAT, "unsupported", Handling.FAIL),
    "a playlist of HLS": (lambda: videos.PLAYLIST, "unsupported", Handling.FAIL),
    "a playlist behind a mark": (
        lambda: b"\xef\xbb\xbf" + videos.FFCONCAT, "unsupported", Handling.FAIL),
    "a web page": (lambda: pictures.HTML, "unsupported", Handling.FAIL),
    "sound alone": (videos.sound_only, "no-video", Handling.HOLD),
    "sound with a cover": (videos.sound_with_cover, "no-video", Handling.HOLD),
    "half a second": (lambda: videos.video(seconds=0.5), "too-short", Handling.HOLD),
    "twenty minutes": (
        lambda: videos.video(seconds=1200, fps=1, gop=60, size=(160, 120)), "too-long",
        Handling.HOLD),
    "16 pixels high": (lambda: videos.video(size=(320, 16)), "too-small", Handling.FAIL),
    "an animation of 1200 large frames": (
        videos.animation_bomb, "too-many-frames", Handling.FAIL),
    "an animation of 5000 small frames": (
        lambda: videos.animation_bomb(5000, (64, 64)), "too-many-frames", Handling.FAIL),
    "an animation of hours": (
        lambda: videos.animated("GIF", 3, 600_000), "too-long", Handling.HOLD),
    "half an animation": (
        lambda: videos.animated("GIF", 20, 100)[:-4000], "truncated", Handling.HOLD),
    "a damaged animation": (
        lambda: videos.garbled(videos.animated("WEBP", 10, 100)), "corrupt", Handling.FAIL),
}  # fmt: skip


@pytest.mark.slow
async def test_every_hostile_video_gets_its_verdict_and_the_worker_lives(tmp_path: Path) -> None:
    """All of them named .mp4: the right code each, nothing left behind, the same process."""
    expected = {name: (code, handling) for name, (_, code, handling) in VERDICTS.items()}
    found: dict[str, tuple[str, Handling]] = {}
    async with Preparer(1) as preparer:
        source, target = tmp_path / "video.mp4", tmp_path / "out"
        source.write_bytes(plain())
        await preparer.prepare(source, target, OPTIONS)
        target.unlink()
        pids = set(preparer.pids)
        for name, (make, _, _) in VERDICTS.items():
            source.write_bytes(make())
            try:
                await preparer.prepare(source, target, OPTIONS)
            except MediawatchError as error:
                found[name] = (error.code, error.handling)
            assert {source} == set(tmp_path.iterdir()), name
        assert pids == set(preparer.pids)
    assert expected == found


async def test_a_playlist_opens_no_other_file(tmp_path: Path) -> None:
    """Even behind bytes that pass for a video, only the file itself is read."""
    (tmp_path / "secret.mp4").write_bytes(plain())
    source = tmp_path / "list.mp4"
    disguises = (b"", b"\0\0\0\x18ftypisom\0\0\2\0isommp41", b"\x1aE\xdf\xa3", b"FLV\1")
    async with Preparer(1) as preparer:
        for listed in (videos.FFCONCAT, videos.PLAYLIST):
            for disguise in disguises:
                source.write_bytes(disguise + listed)
                with pytest.raises(Rejected):
                    await preparer.prepare(source, tmp_path / "out", OPTIONS)


async def test_a_small_damage_is_left_out(tmp_path: Path) -> None:
    """One packet of three hundred is broken: encoded anew without it, and the rest is published."""
    ffprobe.require_ffprobe()
    data = videos.video(seconds=10, gop=10, size=(160, 120), movflags="faststart")
    source, target = tmp_path / "video.mp4", tmp_path / "out"
    source.write_bytes(videos.with_broken_packet(data, 148))
    async with Preparer(1) as preparer:
        result = await preparer.prepare(source, target, OPTIONS)
    assert "encoded anew" in result.changes
    assert result.duration == pytest.approx(10, abs=0.1)
    assert [] == ffprobe.faults(target)


async def test_a_header_that_lies_about_its_length_is_not_believed(tmp_path: Path) -> None:
    """The table of frames tells how long it lasts, not the number in front of it."""
    source, target = tmp_path / "video.mp4", tmp_path / "out"
    source.write_bytes(videos.lying(plain(), 100_000))
    async with Preparer(1) as preparer:
        result = await preparer.prepare(source, target, OPTIONS)
    assert result.duration == pytest.approx(3, abs=0.1)


async def test_what_is_long_for_a_story_is_short_for_a_reel(tmp_path: Path) -> None:
    """Each purpose has its own limits."""
    source = tmp_path / "video.mp4"
    source.write_bytes(videos.video(seconds=61, fps=24, gop=240, size=(160, 120)))
    async with Preparer(1) as preparer:
        for purpose in (Purpose.STORY, Purpose.CAROUSEL):
            with pytest.raises(Rejected, match="at most 60") as caught:
                await preparer.prepare(source, tmp_path / "out", OPTIONS, purpose=purpose)
            assert (caught.value.code, caught.value.handling) == ("too-long", Handling.HOLD)
        result = await preparer.prepare(source, tmp_path / "out", OPTIONS, purpose=Purpose.REEL)
        assert result.duration == pytest.approx(61, abs=0.1)
