"""What is to be done to a video, decided from its facts alone: pure, and told in words."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from mediawatch.media.framing import Fit
from mediawatch.media.rules import (
    HARD_ASPECT,
    MAX_CHANNELS,
    MAX_FRAME_PIXELS,
    MAX_SOUND_RATE,
    MIN_SIDE,
    Reason,
    VideoLimits,
    reject,
)
from mediawatch.media.video.facts import Facts, Sound

Size = tuple[int, int]

#: Bits a second of the sound that we encode.
SOUND_BIT_RATE = 128_000
#: Bits a second of the picture at the most; Meta encodes it again, to far less.
_BEST_BIT_RATE = 20_000_000
#: Share of the bytes allowed that is planned for: rate control overshoots, the index takes room.
_SHARE_USED = 0.94
_USUAL_RATE = Fraction(30)
_SLACK = 0.05  # seconds by which clocks and frames may disagree
_COPIED_FROM = frozenset({"mov", "matroska", "mpegts"})
_COPIED_PROFILES = frozenset({"Constrained Baseline", "Baseline", "Main", "High"})
_COPIED_PIXELS = frozenset({"yuv420p", "yuvj420p"})
_NAMES = {
    "mov": "MOV",
    "matroska": "Matroska",
    "mpegts": "transport stream",
    "avi": "AVI",
    "mpeg": "MPEG",
    "flv": "Flash",
    "asf": "Windows Media",
}


class Track(StrEnum):
    """What becomes of one track."""

    COPY = "copy"
    ENCODE = "encode"
    SILENCE = "silence"  # there is no sound: a track of silence is made


@dataclass(frozen=True, slots=True)
class Plan:
    """``content``: size of the upright picture. ``canvas``: what is published; larger is padded,
    smaller is cropped. ``rate``: frames a second. ``bit_rate``: at the most, of the picture."""

    picture: Track
    sound: Track
    content: Size
    canvas: Size
    rate: Fraction
    bit_rate: int
    changes: tuple[str, ...]

    @property
    def copies(self) -> bool:
        """Whether the picture keeps its bytes."""
        return self.picture is Track.COPY


def plan(facts: Facts, limits: VideoLimits, fit: Fit = "blur", *, copy: bool = True) -> Plan:
    """Decide. ``copy=False``: the picture must be encoded anew, whatever it is.

    Raises Rejected: too-short, too-long, too-many-pixels, too-small, aspect.
    """
    _require_possible(facts, limits)
    content, canvas = _frame(facts, limits, fit)
    steps = _steps(facts, limits, content, canvas)
    picture = Track.COPY if copy and not steps and _may_copy(facts, limits) else Track.ENCODE
    rate = facts.rate if picture is Track.COPY else output_rate(facts, limits)
    changes = list(steps)
    if picture is Track.ENCODE and not steps:
        changes.append("encoded anew")
    sound, heard = _sound(facts, picture)
    changes += heard
    if facts.demuxer in _NAMES and facts.demuxer != "mov":
        changes.append(f"{_NAMES[facts.demuxer]} to MP4")
    return Plan(picture, sound, content, canvas, rate, _bit_rate(facts, limits), tuple(changes))


def _require_possible(facts: Facts, limits: VideoLimits) -> None:
    if facts.seconds < limits.min_seconds - _SLACK:
        raise reject(Reason.TOO_SHORT, seconds=facts.seconds, limit=limits.min_seconds)
    if facts.seconds > limits.max_seconds + _SLACK:
        raise reject(Reason.TOO_LONG, seconds=facts.seconds, limit=limits.max_seconds)
    if facts.width * facts.height > MAX_FRAME_PIXELS.value:
        raise reject(Reason.TOO_MANY_PIXELS, video=True, limit=MAX_FRAME_PIXELS.value)
    if min(facts.upright) < MIN_SIDE.value:
        width, height = facts.upright
        raise reject(Reason.TOO_SMALL, width=width, height=height, limit=MIN_SIDE.value)


def _steps(facts: Facts, limits: VideoLimits, content: Size, canvas: Size) -> list[str]:
    """What must change in the picture, in words; nothing if its bytes can stay."""
    steps = []
    if facts.codec != "h264":
        steps.append(f"{facts.codec} to H.264")
    elif facts.profile not in _COPIED_PROFILES or facts.pixel_format not in _COPIED_PIXELS:
        steps.append(f"{facts.pixel_format} to 8 bits, 4:2:0")
    if facts.edited:
        steps.append("edit list applied")
    if facts.interlaced:
        steps.append("deinterlaced")
    if facts.hdr:
        steps.append("HDR to SDR")
    if facts.turn or facts.mirrored:
        steps.append("turned upright")
    if facts.pixel_aspect != 1:
        steps.append("pixels made square")
    rate = output_rate(facts, limits)
    if not facts.steady:
        steps.append(f"variable frame rate to {_shown(rate)} fps")
    elif abs(rate - facts.rate) > 0.01:
        steps.append(f"{_shown(facts.rate)} to {_shown(rate)} fps")
    if (
        facts.upright[0] > limits.max_width
        or canvas != content
        or any(n % 2 for n in facts.upright)
    ):
        steps += _sizes(facts.upright, content, canvas)
    if facts.bit_rate > limits.max_bit_rate or facts.size > limits.max_bytes:
        steps.append(f"{facts.bit_rate / 1e6:.1f} Mbit/s lowered")
    return steps


def _sizes(upright: Size, content: Size, canvas: Size) -> list[str]:
    told = []
    if content != upright:
        told.append(f"{upright[0]}x{upright[1]} to {content[0]}x{content[1]}")
    if canvas != content:
        word = "padded" if canvas[0] >= content[0] and canvas[1] >= content[1] else "cropped"
        told.append(f"{word} to {canvas[0]}x{canvas[1]}")
    return told


def _may_copy(facts: Facts, limits: VideoLimits) -> bool:
    return facts.demuxer in _COPIED_FROM and facts.width <= limits.max_width


def output_rate(facts: Facts, limits: VideoLimits) -> Fraction:
    """Frames a second after encoding: as it is where that is allowed, a whole part of it where
    it is too fast (120 is 60, 90 is 45), else 30."""
    rate = facts.rate
    if not facts.steady:
        return _within(_USUAL_RATE, limits)
    if limits.min_fps <= rate <= limits.max_fps + 0.01:
        return rate
    if rate > limits.max_fps:
        slower = rate / math.ceil(rate / Fraction(limits.max_fps))
        if slower >= limits.min_fps:
            return slower
    return _within(_USUAL_RATE, limits)


def _within(rate: Fraction, limits: VideoLimits) -> Fraction:
    low, high = Fraction(limits.min_fps), Fraction(limits.max_fps)
    return max(low, min(high, rate))


def _frame(facts: Facts, limits: VideoLimits, fit: Fit) -> tuple[Size, Size]:
    """Size of the content, and of the canvas that it stands on: even, never enlarged."""
    width, height = facts.upright
    ratio = width / height
    low, high = limits.min_aspect, limits.max_aspect
    fits = low * 0.995 <= ratio <= high * 1.005
    if not fits and (
        fit == "reject" or not low / HARD_ASPECT.value <= ratio <= high * HARD_ASPECT.value
    ):
        raise reject(Reason.ASPECT, video=True, width=width, height=height, low=low, high=high)
    if fits:
        content = even_size(width, height, limits.max_width)
        return content, content
    wanted = low if ratio < low else high
    keeps_width = (ratio > high) != (fit == "crop")
    whole = (float(width), width / wanted) if keeps_width else (height * wanted, float(height))
    canvas = even_size(*whole, limits.max_width)
    if keeps_width:
        return (canvas[0], _even_number(canvas[0] / ratio)), canvas
    return (_even_number(canvas[1] * ratio), canvas[1]), canvas


def even_size(width: float, height: float, longest: int) -> Size:
    """The largest even size of this shape within ``longest`` a side, never enlarged."""
    scale = min(1.0, longest / width, longest / height)
    return _even_number(width * scale), _even_number(height * scale)


def _even_number(value: float) -> int:
    return max(2, int(value + 0.01) // 2 * 2)


def _bit_rate(facts: Facts, limits: VideoLimits) -> int:
    """What the size allows for so many seconds, at the most what Meta takes at its peaks."""
    for_size = limits.max_bytes * 8 * _SHARE_USED / max(facts.seconds, 1) - SOUND_BIT_RATE
    return max(100_000, min(_BEST_BIT_RATE, int(limits.max_bit_rate * 0.8), int(for_size)))


def _sound(facts: Facts, picture: Track) -> tuple[Track, list[str]]:
    sound = facts.sound
    if sound is None:
        word = "its sound left out: it cannot be decoded" if facts.tracks else "silent track added"
        return Track.SILENCE, [word]
    others = ["further sound tracks left out"] if facts.tracks > 1 else []
    told = _sound_steps(sound)
    in_step = abs(sound.late) <= _SLACK and not sound.edited
    if not told and picture is Track.COPY and in_step:
        return Track.COPY, others
    if not told and picture is Track.COPY:
        told = ["sound set in step"]
    return Track.ENCODE, told + others


def _sound_steps(sound: Sound) -> list[str]:
    told = []
    if sound.codec != "aac" or sound.profile not in {"LC", ""}:
        told.append(f"{sound.codec} sound to AAC")
    if sound.channels > MAX_CHANNELS.value:
        told.append(f"{sound.channels} channels to stereo")
    if sound.rate > MAX_SOUND_RATE.value:
        told.append(f"{sound.rate / 1000:g} to {MAX_SOUND_RATE.value / 1000:g} kHz")
    return told


def _shown(rate: Fraction) -> str:
    return f"{float(rate):.2f}".rstrip("0").rstrip(".")
