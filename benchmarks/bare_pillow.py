"""The peer for conversion: bare Pillow, a process a core, nothing checked, nothing durable."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from PIL import Image, ImageOps
from processes import Others

BOX = (1440, 1800)


def as_written(source: Path, target: Path) -> None:
    """As most people write it: everything is done on the whole picture."""
    with Image.open(source) as opened:
        image = ImageOps.exif_transpose(opened).convert("RGB")
    image.thumbnail(BOX)
    image.save(target, quality=90)


def shrunk_first(source: Path, target: Path) -> None:
    """As Pillow is fastest: a JPEG shrinks while it is decoded, the rest is done when small."""
    with Image.open(source) as image:
        image.thumbnail(BOX)
        ImageOps.exif_transpose(image).convert("RGB").save(target, quality=90)


WAYS = {"as written": as_written, "shrunk first": shrunk_first}


def convert_all(sources: Sequence[Path], target: Path, way: str) -> dict[str, Any]:
    """Convert them all into ``target``, on all cores; processes start before the clock does."""
    target.mkdir(parents=True)
    targets = [target / f"{source.name}.jpg" for source in sources]
    cores = os.cpu_count() or 1
    with ProcessPoolExecutor(cores) as pool:
        list(pool.map(_warm, range(cores * 4)))
        with Others() as others:
            started = time.perf_counter()
            list(pool.map(WAYS[way], sources, targets))
            seconds = time.perf_counter() - started
    rate = round(len(sources) / seconds, 2)
    return {"pictures_per_second": rate, "others_percent": others.percent}


def _warm(_: int) -> None:
    time.sleep(0.05)
    Image.init()
