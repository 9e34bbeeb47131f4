"""Videos of every kind that people drop, prepared by the real worker and judged by ffprobe."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest
from PIL import Image

from mediawatch.media.framing import Fit
from mediawatch.media.order import ImageOptions, Prepared, Purpose, VideoOptions
from mediawatch.media.pool import Preparer
from mediawatch.media.rules import REEL_VIDEO, VideoLimits
from mediawatch.media.video import remux
from mediawatch.media.video.prepare import prepare_video
from tests.support import ffprobe, pictures, videos

OPTIONS = ImageOptions()
QUICK = (("deadline", "realtime"), ("cpu-used", "8"))
QUIET = (("x265-params", "log-level=error"), ("preset", "ultrafast"))

#: Name: how it is made, the size and the changes that are expected.
KINDS: dict[str, tuple[dict[str, Any], tuple[int, int], tuple[str, ...]]] = {
    "fits": ({"movflags": "faststart"}, (320, 180), ()),
    "mono at 44.1 kHz": (
        {"layout": "mono", "sound_rate": 44_100, "movflags": "faststart"}, (320, 180), ()),
    "index behind": ({}, (320, 180), ("index moved to the front",)),
    "other order of frames": (
        {"options": (("bf", "3"),), "movflags": "faststart"}, (320, 180), ()),
    "NTSC": ({"fps": Fraction(30000, 1001), "movflags": "faststart"}, (320, 180), ()),
    "M4V": ({"container": "ipod", "movflags": "faststart"}, (320, 180), ()),
    "MOV": ({"container": "mov", "movflags": "faststart"}, (320, 180), ()),
    "Matroska": ({"container": "matroska"}, (320, 180), ("Matroska to MP4",)),
    "transport stream": (
        {"container": "mpegts"}, (320, 180), ("transport stream to MP4",)),
    "WebM": (
        {"container": "webm", "codec": "libvpx-vp9", "sound": "libopus", "options": QUICK},
        (320, 180), ("vp9 to H.264", "opus sound to AAC", "Matroska to MP4")),
    "AVI": (
        {"container": "avi", "codec": "mpeg4", "sound": "mp3"}, (320, 180),
        ("mpeg4 to H.264", "mp3 sound to AAC", "AVI to MP4")),
    "Flash": ({"container": "flv"}, (320, 180), ("encoded anew", "Flash to MP4")),
    "MPEG": (
        {"container": "mpeg", "codec": "mpeg2video", "sound": "mp2", "fps": 25}, (320, 180),
        ("mpeg2video to H.264", "mp2 sound to AAC", "MPEG to MP4")),
    "HEVC": (
        {"container": "mov", "codec": "libx265", "options": QUIET}, (320, 180),
        ("hevc to H.264",)),
    "other sound": (
        {"container": "matroska", "sound": "libopus"}, (320, 180),
        ("opus sound to AAC", "Matroska to MP4")),
    "no sound": (
        {"sound": None, "movflags": "faststart"}, (320, 180), ("silent track added",)),
    "5.1 at 96 kHz": (
        {"layout": "5.1", "sound_rate": 96_000, "movflags": "faststart"}, (320, 180),
        ("6 channels to stereo", "96 to 48 kHz")),
    "two sound tracks": (
        {"tracks": 2, "movflags": "faststart"}, (320, 180), ("further sound tracks left out",)),
    "late sound": (
        {"late_sound": 1.0, "movflags": "faststart"}, (320, 180), ("sound set in step",)),
    "turned by 90": ({"rotation": 90}, (180, 320), ("turned upright",)),
    "turned by 180": ({"rotation": 180}, (320, 180), ("turned upright",)),
    "turned by 270": ({"rotation": 270}, (180, 320), ("turned upright",)),
    "interlaced": ({"interlaced": True}, (320, 180), ("deinterlaced",)),
    "anamorphic": (
        {"sar": Fraction(4, 3)}, (426, 180), ("pixels made square", "427x180 to 426x180")),
    "10 bits": (
        {"pix_fmt": "yuv420p10le"}, (320, 180), ("yuv420p10le to 8 bits, 4:2:0",)),
    "4:4:4 and odd": (
        {"pix_fmt": "yuv444p", "size": (321, 181)}, (320, 180),
        ("yuv444p to 8 bits, 4:2:0", "321x181 to 320x180")),
    "120 fps": ({"fps": 120}, (320, 180), ("120 to 60 fps",)),
    "90 fps": ({"fps": 90}, (320, 180), ("90 to 45 fps",)),
    "10 fps": ({"fps": 10}, (320, 180), ("10 to 30 fps",)),
    "variable": (
        {"uneven": True, "fps": 50}, (320, 180), ("variable frame rate to 30 fps",)),
    "too wide": ({"size": (2400, 1350)}, (1920, 1080), ("2400x1350 to 1920x1080",)),
    "PQ": (
        {"transfer": 16, "pix_fmt": "yuv420p10le"}, (320, 180),
        ("yuv420p10le to 8 bits, 4:2:0", "HDR to SDR")),
    "HLG": (
        {"transfer": 18, "pix_fmt": "yuv420p10le"}, (320, 180),
        ("yuv420p10le to 8 bits, 4:2:0", "HDR to SDR")),
}  # fmt: skip


@pytest.fixture(autouse=True)
def _judge() -> None:
    ffprobe.require_ffprobe()


@pytest.fixture
async def preparer() -> AsyncIterator[Preparer]:
    async with Preparer(1) as preparer:
        yield preparer


async def prepared(
    preparer: Preparer, folder: Path, data: bytes, purpose: Purpose = Purpose.FEED
) -> tuple[Prepared, Path]:
    """The result for a file with these bytes, and where it is."""
    source, target = folder / "original", folder / "result"
    source.write_bytes(data)
    return await preparer.prepare(source, target, OPTIONS, purpose=purpose), target


def first_frame(path: Path) -> Image.Image:
    """The first frame as it is seen."""
    with av.open(str(path)) as container:
        frame: Any = next(container.decode(video=0))
        image: Image.Image = frame.to_image()
        return image


@pytest.mark.slow
async def test_every_kind_of_video_becomes_what_instagram_takes(
    preparer: Preparer, tmp_path: Path
) -> None:
    """Each is published with the size and the changes that are told, and breaks no rule."""
    expected, found = {}, {}
    for name, (how, size, changes) in KINDS.items():
        result, target = await prepared(preparer, tmp_path, videos.video(**how))
        expected[name] = (size, changes, "video/mp4", [])
        found[name] = (
            (result.width, result.height), result.changes, result.media_type,
            ffprobe.faults(target),
        )  # fmt: skip
        assert result.duration == pytest.approx(3, abs=0.1), name
        assert result.size == target.stat().st_size
    assert expected == found


async def test_a_stream_that_fits_keeps_its_bytes(preparer: Preparer, tmp_path: Path) -> None:
    """No generation of quality is lost where none must be: the packets are the same."""
    data = videos.video(options=(("bf", "3"),))
    _, target = await prepared(preparer, tmp_path, data)
    packets = []
    for file in (io.BytesIO(data), io.BytesIO(target.read_bytes())):
        with av.open(file) as container:
            packets.append([bytes(packet) for packet in container.demux() if packet.size])
    assert sorted(packets[0]) == sorted(packets[1])


def test_a_large_file_is_written_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Room for its index is left at the front; what was too much of it is small."""
    monkeypatch.setattr(remux, "_LARGE", 0)
    source, target = tmp_path / "original", tmp_path / "result"
    for how in ({}, {"options": (("bf", "3"),)}, {"layout": "5.1"}, {"sound": None}):
        source.write_bytes(videos.video(seconds=8, **how))
        prepare_video(source, target, VideoOptions(), Purpose.FEED, lambda *_: None)
        assert [] == ffprobe.faults(target)
        assert target.stat().st_size < source.stat().st_size + 200_000


