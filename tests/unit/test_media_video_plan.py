"""What is decided about a video, from its facts alone."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest

from mediawatch.errors import Handling, Rejected
from mediawatch.media.framing import Fit
from mediawatch.media.rules import CAROUSEL_VIDEO, REEL_VIDEO, STORY_VIDEO, VideoLimits
from mediawatch.media.video.facts import Facts, Sound
from mediawatch.media.video.filters import filters
from mediawatch.media.video.plan import Track, output_rate, plan

SOUND = Sound("aac", "LC", 48_000, 2)
FITS = Facts(
    demuxer="mov", codec="h264", profile="High", pixel_format="yuv420p", width=1080, height=1920,
    seconds=20.0, rate=Fraction(30), size=10_000_000, bit_rate=4_000_000, sound=SOUND, tracks=1,
)  # fmt: skip

PICTURES: list[tuple[dict[str, Any], tuple[str, ...]]] = [
    ({"codec": "hevc"}, ("hevc to H.264",)),
    ({"profile": "High 10", "pixel_format": "yuv420p10le"}, ("yuv420p10le to 8 bits, 4:2:0",)),
    ({"pixel_format": "yuv422p"}, ("yuv422p to 8 bits, 4:2:0",)),
    ({"edited": True}, ("edit list applied",)),
    ({"interlaced": True}, ("deinterlaced",)),
    ({"transfer": 16}, ("HDR to SDR",)),
    ({"transfer": 18}, ("HDR to SDR",)),
    ({"turn": 90}, ("turned upright",)),
    ({"mirrored": True}, ("turned upright",)),
    ({"pixel_aspect": Fraction(4, 3), "width": 720, "height": 576}, ("pixels made square",)),
    ({"rate": Fraction(120)}, ("120 to 60 fps",)),
    ({"rate": Fraction(22)}, ("22 to 30 fps",)),
    ({"steady": False}, ("variable frame rate to 30 fps",)),
    ({"width": 3840, "height": 2160}, ("3840x2160 to 1920x1080",)),
    ({"width": 1081, "height": 1921}, ("1081x1921 to 1080x1920",)),
    ({"bit_rate": 30_000_000}, ("30.0 Mbit/s lowered",)),
    ({"size": 400_000_000, "bit_rate": 9_000_000}, ("9.0 Mbit/s lowered",)),
    ({"demuxer": "avi"}, ("encoded anew", "AVI to MP4")),
]  # fmt: skip


def test_what_fits_is_copied_and_nothing_told() -> None:
    """No step, no loss."""
    decided = plan(FITS, REEL_VIDEO)
    assert (Track.COPY, Track.COPY, ()) == (decided.picture, decided.sound, decided.changes)
    assert decided.canvas == decided.content == (1080, 1920)


@pytest.mark.parametrize(("fact", "told"), PICTURES)
def test_what_does_not_fit_is_encoded_and_told(fact: dict[str, Any], told: tuple[str, ...]) -> None:
    """Each single fact that breaks a rule is enough, and is named in words."""
    decided = plan(replace(FITS, **fact), REEL_VIDEO)
    assert decided.picture is Track.ENCODE
    assert decided.sound is Track.ENCODE
    assert told == decided.changes
    assert all(side % 2 == 0 for side in decided.canvas)


@pytest.mark.parametrize(
    ("sound", "tracks", "track", "told"),
    [
        (SOUND, 2, Track.COPY, ("further sound tracks left out",)),
        (replace(SOUND, channels=1, rate=44_100), 1, Track.COPY, ()),
        (replace(SOUND, codec="opus"), 1, Track.ENCODE, ("opus sound to AAC",)),
        (replace(SOUND, profile="HE-AAC"), 1, Track.ENCODE, ("aac sound to AAC",)),
        (replace(SOUND, channels=6), 1, Track.ENCODE, ("6 channels to stereo",)),
        (replace(SOUND, rate=96_000), 1, Track.ENCODE, ("96 to 48 kHz",)),
        (replace(SOUND, late=0.5), 1, Track.ENCODE, ("sound set in step",)),
        (replace(SOUND, edited=True), 1, Track.ENCODE, ("sound set in step",)),
        (None, 0, Track.SILENCE, ("silent track added",)),
        (None, 1, Track.SILENCE, ("its sound left out: it cannot be decoded",)),
    ],
)
def test_the_sound_is_decided_by_itself(
    sound: Sound | None, tracks: int, track: Track, told: tuple[str, ...]
) -> None:
    """A picture that fits is copied whatever the sound is."""
    decided = plan(replace(FITS, sound=sound, tracks=tracks), REEL_VIDEO)
    assert (Track.COPY, track, told) == (decided.picture, decided.sound, decided.changes)


@pytest.mark.parametrize(
    ("fact", "limits", "code", "handling"),
    [
        ({"seconds": 2.9}, REEL_VIDEO, "too-short", Handling.HOLD),
        ({"seconds": 900.1}, REEL_VIDEO, "too-long", Handling.HOLD),
        ({"seconds": 61.0}, STORY_VIDEO, "too-long", Handling.HOLD),
        ({"seconds": 61.0}, CAROUSEL_VIDEO, "too-long", Handling.HOLD),
        ({"width": 40_000, "height": 1000}, REEL_VIDEO, "too-many-pixels", Handling.FAIL),
        ({"width": 1000, "height": 50}, REEL_VIDEO, "too-small", Handling.FAIL),
        ({"width": 1920, "height": 64}, STORY_VIDEO, None, None),
        ({"width": 8000, "height": 64}, CAROUSEL_VIDEO, "aspect", Handling.FAIL),
    ],
)
def test_what_cannot_be_published_is_refused(
    fact: dict[str, Any], limits: VideoLimits, code: str | None, handling: Handling | None
) -> None:
    """Held where a cut or a setting helps, failed where nothing does."""
    facts = replace(FITS, **fact)
    if code is None:
        plan(facts, limits)
        return
    with pytest.raises(Rejected) as caught:
        plan(facts, limits)
    assert (code, handling) == (caught.value.code, caught.value.handling)
    pictures = ("media.timeout", "media.max_bytes", "1440", "1.91")
    assert not [words for words in pictures if words in caught.value.remedy]


@pytest.mark.parametrize(
    ("rate", "expected"),
    [
        (Fraction(24000, 1001), Fraction(24000, 1001)), (Fraction(60), Fraction(60)),
        (Fraction(60000, 1001), Fraction(60000, 1001)), (Fraction(100), Fraction(50)),
        (Fraction(240), Fraction(60)), (Fraction(90), Fraction(45)),
        (Fraction(61), Fraction(61, 2)), (Fraction(1), Fraction(30)), (Fraction(15), Fraction(30)),
    ],
)  # fmt: skip
def test_the_frame_rate_is_kept_or_divided(rate: Fraction, expected: Fraction) -> None:
    """A whole part of a fast rate drops frames evenly, so that motion stays smooth."""
    assert expected == output_rate(replace(FITS, rate=rate), REEL_VIDEO)


@pytest.mark.parametrize("size", [(1080, 1920), (1920, 800), (640, 1136), (3840, 1600)])
@pytest.mark.parametrize("fit", ["blur", "pad", "crop"])
def test_a_carousel_wants_the_shapes_of_the_feed(fit: Fit, size: tuple[int, int]) -> None:
    """Padded or cropped to the nearest shape that is allowed, to even sizes, never enlarged."""
    decided = plan(replace(FITS, width=size[0], height=size[1]), CAROUSEL_VIDEO, fit)
    width, height = decided.canvas
    assert decided.picture is Track.ENCODE
    assert 0.79 <= width / height <= 1.79
    assert width % 2 == height % 2 == 0
    assert max(width, height) <= 1920
    padded = width >= decided.content[0] and height >= decided.content[1]
    assert padded == (fit != "crop")
    assert decided.content[0] <= size[0] * 1.01
    with pytest.raises(Rejected, match="outside the shapes"):
        plan(replace(FITS, width=size[0], height=size[1]), CAROUSEL_VIDEO, "reject")


def test_the_bit_rate_follows_from_the_size_that_is_allowed() -> None:
    """Fifteen minutes get fewer bits a second than twenty seconds, and always stay below."""
    short = plan(replace(FITS, codec="hevc"), REEL_VIDEO)
    long = plan(replace(FITS, codec="hevc", seconds=900.0), REEL_VIDEO)
    assert short.bit_rate == 20_000_000
    assert long.bit_rate < 2_700_000
    assert (long.bit_rate + 128_000) * 900 / 8 < REEL_VIDEO.max_bytes


def test_filters_come_in_the_order_that_costs_least() -> None:
    """Fewer frames before smaller ones, smaller ones before colours, all before turning."""
    facts = replace(
        FITS, codec="hevc", width=3840, height=2160, transfer=18, rate=Fraction(120), turn=90,
        interlaced=True,
    )  # fmt: skip
    names = [name for name, _ in filters(facts, plan(facts, REEL_VIDEO), "blur", "#ffffff")]
    assert ["bwdif", "fps", "scale", "scale", "transpose", "setsar", "format"] == names
    plain = [name for name, _ in filters(FITS, plan(FITS, REEL_VIDEO), "blur", "#ffffff")]
    assert ["fps", "setsar", "format"] == plain
