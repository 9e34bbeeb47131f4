"""What people drop into a folder: pictures and videos of every kind, and what is none."""

from __future__ import annotations

import functools
import io
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from PIL import Image, ImageDraw, ImageFilter


class Ending(StrEnum):
    """How a file's way should end."""

    PUBLISHED = "published"
    IGNORED = "ignored"  # stays where it is, and is listed with the reason
    HELD = "held"
    DUPLICATE = "duplicate"


@dataclass(frozen=True, slots=True)
class Sample:
    """One post of the demo, or a file that becomes none.

    ``name``: where it is put in the inbox; a folder if ``make`` gives several files, by their
    names. ``slow``: it is written in pieces, with a pause of half a second between them, as a
    download or a camera does. ``beside``: texts that are put there before it, by their names.
    """

    name: str
    what: str
    ends: Ending
    make: Callable[[], bytes | dict[str, bytes]]
    slow: bool = False
    beside: Mapping[str, str] = field(default_factory=dict)

    def files(self) -> dict[str, bytes]:
        """All that is put into the inbox, in this order, by the names there."""
        made = self.make()
        files = {name: text.encode() for name, text in self.beside.items()}
        if isinstance(made, bytes):
            return {**files, self.name: made}
        return {**files, **{f"{self.name}/{name}": data for name, data in made.items()}}

    def pieces(self, data: bytes) -> Iterator[bytes]:
        """The bytes of a file in the pieces in which they are written."""
        step = len(data) // 6 + 1 if self.slow else len(data)
        for start in range(0, len(data), step):
            yield data[start : start + step]


