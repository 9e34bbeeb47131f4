"""What a video is: its streams, one decoded frame, and where its index lies."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable
from fractions import Fraction
from itertools import islice, pairwise
from pathlib import Path
from statistics import median
from typing import Any, BinaryIO

import av
from av.container import InputContainer
from av.sidedata.sidedata import Type as SideData
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from mediawatch.errors import Handling
from mediawatch.media.probe import Sniffed
from mediawatch.media.rules import Reason, reject
from mediawatch.media.video.boxes import read_index
from mediawatch.media.video.facts import Facts, Sound
from mediawatch.media.video.reading import BROKEN, picture_of, reading, sound_of

_SAMPLED = 3000  # frames whose times are looked at
_UNEVEN_SHARE = 0.01
_FULL_RANGE = 2  # ITU-T H.273 by FFmpeg's AVCOL_RANGE_JPEG
_FIRST_INTERLACED = 2  # AVFieldOrder: below it are unknown and progressive
_MISSING_AT_END = 1.0  # seconds that the end of a whole file may lack of what its header says


def probe(path: Path, file: BinaryIO, kind: Sniffed) -> Facts:
    """Open, decode one frame, read the index.

    Raises Rejected (no-video, truncated, corrupt), FFmpegError.
    """
    index = read_index(file)
    edited = index.edited if index else frozenset()
    size = os.fstat(file.fileno()).st_size
    with reading(path, kind.demuxer) as container:
        # Nothing of a stream may be asked after its container was closed: its memory is gone.
        stream = picture_of(container)
        if stream is None:
            raise reject(Reason.NO_VIDEO, label=kind.label)
        begins = float((stream.start_time or 0) * (stream.time_base or 0))
        times = _times(path, kind, stream)
        first = _first_frame(container, stream)
        seconds = _seconds(container, stream, kind)
        context = stream.codec_context
        turn, mirrored = _orientation(first)
        rate = stream.average_rate or stream.guessed_rate or Fraction(30)
        aspect = stream.sample_aspect_ratio or context.sample_aspect_ratio or Fraction(1)
        return Facts(
            demuxer=kind.demuxer,
            codec=context.name,
            profile=context.profile or "",
            pixel_format=first.format.name,
            width=first.width,
            height=first.height,
            seconds=seconds,
            rate=Fraction(rate).limit_denominator(1001),
            size=size,
            bit_rate=int(size * 8 / seconds) if seconds else 0,
            pixel_aspect=aspect,
            steady=_steady(times),
            turn=turn,
            mirrored=mirrored,
            interlaced=first.interlaced_frame or context.field_order >= _FIRST_INTERLACED,
            transfer=int(first.color_trc),
            primaries=int(first.color_primaries),
            matrix=int(first.colorspace),
            full_range=int(first.color_range) == _FULL_RANGE,
            edited="vide" in edited,
            sound=_sound(container, begins, edited="soun" in edited),
            tracks=len(container.streams.audio),
        )


def _first_frame(container: InputContainer, stream: VideoStream) -> VideoFrame:
    refused = 0
    for packet in container.demux(stream):
        try:
            frames = packet.decode()
        except BROKEN:
            refused += 1
            if refused > 50:
                break
            continue
        for frame in frames:
            assert isinstance(frame, VideoFrame)  # noqa: S101 - it is a stream of pictures
            return frame
    raise reject(Reason.CORRUPT)


def _sound(container: InputContainer, begins: float, *, edited: bool) -> Sound | None:
    stream = sound_of(container)
    if stream is None:
        return None
    context = stream.codec_context
    late = float((stream.start_time or 0) * (stream.time_base or 0)) - begins
    name = context.name.removesuffix("float")  # mp3float is mp3
    return Sound(
        name, context.profile or "", context.sample_rate, context.channels, late, edited=edited
    )


def _orientation(frame: VideoFrame) -> tuple[int, bool]:
    """Degrees clockwise until it stands upright, and whether it must be mirrored first.

    The display matrix maps the stored picture to the seen one, in 16.16 fixed point.
    """
    sides: Any = frame.side_data
    side = sides.get(SideData.DISPLAYMATRIX)
    if side is None:
        return 0, False
    a, b, _, c, d, *_ = struct.unpack("=9i", bytes(side)[:36])
    mirrored = a * d - b * c < 0
    if mirrored:
        a, b = -a, -b
    quarter = 0 if abs(a) >= abs(b) else 1
    if quarter == 0:
        return (0 if a >= 0 else 180), mirrored
    return (90 if b > 0 else 270), mirrored


def _seconds(container: InputContainer, stream: VideoStream, kind: Sniffed) -> float:
    """How long the picture lasts. A header that promises what is not there: Rejected."""
    base = stream.time_base or Fraction(1, av.time_base)
    declared = float(stream.duration * base) if stream.duration else None
    if declared is None and container.duration:
        declared = container.duration / av.time_base
    if kind.demuxer == "mov" and declared:
        return declared  # of the table of samples, whatever the header says
    last = _last_time(container, stream, declared)
    if declared is None:
        return last
    if last < declared - max(_MISSING_AT_END, declared * 0.02):
        raise reject(Reason.TRUNCATED, handling=Handling.HOLD)
    return max(declared, last)


def _last_time(container: InputContainer, stream: VideoStream, near: float | None) -> float:
    """Seconds from the first to the end of the last frame, by reading the end of the file."""
    base = stream.time_base or Fraction(1, av.time_base)
    start = stream.start_time or 0
    if near is not None:
        try:
            container.seek(start + int(max(0.0, near - 1) / base), stream=stream)
        except av.error.FFmpegError:
            container.seek(0)
    else:
        container.seek(0)
    last = 0
    for packet in container.demux(stream):
        if packet.pts is not None:
            last = max(last, packet.pts - start + (packet.duration or 0))
    return float(last * base)


def _times(path: Path, kind: Sniffed, stream: VideoStream) -> list[int]:
    """When the first frames are shown, in any unit that is the same for all of them."""
    if kind.demuxer == "mov" and len(stream.index_entries):
        return [entry.timestamp for entry in islice(stream.index_entries, _SAMPLED)]
    if kind.demuxer == "avi":
        return []  # it has one rate for all, and no times
    with reading(path, kind.demuxer) as container:
        again = container.streams[stream.index]
        packets: Iterable[Any] = islice(container.demux(again), _SAMPLED)
        return sorted(packet.pts for packet in packets if packet.pts is not None)


def _steady(times: list[int]) -> bool:
    """Whether all but a few frames last equally long."""
    gaps = [later - sooner for sooner, later in pairwise(times)]
    if len(gaps) < 2:
        return True
    usual = median(gaps)
    uneven = sum(not 0.5 * usual <= gap <= 1.5 * usual for gap in gaps)
    return uneven <= len(gaps) * _UNEVEN_SHARE
