"""The quick way through a lossy WebP beside Pillow's own: the same picture, the same verdicts."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image, ImageChops, ImageStat

from mediawatch.errors import Rejected
from mediawatch.media import webp
from mediawatch.media.image import ImageOptions, Prepared, prepare_image
from mediawatch.media.order import Moving
from tests.support import pictures
from tests.support.metadata import SECRET

pytestmark = pytest.mark.skipif(
    sys.platform == "win32", reason="there, libwebp is a part of Pillow's own module"
)
#: Of 255, a channel: the mean over a picture, and the worst pixel of a soft one.
MEAN, WORST = 1.2, 10


def lossy(width: int, height: int, **options: object) -> bytes:
    return pictures.encoded(pictures.photo(width, height), "WEBP", quality=90, **options)


def by_pillow(data: bytes, size: tuple[int, int]) -> Image.Image:
    with Image.open(io.BytesIO(data)) as image:
        return image.resize(size, Image.Resampling.BICUBIC, reducing_gap=1.0)


def quickly(data: bytes, size: tuple[int, int]) -> Image.Image | None:
    with Image.open(io.BytesIO(data)) as image:
        return webp.shrunk(image, size)


def without(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a machine where libwebp is out of reach."""
    monkeypatch.setattr(webp, "_library", lambda: None)


def require_alike(one: Image.Image, other: Image.Image) -> None:
    assert (one.mode, one.size) == (other.mode, other.size)
    difference = ImageStat.Stat(ImageChops.difference(one, other))
    assert max(difference.mean) < MEAN
    assert max(high for _, high in difference.extrema) <= WORST


@pytest.mark.parametrize(
    ("size", "target"),
    [
        ((1600, 1200), (1440, 1080)),  # hardly smaller
        ((2001, 1501), (700, 525)),  # odd: half a colour sample at the right and at the bottom
        ((1203, 899), (400, 299)),
        ((333, 1000), (83, 249)),
        ((1000, 130), (999, 129)),
    ],
)
def test_the_picture_is_that_of_pillow(size: tuple[int, int], target: tuple[int, int]) -> None:
    """Nobody sees which way a picture went: no shift, no tint, up to the edges."""
    data = lossy(*size)
    quick = quickly(data, target)
    assert quick is not None
    require_alike(by_pillow(data, target), quick)


@pytest.mark.parametrize(
    "colour", ["white", "black", "red", "lime", "blue", "#808080", "#ff00ff", "#ffff00", "#123456"]
)
def test_colours_are_exact(colour: str) -> None:
    """Plain colours, the extremes among them, are what libwebp itself makes of them, to a step."""
    data = pictures.encoded(Image.new("RGB", (640, 480), colour), "WEBP", quality=90)
    quick = quickly(data, (320, 240))
    assert quick is not None
    expected = by_pillow(data, (320, 240)).getpixel((100, 100))
    actual = quick.getpixel((100, 100))
    assert isinstance(expected, tuple)
    assert isinstance(actual, tuple)
    assert max(abs(a - b) for a, b in zip(expected, actual, strict=True)) <= 1


def test_colours_stay_where_they_are() -> None:
    """Of an odd picture, half of the last colour sample is shown: nothing is stretched over it."""
    image = Image.new("RGB", (131, 99), "blue")
    for x in range(0, 131, 16):
        image.paste("red", (x, 0, x + 8, 99))
    data = pictures.encoded(image, "WEBP", quality=100)
    quick = quickly(data, (130, 98))
    assert quick is not None
    difference = ImageChops.difference(by_pillow(data, (130, 98)), quick)
    assert max(ImageStat.Stat(difference.crop((65, 0, 130, 98))).mean) < 8


def test_it_is_not_softer() -> None:
    """Fine lines keep the contrast that Pillow's way leaves them."""
    lines = Image.new("L", (2000, 1500), 255)
    for x in range(0, 2000, 9):
        lines.paste(0, (x, 0, x + 4, 1500))
    data = pictures.encoded(lines.convert("RGB"), "WEBP", quality=90)
    quick = quickly(data, (720, 540))
    assert quick is not None
    contrast = [
        ImageStat.Stat(image.convert("L")).stddev[0]
        for image in (by_pillow(data, (720, 540)), quick)
    ]
    assert contrast[1] >= 0.99 * contrast[0]


def see_through() -> bytes:
    image = pictures.photo(1600, 1200).convert("RGBA")
    image.paste((0, 255, 0, 0), (800, 0, 1600, 1200))
    return pictures.encoded(image, "WEBP", quality=90)


@pytest.mark.parametrize(
    "make",
    [
        see_through,
        lambda: pictures.encoded(pictures.photo(1600, 1200), "WEBP", lossless=True),
        lambda: pictures.animation("WEBP", 2, (800, 600)),
        lambda: lossy(400, 300),  # not to be made smaller
        lambda: pictures.jpeg(1600, 1200),
    ],
    ids=["alpha", "lossless", "animation", "small", "no WebP"],
)
def test_what_has_no_planes_of_its_own_is_left_to_pillow(make: Callable[[], bytes]) -> None:
    """Transparency, lossless pixels and animations keep their decoder."""
    assert quickly(make(), (400, 300)) is None


@pytest.mark.parametrize("version", [0x0108, 0x0308])
def test_a_library_of_another_kind_is_not_called(
    monkeypatch: pytest.MonkeyPatch, version: int
) -> None:
    """libwebp tells itself that its structures are others than ours."""
    monkeypatch.setattr(webp, "_ABI", version)
    assert quickly(lossy(800, 600), (400, 300)) is None


def prepare(tmp_path: Path, data: bytes) -> tuple[Prepared, Image.Image]:
    source, target = tmp_path / "photo.webp", tmp_path / "prepared.jpg"
    source.write_bytes(data)
    prepared = prepare_image(source, target, ImageOptions())
    with Image.open(io.BytesIO(target.read_bytes())) as image:
        image.load()
        return prepared, image


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"exif": pictures.phone_exif(6).tobytes(), "xmp": pictures.XMP},
        {"exif": pictures.phone_exif(5).tobytes()},
        {"icc_profile": pictures.swapped_profile()},
    ],
    ids=["plain", "sideways", "mirrored", "profile"],
)
def test_the_published_picture_is_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: dict[str, object]
) -> None:
    """Turned, coloured and told of as before."""
    data = lossy(2000, 1600, **options)
    quick, picture = prepare(tmp_path, data)
    without(monkeypatch)
    slow, expected = prepare(tmp_path, data)
    assert slow.changes == quick.changes
    require_alike(expected, picture)


def broken() -> dict[str, bytes]:
    whole = lossy(1600, 1200)
    garbled = bytearray(whole)
    garbled[40:400] = bytes(360)
    return {
        "half": whole[: len(whole) // 2],
        "all but the end": whole[:-200],
        "garbled": bytes(garbled),
        "tail": whole + SECRET,
        "lies about its width": whole[:26] + b"\x40\x01" + whole[28:],
        "half, and says so": b"RIFF"
        + (len(whole) // 2 - 8).to_bytes(4, "little")
        + whole[8 : len(whole) // 2],
    }


@pytest.mark.parametrize("name", broken())
def test_broken_files_get_the_same_verdict(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """The quick way accepts no file that the other refuses, and refuses none itself."""

    def verdict() -> str:
        try:
            return str(prepare(tmp_path, broken()[name])[1].size)
        except Rejected as error:
            return error.code
        except Moving:
            return "moving"

    quick = verdict()
    without(monkeypatch)
    assert verdict() == quick
