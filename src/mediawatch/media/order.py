"""What is asked of a worker, and what it delivers. Needs no decoder, so the daemon loads none."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Literal

from mediawatch.errors import MediawatchError
from mediawatch.media.framing import FEED, Aspects, Fit
from mediawatch.media.rules import CAROUSEL_VIDEO, REEL_VIDEO, STORY_VIDEO, VideoLimits


class Purpose(StrEnum):
    """What the file is to be part of. A video in the feed is a reel to Meta, and a cover is the
    picture of one."""

    FEED = "feed"
    CAROUSEL = "carousel"
    REEL = "reel"
    STORY = "story"
    COVER = "cover"


class Moving(MediawatchError):
    """A video, or a picture that moves: work for the other worker. Never leaves this room."""


@dataclass(frozen=True, slots=True)
class ImageOptions:
    """What people may choose. Sizes in pixels and bytes, ``pad_color`` as #rrggbb.

    ``max_pixels`` and ``max_bytes`` bound the original; what a format costs in memory may set a
    lower bound on its pixels. ``aspects``: the shapes that are taken where it will be seen.
    """

    aspects: Aspects = FEED
    fit: Fit = "blur"
    pad_color: str = "#ffffff"
    max_width: int = 1440
    quality: int = 90
    gif: Literal["auto", "video", "still"] = "auto"
    keep_metadata: bool = False
    max_pixels: int = 100_000_000
    max_bytes: int = 200 << 20


@dataclass(frozen=True, slots=True)
class VideoOptions:
    """What people may choose for videos. ``max_bytes`` bounds the original; the limits bound what
    is published, each kind of post by its own."""

    reel: VideoLimits = REEL_VIDEO
    story: VideoLimits = STORY_VIDEO
    carousel: VideoLimits = CAROUSEL_VIDEO
    fit: Fit = "blur"
    pad_color: str = "#ffffff"
    max_bytes: int = 4 << 30

    def limits(self, purpose: Purpose) -> VideoLimits:
        """What a video for this purpose must keep to."""
        rows = {Purpose.STORY: self.story, Purpose.CAROUSEL: self.carousel}
        return rows.get(purpose, self.reel)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A file ready for upload: sha256 (hex) and size (bytes) of the file, its pixels, what was
    changed, in words for people (empty: the bytes are those of the original), and how many
    seconds it lasts (None: a picture). ``media_type`` is ``image/jpeg`` or ``video/mp4``."""

    sha256: str
    size: int
    width: int
    height: int
    media_type: str
    changes: tuple[str, ...]
    duration: float | None = None


def part_file(target: Path) -> Path:
    """Where a file grows before it takes its name."""
    return Path(f"{target}.part")
