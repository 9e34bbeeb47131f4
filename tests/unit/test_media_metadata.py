"""What is published shows the picture, and tells nothing else: not where, when, or with what."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from mediawatch.media.image import ImageOptions, Prepared, prepare_image
from tests.support import metadata, pictures

OPTIONS = ImageOptions()
FILES = metadata.files()
#: JPEGs that fit as they are: nothing of the picture itself may change.
LOSSLESS = [name for name in FILES if name.startswith("JPEG") and "shrunk" not in name]


def prepare(tmp_path: Path, data: bytes, options: ImageOptions = OPTIONS) -> tuple[Prepared, bytes]:
    source, target = tmp_path / "source", tmp_path / "target.jpg"
    source.write_bytes(data)
    return prepare_image(source, target, options), target.read_bytes()


@pytest.mark.parametrize("name", FILES)
def test_nothing_private_is_published(tmp_path: Path, name: str) -> None:
    """Every kind of metadata of every format is gone, also what trails behind the picture."""
    assert metadata.SECRET in FILES[name]
    prepared, written = prepare(tmp_path, FILES[name])
    pictures.require_publishable(written)
    for private in (metadata.SECRET, b"Exif", b"xmpmeta", b"Photoshop", b"8BIM", b"MPF\0", b"PK\3"):
        assert private not in written
    with Image.open(io.BytesIO(written)) as image:
        assert {} == dict(image.getexif())
        assert set(image.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
    if name in LOSSLESS:
        assert ("metadata removed",) == prepared.changes


@pytest.mark.parametrize("name", LOSSLESS)
def test_a_fitting_jpeg_keeps_every_pixel(tmp_path: Path, name: str) -> None:
    """Metadata goes without a second lossy generation: the coded picture is the very same."""
    _, written = prepare(tmp_path, FILES[name])
    data = FILES[name]
    with Image.open(io.BytesIO(data)) as before, Image.open(io.BytesIO(written)) as after:
        assert before.tobytes() == after.tobytes()
    tables = written.index(b"\xff\xdb")
    assert written[tables:] in data


def test_metadata_stays_if_asked(tmp_path: Path) -> None:
    """With keep_metadata a fitting file is published with every byte it has."""
    data = pictures.phone_jpeg(1200, 900, orientation=1)
    prepared, written = prepare(tmp_path, data, replace(OPTIONS, keep_metadata=True))
    assert data == written
    assert prepared.changes == ()


def test_kept_metadata_does_not_turn_the_picture_twice(tmp_path: Path) -> None:
    """Where pixels were turned upright, the orientation is reset and the rest kept."""
    options = replace(OPTIONS, keep_metadata=True)
    prepared, written = prepare(tmp_path, pictures.phone_jpeg(), options)
    assert "metadata removed" not in prepared.changes
    with Image.open(io.BytesIO(written)) as image:
        exif = image.getexif()
        assert 0x0112 not in exif
        assert exif[0x010E] == "a secret description"
        assert exif.get_ifd(0x8825)[1] == "N"
        assert "comment" not in image.info


@pytest.mark.parametrize("image_format", ["PNG", "WEBP", "HEIF", "AVIF"])
def test_exif_of_every_format_is_kept_if_asked(tmp_path: Path, image_format: str) -> None:
    """With keep_metadata a converted picture keeps its Exif data, whatever it was."""
    data = pictures.encoded(pictures.photo(400, 300), image_format, exif=pictures.phone_exif(1))
    _, written = prepare(tmp_path, data, replace(OPTIONS, keep_metadata=True))
    with Image.open(io.BytesIO(written)) as image:
        assert image.getexif().get(0x010E) == "a secret description"


def test_a_phone_picture_comes_out_upright_and_private(tmp_path: Path) -> None:
    """Orientation 6 with GPS: turned once, and nothing private is left."""
    prepared, written = prepare(tmp_path, pictures.phone_jpeg(1600, 1280))
    assert pictures.require_publishable(written) == (1280, 1600)
    assert prepared.changes == ("turned upright", "metadata removed")
    with Image.open(io.BytesIO(written)) as image:
        assert (254, 0, 0) == pytest.approx(image.getpixel((640, 64)), abs=12)
    for secret in (pictures.COMMENT, b"secret", b"Exif", b"GPS", b"xmpmeta"):
        assert secret not in written
