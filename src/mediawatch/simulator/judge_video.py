"""The rules a video must keep to be taken, and the picture that stands for it.

Limits: the video tables of Meta's "IG User Media" page; for videos in a carousel, which it does
not specify, those of stories. Where Meta does not say how it counts, the stricter way is taken.
Meta tells only that a format "is not supported", so the reason is for people who test.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .boxes import read_layout
from .containers import Kind
from .refusals import Unusable

if TYPE_CHECKING:
    import av

MEGABYTE = 1_000_000
MIN_RATE, MAX_RATE, MAX_WIDTH = 23, 60, 1920
MIN_RATIO, MAX_RATIO = 0.01, 10.0
MAX_BITS = 25_000_000  # a second
CODECS = {"h264", "hevc"}
#: 4:2:0 in 8 bits, in the range of television or, as many cameras record, of a computer.
PIXELS = {"yuv420p", "yuvj420p"}
MAX_SAMPLES, MAX_CHANNELS = 48_000, 2
#: Clocks in files are whole numbers: a clip of 60 s may end a little later.
_TOLERANCE = 0.01
_COVER_WIDTH = 640
#: How many frames are looked at, and how many are decoded to come to a moment.
_FRAMES, _MOST_FRAMES = 3, 600

_BAD_OFFSET = 2207057


@dataclass(frozen=True, slots=True)
class Limits:
    """How long, in seconds, and how large, in bytes, a video may be."""

    shortest: float
    longest: float
    bytes: int


LIMITS = {
    Kind.REEL: Limits(3, 900, 300 * MEGABYTE),
    Kind.STORY: Limits(3, 60, 100 * MEGABYTE),
    Kind.CHILD: Limits(3, 60, 100 * MEGABYTE),
}


@dataclass(frozen=True, slots=True)
class Seen:
    """What a video turned out to be. Width and height as shown; ``cover`` is a JPEG of it."""

    seconds: float
    width: int
    height: int
    frame_rate: float
    codec: str
    audio: str | None
    cover: bytes
    cover_size: tuple[int, int]
    warnings: tuple[str, ...]


def judge_video(
    path: Path, limits: Limits, *, thumb_offset: int = 0, tolerate_edit_lists: bool = False
) -> Seen:
    """Take or refuse the video in a file: call it in a thread, decoding takes milliseconds.

    ``thumb_offset`` is the moment of its cover, in milliseconds. Raises Unusable: 2207026, or
    2207057 for an offset at or behind the end.
    """
    import av  # some 60 MB, which a simulator of pictures alone never needs

    size = path.stat().st_size
    if size > limits.bytes:
        raise Unusable(f"{size} bytes are more than {limits.bytes}")
    warnings = _judge_layout(path, tolerate_edit_lists=tolerate_edit_lists)
    try:
        # The form is given: other ones, such as playlists, could make it open what they name.
        with av.open(str(path), format="mov") as container:
            return _judge(container, size, limits, thumb_offset, warnings)
    except (av.FFmpegError, ValueError, IndexError) as error:
        raise Unusable(f"it cannot be decoded: {error}") from None


def _judge_layout(path: Path, *, tolerate_edit_lists: bool) -> tuple[str, ...]:
    layout = read_layout(path)
    if b"moov" not in layout.names:
        raise Unusable("it is no MP4 or MOV file")
    if not layout.whole:
        raise Unusable("it is cut off")
    if not layout.index_first:
        raise Unusable("its index (moov) stands behind the media (mdat)")
    if not layout.edit_list:
        return ()
    if not tolerate_edit_lists:
        raise Unusable("it has an edit list")
    return ("edit list",)


def _judge(
    container: av.container.InputContainer,
    size: int,
    limits: Limits,
    thumb_offset: int,
    warnings: tuple[str, ...],
) -> Seen:
    if not container.streams.video:
        raise Unusable("it has no picture")
    stream = container.streams.video[0]
    codec = _codec(stream)
    _require(codec in CODECS, f"the codec {codec} is neither H.264 nor HEVC")
    rate = float(stream.average_rate or 0)
    _require(MIN_RATE - _TOLERANCE <= rate <= MAX_RATE + _TOLERANCE, f"{rate:.2f} frames a second")
    seconds = float((stream.duration or 0) * (stream.time_base or 0))
    _require(
        limits.shortest - _TOLERANCE <= seconds <= limits.longest + _TOLERANCE,
        f"{seconds:.2f} s are not {limits.shortest} to {limits.longest}",
    )
    _require(size * 8 / seconds <= MAX_BITS, "more than 25 Mbit/s")
    audio = _judge_audio(container)
    if not 0 <= thumb_offset < seconds * 1000:
        raise Unusable(f"there is no moment {thumb_offset} ms", _BAD_OFFSET)
    width, height = _judge_frames(list(islice(container.decode(stream), _FRAMES)))
    cover, cover_size = _cover(container, stream, thumb_offset / 1000)
    return Seen(seconds, width, height, rate, codec, audio, cover, cover_size, warnings)


def _judge_audio(container: av.container.InputContainer) -> str | None:
    if not container.streams.audio:
        return None
    codec = _codec(container.streams.audio[0])
    _require(codec == "aac", f"the sound is {codec}, not AAC")
    audio = container.streams.audio[0].codec_context
    _require(audio.sample_rate <= MAX_SAMPLES, f"the sound has {audio.sample_rate} Hz")
    _require(audio.layout.nb_channels <= MAX_CHANNELS, "more than two channels of sound")
    return codec


def _codec(stream: Any) -> str:
    # FFmpeg gives no context, though the types promise one, for a codec that it does not know.
    return str(getattr(stream.codec_context, "name", "unknown"))


def _judge_frames(frames: list[av.VideoFrame]) -> tuple[int, int]:
    """Judge how the frames are made; gives width and height as they are shown."""
    _require(bool(frames), "it has no frames")
    first = frames[0]
    _require(first.format.name in PIXELS, f"the pixels are {first.format.name}, not yuv420p")
    _require(not any(frame.interlaced_frame for frame in frames), "it is interlaced")
    width, height = first.width, first.height
    if first.rotation % 180:
        width, height = height, width
    _require(width <= MAX_WIDTH, f"{width} pixels across are more than {MAX_WIDTH}")
    _require(MIN_RATIO <= width / height <= MAX_RATIO, f"{width}:{height} is no shape for it")
    return width, height


def _cover(
    container: av.container.InputContainer, stream: av.VideoStream, moment: float
) -> tuple[bytes, tuple[int, int]]:
    """The frame of that moment, in seconds, as a JPEG, and its size."""
    container.seek(int(moment * 1_000_000))
    frame = _frame_at(islice(container.decode(stream), _MOST_FRAMES), moment)
    image: Any = frame.to_image()  # type: ignore[no-untyped-call]
    if frame.rotation:
        image = image.rotate(frame.rotation, expand=True)
    image.thumbnail((_COVER_WIDTH, _COVER_WIDTH))
    target = io.BytesIO()
    image.save(target, "JPEG", quality=85)
    return target.getvalue(), image.size


def _frame_at(frames: Iterable[av.VideoFrame], moment: float) -> av.VideoFrame:
    found = None
    for found in frames:
        if found.time >= moment:
            break
    if found is None:
        raise Unusable("it has no frames where its cover should be")
    return found


def _require(fine: bool, why: str) -> None:
    if not fine:
        raise Unusable(why)