def _scene(width: int, height: int, seed: int) -> Image.Image:
    """Hills under a sky: cheap to make, and heavy enough to be a picture."""
    rng = random.Random(seed)
    top = tuple(rng.randrange(90, 200) for _ in range(3))
    bottom = tuple(rng.randrange(180, 255) for _ in range(3))
    sky = Image.new("RGB", (1, 2))
    sky.putpixel((0, 0), top)
    sky.putpixel((0, 1), bottom)
    image = sky.resize((width, height), Image.Resampling.BICUBIC)
    draw = ImageDraw.Draw(image)
    radius = min(width, height) // 9
    x, y = rng.randrange(radius, width - radius), height // 4
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=(255, 244, 214))
    for ridge in range(4):
        base = height * (5 + ridge) // 10
        edge = [
            (width * step // 12, base - rng.randrange(max(2, height // 7))) for step in range(13)
        ]
        points = [(0, height), *edge, (width, height)]
        shade = 120 - ridge * 28
        draw.polygon(points, fill=(shade // 2, shade, shade * 2 // 3))
    grain = Image.effect_noise((width // 2 + 1, height // 2 + 1), 24).resize(image.size)
    return Image.blend(image, Image.merge("RGB", [grain] * 3), 0.06).filter(ImageFilter.SMOOTH)


def _saved(image: Image.Image, image_format: str, **how: object) -> bytes:
    out = io.BytesIO()
    image.save(out, image_format, **how)
    return out.getvalue()


def _jpeg(width: int, height: int, seed: int) -> Callable[[], bytes]:
    return lambda: _saved(_scene(width, height, seed), "JPEG", quality=88)


def _phone() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6  # orientation: to be turned a quarter clockwise
    exif[0x010F] = "A phone"
    exif.get_ifd(0x8825)[1] = "N"  # GPS: where the picture was taken is nobody's business
    lying = _scene(1512, 2016, 5).transpose(Image.Transpose.ROTATE_90)
    return _saved(lying, "JPEG", quality=90, exif=exif.tobytes())


def _sticker() -> bytes:
    image = Image.new("RGBA", (1200, 1200), (0, 0, 0, 0))
    draw = ImageDraw.Draw(image)
    draw.ellipse((100, 100, 1100, 1100), fill=(236, 72, 153, 255))
    draw.polygon([(480, 380), (480, 820), (850, 600)], fill=(255, 255, 255, 235))
    return _saved(image, "PNG")


def _heic() -> bytes:
    from pillow_heif import register_heif_opener

    register_heif_opener()
    return _saved(_scene(1200, 1500, 10), "HEIF", quality=50, enc_params={"preset": "ultrafast"})


def _pdf() -> bytes:
    return _saved(Image.new("RGB", (200, 280), "white"), "PDF")


def _waves() -> bytes:
    """Three and a half seconds along the hills, as an old camera writes them."""
    import av

    width, height, seconds, rate = 360, 640, 3.5, 30
    scene, count = _scene(2 * width, height, 11), int(seconds * rate)
    out = io.BytesIO()
    maker: Any = av.VideoFrame
    with av.open(out, "w", format="avi") as video:
        stream: Any = video.add_stream("mpeg4", rate=rate)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.bit_rate = 1_500_000
        for number in range(count):
            left = width * number // count
            frame = maker.from_image(scene.crop((left, 0, left + width, height)))
            video.mux(stream.encode(frame))
        video.mux(stream.encode(None))
    return out.getvalue()


def _trip() -> dict[str, bytes]:
    return {
        "caption.txt": "Three days in the hills 🥾".encode(),
        "1-train.jpg": _jpeg(1200, 1200, 12)(),
        "2-lake.webp": _saved(_scene(1080, 1350, 13), "WEBP", quality=85),
        "3-summit.jpg": _jpeg(1600, 1000, 14)(),
    }


def _clip() -> bytes:
    # A whole MP4 whose index names no track.
    head = b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom"
    return head + b"\x00\x00\x00\x08moov" + b"\x00\x00\x10\x08mdat" + bytes(4096)


_WISHES = """\
caption = "The harbour in the morning"
alt_text = "Green hills under a pale sky, with the sun above them"
first_comment = "Taken from the old pier. #harbour"
"""


def samples() -> list[Sample]:
    """About twenty, in the order in which they are dropped."""
    # The grain is never the same twice, but the copy must be.
    beach = functools.cache(_jpeg(1080, 1350, 1))
    return [
        Sample("beach.jpg", "JPEG that fits already", Ending.PUBLISHED, beach),
        Sample(
            "growing.jpg", "written bit by bit", Ending.PUBLISHED, _jpeg(1600, 1200, 2), slow=True
        ),
        Sample("camera.jpg", "12 megapixels", Ending.PUBLISHED, _jpeg(4000, 3000, 3)),
        Sample("phone.jpg", "lying on its side, with GPS", Ending.PUBLISHED, _phone),
        Sample("sticker.png", "PNG with transparency", Ending.PUBLISHED, _sticker),
        Sample(
            "lake.webp",
            "WebP",
            Ending.PUBLISHED,
            lambda: _saved(_scene(1600, 1600, 6), "WEBP", quality=85),
        ),
        Sample("iphone.heic", "HEIC", Ending.PUBLISHED, _heic),
        Sample(
            "hills.gif",
            "GIF",
            Ending.PUBLISHED,
            lambda: _saved(_scene(800, 600, 7).convert("P"), "GIF"),
        ),
        Sample("panorama.jpg", "3.75 : 1, too wide", Ending.PUBLISHED, _jpeg(3000, 800, 8)),
        Sample(
            "summer_day-2.jpg",
            "with a caption beside it",
            Ending.PUBLISHED,
            _jpeg(1440, 1440, 9),
            beside={"summer_day-2.txt": "The caption of summer_day-2.txt ☀️ #holiday"},
        ),
        Sample(
            "harbour.jpg",
            "with a .toml beside it",
            Ending.PUBLISHED,
            _jpeg(1440, 1080, 15),
            beside={"harbour.toml": _WISHES},
        ),
        Sample("waves.avi", "a video: a reel", Ending.PUBLISHED, _waves),
        Sample("stories/evening.jpg", "a story", Ending.PUBLISHED, _jpeg(1080, 1920, 16)),
        Sample("trip", "a folder: a carousel", Ending.PUBLISHED, _trip),
        Sample("beach copy.jpg", "the same bytes again", Ending.DUPLICATE, beach),
        Sample("document.pdf", "PDF", Ending.IGNORED, _pdf),
        Sample(
            "saved page.jpg",
            "a web page, named .jpg",
            Ending.IGNORED,
            lambda: b"<!doctype html><title>404</title><p>Not found.</p>" * 40,
        ),
        Sample("clip.mp4", "a video without a picture", Ending.HELD, _clip),
        Sample("download.jpg.part", "half of a download", Ending.IGNORED, lambda: beach()[:50_000]),
    ]
