"""What is known of a video before anything is done to it. Plain values: no decoder is needed."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

#: Transfer functions of HDR, by FFmpeg's number (ITU-T H.273, table 3).
HDR_TRANSFERS = {16: "smpte2084", 18: "arib-std-b67"}


@dataclass(frozen=True, slots=True)
class Sound:
    """The first sound track that can be decoded. ``late``: seconds after the picture begins;
    ``edited``: an edit list cuts or delays it."""

    codec: str
    profile: str
    rate: int
    channels: int
    late: float = 0.0
    edited: bool = False


@dataclass(frozen=True, slots=True)
class Facts:
    """A probed video.

    ``width`` and ``height`` as stored; ``pixel_aspect`` width of a pixel by its height; ``turn``
    degrees clockwise until it stands upright; ``rate`` frames a second on average, ``steady`` if
    all last equally long; ``bit_rate`` bits a second of the whole file; ``edited`` if an edit
    list hides or delays something; ``tracks`` how many sound tracks there are.
    """

    demuxer: str
    codec: str
    profile: str
    pixel_format: str
    width: int
    height: int
    seconds: float
    rate: Fraction
    size: int
    bit_rate: int
    pixel_aspect: Fraction = Fraction(1)
    steady: bool = True
    turn: int = 0
    mirrored: bool = False
    interlaced: bool = False
    transfer: int = 2
    primaries: int = 2
    matrix: int = 2
    full_range: bool = False
    edited: bool = False
    sound: Sound | None = None
    tracks: int = 0

    @property
    def hdr(self) -> str:
        """FFmpeg's name of the HDR transfer function, or ""."""
        return HDR_TRANSFERS.get(self.transfer, "")

    @property
    def upright(self) -> tuple[int, int]:
        """Width and height as they are seen: pixels made square, turned upright."""
        width = max(1, round(self.width * self.pixel_aspect))
        return (self.height, width) if self.turn in {90, 270} else (width, self.height)
