"""A mix of pictures as people drop them: the same bytes in every run, made anew each time.

No photograph is stored: scenes are noise of many sizes, the coarse ones strong and the fine ones
weak, which compresses and decodes as photographs do.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from PIL import Image

_SCENES = 3
_CANVAS = (4160, 3120)
#: Cells across the canvas and the weight of the layer.
_LAYERS = ((5, 0.5), (21, 0.45), (90, 0.3), (360, 0.2), (1040, 0.14), (2080, 0.1))
_GRAIN = 0.03


@dataclass(frozen=True, slots=True)
class Kind:
    """One sort of picture: ``share`` of every twenty, size in pixels."""

    name: str
    share: int
    size: tuple[int, int]
    suffix: str = "jpg"
    quality: int = 92
    phone: bool = False


KINDS = (
    Kind("phone-12mp", 6, (4032, 3024), phone=True),
    Kind("phone-8mp", 3, (3264, 2448), phone=True),
    Kind("phone-2mp", 3, (1632, 1224), phone=True),
    Kind("fits-already", 3, (1080, 1350), quality=85),
    Kind("web", 2, (1600, 1200), "webp", quality=82),
    Kind("drawing", 2, (1200, 1200), "png"),
    Kind("still", 1, (800, 600), "gif"),
)


def make_pictures(folder: Path, count: int) -> list[Path]:
    """Write ``count`` different pictures into ``folder``, on all cores."""
    folder.mkdir(parents=True)
    twenty = [kind for kind in KINDS for _ in range(kind.share)]
    random.Random(20).shuffle(twenty)
    kinds = [twenty[number % len(twenty)] for number in range(count)]
    # One after the other, each worker keeps to the scene that it has in memory.
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        made = pool.map(_make, [folder] * count, range(count), kinds, chunksize=8)
        return list(made)


def make_small_jpegs(folder: Path, count: int) -> list[Path]:
    """Small JPEGs that Instagram takes as they are, for the latency."""
    folder.mkdir(parents=True)
    small = Kind("small", 1, (640, 640), quality=85)
    return [_make(folder, 100_000 + number, small) for number in range(count)]


def mix() -> str:
    """The mix in words."""
    return ", ".join(
        f"{kind.share * 5} % {kind.name} {kind.size[0]}x{kind.size[1]} {kind.suffix}"
        for kind in KINDS
    )


def _make(folder: Path, number: int, kind: Kind) -> Path:
    rng = random.Random(number)
    path = folder / f"{number:06d}-{kind.name}.{kind.suffix}"
    image = picture(kind, rng)
    match kind.suffix:
        case "jpg":
            image.save(path, quality=kind.quality, exif=_exif(rng) if kind.phone else b"")
        case "webp":
            image.save(path, quality=kind.quality, method=2)
        case "png":
            # Half a drawing: few colours, hard edges, a see-through corner.
            drawing = image.quantize(48, method=Image.Quantize.FASTOCTREE).convert("RGBA")
            drawing.paste((0, 0, 0, 0), (0, 0, image.width // 3, image.height // 3))
            drawing.save(path)
        case "gif":
            image.quantize(256).save(path)
    return path


def picture(kind: Kind, rng: random.Random) -> Image.Image:
    """A scene of that size, with light and framing by ``rng``."""
    scene = _scene(rng.randrange(_SCENES))
    wide = kind.size if kind.size[0] >= kind.size[1] else kind.size[::-1]
    left = rng.randrange(scene.width - 4032)
    top = rng.randrange(scene.height - 3024)
    image = scene.resize(
        wide, Image.Resampling.BILINEAR, (left, top, left + 4032, top + 3024), reducing_gap=1.5
    )
    curves = [[min(255, int(value * gain)) for value in range(256)] for gain in _gains(rng)]
    image = image.point([value for curve in curves for value in curve])
    if rng.random() < 0.5:
        image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    return image if wide == kind.size else image.transpose(Image.Transpose.ROTATE_90)


def _gains(rng: random.Random) -> Iterator[float]:
    return (rng.uniform(0.8, 1.15) for _ in "RGB")


def _exif(rng: random.Random) -> bytes:
    exif = Image.Exif()
    exif[0x010F] = "A phone"
    exif[0x0112] = rng.choice((1, 6, 6))  # most people hold it upright
    exif.get_ifd(0x8825)[1] = "N"
    return exif.tobytes()


@lru_cache(_SCENES)
def _scene(number: int) -> Image.Image:
    rng = random.Random(-1 - number)
    brightness = Image.blend(_band(rng, _LAYERS), _noise(rng, _CANVAS[0]), _GRAIN)
    blue, red = (_band(rng, _LAYERS[:3]) for _ in range(2))
    return Image.merge("YCbCr", (brightness, blue, red)).convert("RGB")


def _band(rng: random.Random, layers: Sequence[tuple[int, float]]) -> Image.Image:
    band = Image.new("L", _CANVAS, 128)
    for cells, weight in layers:
        noise = _noise(rng, cells).resize(_CANVAS, Image.Resampling.BICUBIC)
        band = Image.blend(band, noise, weight)
    return band


def _noise(rng: random.Random, cells: int) -> Image.Image:
    rows = cells * _CANVAS[1] // _CANVAS[0]
    return Image.frombytes("L", (cells, rows), rng.randbytes(cells * rows))
