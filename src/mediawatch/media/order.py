"""What is asked of a worker, and what it delivers. Needs no decoder, so the daemon loads none."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from mediawatch.media.framing import Fit


@dataclass(frozen=True, slots=True)
class ImageOptions:
    """What people may choose. Sizes in pixels and bytes, ``pad_color`` as #rrggbb.

    ``max_pixels`` and ``max_bytes`` bound the original; what a format costs in memory may set a
    lower bound on its pixels.
    """

    fit: Fit = "blur"
    pad_color: str = "#ffffff"
    max_width: int = 1440
    quality: int = 90
    gif: Literal["auto", "still"] = "auto"
    keep_metadata: bool = False
    max_pixels: int = 100_000_000
    max_bytes: int = 200 << 20


@dataclass(frozen=True, slots=True)
class Prepared:
    """A picture ready for upload: sha256 (hex) and size (bytes) of the file, its pixels, and
    what was changed, in words for people (empty: the bytes are those of the original)."""

    sha256: str
    size: int
    width: int
    height: int
    media_type: str
    changes: tuple[str, ...]


def part_file(target: Path) -> Path:
    """Where a picture grows before it takes its name."""
    return Path(f"{target}.part")
