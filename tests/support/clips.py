"""Maker of small video files, good and odd. Deterministic, and quick whatever their length."""

from __future__ import annotations

import heapq
import io
import struct
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import av
from av.packet import Packet
from av.video.frame import VideoFrame

_RAMP = bytes(range(16, 236)) + bytes(range(235, 15, -1))
_ENCODERS = {
    "libx264": {"preset": "ultrafast"},
    "libx265": {"preset": "ultrafast", "x265-params": "log-level=none:bframes=0:pools=none"},
}


@dataclass
class _Part:
    """A stream to copy, the packets of a second or less, how many make the clip, and how many
    seconds lie from one to the next."""

    stream: Any
    packets: list[Packet]
    count: int
    step: Fraction


@cache
def clip(
    seconds: float = 3,
    width: int = 360,
    height: int = 640,
    fps: float = 30,
    codec: str = "libx264",
    audio: bool = True,
    **odd: Any,
) -> bytes:
    """A whole video file; as it stands, Instagram would take it.

    Up to a second is encoded, and its packets are repeated: an hour costs as much as a second.
    ``odd`` makes what is not taken, and what is less usual:

    - ``seed``: a number, for a file like no other; ``pixels``: the pixel format ("yuv420p")
    - ``form``: "mp4", "mov", "matroska" …; ``faststart``: False puts moov behind the media
    - ``edit_list``: True begins with an edit list; ``interlaced``: True has two fields a frame
    - ``sound``: the audio codec ("aac"); ``rate``: its Hz (48000); ``layout``: "mono", "5.1" …
    """
    unknown = odd.keys() - {
        *("seed", "pixels", "form", "faststart", "edit_list", "interlaced"),
        *("sound", "rate", "layout"),
    }
    if unknown:
        raise TypeError(f"clip() knows no {', '.join(sorted(unknown))}")
    parts = [_moving(width, height, fps, codec, seconds=seconds, odd=odd)]
    if audio:
        parts.append(_humming(seconds, odd))
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "clip"
        _mux(target, parts, odd)
        return target.read_bytes()


def _moving(
    width: int, height: int, fps: float, codec: str, *, seconds: float, odd: dict[str, Any]
) -> _Part:
    count = max(1, round(seconds * fps))
    rate = Fraction(fps).limit_denominator(1001)
    options = {"g": "600", "bf": "0", **_ENCODERS.get(codec, {})}
    if odd.get("interlaced"):
        options["x264-params"] = "tff=1"
    loop = io.BytesIO()
    with av.open(loop, "w", format="matroska") as part:
        stream: Any = part.add_stream(codec, rate=rate, options=options)
        stream.width, stream.height = width, height
        stream.pix_fmt = odd.get("pixels", "yuv420p")
        stream.codec_context.thread_count = 1
        for number in range(min(count, max(1, round(fps)))):
            frame = _frame(width, height, number + 7 * odd.get("seed", 0), stream.pix_fmt)
            frame.pts, frame.time_base = number, 1 / rate
            part.mux(stream.encode(frame))
        part.mux(stream.encode(None))
    return _Part(*_read(loop), count, 1 / rate)


def _frame(width: int, height: int, number: int, pixels: str) -> VideoFrame:
    """A slope of light that moves by a step a frame, in a colour that does not move."""
    frame = VideoFrame(width, height, "yuv420p")
    light, blue, red = frame.planes
    line = (_RAMP[number % len(_RAMP) :] + _RAMP * (1 + light.line_size // len(_RAMP)))[
        : light.line_size
    ]
    light.update(line * (light.buffer_size // light.line_size))
    blue.update(bytes([64 + number // 7 * 37 % 128]) * blue.buffer_size)
    red.update(bytes([64 + number // 7 * 59 % 128]) * red.buffer_size)
    return frame if pixels == "yuv420p" else frame.reformat(format=pixels)


def _humming(seconds: float, odd: dict[str, Any]) -> _Part:
    """The same for sound: silence."""
    rate, layout = odd.get("rate", 48_000), odd.get("layout", "mono")
    loop = io.BytesIO()
    with av.open(loop, "w", format="matroska") as part:
        stream: Any = part.add_stream(odd.get("sound", "aac"), rate=rate, layout=layout)
        stream.codec_context.open()
        size = stream.codec_context.frame_size or 1024
        for number in range(max(1, round(min(seconds, 1.0) * rate / size))):
            frame = av.AudioFrame(
                format=stream.codec_context.format.name, layout=layout, samples=size
            )
            frame.sample_rate, frame.pts, frame.time_base = rate, number * size, Fraction(1, rate)
            for plane in frame.planes:
                plane.update(bytes(plane.buffer_size))
            part.mux(stream.encode(frame))
        part.mux(stream.encode(None))
    step = Fraction(size, rate)
    return _Part(*_read(loop), max(1, int(seconds / step)), step)


def _read(loop: io.BytesIO) -> tuple[Any, list[Packet]]:
    loop.seek(0)
    whole = av.open(loop)
    return whole.streams[0], [packet for packet in whole.demux() if packet.size]


def _mux(target: Path, parts: list[_Part], odd: dict[str, Any]) -> None:
    form = odd.get("form", "mp4")
    options = {}
    if form in {"mp4", "mov"}:
        options = {"use_editlist": str(int(odd.get("edit_list", False)))}
        options |= {"movflags": "+faststart"} if odd.get("faststart", True) else {}
    with av.open(str(target), "w", format=form, options=options) as whole:
        rows = [
            _repeated(
                whole.add_stream_from_template(part.stream),
                part,
                late=number == 0 and odd.get("edit_list", False),
            )
            for number, part in enumerate(parts)
        ]
        for packet in heapq.merge(*rows, key=lambda packet: packet.dts * packet.time_base):
            whole.mux(packet)


def _repeated(stream: Any, part: _Part, *, late: bool) -> Iterator[Packet]:
    base = part.step / part.step.numerator
    for number in range(part.count):
        source = part.packets[number % len(part.packets)]
        packet = Packet(bytes(source))
        packet.stream, packet.time_base, packet.is_keyframe = stream, base, source.is_keyframe
        packet.pts = packet.dts = (number + 10 * late) * part.step.numerator
        packet.duration = part.step.numerator
        yield packet


def boxes(body: bytes) -> list[bytes]:
    """The names of the boxes at the top of an MP4, in their order."""
    names, at = [], 0
    while at + 8 <= len(body):
        size, name = struct.unpack(">I4s", body[at : at + 8])
        names.append(name)
        at += size or len(body)
    return names
