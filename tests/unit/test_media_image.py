"""From any picture to a JPEG that Instagram takes."""

from __future__ import annotations

import hashlib
import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from mediawatch.errors import Rejected, SourceProblem, StorageProblem
from mediawatch.media.canvas import encode
from mediawatch.media.image import ImageOptions, Prepared, prepare_image
from mediawatch.media.order import Moving
from mediawatch.media.probe import Sniffed, sniff
from tests.support import pictures

OPTIONS = ImageOptions()


def prepare(
    tmp_path: Path, data: bytes, options: ImageOptions = OPTIONS, name: str = "photo.jpg"
) -> tuple[Prepared, bytes]:
    source, target = tmp_path / name, tmp_path / "out" / "prepared.jpg"
    source.write_bytes(data)
    target.parent.mkdir(exist_ok=True)
    prepared = prepare_image(source, target, options)
    assert [target] == list(target.parent.iterdir())
    assert data == source.read_bytes()
    written = target.read_bytes()
    assert prepared.sha256 == hashlib.sha256(written).hexdigest()
    assert prepared.size == len(written)
    with Image.open(io.BytesIO(written)) as image:
        assert (prepared.width, prepared.height) == image.size
    return prepared, written


def pixel(data: bytes, x: float, y: float) -> tuple[int, ...]:
    """The colour at a place given as shares of width and height."""
    with Image.open(io.BytesIO(data)) as image:
        value = image.convert("RGB").getpixel(
            (
                min(image.width - 1, int(x * image.width)),
                min(image.height - 1, int(y * image.height)),
            )
        )
    assert isinstance(value, tuple)
    return value


def near(expected: tuple[int, int, int], actual: tuple[int, ...], distance: int = 12) -> bool:
    return all(abs(a - b) <= distance for a, b in zip(expected, actual, strict=True))


def test_a_fitting_jpeg_passes_byte_for_byte(tmp_path: Path) -> None:
    """No second lossy generation for a picture that is right as it is."""
    data = pictures.jpeg()
    prepared, written = prepare(tmp_path, data)
    assert data == written
    assert Prepared(prepared.sha256, len(data), 1200, 900, "image/jpeg", changes=()) == prepared


def test_a_large_jpeg_is_shrunk(tmp_path: Path) -> None:
    """Twelve megapixels become 1440 across."""
    prepared, written = prepare(tmp_path, pictures.jpeg(4032, 3024))
    assert pictures.require_publishable(written) == (1440, 1080)
    assert prepared.changes == ("4032x3024 to 1440x1080",)


@pytest.mark.parametrize(
    ("data", "change"),
    [
        (pictures.encoded(pictures.photo(), "PNG"), "PNG to JPEG"),
        (pictures.encoded(pictures.photo(), "WEBP"), "WebP to JPEG"),
        (pictures.encoded(pictures.photo(), "GIF"), "GIF to JPEG"),
        (pictures.encoded(pictures.photo(), "BMP"), "BMP to JPEG"),
        (pictures.encoded(pictures.photo(), "TIFF", compression="tiff_lzw"), "TIFF to JPEG"),
        (pictures.encoded(pictures.photo(), "AVIF", speed=10), "AVIF to JPEG"),
        (pictures.heic(), "HEIC to JPEG"),
        (pictures.mpo(), "MPO to JPEG"),
        (pictures.animation("GIF", 1), "GIF to JPEG"),
    ],
)
def test_every_still_format_becomes_a_jpeg(tmp_path: Path, data: bytes, change: str) -> None:
    """Only JPEG is published, so that all else is converted; the content decides, not the name."""
    prepared, written = prepare(tmp_path, data, name="photo.jpg")
    pictures.require_publishable(written)
    assert change in prepared.changes


def test_blur_pads_with_the_picture_itself(tmp_path: Path) -> None:
    """A panorama keeps all it shows; above and below lies its own blurred middle."""
    picture = Image.new("RGB", (1500, 400), "blue")
    prepared, written = prepare(tmp_path, pictures.encoded(picture, "JPEG"))
    assert pictures.require_publishable(written) == (1440, 754)
    assert prepared.changes == ("1500x400 to 1440x384", "padded to 1.91:1")
    assert near((0, 0, 254), pixel(written, 0.5, 0.02))


