"""All eight ways a camera can be held, in every format that can tell: upright, and only once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from mediawatch.media.image import ImageOptions, prepare_image
from tests.support import pictures

#: The corners of the upright picture, clockwise from the top left.
CORNERS = ((200, 30, 30), (30, 160, 30), (30, 30, 200), (200, 180, 30))
SIZE = (500, 400)
#: What a camera does to the upright picture, so that the orientation of that number undoes it.
HELD = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
FORMATS: dict[str, dict[str, Any]] = {
    "JPEG": {"quality": 92},
    "PNG": {},
    "WEBP": {"quality": 90},
    "TIFF": {},
    "AVIF": {"speed": 10, "quality": 85},
    "HEIF": {"quality": 80, "enc_params": {"preset": "ultrafast"}},
}


def upright() -> Image.Image:
    image = Image.new("RGB", SIZE)
    width, height = SIZE[0] // 2, SIZE[1] // 2
    for corner, (x, y) in zip(CORNERS, ((0, 0), (1, 0), (1, 1), (0, 1)), strict=True):
        image.paste(corner, (x * width, y * height, (x + 1) * width, (y + 1) * height))
    return image


def held(orientation: int, image_format: str) -> bytes:
    """The picture as a camera in that position saves it."""
    image, turn = upright(), HELD[orientation]
    if turn is not None:
        image = image.transpose(turn)
    options = dict(FORMATS[image_format])
    if image_format == "TIFF":
        return pictures.encoded(image, image_format, tiffinfo={0x0112: orientation}, **options)
    exif = pictures.phone_exif(orientation).tobytes()
    return pictures.encoded(image, image_format, exif=exif, **options)


def corners(file: Path) -> list[Any]:
    with Image.open(file) as image:
        assert SIZE == image.size
        left, top = image.width // 8, image.height // 8
        right, bottom = image.width - left, image.height - top
        places = ((left, top), (right, top), (right, bottom), (left, bottom))
        return [image.getpixel(place) for place in places]


@pytest.mark.parametrize("orientation", HELD)
@pytest.mark.parametrize("image_format", FORMATS)
def test_every_format_is_turned_upright_exactly_once(
    tmp_path: Path, image_format: str, orientation: int
) -> None:
    """Some decoders turn by themselves, some leave it to us: none is turned twice or not at all,
    and the turn is told if there was one."""
    source, target = tmp_path / "source", tmp_path / "target.jpg"
    source.write_bytes(held(orientation, image_format))
    prepared = prepare_image(source, target, ImageOptions())
    for expected, seen in zip(CORNERS, corners(target), strict=True):
        assert expected == pytest.approx(seen, abs=14)
    assert (orientation != 1) == ("turned upright" in prepared.changes)


@pytest.mark.parametrize("image_format", ["JPEG", "HEIF"])
def test_a_picture_that_was_turned_can_be_prepared_again(tmp_path: Path, image_format: str) -> None:
    """Nothing in the result tells anyone to turn it once more, with or without its metadata."""
    first, second, third = tmp_path / "a", tmp_path / "b", tmp_path / "c"
    first.write_bytes(held(6, image_format))
    prepare_image(first, second, ImageOptions(keep_metadata=True))
    again = prepare_image(second, third, ImageOptions())
    assert "turned upright" not in again.changes
    for expected, seen in zip(CORNERS, corners(third), strict=True):
        assert expected == pytest.approx(seen, abs=14)


@pytest.mark.parametrize("told", [0, 9, 65535])
def test_an_orientation_that_does_not_exist_turns_nothing(tmp_path: Path, told: int) -> None:
    """Exif knows 1 to 8."""
    exif = Image.Exif()
    exif[0x0112] = told
    source, target = tmp_path / "source", tmp_path / "target.jpg"
    source.write_bytes(pictures.encoded(upright(), "PNG", exif=exif))
    prepared = prepare_image(source, target, ImageOptions())
    assert "turned upright" not in prepared.changes
    assert CORNERS[0] == pytest.approx(corners(target)[0], abs=14)


def test_garbage_exif_does_not_matter(tmp_path: Path) -> None:
    """Orientation that cannot be read counts as upright."""
    exif = b"Exif\0\0II*\0\xff\xff\xff\x7f" + bytes(range(256))
    source, target = tmp_path / "source", tmp_path / "target.jpg"
    source.write_bytes(pictures.jpeg(exif=exif))
    prepared = prepare_image(source, target, ImageOptions())
    assert prepared.changes == ("metadata removed",)
    pictures.require_publishable(target.read_bytes())


def test_exif_behind_the_pixels_is_read(tmp_path: Path) -> None:
    """A PNG may tell its orientation at the very end of the file."""
    plain = pictures.encoded(upright().transpose(Image.Transpose.ROTATE_90), "PNG")
    exif = pictures.phone_exif(6).tobytes().removeprefix(b"Exif\0\0")
    source, target = tmp_path / "source", tmp_path / "target.jpg"
    source.write_bytes(plain[:-12] + pictures.png_chunk(b"eXIf", exif) + plain[-12:])
    prepare_image(source, target, ImageOptions())
    assert CORNERS[0] == pytest.approx(corners(target)[0], abs=14)


def test_a_heic_that_only_claims_to_lie_is_left_as_it_is(tmp_path: Path) -> None:
    """In HEIC the turns in the file's own properties count; Exif is a mere remark."""
    exif = pictures.phone_exif(6)  # an object, from which the encoder takes no turn
    source, target = tmp_path / "source", tmp_path / "target.jpg"
    source.write_bytes(pictures.encoded(upright(), "HEIF", exif=exif, **FORMATS["HEIF"]))
    prepared = prepare_image(source, target, ImageOptions())
    assert "turned upright" not in prepared.changes
    assert CORNERS[0] == pytest.approx(corners(target)[0], abs=14)
