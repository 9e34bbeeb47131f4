"""Whether a stream that is to be copied can be played: samples are decoded, strictly."""

from __future__ import annotations

from pathlib import Path

from av.container import InputContainer
from av.video.stream import VideoStream

from mediawatch.media.video.facts import Facts
from mediawatch.media.video.reading import (
    THREADS,
    FFmpegError,
    picture_of,
    reading,
    strictly,
)

_PLACES = (0.0, 0.5, 1.0)
_SAMPLE = 90  # frames of one group that are decoded at the most


def plays(path: Path, facts: Facts) -> bool:
    """Decode the first, the middle and the last group of pictures; False if one is damaged.

    Raises FFmpegError if the file cannot be opened any more.
    """
    with reading(path, facts.demuxer) as container:
        stream = picture_of(container)
        if stream is None:
            return False
        stream.thread_type = "AUTO"
        stream.codec_context.thread_count = THREADS
        strictly(stream)
        return all(_group_plays(container, stream, facts.seconds * place) for place in _PLACES)


def _group_plays(container: InputContainer, stream: VideoStream, second: float) -> bool:
    """Whether the group of pictures that is seen at this second decodes, and refers to no other."""
    start, base = stream.start_time or 0, stream.time_base or 1
    packets = frames = 0
    begins = None
    try:
        container.seek(start + int(second / base), stream=stream)
        for packet in container.demux(stream):
            if packet.dts is None or packets == _SAMPLE or (packet.is_keyframe and packets):
                break
            if not packets:
                if not packet.is_keyframe:
                    continue  # some containers cannot seek to the start of a group
                begins = packet.pts
            if begins is not None and packet.pts is not None and packet.pts < begins:
                return False  # shown before its own key frame: the group is open
            packets += 1
            frames += len(packet.decode())
        frames += len(stream.codec_context.decode(None))
        stream.codec_context.flush_buffers()
    except FFmpegError:
        return False
    return frames >= packets and (packets > 0 or second > 0)


class Chains:
    """Checks that the parts of each H.264 packet fill it exactly (ISO/IEC 14496-15, 5.3.3).

    Garbage of any length breaks the chain at once, at a cost that copying does not notice.
    """

    def __init__(self, extradata: bytes | None) -> None:
        # Version 1: the fifth byte holds the length of lengths. Else there are start codes.
        prefixed = bool(extradata) and extradata is not None and extradata[:1] == b"\1"
        self._prefix = (extradata[4] & 3) + 1 if prefixed and extradata else 0

    def holds(self, packet: memoryview) -> bool:
        """Whether this packet is whole."""
        if not self._prefix:
            return True
        at, end = 0, len(packet)
        while at < end:
            length = int.from_bytes(packet[at : at + self._prefix], "big")
            at += self._prefix + length
            if not length:
                return False
        return at == end