@pytest.mark.parametrize(("rotation", "corner"), [(90, "lower left"), (270, "upper right")])
async def test_a_turned_video_stands_upright(
    preparer: Preparer, tmp_path: Path, rotation: int, corner: str
) -> None:
    """The red corner is where a player that obeys the rotation shows it."""
    _, target = await prepared(preparer, tmp_path, videos.video(rotation=rotation))
    image = first_frame(target)
    places = {
        "upper left": (10, 10),
        "upper right": (image.width - 10, 10),
        "lower left": (10, image.height - 10),
        "lower right": (image.width - 10, image.height - 10),
    }
    red = [
        name
        for name, at in places.items()
        if (pixel := image.getpixel(at)) and isinstance(pixel, tuple)
        and pixel[0] > 200 and pixel[1] < 60
    ]  # fmt: skip
    assert [corner] == red


async def test_the_sound_stays_in_step(preparer: Preparer, tmp_path: Path) -> None:
    """Sound that begins a second late does so afterwards too, although no edit list says so."""
    _, target = await prepared(preparer, tmp_path, videos.video(late_sound=1.0))
    with av.open(str(target)) as container:
        assert container.streams.audio[0].start_time == 0
        assert container.streams.audio[0].duration == pytest.approx(3 * 48_000, abs=2048)


async def test_groups_of_pictures_are_short(preparer: Preparer, tmp_path: Path) -> None:
    """A key frame comes every two seconds at the latest."""
    data = videos.video(seconds=7, codec="mpeg4", gop=300)
    _, target = await prepared(preparer, tmp_path, data)
    times = ffprobe.keyframes(target)
    gaps = [after - before for before, after in zip(times, [*times[1:], 7.0], strict=True)]
    assert len(times) >= 4
    assert max(gaps) <= 2.01


async def test_a_trimmed_clip_shows_only_what_was_left(preparer: Preparer, tmp_path: Path) -> None:
    """What an edit list hides is not published: copying the stream would show it."""
    data = videos.edited(videos.video(seconds=6), media_time=1.0, seconds=4.0)
    result, target = await prepared(preparer, tmp_path, data)
    assert "edit list applied" in result.changes
    assert result.duration == pytest.approx(4, abs=0.1)
    assert [] == ffprobe.faults(target)


