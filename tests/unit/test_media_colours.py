"""Colours are those of the original, told in sRGB: judged by the book, not by our colour engine."""

from __future__ import annotations

import io
import statistics
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from mediawatch.media import coded, profiles
from mediawatch.media.image import ImageOptions, prepare_image
from tests.support import colours, icc, pictures

#: CIEDE2000; what is left is rounding to 8 bits, twice, and the JPEG.
MEAN, WORST = 0.5, 2.0
#: In sRGB, so that nothing needs to be cut: all over the cube.
SRGB8 = [(r, g, b) for r in (0, 90, 170, 255) for g in (0, 90, 170, 255) for b in (0, 120, 255)]
PATCH, ACROSS, DOWN = 80, 8, 6

Colour = tuple[int, ...]


def patches(mode: str, values: Sequence[Any]) -> Image.Image:
    """The colours as squares, over and over until the picture is full."""
    image = Image.new(mode, (PATCH * ACROSS, PATCH * DOWN))
    for number in range(ACROSS * DOWN):
        left, top = number % ACROSS * PATCH, number // ACROSS * PATCH
        image.paste(values[number % len(values)], (left, top, left + PATCH, top + PATCH))
    return image


def published(tmp_path: Path, data: bytes) -> tuple[tuple[str, ...], list[Colour]]:
    """What was changed, and the colour in the middle of each patch."""
    source, target = tmp_path / "source", tmp_path / "target.jpg"
    source.write_bytes(data)
    changes = prepare_image(source, target, ImageOptions(quality=95)).changes
    with Image.open(target) as image:
        seen = [
            image.getpixel((x + PATCH // 2, y + PATCH // 2))
            for y in range(0, image.height, PATCH)
            for x in range(0, image.width, PATCH)
        ]
    return changes, [colour for colour in seen if isinstance(colour, tuple)]


def distances(expected: list[Colour], seen: list[Colour]) -> list[float]:
    return [colours.distance(one, other) for one, other in zip(expected, seen, strict=False)]


def gamma(exponent: float) -> tuple[Callable[[float], float], Callable[[float], float]]:
    return lambda value: value**exponent, lambda value: max(0.0, value) ** (1 / exponent)


SRGB_CURVE = (colours.srgb_to_linear, colours.linear_to_srgb)
#: Name -> profile, chromaticities, its curve and the inverse of that.
SPACES: dict[str, tuple[bytes, colours.Space, Any]] = {
    "Display P3": (
        icc.rgb("Display P3", icc.DISPLAY_P3, None), colours.DISPLAY_P3, SRGB_CURVE,
    ),
    "Adobe RGB (1998)": (
        icc.rgb("Adobe RGB (1998)", icc.ADOBE_RGB, 563 / 256), colours.ADOBE_RGB, gamma(563 / 256),
    ),
    "ProPhoto RGB": (
        icc.rgb("ProPhoto RGB", icc.PROPHOTO, 1.8), colours.PROPHOTO, gamma(461 / 256),
    ),
}  # fmt: skip
FORMATS: dict[str, dict[str, Any]] = {
    "JPEG": {"quality": 98, "subsampling": "4:4:4"},
    "PNG": {},
    "WEBP": {"lossless": True},
    "TIFF": {"compression": "tiff_lzw"},
    "AVIF": {"quality": 95, "speed": 9, "subsampling": "4:4:4"},
    "HEIF": {"quality": 95, "chroma": 444, "enc_params": {"preset": "ultrafast"}},
}


def in_space(name: str) -> tuple[list[Colour], list[Colour]]:
    """The numbers of the patches in a space, and those that sRGB has for the same colours."""
    _, space, (decode, encode) = SPACES[name]
    own: list[Colour] = []
    expected: list[Colour] = []
    for colour in SRGB8:
        r, g, b = (colours.srgb_to_linear(value / 255) for value in colour)
        linear = colours.xyz_linear(space, colours.linear_xyz(colours.SRGB, (r, g, b)))
        numbers = tuple(round(255 * encode(value)) for value in linear)
        r, g, b = (decode(number / 255) for number in numbers)
        own.append(numbers)
        expected.append(colours.xyz_to_srgb8(colours.linear_xyz(space, (r, g, b))))
    return own, expected


@pytest.mark.parametrize("name", SPACES)
@pytest.mark.parametrize("image_format", FORMATS)
def test_wide_colours_look_the_same_in_srgb(tmp_path: Path, name: str, image_format: str) -> None:
    """Each wide space in each format: no patch is visibly off, the change is told by its name,
    and without the profile the colours would have been wrong by far."""
    own, expected = in_space(name)
    data = pictures.encoded(
        patches("RGB", own), image_format, icc_profile=SPACES[name][0], **FORMATS[image_format]
    )
    changes, seen = published(tmp_path, data)
    assert f"{name} to sRGB" in changes
    off = distances(expected, seen)
    assert statistics.mean(off) < MEAN
    assert max(off) < WORST
    assert max(distances(expected, own)) > 2 * WORST


def inks(c: int, m: int, y: int, k: int) -> colours.Triple:
    """A press: L*a*b* of paper, inks and what they make together."""
    colour = {
        (0, 0, 0): (100, 0, 0), (1, 0, 0): (58, -28, -36), (0, 1, 0): (52, 58, -4),
        (0, 0, 1): (88, -6, 70), (1, 1, 0): (30, 16, -36), (1, 0, 1): (52, -46, 26),
        (0, 1, 1): (50, 52, 38), (1, 1, 1): (24, 0, 0),
    }[c, m, y]  # fmt: skip
    lightness, a, b = colour
    return (0, 0, 0) if k else (lightness, a, b)


def test_cmyk_is_printed_as_its_profile_says(tmp_path: Path) -> None:
    """Every solid of the press comes out as that press prints it, not as arithmetic guesses."""
    on = [(n >> 2 & 1, n >> 1 & 1, n & 1) for n in range(8)]
    own = [(255 * c, 255 * m, 255 * y, k) for k in (0, 255) for c, m, y in on]
    expected = [
        colours.xyz_to_srgb8(colours.lab_to_xyz(inks(c, m, y, k))) for k in (0, 1) for c, m, y in on
    ]
    profile = icc.cmyk("Test press, coated", inks)
    changes, seen = published(
        tmp_path,
        pictures.encoded(patches("CMYK", own), "JPEG", quality=98, icc_profile=profile),
    )
    assert "Test press, coated to sRGB" in changes
    assert max(distances(expected, seen)) < WORST


def test_cmyk_without_a_profile_is_not_turned_inside_out(tmp_path: Path) -> None:
    """Adobe writes CMYK inverted: paper stays white, and inks subtract by plain arithmetic."""
    own = [
        (0, 0, 0, 0), (255, 0, 0, 0), (0, 255, 0, 0), (0, 0, 255, 0),
        (0, 0, 0, 255), (255, 255, 0, 0), (0, 0, 0, 128), (128, 0, 0, 0),
    ]  # fmt: skip
    expected = [tuple((255 - ink) * (255 - k) // 255 for ink in (c, m, y)) for c, m, y, k in own]
    data = pictures.encoded(patches("CMYK", own), "JPEG", quality=98)
    assert b"Adobe" in data
    changes, seen = published(tmp_path, data)
    assert "CMYK to sRGB" in changes
    assert max(distances(expected, seen)) < WORST


def test_lab_is_taken_at_its_word(tmp_path: Path) -> None:
    """L*a*b* pixels of a TIFF name colours by themselves."""
    labs = [
        (light, a, b) for light in (30, 45, 60, 75) for a in (-20, -7, 7, 20) for b in (-20, 20)
    ]
    bands = [(round(light * 2.55), a + 128, b + 128) for light, a, b in labs]
    expected = [colours.xyz_to_srgb8(colours.lab_to_xyz((n[0] / 2.55, a, b)))
                for n, (_, a, b) in zip(bands, labs, strict=True)]  # fmt: skip
    channels = [patches("L", [band[n] for band in bands]) for n in range(3)]
    image = Image.merge("LAB", channels)
    changes, seen = published(tmp_path, pictures.encoded(image, "TIFF"))
    assert "LAB to sRGB" in changes
    assert max(distances(expected, seen)) < WORST


def test_grey_with_a_curve_of_its_own_is_brought_to_srgb(tmp_path: Path) -> None:
    """Grey of gamma 1.8 is lighter than its numbers look in sRGB."""
    values = list(range(16, 256, 15))
    expected = [
        (round(255 * colours.linear_to_srgb((v / 255) ** (461 / 256))),) * 3 for v in values
    ]
    data = pictures.encoded(
        patches("L", values),
        "PNG",
        icc_profile=icc.grey("Gray Gamma 1.8", 1.8),
    )
    changes, seen = published(tmp_path, data)
    assert "Gray Gamma 1.8 to sRGB" in changes
    assert max(distances(expected, seen)) < WORST


@pytest.mark.parametrize("name", ["c2", "sRGB IEC61966-2.1", "unnamed"])
def test_a_profile_that_is_srgb_under_any_name_costs_no_quality(tmp_path: Path, name: str) -> None:
    """Small sRGB profiles have odd names: a fitting JPEG still keeps its pixels."""
    profile = icc.rgb(name, icc.SRGB, None)
    data = pictures.jpeg(icc_profile=profile)
    (tmp_path / "a.jpg").write_bytes(data)
    prepared = prepare_image(tmp_path / "a.jpg", tmp_path / "b.jpg", ImageOptions())
    assert ("metadata removed",) == prepared.changes
    with Image.open(io.BytesIO(data)) as before, Image.open(tmp_path / "b.jpg") as after:
        assert before.tobytes() == after.tobytes()


def test_the_name_proves_nothing() -> None:
    """Linear light calls itself sRGB in half of the profile collections: it is tried out."""
    assert not profiles.is_srgb(icc.rgb("Linear sRGB", icc.SRGB, 1.0), "RGB")
    assert not profiles.is_srgb(icc.rgb("sRGB, perhaps", icc.ADOBE_RGB, 2.2), "RGB")
    assert profiles.is_srgb(pictures.srgb_profile(), "RGB")
    assert profiles.is_srgb(b"\1" * 3000, "RGB")
    assert profiles.is_srgb(icc.rgb("P3", icc.DISPLAY_P3, None), "L")  # for another mode: none


def test_a_name_is_printable_and_short(tmp_path: Path) -> None:
    """A profile is a stranger's text, and lands on a terminal: no escapes, no novel."""
    name = "\x1b[31mRed\r\n  alert " + "x" * 300
    data = pictures.encoded(
        patches("RGB", SRGB8), "PNG", icc_profile=icc.rgb(name, icc.DISPLAY_P3, None)
    )
    changes, _ = published(tmp_path, data)
    (told,) = [change for change in changes if change.endswith("to sRGB")]
    assert told.startswith("[31mRed alert xxx")
    assert told.isprintable()
    assert len(told) < 60


def test_the_yardstick_is_right() -> None:
    """Pairs of the paper by Sharma, Wu and Dalal; and Display P3's red by CSS Color 4."""
    pairs = [
        ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
        ((50, -1.3802, -84.2814), (50, 0, -82.7485), 1.0),
        ((50, 2.49, -0.001), (50, -2.49, 0.0011), 7.2195),
        ((50, 2.5, 0), (73, 25, -18), 27.1492),
        ((90.8027, -2.0831, 1.441), (91.1528, -1.6435, 0.0447), 1.4441),
        ((2.0776, 0.0795, -1.135), (0.9033, -0.0636, -0.5514), 0.9082),
    ]
    for one, other, expected in pairs:
        assert expected == pytest.approx(colours.ciede2000(one, other), abs=1e-4)
    red = colours.xyz_linear(colours.SRGB, colours.linear_xyz(colours.DISPLAY_P3, (1.0, 0.0, 0.0)))
    assert (1.2249, -0.0420, -0.0197) == pytest.approx(red, abs=2e-4)


def with_numbers(data: bytes, primaries: int, transfer: int) -> bytes:
    """A HEIC or AVIF whose nclx colour box says so (ISO/IEC 14496-12, 12.1.5)."""
    at = data.index(b"colrnclx") + 8
    return data[:at] + primaries.to_bytes(2, "big") + transfer.to_bytes(2, "big") + data[at + 4 :]


@pytest.mark.parametrize("image_format", ["HEIF", "AVIF"])
def test_colours_told_by_numbers_look_the_same_in_srgb(tmp_path: Path, image_format: str) -> None:
    """HEIC and AVIF may name Display P3 without a profile: code points 12 and 13 of H.273."""
    own, expected = in_space("Display P3")
    data = pictures.encoded(patches("RGB", own), image_format, **FORMATS[image_format])
    changes, seen = published(tmp_path, with_numbers(data, 12, 13))
    assert "Display P3 to sRGB" in changes
    assert max(distances(expected, seen)) < WORST
    changes, seen = published(tmp_path, with_numbers(data, 1, 13))
    assert not any("sRGB" in change for change in changes)
    assert max(distances(own, seen)) < WORST


def pq(light: float) -> int:
    """8 bits of SMPTE ST 2084 for so many cd/m2."""
    power = (light / 10_000) ** 0.1593017578125
    return round(255 * ((0.8359375 + 18.8515625 * power) / (1 + 18.6875 * power)) ** 78.84375)


def test_high_dynamic_range_is_reduced_to_what_sdr_shows(tmp_path: Path) -> None:
    """PQ: what is below paper white (203 cd/m2, BT.2408) looks as it would in SDR, what is above
    it keeps its order without being cut."""
    lights = [2.0, 8.0, 20.0, 50.0, 90.0, 140.0, 203.0, 400.0]
    own = [(pq(light),) * 3 for light in lights]
    data = pictures.encoded(patches("RGB", own), "AVIF", **FORMATS["AVIF"])
    changes, seen = published(tmp_path, with_numbers(data, 9, 16))
    assert "BT.2020 PQ (HDR) to sRGB" in changes
    grey = [colour[0] for colour in seen[: len(lights)]]
    for light, value in zip(lights[:6], grey, strict=False):
        assert 255 * colours.linear_to_srgb(light / 203) == pytest.approx(value, abs=6)
    assert 225 < grey[-2] < grey[-1] <= 255


def test_of_a_burst_the_main_picture_counts(tmp_path: Path) -> None:
    """Further pictures in a HEIC are left out, and told; colours are those of the main one."""
    own, expected = in_space("Display P3")
    image = patches("RGB", own)
    options = {"append_images": [image.resize((80, 60))], "save_all": True, **FORMATS["HEIF"]}
    data = pictures.encoded(image, "HEIF", icc_profile=SPACES["Display P3"][0], **options)
    changes, seen = published(tmp_path, data)
    assert {"Display P3 to sRGB", "main picture only"} <= set(changes)
    assert max(distances(expected, seen)) < WORST


def test_bt_2020_colorants_are_those_of_its_chromaticities() -> None:
    """The numbers in the code against CSS Color 4: one red, in linear light."""
    xyz = colours.linear_xyz(colours.BT2020, (1.0, 0.0, 0.0))
    told = coded._PRIMARIES[9][1][0]
    assert colours.adapted(xyz, colours.D65, colours.D50) == pytest.approx(told, abs=5e-4)
