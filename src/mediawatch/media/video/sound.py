"""The sound of a published video: AAC, stereo at 48 kHz, in step with the picture."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import av
from av.audio.frame import AudioFrame
from av.container import OutputContainer
from av.error import BlockingIOError as NotYet
from av.error import EOFError as AtEnd
from av.filter import Graph

from mediawatch.media.rules import MAX_SOUND_RATE
from mediawatch.media.video.plan import SOUND_BIT_RATE
from mediawatch.media.video.reading import BROKEN

_RATE = MAX_SOUND_RATE.value
_FRAME = 1024  # samples of one AAC frame


class Voice:
    """Encodes sound; a track that is given none becomes silence.

    ``seconds``: how long the picture lasts. What sounds before it or after it is cut off, what is
    missing before it or in between is silence.
    """

    def __init__(self, output: OutputContainer, seconds: float) -> None:
        self._seconds = seconds
        self._output = output
        self._stream: Any = output.add_stream("aac", rate=_RATE)
        self._stream.layout = "stereo"
        self._stream.bit_rate = SOUND_BIT_RATE
        self._graph: Graph | None = None
        self._done = 0

    def push(self, packet: Any, origin: float) -> None:
        """Encode what a packet of the source holds; what cannot be decoded becomes silence.

        ``origin``: when the picture begins, in seconds of the source.
        """
        try:
            frames = packet.decode()
        except BROKEN:
            return
        for frame in frames:
            if frame.pts is None:
                continue
            if self._graph is None:
                self._graph = self._chain(frame)
            base = frame.time_base or Fraction(1, frame.sample_rate)
            frame.pts -= round(origin / base)
            self._graph.push(frame)
            self._drain()

    def finish(self, seconds: float) -> None:
        """Fill up with silence to ``seconds`` where there is none, and end the track."""
        if self._graph is not None:
            self._graph.push(None)
            self._drain()
        while self._done < seconds * _RATE:
            self._silence()
        self._output.mux(self._stream.encode(None))

    def _chain(self, frame: AudioFrame) -> Graph:
        graph = Graph()
        graph.link_nodes(
            graph.add_abuffer(
                sample_rate=frame.sample_rate,
                format=frame.format,
                layout=frame.layout,
                time_base=frame.time_base,
            ),
            graph.add("aresample", f"{_RATE}:async=1:first_pts=0"),
            graph.add("aformat", f"sample_fmts=fltp:sample_rates={_RATE}:channel_layouts=stereo"),
            graph.add("atrim", f"end={self._seconds:.6f}"),
            graph.add("abuffersink"),
        ).configure()
        return graph

    def _drain(self) -> None:
        assert self._graph is not None  # noqa: S101 - called by those that made it
        while True:
            try:
                frame: Any = self._graph.pull()
            except (NotYet, AtEnd):
                return
            self._done += frame.samples
            self._output.mux(self._stream.encode(frame))

    def _silence(self) -> None:
        frame = av.AudioFrame(format="fltp", layout="stereo", samples=_FRAME)
        for plane in frame.planes:
            plane.update(bytes(plane.buffer_size))
        frame.sample_rate = _RATE
        frame.time_base = Fraction(1, _RATE)
        frame.pts = self._done
        self._done += _FRAME
        self._output.mux(self._stream.encode(frame))
