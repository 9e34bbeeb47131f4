"""Deep, shallow, indexed and see-through pixels: tones stay tones, hidden pixels stay hidden."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from mediawatch.media.image import ImageOptions, prepare_image
from tests.support import pictures
from tests.support.hostile_formats import png
from tests.support.hostile_tiff import grey, tiff

SIDE = 400
#: 16-bit tones of four columns, from black to white.
TONES = (0, 0x5555, 0xAAAA, 0xFFFF)
SHOWN = (0, 0x55, 0xAA, 0xFF)
GREY, RGB, GREY_ALPHA, RGB_ALPHA = 0, 2, 4, 6  # colour types of PNG


def columns(tmp_path: Path, data: bytes) -> tuple[tuple[str, ...], list[Any]]:
    """What was changed, and the colour in the middle of each of four columns."""
    source, target = tmp_path / "source", tmp_path / "target.jpg"
    source.write_bytes(data)
    changes = prepare_image(source, target, ImageOptions()).changes
    pictures.require_publishable(target.read_bytes())
    with Image.open(target) as image:
        step = image.width // 4
        return changes, [image.getpixel((n * step + step // 2, SIDE // 2)) for n in range(4)]


def deep_png(kind: int, alpha: int = 0xFFFF) -> bytes:
    """Four columns of 16 bits a channel; ``alpha`` for the kinds that have one."""
    channels = 3 if kind in {RGB, RGB_ALPHA} else 1
    order = ">" + "H" * (channels + (kind in {GREY_ALPHA, RGB_ALPHA}))
    row = b"\0"
    for tone in TONES:
        values = [tone] * channels + ([alpha] if len(order) - 1 > channels else [])
        row += struct.pack(order, *values) * (SIDE // 4)
    return png(SIDE, SIDE, 16, kind, zlib.compress(row * SIDE))


@pytest.mark.parametrize("kind", [GREY, RGB, GREY_ALPHA, RGB_ALPHA])
def test_sixteen_bits_of_a_png_keep_their_tones(tmp_path: Path, kind: int) -> None:
    """No tone is cut to white, and none is dropped, in grey and colour, with alpha and without."""
    _, seen = columns(tmp_path, deep_png(kind))
    for tone, colour in zip(SHOWN, seen, strict=True):
        assert (tone,) * 3 == pytest.approx(colour, abs=3)


@pytest.mark.parametrize("kind", [GREY_ALPHA, RGB_ALPHA])
def test_half_transparent_deep_pixels_lie_on_white(tmp_path: Path, kind: int) -> None:
    """Alpha has 16 bits as well, and is taken by its upper half."""
    changes, seen = columns(tmp_path, deep_png(kind, alpha=0x8080))
    assert "transparency on white" in changes
    for tone, colour in zip(SHOWN, seen, strict=True):
        assert ((tone + 255) // 2,) * 3 == pytest.approx(colour, abs=4)


@pytest.mark.parametrize("inverted", [False, True])
def test_sixteen_bits_of_a_grey_tiff_keep_their_tones(tmp_path: Path, inverted: bool) -> None:
    """Scanners write white as 0 or as 65535, and say which."""
    pixels = b"".join(struct.pack("<H", tone) * (SIDE // 4) for tone in TONES) * SIDE
    entries = grey(
        width=SIDE, length=SIDE, rows=SIDE, bits=16, counts=len(pixels), photometric=1 - inverted
    )
    _, seen = columns(tmp_path, tiff(entries, pixels))
    shown = SHOWN[::-1] if inverted else SHOWN
    for tone, colour in zip(shown, seen, strict=True):
        assert (tone,) * 3 == pytest.approx(colour, abs=3)


def test_twelve_bits_of_a_grey_tiff_keep_their_tones(tmp_path: Path) -> None:
    """As medical and scientific cameras write it: their white is 4095."""
    pair = [(tone >> 4) << 12 | tone >> 4 for tone in TONES]
    pixels = b"".join(two.to_bytes(3, "big") * (SIDE // 8) for two in pair) * SIDE
    entries = grey(width=SIDE, length=SIDE, rows=SIDE, bits=12, counts=len(pixels))
    _, seen = columns(tmp_path, tiff(entries, pixels))
    for tone, colour in zip(SHOWN, seen, strict=True):
        assert (tone,) * 3 == pytest.approx(colour, abs=3)


@pytest.mark.parametrize("alpha", [False, True])
def test_sixteen_bits_of_a_colour_tiff_keep_their_tones(tmp_path: Path, alpha: bool) -> None:
    """As editors export it for print."""
    channels = 4 if alpha else 3
    opaque = (0xFFFF,) if alpha else ()
    pixels = b"".join(
        struct.pack(f"<{channels}H", tone, tone // 2, 0, *opaque) * (SIDE // 4) for tone in TONES
    )
    pixels *= SIDE
    entries = grey(
        width=SIDE, length=SIDE, rows=SIDE, samples=channels, photometric=2, counts=len(pixels)
    )
    entries[258] = struct.pack(f"<{channels}H", *(16,) * channels)
    if alpha:
        entries[338] = struct.pack("<H", 2)  # unassociated
    _, seen = columns(tmp_path, tiff(entries, pixels))
    for tone, colour in zip(SHOWN, seen, strict=True):
        assert (tone, tone // 2, 0) == pytest.approx(colour, abs=8)


def test_ten_bits_of_a_heic_keep_their_tones(tmp_path: Path) -> None:
    """A HEIC of more than 8 bits is brought to 8, not to white."""
    deep = Image.new("I;16", (SIDE, SIDE))
    for n, tone in enumerate(TONES):
        deep.paste(tone, (n * SIDE // 4, 0, (n + 1) * SIDE // 4, SIDE))
    data = pictures.encoded(deep, "HEIF", quality=90)
    with Image.open(io.BytesIO(data)) as image:
        assert image.info["bit_depth"] > 8
    _, seen = columns(tmp_path, data)
    for tone, colour in zip(SHOWN, seen, strict=True):
        assert (tone,) * 3 == pytest.approx(colour, abs=4)


@pytest.mark.parametrize("image_format", ["PNG", "GIF", "WEBP"])
def test_what_is_hidden_stays_hidden(tmp_path: Path, image_format: str) -> None:
    """One colour of a palette, or one value of grey, is transparent: white is what is seen."""
    image = Image.new("P", (SIDE, SIDE), 0)
    image.putpalette([200, 0, 0, 0, 200, 0, 0, 0, 200, 90, 90, 90])
    for n in range(4):
        image.paste(n, (n * SIDE // 4, 0, (n + 1) * SIDE // 4, SIDE))
    if image_format == "WEBP":
        image.info["transparency"] = 1
        data = pictures.encoded(image.convert("RGBA"), "WEBP", lossless=True)
    else:
        data = pictures.encoded(image, image_format, transparency=1)
    changes, seen = columns(tmp_path, data)
    assert "transparency on white" in changes
    expected = ((200, 0, 0), (255, 255, 255), (0, 0, 200), (90, 90, 90))
    for wanted, colour in zip(expected, seen, strict=True):
        assert wanted == pytest.approx(colour, abs=10)


def test_black_and_white_scales_to_grey(tmp_path: Path) -> None:
    """A scan of one bit a pixel is shrunk to smooth grey, not to jagged black."""
    checks = Image.new("1", (4 * 720, 4 * 720))
    for x in range(0, checks.width, 3):
        checks.paste(1, (x, 0, x + 1, checks.height))
    source, target = tmp_path / "source", tmp_path / "target.jpg"
    source.write_bytes(pictures.encoded(checks, "TIFF", compression="group4"))
    prepare_image(source, target, ImageOptions())
    with Image.open(target) as image:
        tones = image.convert("L").histogram()
    assert sum(tones[64:192]) > 1000
