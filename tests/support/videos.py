"""Makers of video files, good and hostile: PyAV encodes them, then their bytes are damaged."""

from __future__ import annotations

import io
import struct
import tempfile
from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any

import av
from PIL import Image, ImageDraw

from tests.support import pictures

#: An ``ffconcat`` list and an HLS playlist: naive players open the files that they name.
FFCONCAT = b"ffconcat version 1.0\nfile secret.mp4\n"
PLAYLIST = b"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n"


@lru_cache(maxsize=8)
def _still(width: int, height: int) -> Image.Image:
    """A soft picture whose upper left corner is red: it tells how a video was turned."""
    image = pictures.photo(width, height)
    ImageDraw.Draw(image).rectangle((0, 0, width // 3, height // 3), fill="red")
    return image


def frame(number: int, width: int, height: int, pix_fmt: str) -> av.VideoFrame:
    """Frame ``number`` of the scene: a white bar wanders to the right."""
    image = _still(width, height).copy()
    at = width // 2 + number * 2 % (width // 2)
    ImageDraw.Draw(image).rectangle((at, height // 2, at + 8, height), fill="white")
    return av.VideoFrame.from_image(image).reformat(format=pix_fmt)


@lru_cache(maxsize=64)
def video(
    *,
    seconds: float = 3,
    size: tuple[int, int] = (320, 180),
    fps: int | Fraction = 30,
    container: str = "mp4",
    codec: str = "libx264",
    pix_fmt: str = "yuv420p",
    sound: str | None = "aac",
    sound_rate: int = 48_000,
    layout: str = "stereo",
    tracks: int = 1,
    rotation: int = 0,
    sar: Fraction | None = None,
    transfer: int = 0,
    interlaced: bool = False,
    uneven: bool = False,
    gop: int = 30,
    options: tuple[tuple[str, str], ...] = (),
    movflags: str = "",
    late_sound: float = 0,
) -> bytes:
    """The bytes of a video file. ``uneven``: of every five frames two are left out.

    ``transfer``: 16 for PQ, 18 for HLG, tagged only. ``late_sound``: seconds before it starts.
    """
    muxer = {"movflags": movflags} if movflags else {}
    with (
        tempfile.TemporaryDirectory() as folder,
        # An index can only be moved in a file by its name.
        av.open(f"{folder}/made", "w", format=container, options=muxer) as output,
    ):
        picture: Any = output.add_stream(codec, rate=fps, options={"g": str(gop)} | dict(options))
        picture.width, picture.height = size
        picture.pix_fmt = pix_fmt
        context = picture.codec_context
        if codec == "libx264":
            context.options = context.options | {"preset": "ultrafast"}
        if interlaced:
            context.flags |= 1 << 18 | 1 << 29  # interlaced DCT and motion estimation
        if sar:
            context.sample_aspect_ratio = sar
        if transfer:
            context.color_trc, context.color_primaries, context.colorspace = transfer, 9, 9
        if rotation:
            picture.set_display_rotation(rotation)
        voices = [_voice(output, sound, sound_rate, layout) for _ in range(tracks) if sound]
        for number in range(round(seconds * fps)):
            if uneven and number % 5 in {1, 2}:
                continue
            image = frame(number, *size, pix_fmt)
            image.pts, image.time_base = number, 1 / Fraction(fps)
            if transfer:
                image.color_trc, image.color_primaries, image.colorspace = transfer, 9, 9
            output.mux(picture.encode(image))
        output.mux(picture.encode(None))
        for voice in voices:
            _speak(output, voice, seconds - late_sound, late_sound)
        output.close()
        return Path(folder, "made").read_bytes()


def _voice(output: Any, codec: str, rate: int, layout: str) -> Any:
    stream = output.add_stream(codec, rate=rate)
    stream.layout = layout
    return stream


def _speak(output: Any, stream: Any, seconds: float, start: float) -> None:
    context = stream.codec_context
    done, first = 0, round(start * context.sample_rate)
    while done < seconds * context.sample_rate:
        sound = av.AudioFrame(format=context.format.name, layout=context.layout.name, samples=1024)
        for plane in sound.planes:
            plane.update(bytes(plane.buffer_size))
        sound.sample_rate, sound.pts = context.sample_rate, first + done
        sound.time_base = Fraction(1, context.sample_rate)
        output.mux(stream.encode(sound))
        done += 1024
    output.mux(stream.encode(None))


@lru_cache(maxsize=1)
def sound_only() -> bytes:
    """An MP4 with sound and no picture."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as output:
        _speak(output, _voice(output, "aac", 48_000, "stereo"), 3, 0)
    return buffer.getvalue()


def sound_with_cover() -> bytes:
    """A song as shops sell it: sound, and a picture that is no video."""
    handler = box(b"hdlr", bytes(8) + b"mdirappl" + bytes(9))
    cover = box(b"covr", box(b"data", struct.pack(">II", 13, 0) + pictures.jpeg(300, 300)))
    about = box(b"udta", box(b"meta", bytes(4) + handler + box(b"ilst", cover)))
    data = sound_only()
    at = data.rindex(b"moov") - 4
    return data[:at] + box(b"moov", data[at + 8 :] + about)


def box(kind: bytes, content: bytes) -> bytes:
    """One box of an ISO base media file."""
    return struct.pack(">I4s", 8 + len(content), kind) + content


def without_index(data: bytes) -> bytes:
    """The MP4 as a crashed recorder leaves it: all content, no ``moov``."""
    return data[: data.rindex(b"moov") - 4]


def damaged(data: bytes, share: float = 0.3, of: float = 0.2) -> bytes:
    """Garbage from ``share`` of the content on, as long as ``of`` of it."""
    start = data.index(b"mdat") + 4
    length = struct.unpack(">I", data[start - 8 : start - 4])[0] - 8
    first, count = start + int(length * share), int(length * of)
    garbage = bytes((number * 167 + number // 256 * 31) % 256 for number in range(count))
    return data[:first] + garbage + data[first + count :]


def garbled(data: bytes) -> bytes:
    """A file whose second half is garbage, but for its very end."""
    half = len(data) // 2
    garbage = bytes((number * 167 + number // 256 * 31) % 256 for number in range(half - 64))
    return data[:half] + garbage + data[half + len(garbage) :]


def with_broken_packet(data: bytes, number: int) -> bytes:
    """An MP4 of which one packet of the picture is garbage."""
    with av.open(io.BytesIO(data)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.pos is not None]
        at, size = packets[number].pos, packets[number].size
    assert at is not None
    return data[:at] + b"\xa5" * size + data[at + size :]


def promising(data: bytes, size: int = 1 << 40) -> bytes:
    """An MP4 whose content box promises ``size`` bytes."""
    at = data.index(b"mdat") - 4
    return data[:at] + struct.pack(">I4sQ", 1, b"mdat", size) + data[at + 8 :]


def lying(data: bytes, seconds: int) -> bytes:
    """An MP4 whose header says that it lasts so long."""
    at = data.rindex(b"mvhd") + 4
    scale = struct.unpack(">I", data[at + 12 : at + 16])[0]
    return data[: at + 16] + struct.pack(">I", scale * seconds) + data[at + 20 :]


def edited(data: bytes, media_time: float, seconds: float) -> bytes:
    """An MP4 whose first edit list shows ``seconds`` from ``media_time`` on, as a trimmed clip."""
    movie, media = data.rindex(b"mvhd") + 4, data.index(b"mdhd") + 4
    movie_scale = struct.unpack(">I", data[movie + 12 : movie + 16])[0]
    media_scale = struct.unpack(">I", data[media + 12 : media + 16])[0]
    at = data.index(b"elst") + 12
    entry = struct.pack(">Ii", int(seconds * movie_scale), int(media_time * media_scale))
    return data[:at] + entry + data[at + 8 :]


@lru_cache(maxsize=4)
def animation_bomb(frames: int = 1200, size: tuple[int, int] = (4000, 4000)) -> bytes:
    """A GIF of few bytes and very many large frames, repeated for ever."""
    pair = [Image.new("P", size, 0) for _ in range(2)]
    pair[1].putpixel((0, 0), 1)
    for image in pair:
        image.putpalette([0, 0, 0, 255, 255, 255])
    data = pictures.encoded(
        pair[0], "GIF", save_all=True, append_images=[pair[1]], duration=20, optimize=False, loop=0
    )
    start = data.index(b"!\xf9\x04", data.index(b"NETSCAPE2.0"))
    second = data.index(b"!\xf9\x04", start + 1)
    return data[:start] + data[start:second] * (frames - 1) + data[second:]


def animated(
    image_format: str, frames: int, duration: int, size: tuple[int, int] = (160, 120)
) -> bytes:
    """A moving picture, each frame shown for ``duration`` milliseconds."""
    images = [frame(number * 3, *size, "rgb24").to_image() for number in range(frames)]
    return pictures.encoded(
        images[0], image_format, save_all=True, append_images=images[1:], duration=duration, loop=0
    )


Maker = Callable[[], bytes]