def test_pad_uses_the_colour(tmp_path: Path) -> None:
    """With fit = "pad" the border has the colour that was chosen."""
    options = replace(OPTIONS, fit="pad", pad_color="#00ff00")
    prepared, written = prepare(tmp_path, pictures.jpeg(600, 1200), options)
    assert pictures.require_publishable(written) == (960, 1200)
    assert prepared.changes == ("padded to 4:5",)
    assert near((0, 255, 0), pixel(written, 0.03, 0.5))
    assert not near((0, 255, 0), pixel(written, 0.5, 0.5), 60)


def test_crop_keeps_the_middle(tmp_path: Path) -> None:
    """With fit = "crop" the edges go, not the subject."""
    picture = Image.new("RGB", (1500, 400), "blue")
    picture.paste("red", (600, 0, 900, 400))
    options = replace(OPTIONS, fit="crop")
    prepared, written = prepare(tmp_path, pictures.encoded(picture, "PNG"), options)
    assert pictures.require_publishable(written) == (764, 400)
    assert prepared.changes == ("PNG to JPEG", "cropped to 1.91:1")
    assert near((254, 0, 0), pixel(written, 0.5, 0.5))
    assert near((0, 0, 254), pixel(written, 0.02, 0.5))


def test_small_pictures_grow_to_320_and_no_further(tmp_path: Path) -> None:
    """Instagram's minimum, not its maximum: enlarged pixels add nothing."""
    prepared, written = prepare(tmp_path, pictures.jpeg(200, 150))
    assert pictures.require_publishable(written) == (320, 240)
    assert prepared.changes == ("200x150 to 320x240",)


def test_transparency_lies_on_white(tmp_path: Path) -> None:
    """Hidden pixels (green here) must not come to light."""
    prepared, written = prepare(tmp_path, pictures.see_through_png())
    assert prepared.changes == ("PNG to JPEG", "transparency on white")
    assert near((255, 255, 255), pixel(written, 0.75, 0.5))


@pytest.mark.parametrize(
    ("data", "change"),
    [
        (pictures.palette_png(), "transparency on white"),
        (pictures.encoded(pictures.photo().convert("LA"), "PNG"), "PNG to JPEG"),
        (pictures.encoded(pictures.photo().convert("1"), "PNG"), "PNG to JPEG"),
        (pictures.encoded(pictures.photo().convert("CMYK"), "JPEG"), "CMYK to sRGB"),
        (pictures.encoded(pictures.photo().convert("LAB"), "TIFF"), "LAB to sRGB"),
        (pictures.jpeg(icc_profile=pictures.swapped_profile()), "BGRs built-in to sRGB"),
    ],
)
def test_every_pixel_mode_becomes_srgb(tmp_path: Path, data: bytes, change: str) -> None:
    """Palette, grey, bilevel, CMYK, LAB and foreign profiles all end as baseline sRGB."""
    prepared, written = prepare(tmp_path, data)
    pictures.require_publishable(written)
    assert change in prepared.changes


def test_a_profile_changes_colours_and_is_obeyed(tmp_path: Path) -> None:
    """With red and blue exchanged in the profile, a red picture is published blue."""
    red = Image.new("RGB", (400, 400), (255, 0, 0))
    data = pictures.encoded(red, "PNG", icc_profile=pictures.swapped_profile())
    _, written = prepare(tmp_path, data)
    assert near((0, 0, 255), pixel(written, 0.5, 0.5), 20)


@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_a_profile_that_is_broken_or_foreign_is_ignored(tmp_path: Path, mode: str) -> None:
    """Garbage, or an RGB profile on a grey picture: the pixels count as sRGB."""
    profile = b"\1" * 3000 if mode == "RGB" else pictures.swapped_profile()
    data = pictures.encoded(Image.new(mode, (400, 400), "white"), "JPEG", icc_profile=profile)
    prepared, written = prepare(tmp_path, data)
    assert not any("sRGB" in change for change in prepared.changes)
    assert near((255, 255, 255), pixel(written, 0.5, 0.5), 2)


@pytest.mark.parametrize("image_format", ["PNG", "TIFF"])
def test_deep_grey_keeps_its_tones(tmp_path: Path, image_format: str) -> None:
    """16-bit grey is scaled; plain conversion would turn nearly all of it white."""
    data = pictures.encoded(pictures.deep_grey(), image_format)
    prepared, written = prepare(tmp_path, data)
    assert "16-bit grey to 8 bits" in prepared.changes
    assert near((128, 128, 128), pixel(written, 0.5, 0.5))
    assert {0, 255} == {round(pixel(written, x, 0.5)[0] / 255) * 255 for x in (0.01, 0.99)}


