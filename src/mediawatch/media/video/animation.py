"""Animated GIF, WebP, PNG and AVIF: Pillow decodes frame after frame, FFmpeg encodes them."""

from __future__ import annotations

import importlib
import math
import warnings
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, BinaryIO

import av
from PIL import Image

from mediawatch.errors import Handling, MediawatchError
from mediawatch.media import wholeness
from mediawatch.media.probe import Sniffed
from mediawatch.media.rules import (
    MAX_ANIMATION_FRAMES,
    MAX_ANIMATION_PIXELS,
    MAX_FRAME_PIXELS,
    Reason,
    VideoLimits,
    pixel_limit,
    reject,
)
from mediawatch.media.video.facts import Facts
from mediawatch.media.video.filters import Filter
from mediawatch.media.video.plan import Plan
from mediawatch.media.video.sound import Voice
from mediawatch.media.video.transcode import Picture
from mediawatch.media.video.writing import writing

_RATE = Fraction(30)
_TICKS = 1000  # a second; durations are milliseconds
#: Browsers show a frame for a tenth of a second where the file says nothing that can be meant.
_SHORTEST, _INSTEAD = 10, 100
_PLUGINS = {"AVIF": "PIL.AvifImagePlugin", "WEBP": "PIL.WebPImagePlugin"}


class Animation:
    """An open animation. Raises Rejected: too-many-pixels, too-many-frames, corrupt, truncated."""

    def __init__(self, file: BinaryIO, kind: Sniffed) -> None:
        self._file = file
        self._kind = kind
        if kind.format in _PLUGINS:
            importlib.import_module(_PLUGINS[kind.format])
        self._limit = pixel_limit(kind.format, MAX_FRAME_PIXELS.value)
        with self._judged():
            file.seek(0)
            self._image = Image.open(file, formats=[kind.format])
            self.size = self._image.size
            self.frames = int(getattr(self._image, "n_frames", 1))
        width, height = self.size
        if (
            self.frames > MAX_ANIMATION_FRAMES.value
            or self.frames * width * height > MAX_ANIMATION_PIXELS.value
        ):
            raise reject(Reason.TOO_MANY_FRAMES, frames=self.frames, width=width, height=height)

    def facts(self, size: int, seconds: float) -> Facts:
        """As those of a video, for the plan. ``size``: bytes of the file."""
        return Facts(
            demuxer="",
            codec=f"{self._kind.format} animation",
            profile="",
            pixel_format="rgb24",
            width=self.size[0],
            height=self.size[1],
            seconds=seconds,
            rate=_RATE,
            size=size,
            bit_rate=0,
        )

    def play(self) -> Iterator[tuple[Image.Image, int]]:
        """Each frame on white, with the milliseconds that it is shown; from the start each time."""
        for number in range(self.frames):
            with self._judged():
                self._image.seek(number)
                self._image.load()
                shown = self._image.info.get("duration") or 0
                picture: Image.Image = self._image
                if picture.mode in {"RGBA", "LA", "PA"} or "transparency" in picture.info:
                    above = picture.convert("RGBA")
                    picture = Image.new("RGB", above.size, "white")
                    picture.paste(above, mask=above)
                else:
                    picture = picture.convert("RGB")
            yield picture, int(shown) if shown > _SHORTEST else _INSTEAD

    def _judged(self) -> _Judge:
        return _Judge(self._file, self._kind, self._limit)


class _Judge:
    """What Pillow raises while it decodes, in our own words."""

    def __init__(self, file: BinaryIO, kind: Sniffed, limit: int) -> None:
        self._file = file
        self._kind = kind
        self._limit = limit
        self._warnings = warnings.catch_warnings()

    def __enter__(self) -> None:
        self._warnings.__enter__()
        warnings.simplefilter("ignore")
        Image.MAX_IMAGE_PIXELS = self._limit // 2  # Pillow refuses twice of it

    def __exit__(self, _kind: object, error: BaseException | None, _traceback: object) -> None:
        self._warnings.__exit__(None, None, None)
        if error is None or isinstance(error, MediawatchError):
            return
        if isinstance(error, Image.DecompressionBombError):
            raise reject(Reason.TOO_MANY_PIXELS, limit=self._limit) from error
        if isinstance(error, MemoryError):
            raise reject(Reason.MEMORY) from error
        if isinstance(error, OSError) and error.errno is not None:
            return  # the disk spoke, not the decoder
        if isinstance(error, Exception):
            broken_off = wholeness.has_end(self._file, self._kind.format) is False
            if broken_off:
                raise reject(Reason.TRUNCATED, handling=Handling.HOLD) from error
            raise reject(Reason.CORRUPT) from error


def animate(
    animation: Animation,
    target: Path,
    plan: Plan,
    chain: list[Filter],
    limits: VideoLimits,
    progress: Callable[[float], None],
) -> tuple[float, int]:
    """Write ``target``: seconds that it lasts, and how often the animation is played in it.

    Raises Rejected: too-long, and as ``Animation`` does; FFmpegError.
    """
    with writing(target) as output:
        voices: list[Voice] = []
        picture = Picture(
            output, chain, plan.rate, plan.bit_rate, lambda: voices.append(Voice(output, 0.0))
        )
        at = played = 0
        last: Image.Image | None = None
        while played == 0 or at < limits.min_seconds * _TICKS:
            for number, (last, shown) in enumerate(animation.play()):
                if at + shown > limits.max_seconds * _TICKS:
                    lasts = (at + shown) / _TICKS
                    raise reject(Reason.TOO_LONG, seconds=lasts, limit=limits.max_seconds)
                picture.push(_frame(last, at))
                at += shown
                progress(number / animation.frames if played == 0 else 1.0)
            played += 1
        if last is None:
            raise reject(Reason.CORRUPT)
        picture.push(_frame(last, at))  # or its last frame would be gone at once
        picture.finish()
        seconds = float(picture.frames / plan.rate)
        voices[0].finish(seconds)
    return seconds, played


def _frame(image: Image.Image, at: int) -> av.VideoFrame:
    maker: Any = av.VideoFrame
    frame: av.VideoFrame = maker.from_image(image)
    frame.pts, frame.time_base = at, Fraction(1, _TICKS)
    return frame


def told(kind: Sniffed, plan: Plan, seconds: float, played: int) -> list[str]:
    """What was done, in words."""
    steps = [step for step in plan.changes if "to H.264" not in step]
    words = [f"{kind.format} animation to MP4", *steps]
    if played > 1:
        words.append(f"played {played} times, {math.floor(seconds)} seconds")
    return words
