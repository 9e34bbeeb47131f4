"""Decode, filter and encode a video: H.264 High in 4:2:0, constant frame rate, closed groups."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.error import BlockingIOError as NotYet
from av.error import EOFError as AtEnd
from av.filter import Graph
from av.video.frame import VideoFrame

from mediawatch.media.rules import MAX_LOST_FRAMES, Reason, reject
from mediawatch.media.video.facts import Facts
from mediawatch.media.video.filters import Filter, connected
from mediawatch.media.video.plan import Plan
from mediawatch.media.video.reading import (
    BROKEN,
    THREADS,
    picture_of,
    reading,
    sound_of,
    strictly,
)
from mediawatch.media.video.sound import Voice
from mediawatch.media.video.writing import writing

_PRESET, _CRF = "veryfast", "21"  # Meta encodes again; slower presets gain nothing that is seen
_GROUP_SECONDS = 2
_CLOSED_GROUPS = 1 << 31  # AV_CODEC_FLAG_CLOSED_GOP
_TAGS = ("color_primaries", "color_trc", "colorspace", "color_range")
_EVERY = 15  # frames between two looks at the clock
_MAY_BE_LOST = 1  # frames: the last one of a stream often is


class Picture:
    """Filters and encodes frames that come one by one.

    ``rate``: frames a second; ``bit_rate``: bits a second at the most. ``sound`` is called once
    the track of the picture exists, before anything is written: the time to add further tracks.
    """

    def __init__(
        self,
        output: OutputContainer,
        chain: Sequence[Filter],
        rate: Fraction,
        bit_rate: int,
        sound: Callable[[], None],
    ) -> None:
        self._output = output
        self._chain = chain
        self.rate = rate
        self._bit_rate = bit_rate
        self._sound = sound
        self._graph: Graph | None = None
        self._stream: Any = None
        self.frames = 0

    def push(self, frame: VideoFrame) -> None:
        """Take one decoded frame, whose time is set."""
        if self._graph is None:
            self._graph = connected(frame, self._chain)
        self._graph.vpush(frame)
        self._drain()

    def finish(self) -> None:
        """Encode what is still held back."""
        if self._graph is not None:
            self._graph.vpush(None)
            self._drain()
        if self._stream is not None:
            self._output.mux(self._stream.encode(None))

    def _drain(self) -> None:
        assert self._graph is not None  # noqa: S101 - called by those that made it
        while True:
            try:
                frame = self._graph.vpull()
            except (NotYet, AtEnd):
                return
            if self._stream is None:
                self._stream = self._encoder(frame)
                self._sound()
            frame.pict_type = 0  # what the source's encoder chose binds nobody
            self._output.mux(self._stream.encode(frame))
            self.frames += 1

    def _encoder(self, frame: VideoFrame) -> Any:
        options = {
            "preset": _PRESET,
            "crf": _CRF,
            "profile": "high",
            "maxrate": str(self._bit_rate),
            "bufsize": str(self._bit_rate * 2),
        }
        stream: Any = self._output.add_stream("libx264", rate=self.rate, options=options)
        stream.width, stream.height, stream.pix_fmt = frame.width, frame.height, "yuv420p"
        context = stream.codec_context
        context.time_base = frame.time_base
        context.gop_size = round(self.rate * _GROUP_SECONDS)
        context.flags |= _CLOSED_GROUPS
        context.thread_count = THREADS
        context.thread_type = "AUTO"  # the default, SLICE, makes x264 slower and its result worse
        for tag in _TAGS:  # a tag that differs makes PyAV convert every frame
            setattr(context, tag, int(getattr(frame, tag)))
        return stream


def transcode(
    source: Path,
    target: Path,
    facts: Facts,
    plan: Plan,
    chain: Sequence[Filter],
    progress: Callable[[float], None],
) -> float:
    """Write ``target``; the seconds that it lasts. ``progress`` hears the share that is done.

    Frames that are damaged are left out. Raises Rejected (corrupt) if more than one in a hundred
    is lost, FFmpegError.
    """
    with reading(source, facts.demuxer) as container, writing(target) as output:
        stream = picture_of(container)
        if stream is None:
            raise reject(Reason.CORRUPT)
        stream.thread_type = "AUTO"
        stream.codec_context.thread_count = THREADS
        strictly(stream)
        work = _Work(output, sound_of(container), facts.seconds, progress)
        work.picture = Picture(output, chain, plan.rate, plan.bit_rate, work.begin_sound)
        for packet in container.demux([each for each in (stream, work.source) if each]):
            if packet.stream_index == stream.index:
                work.see(packet)
            else:
                work.hear(packet)
        return work.finish()


class _Work:
    """One transcoding: what was seen, lost and heard so far."""

    picture: Picture

    def __init__(
        self,
        output: OutputContainer,
        source: AudioStream | None,
        seconds: float,
        progress: Callable[[float], None],
    ) -> None:
        self._output = output
        self.source = source
        self._seconds = seconds
        self._progress = progress
        self._origin: float | None = None  # when the picture begins, in seconds of the source
        self._voice: Voice | None = None
        self._waiting: list[Any] = []
        self._seen = self._lost = 0

    def begin_sound(self) -> None:
        self._voice = Voice(self._output, self._seconds)

    def see(self, packet: Any) -> None:
        try:
            frames = packet.decode()
        except BROKEN:
            self._lost += 1
            return
        for frame in frames:
            if frame.pts is None or frame.time_base is None:
                continue
            if self._origin is None:
                self._origin = frame.time
            self._seen += 1
            frame.pts -= round(self._origin / frame.time_base)
            if self._seen % _EVERY == 0:
                self._progress(min(1.0, frame.time / self._seconds))
            self.picture.push(frame)

    def hear(self, packet: Any) -> None:
        """Encode it, or keep it until the track of the picture exists."""
        self._waiting.append(packet)
        if self._voice is not None:
            for each in self._waiting:
                self._voice.push(each, self._origin or 0.0)
            self._waiting.clear()

    def finish(self) -> float:
        """End both tracks, and tell the seconds."""
        self.picture.finish()
        allowed = max(_MAY_BE_LOST, (self._seen + self._lost) * MAX_LOST_FRAMES.value)
        if self._lost > allowed or self._voice is None:
            raise reject(Reason.CORRUPT)
        seconds = float(self.picture.frames / self.picture.rate)
        for packet in self._waiting:
            self._voice.push(packet, self._origin or 0.0)
        self._voice.finish(seconds)
        return seconds
