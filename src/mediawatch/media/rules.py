"""What Instagram takes, what we dare to decode, and the words for what we refuse.

Limits carry their source and the day it was read: they change without notice, and two of
Meta's own pages disagree now and then.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Generic, TypeVar

from mediawatch.errors import Handling, Rejected

Number = TypeVar("Number", int, float)


@dataclass(frozen=True, slots=True)
class Limit(Generic[Number]):
    """One number, who says so, and when that was read (ISO date)."""

    value: Number
    source: str
    date: str


_META = "developers.facebook.com, IG User Media reference, image specifications"
_OURS = "our own caution"
_READ = "2026-11-20"

#: Bytes of a published JPEG. Meta says 8 MB on the page and 8 MiB in the error: the smaller.
MAX_BYTES = Limit(8_000_000, _META, _READ)
#: Width divided by height of a feed picture, both ends included.
MIN_ASPECT = Limit(0.8, _META, _READ)
MAX_ASPECT = Limit(1.91, _META, _READ)
#: Pixels across. Meta scales what lies outside; we do it ourselves, with the better resampler.
MIN_WIDTH = Limit(320, _META, _READ)
MAX_WIDTH = Limit(1440, _META, _READ)
#: A ratio so far from 4:5 .. 1.91:1 that padding would leave a thread of a picture.
HARD_ASPECT = Limit(8.0, _OURS, _READ)
#: A ratio this close to an end (relative) is pulled in by a pixel or two, not padded.
ASPECT_TOLERANCE = Limit(0.005, _OURS, _READ)
#: Pixels of the shorter side: below it lies an icon or a tracking pixel.
MIN_SIDE = Limit(64, _OURS, _READ)
#: Scans of one JPEG. An encoder writes about ten; thousands are made to burn minutes.
MAX_SCANS = Limit(100, "libjpeg-turbo, djpeg -maxscans", _READ)
#: Bytes that decoding one picture may take, by the estimate below.
DECODE_MEMORY = Limit(960 << 20, _OURS, _READ)

#: Peak bytes per pixel while Pillow 13 decodes (HEIF: pillow-heif 1.8), measured, rounded up;
#: key: Pillow's format name.
BYTES_PER_PIXEL = {
    "AVIF": 12,
    "BMP": 6,
    "GIF": 9,
    "HEIF": 13,
    "JPEG": 5,
    "PNG": 9,
    "TIFF": 9,
    "WEBP": 16,
}


@dataclass(frozen=True, slots=True)
class VideoLimits:
    """What a published video must keep to. Seconds, bytes, width divided by height, frames a
    second, pixels across, bits a second."""

    min_seconds: float
    max_seconds: float
    max_bytes: int
    min_aspect: float
    max_aspect: float
    min_fps: float = 23.0
    max_fps: float = 60.0
    max_width: int = 1920
    max_bit_rate: int = 25_000_000


# Reel: developers.facebook.com, IG User Media reference, reel specifications, in copies read
# 2026-11-20; newer ones say 300 MB, older ones 1 GB. Story: seconds and bytes as above; its aspect
# is not confirmed. Carousel: seconds and aspect (4:5 to 16:9) of the former feed video, as
# docs.feedhive.com/media-requirements repeats them, read 2026-11-28; not confirmed for carousels.
REEL_VIDEO = VideoLimits(3, 900, 300_000_000, 0.01, 10.0)
STORY_VIDEO = VideoLimits(3, 60, 100_000_000, 0.1, 10.0)
CAROUSEL_VIDEO = VideoLimits(3, 60, 100_000_000, 0.8, 1.778)

#: Hertz and channels of the sound.
MAX_SOUND_RATE = Limit(48_000, "as above, reel specifications", _READ)
MAX_CHANNELS = Limit(2, "as above, reel specifications", _READ)
#: Pixels of one frame that we decode: 8K. Beyond it, decoders take gigabytes.
MAX_FRAME_PIXELS = Limit(36_000_000, _OURS, _READ)
#: Frames of an animation, and all their pixels together: about a minute of work.
MAX_ANIMATION_FRAMES = Limit(3_000, _OURS, _READ)
MAX_ANIMATION_PIXELS = Limit(2_000_000_000, _OURS, _READ)
#: Share of the frames of a damaged video that may be lost.
MAX_LOST_FRAMES = Limit(0.01, _OURS, _READ)


def pixel_limit(image_format: str, max_pixels: int) -> int:
    """The most pixels a picture of this format may have: the setting, or what memory allows."""
    return min(max_pixels, DECODE_MEMORY.value // BYTES_PER_PIXEL[image_format])


class Reason(StrEnum):
    """Why a file can never be published as it is. A closed list."""

    EMPTY = "empty"
    NOT_A_FILE = "not-a-file"
    TOO_BIG = "too-big"
    UNSUPPORTED = "unsupported"
    CORRUPT = "corrupt"
    TRUNCATED = "truncated"
    TOO_MANY_PIXELS = "too-many-pixels"
    TOO_SMALL = "too-small"
    ASPECT = "aspect"
    BLANK = "blank"
    SCAN_BOMB = "scan-bomb"
    NO_VIDEO = "no-video"
    TOO_SHORT = "too-short"
    TOO_LONG = "too-long"
    TOO_MANY_FRAMES = "too-many-frames"
    TIMEOUT = "timeout"
    MEMORY = "memory"


_TEXTS: dict[Reason, tuple[str, str]] = {
    Reason.EMPTY: ("The file is empty.", "Copy it again; the first copy wrote no bytes."),
    Reason.NOT_A_FILE: (
        "This is not a regular file but a {what}.",
        "Put the picture itself into the folder.",
    ),
    Reason.TOO_BIG: (
        "The file has {size} bytes, more than the {limit} that are allowed.",
        "Export it smaller, or raise media.max_bytes.",
    ),
    Reason.UNSUPPORTED: (
        "This is no picture that can be published, but: {label}.",
        "Export it as JPEG, PNG or WebP. The content counts, not the name.",
    ),
    Reason.CORRUPT: (
        "The file is damaged and cannot be decoded.",
        "Open it in an editor and export it again, or fetch a fresh copy.",
    ),
    Reason.TRUNCATED: (
        "The file breaks off before its end.",
        "Copy or download it again, to the end.",
    ),
    Reason.TOO_MANY_PIXELS: (
        "The picture has more than the {limit} pixels that can be decoded safely.",
        "Export it smaller; 1440 pixels across is all that Instagram shows.",
    ),
    Reason.TOO_SMALL: (
        "The picture has {width}x{height} pixels; the shorter side must have {limit} or more.",
        "Use a larger version of the picture.",
    ),
    Reason.ASPECT: (
        "The picture has {width}x{height} pixels, which is outside the shapes that are allowed.",
        'Crop it to between 4:5 and 1.91:1; with media.fit = "blur" up to 8:1 is padded.',
    ),
    Reason.BLANK: (
        "Every pixel of the picture is transparent: nothing would be seen.",
        "Export it with visible layers.",
    ),
    Reason.SCAN_BOMB: (
        "The JPEG holds more than {limit} scans; such files are made to block a computer.",
        "Export the picture again with any editor, if it is really yours.",
    ),
    Reason.NO_VIDEO: (
        "The {label} has no picture in it that can be played.",
        "Export it with its video track, as MP4 with H.264.",
    ),
    Reason.TOO_SHORT: (
        "The video lasts {seconds:.1f} seconds; at least {limit:g} are needed here.",
        "Use a longer version of it.",
    ),
    Reason.TOO_LONG: (
        "The video lasts {seconds:.1f} seconds; at most {limit:g} are allowed here.",
        "Cut it, or publish it as another kind of post.",
    ),
    Reason.TOO_MANY_FRAMES: (
        "The animation has {frames} frames of {width}x{height} pixels, more than can be decoded.",
        "Export it as MP4, or with fewer frames.",
    ),
    Reason.TIMEOUT: (
        "Decoding took longer than {seconds} seconds and was stopped.",
        "Export the picture smaller, or raise media.timeout.",
    ),
    Reason.MEMORY: (
        "Decoding needs more memory than is allowed for one file.",
        "Export it smaller; 1440 pixels across is all that Instagram shows of a picture.",
    ),
}


#: What helps a video where the above helps a picture alone.
_VIDEO_REMEDIES = {
    Reason.TOO_BIG: "Export it smaller, or raise media.max_video_bytes.",
    Reason.TOO_MANY_PIXELS: "Export it smaller; 1920 pixels across is all that Instagram takes.",
    Reason.ASPECT: 'Crop it to between {low:.4g}:1 and {high:.4g}:1; media.fit = "blur", "pad" or '
    '"crop" does that by itself, up to eight times beyond.',
    Reason.TIMEOUT: "Export it smaller or cut it, or have it tried again when this machine has "
    "less to do.",
}
_HELD = frozenset({Reason.TIMEOUT, Reason.NO_VIDEO, Reason.TOO_SHORT, Reason.TOO_LONG})


def reject(
    reason: Reason, *, handling: Handling | None = None, video: bool = False, **details: Any
) -> Rejected:
    """The error for a file that cannot be published. ``details`` fill the sentence; of a
    ``video`` other things are to be done."""
    message, remedy = _TEXTS[reason]
    if video and reason in _VIDEO_REMEDIES:
        message = message.replace("The picture", "The video")
        remedy = _VIDEO_REMEDIES[reason].format(**details)
    # Another day the machine may be quicker, or the limit another: a person decides.
    handling = Handling.HOLD if reason in _HELD else handling
    return Rejected(
        message.format(**details), remedy=remedy, code=reason.value, handling=handling, **details
    )