def test_floating_point_pixels_are_refused(tmp_path: Path) -> None:
    """Nobody can tell where the white of a scientific picture is."""
    data = pictures.encoded(pictures.photo(400, 300).convert("F"), "TIFF")
    with pytest.raises(Rejected, match="floating-point") as caught:
        prepare(tmp_path, data)
    assert caught.value.code == "unsupported"


@pytest.mark.parametrize("image_format", ["GIF", "WEBP", "PNG"])
def test_animations_go_on_or_give_their_first_frame(tmp_path: Path, image_format: str) -> None:
    """auto, video: handed on to those who make videos. still: the first frame."""
    data = pictures.animation(image_format)
    with pytest.raises(Moving):
        prepare(tmp_path, data)
    with pytest.raises(Moving):
        prepare(tmp_path, data, replace(OPTIONS, gif="video"))
    prepared, written = prepare(tmp_path, data, replace(OPTIONS, gif="still"))
    assert prepared.changes[0] == "first frame only"
    assert pictures.require_publishable(written) == (400, 300)


@pytest.mark.parametrize(
    ("width", "options"),
    [(1441, {}), (319, {}), (1200, {"max_width": 1080})],
)
def test_a_jpeg_of_another_width_is_encoded_again(
    tmp_path: Path, width: int, options: dict[str, Any]
) -> None:
    """Passing through is for widths from 320 to the chosen maximum."""
    _, written = prepare(tmp_path, pictures.jpeg(width, width), replace(OPTIONS, **options))
    pictures.require_publishable(written)
    assert len(written) != len(pictures.jpeg(width, width))


def test_quality_falls_until_the_file_is_small_enough() -> None:
    """The net below the first try: steps of five, then an honest refusal."""
    noise = Image.effect_noise((300, 300), 90).convert("RGB")
    at_90, at_80 = (len(encode(noise, quality, 10**9)[0]) for quality in (90, 80))
    data, quality = encode(noise, 90, at_80 + 1)
    assert (80, at_80) == (quality, len(data))
    assert at_80 < at_90
    with pytest.raises(Rejected) as caught:
        encode(noise, 90, 100)
    assert caught.value.code == "too-big"


@pytest.mark.parametrize(
    ("code", "options"),
    [("too-big", {"max_bytes": 1000}), ("too-many-pixels", {"max_pixels": 1_000_000})],
)
def test_the_settings_bound_the_original(
    tmp_path: Path, code: str, options: dict[str, Any]
) -> None:
    """max_bytes and max_pixels are obeyed before anything is decoded."""
    with pytest.raises(Rejected) as caught:
        prepare(tmp_path, pictures.jpeg(), replace(OPTIONS, **options))
    assert caught.value.code == code


def test_a_missing_original_is_a_source_problem(tmp_path: Path) -> None:
    """The original was moved away: a person is told, nothing is published."""
    with pytest.raises(SourceProblem, match=r"gone\.jpg"):
        prepare_image(tmp_path / "gone.jpg", tmp_path / "out.jpg", OPTIONS)


def test_a_file_that_changes_meanwhile_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A verdict on a file that was still growing would be about another file."""
    source = tmp_path / "photo.jpg"
    source.write_bytes(pictures.truncated(pictures.jpeg()))

    def grow(head: bytes) -> Sniffed:
        with source.open("ab") as file:
            file.write(b"more")
        return sniff(head)

    monkeypatch.setattr("mediawatch.media.image.sniff", grow)
    with pytest.raises(SourceProblem) as caught:
        prepare_image(source, tmp_path / "out.jpg", OPTIONS)
    assert (caught.value.code, caught.value.handling) == ("source-changed", "retry")


def test_a_target_that_cannot_be_written_is_a_storage_problem(tmp_path: Path) -> None:
    """Our own disk, not the file, is to blame; nothing half-written is left."""
    source = tmp_path / "photo.jpg"
    source.write_bytes(pictures.jpeg())
    with pytest.raises(StorageProblem, match="write the prepared picture"):
        prepare_image(source, tmp_path / "no such folder" / "out.jpg", OPTIONS)
    (tmp_path / "taken").mkdir()
    with pytest.raises(StorageProblem):
        prepare_image(source, tmp_path / "taken", OPTIONS)
    assert {source, tmp_path / "taken"} == set(tmp_path.iterdir())