async def test_where_it_was_filmed_is_not_published(preparer: Preparer, tmp_path: Path) -> None:
    """Place, date, device and title stay behind, whether the stream is copied or encoded."""
    for number, codec in enumerate(("libx264", "mpeg4")):
        plain, source = io.BytesIO(videos.video(codec=codec)), io.BytesIO()
        with (
            av.open(plain) as before,
            av.open(source, "w", format="mov", options={"movflags": "use_metadata_tags"}) as after,
        ):
            after.metadata.update(
                {"com.apple.quicktime.location.ISO6709": "+52.5-013.4/", "title": "a secret title"}
            )
            stream = after.add_stream_from_template(before.streams.video[0])
            for packet in before.demux(before.streams.video[0]):
                if packet.dts is not None:
                    packet.stream = stream
                    after.mux(packet)
        assert b"a secret title" in source.getvalue()
        _, target = await prepared(preparer, tmp_path, source.getvalue())
        assert b"secret" not in target.read_bytes(), number
        assert b"+52.5" not in target.read_bytes()


@pytest.mark.parametrize(
    ("image_format", "frames", "duration", "seconds"),
    [("GIF", 10, 50, 3.0), ("WEBP", 5, 100, 3.0), ("PNG", 40, 100, 4.0), ("AVIF", 2, 100, 3.0)],
)
async def test_animations_become_videos(
    preparer: Preparer,
    tmp_path: Path,
    image_format: str,
    frames: int,
    duration: int,
    seconds: float,
) -> None:
    """Played again until three seconds are full; a rate and a silent track as videos have."""
    result, target = await prepared(
        preparer, tmp_path, videos.animated(image_format, frames, duration)
    )
    assert f"{image_format} animation to MP4" == result.changes[0]
    assert result.duration == pytest.approx(seconds, abs=0.3)
    assert [] == ffprobe.faults(target)


async def test_an_animation_of_one_frame_is_a_picture(preparer: Preparer, tmp_path: Path) -> None:
    """A GIF that does not move is published as a JPEG."""
    result, target = await prepared(preparer, tmp_path, videos.animated("GIF", 1, 100, (400, 300)))
    assert (result.media_type, result.duration) == ("image/jpeg", None)
    assert pictures.require_publishable(target.read_bytes()) == (400, 300)


FRAMES: list[tuple[Fit, tuple[int, int]]] = [
    ("blur", (320, 400)), ("pad", (320, 400)), ("crop", (320, 400)),
]  # fmt: skip


@pytest.mark.parametrize(("fit", "least"), FRAMES)
async def test_a_video_in_a_carousel_has_a_shape_of_the_feed(
    tmp_path: Path, fit: Fit, least: tuple[int, int]
) -> None:
    """Taller than 4:5, it is padded or cropped; as a reel the same stream keeps its bytes."""
    data = videos.video(size=(320, 568), movflags="faststart")
    async with Preparer(1, video=VideoOptions(fit=fit)) as preparer:
        result, target = await prepared(preparer, tmp_path, data, Purpose.CAROUSEL)
        assert result.width / result.height == pytest.approx(0.8, abs=0.01)
        assert result.height >= least[1] or fit == "crop"
        assert [] == ffprobe.faults(target)
        as_reel, _ = await prepared(preparer, tmp_path, data, Purpose.REEL)
        assert as_reel.changes == ()


async def test_the_size_limit_is_kept(tmp_path: Path) -> None:
    """The bit rate follows from how long it lasts: even noise stays below the bytes allowed."""
    small = VideoLimits(3, 900, 200_000, 0.01, 10)
    data = videos.video(size=(640, 360), codec="mpeg4", options=(("b", "9000000"),))
    async with Preparer(1, video=VideoOptions(reel=small)) as preparer:
        result, target = await prepared(preparer, tmp_path, data)
    assert 50_000 < result.size <= 200_000
    assert [] == ffprobe.faults(target)


async def test_a_cover_is_the_frame_of_that_second(preparer: Preparer, tmp_path: Path) -> None:
    """The white bar has wandered as far as it had by then; past the end it is the last frame."""
    source, target = tmp_path / "video.mp4", tmp_path / "cover.jpg"
    source.write_bytes(videos.video())
    for at, number in ((0.0, 0), (1.5, 45), (99.0, 89)):
        result = await preparer.cover(source, target, at)
        assert (result.media_type, result.width, result.height) == ("image/jpeg", 320, 180)
        with Image.open(target) as image:
            bar = 160 + number * 2 % 160
            white = [x for x in range(320) if min(image.convert("RGB").getpixel((x, 150))) > 230]  # type: ignore[arg-type]
        assert white
        assert abs(white[0] - bar) <= 3, at


def test_the_limits_are_those_of_the_settings() -> None:
    """A limit that is set is the one that holds, for its purpose alone."""
    options = VideoOptions(story=REEL_VIDEO)
    assert options.limits(Purpose.STORY) is REEL_VIDEO
    assert options.limits(Purpose.FEED) is options.limits(Purpose.REEL) is REEL_VIDEO
    assert options.limits(Purpose.CAROUSEL).max_seconds == 60
