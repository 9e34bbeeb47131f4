"""What is outside 4:5 to 1.91:1 is fitted as its owner wants it: judged by the pixels."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from mediawatch.errors import Rejected
from mediawatch.media.framing import Fit
from mediawatch.media.image import ImageOptions, prepare_image
from tests.support import pictures

RED, GREEN, BLUE = (200, 30, 30), (30, 160, 30), (30, 30, 200)
OPTIONS = ImageOptions(pad_color="#102030")
WIDE, TALL = (1800, 600), (600, 1800)


def thirds(size: tuple[int, int]) -> bytes:
    """Red, green and blue along the longer side."""
    image = Image.new("RGB", size, GREEN)
    width, height = size
    if width > height:
        image.paste(RED, (0, 0, width // 3, height))
        image.paste(BLUE, (2 * width // 3, 0, width, height))
    else:
        image.paste(RED, (0, 0, width, height // 3))
        image.paste(BLUE, (0, 2 * height // 3, width, height))
    return pictures.encoded(image, "PNG")


def published(tmp_path: Path, size: tuple[int, int], fit: Fit) -> Image.Image:
    source, target = tmp_path / "source.png", tmp_path / "target.jpg"
    source.write_bytes(thirds(size))
    prepare_image(source, target, replace(OPTIONS, fit=fit))
    pictures.require_publishable(target.read_bytes())
    with Image.open(target) as image:
        return image.convert("RGB")


def at(image: Image.Image, along: float, across: float) -> Any:
    """The colour at shares of the longer and the shorter side of the original."""
    wide = image.width > image.height
    x, y = (along, across) if wide else (across, along)
    return image.getpixel((int(x * (image.width - 1)), int(y * (image.height - 1))))


@pytest.mark.parametrize(("size", "canvas"), [(WIDE, (1440, 754)), (TALL, (1440, 1800))])
def test_pad_keeps_all_of_it_between_bars_of_the_colour(
    tmp_path: Path, size: tuple[int, int], canvas: tuple[int, int]
) -> None:
    """Every part of the original is there; the bars have the chosen colour to the edge."""
    image = published(tmp_path, size, "pad")
    assert canvas == image.size
    for along, colour in ((0.05, RED), (0.5, GREEN), (0.95, BLUE)):
        assert colour == pytest.approx(at(image, along, 0.5), abs=12)
    for across in (0.01, 0.99):
        assert (0x10, 0x20, 0x30) == pytest.approx(at(image, 0.5, across), abs=4)


@pytest.mark.parametrize("size", [WIDE, TALL])
def test_blur_keeps_all_of_it_before_its_own_middle(tmp_path: Path, size: tuple[int, int]) -> None:
    """Every part is there; the bars are the middle of the picture, out of focus."""
    image = published(tmp_path, size, "blur")
    for along, colour in ((0.05, RED), (0.5, GREEN), (0.95, BLUE)):
        assert colour == pytest.approx(at(image, along, 0.5), abs=12)
    for across in (0.01, 0.99):
        assert GREEN == pytest.approx(at(image, 0.5, across), abs=12)
    bar = [at(image, n / 200, 0.01) for n in range(201)]
    steps = [
        max(abs(a - b) for a, b in zip(one, next_one, strict=True))
        for one, next_one in pairwise(bar)
    ]
    assert max(steps) < 40  # no edge: it is out of focus


@pytest.mark.parametrize(("size", "canvas"), [(WIDE, (1146, 600)), (TALL, (600, 750))])
def test_crop_keeps_the_middle_at_its_own_size(
    tmp_path: Path, size: tuple[int, int], canvas: tuple[int, int]
) -> None:
    """The same is cut off at both ends, and nothing is scaled that fits."""
    image = published(tmp_path, size, "crop")
    assert canvas == image.size
    assert GREEN == pytest.approx(at(image, 0.5, 0.5), abs=12)
    ends = at(image, 0.0, 0.5), at(image, 1.0, 0.5)
    for wanted, colour in zip((RED, BLUE), ends, strict=True):
        assert wanted == pytest.approx(colour, abs=12)


@pytest.mark.parametrize("size", [WIDE, TALL])
def test_reject_publishes_nothing(tmp_path: Path, size: tuple[int, int]) -> None:
    """Who wants no picture touched is told its shape."""
    with pytest.raises(Rejected, match=f"{size[0]}x{size[1]}") as caught:
        published(tmp_path, size, "reject")
    assert "aspect" == caught.value.code
    assert not (tmp_path / "target.jpg").exists()


@pytest.mark.parametrize("size", [(400, 400), (321, 400), (1000, 600), (1439, 1000)])
def test_nothing_is_enlarged(tmp_path: Path, size: tuple[int, int]) -> None:
    """A picture that is wide enough keeps its size; more pixels would show nothing more."""
    (tmp_path / "a.png").write_bytes(pictures.encoded(pictures.photo(*size), "PNG"))
    prepared = prepare_image(tmp_path / "a.png", tmp_path / "b.jpg", OPTIONS)
    assert size == (prepared.width, prepared.height)
