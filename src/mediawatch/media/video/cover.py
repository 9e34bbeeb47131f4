"""One frame of a video as a JPEG: the cover that a reel is shown with."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import Any

from av.container import InputContainer
from av.error import BlockingIOError as NotYet
from av.filter import Graph
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from mediawatch.media.canvas import encode
from mediawatch.media.order import Prepared, VideoOptions
from mediawatch.media.rules import MAX_BYTES, REEL_VIDEO, Reason, reject
from mediawatch.media.video.facts import Facts
from mediawatch.media.video.files import finishing, require_video, translated, unchanged
from mediawatch.media.video.filters import connected, still_filters
from mediawatch.media.video.plan import even_size
from mediawatch.media.video.probe import probe
from mediawatch.media.video.reading import BROKEN, FFmpegError, picture_of, reading

_QUALITY = 90


def make_cover(source: Path, target: Path, at: float) -> Prepared:
    """A JPEG of the frame that is seen ``at`` so many seconds; past the end, of the last one.

    It has the size that the video is published with. Raises as ``prepare_video`` does.
    """
    with unchanged(source) as file, translated(), finishing(target) as part:
        kind = require_video(file, VideoOptions().max_bytes)
        facts = probe(source, file, kind)
        with reading(source, kind.demuxer) as container:
            stream = picture_of(container)
            frame = None if stream is None else _frame_at(container, stream, facts, at)
        if frame is None:
            raise reject(Reason.CORRUPT)
        size = even_size(*facts.upright, REEL_VIDEO.max_width)
        still: Any = _filtered(frame, facts, size)
        image = still.to_image()
        data, _ = encode(image, _QUALITY, MAX_BYTES.value, b"")
        part.write_bytes(data)
        return Prepared(
            sha256=hashlib.sha256(data).hexdigest(),
            size=len(data),
            width=image.width,
            height=image.height,
            media_type="image/jpeg",
            changes=(f"frame at {at:g} seconds",),
        )


def _frame_at(
    container: InputContainer, stream: VideoStream, facts: Facts, at: float
) -> VideoFrame | None:
    base = stream.time_base or Fraction(1, 1000)
    start = stream.start_time or 0
    wanted = min(max(0.0, at), facts.seconds)
    begins = float(start * base)
    with suppress(FFmpegError):
        container.seek(start + int(wanted / base), stream=stream)
    found: VideoFrame | None = None
    for packet in container.demux(stream):
        try:
            frames: Any = packet.decode()
        except BROKEN:
            continue
        for frame in frames:
            if found is not None and (frame.time or 0) - begins > wanted + 1e-6:
                return found
            found = frame
    return found


def _filtered(frame: VideoFrame, facts: Facts, size: tuple[int, int]) -> VideoFrame:
    frame.pts, frame.time_base = 0, Fraction(1, 30)
    graph: Graph = connected(frame, still_filters(facts, size))
    graph.vpush(frame)
    with suppress(NotYet):
        return graph.vpull()
    graph.vpush(None)
    return graph.vpull()
