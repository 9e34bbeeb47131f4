"""Open a video with exactly one demuxer, and nothing but this one file within its reach."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av
from av.audio.codeccontext import AudioCodecContext
from av.audio.stream import AudioStream
from av.codec.context import CodecContext
from av.container import InputContainer
from av.error import FFmpegError
from av.stream import Disposition
from av.video.stream import VideoStream

# A playlist named .mp4 would otherwise make FFmpeg read the files that it names.
_ONLY = {"protocol_whitelist": "file", "fflags": "+genpts"}

#: What a decoder says of a packet that is broken. Some give numbers of the system, as that of AAC
#: does: "Operation not permitted", though it comes near no disk. Memory is not among them.
BROKEN = (
    av.error.InvalidDataError,
    av.error.PatchWelcomeError,
    av.error.UnknownError,
    av.error.BugError,
    av.error.ExternalError,
    av.error.ArgumentError,
    av.error.PermissionError,
    av.error.NotImplementedError,
    av.error.OverflowError,
)

#: More threads than this only take memory: frames wait in each of them.
THREADS = min(os.cpu_count() or 1, 8)


@contextmanager
def reading(path: Path, demuxer: str) -> Iterator[InputContainer]:
    """The file, opened by ``demuxer``. Raises FFmpegError."""
    options = _ONLY | {"format_whitelist": f"{demuxer},mp4"}
    with av.open(
        str(path.absolute()), "r", format=demuxer, options=options, metadata_errors="ignore"
    ) as container:
        yield container


def picture_of(container: InputContainer) -> VideoStream | None:
    """The stream that is shown: neither a cover image, nor of a codec that is not known."""
    for stream in container.streams.video:
        context: CodecContext | None = stream.codec_context  # None: an unknown codec
        if context is not None and not Disposition.attached_pic & stream.disposition:
            return stream
    return None


def sound_of(container: InputContainer) -> AudioStream | None:
    """The first stream of sound that can be decoded."""
    for stream in container.streams.audio:
        context: AudioCodecContext | None = stream.codec_context  # None: an unknown codec
        if context is not None and context.sample_rate and context.channels:
            return stream
    return None


def strictly(stream: VideoStream) -> None:
    """Let its decoder refuse what is damaged, where it would otherwise guess."""
    if stream.codec_context.name in {"h264", "hevc"}:
        stream.codec_context.options = stream.codec_context.options | {"err_detect": "explode"}


__all__ = ["BROKEN", "THREADS", "FFmpegError", "picture_of", "reading", "sound_of", "strictly"]
