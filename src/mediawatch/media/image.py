"""One picture in, one JPEG out that Instagram takes as it is. Runs in a worker process.

The order is chosen by measurement: shrink first (a JPEG shrinks while it is decoded), and do all
else on the small picture.
"""

from __future__ import annotations

import hashlib
import importlib
import io
import os
import warnings
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from PIL import Image

from mediawatch.errors import Handling, MediawatchError, SourceProblem, from_os_error
from mediawatch.media import colour, jpeg, wholeness
from mediawatch.media.canvas import encode, place
from mediawatch.media.framing import Size, fits, frame
from mediawatch.media.order import ImageOptions, Moving, Prepared, part_file
from mediawatch.media.probe import HEAD, Family, Sniffed, open_regular, sniff
from mediawatch.media.rules import (
    MAX_BYTES,
    MAX_SCANS,
    MIN_WIDTH,
    Later,
    Reason,
    later,
    pixel_limit,
    reject,
)

__all__ = ["ImageOptions", "Prepared", "prepare_image"]

# Pillow's common plugins, now rather than with the first picture. The others one by one, when
# needed: asked for a plugin it lacks, Pillow would load them all, and Ghostscript's among them.
Image.preinit()
_PLUGINS = {
    "AVIF": "PIL.AvifImagePlugin",
    "TIFF": "PIL.TiffImagePlugin",
    "WEBP": "PIL.WebPImagePlugin",
}
_ORIENTATION = 0x0112  # Exif 3.0, table 4
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_SIDEWAYS = frozenset({5, 6, 7, 8})
_ANIMATED = frozenset({"GIF", "WEBP", "PNG", "AVIF"})
_SHRINKS_ON_LOAD = frozenset({"JPEG", "MPO"})
_METADATA = ("exif", "xmp", "XML:com.adobe.xmp", "comment", "photoshop")


@dataclass(frozen=True, slots=True)
class _Output:
    data: bytes
    pixels: Size
    changes: list[str]


def prepare_image(source: Path, target: Path, options: ImageOptions) -> Prepared:
    """Turn ``source`` into a JPEG at ``target``, which appears whole or not at all.

    Raises Rejected (codes of ``rules.Reason``), NotYetSupported (``rules.Later``),
    SourceProblem (cannot be read, or changed meanwhile), StorageProblem (cannot be written).
    """
    try:
        with open_regular(source) as file:
            before = _fingerprint(file)
            try:
                output = _convert(file, options)
            except MediawatchError:
                _require_unchanged(file, before, source)
                raise
            _require_unchanged(file, before, source)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise SourceProblem(
            f"Could not read {source.name!r}: {reason}.",
            remedy="Check that the file is still there and that mediawatch may read it.",
            code="source-gone" if isinstance(error, FileNotFoundError) else None,
        ) from error
    try:
        _write(target, output.data)
    except OSError as error:
        raise from_os_error(error, "write the prepared picture") from error
    width, height = output.pixels
    return Prepared(
        sha256=hashlib.sha256(output.data).hexdigest(),
        size=len(output.data),
        width=width,
        height=height,
        media_type="image/jpeg",
        changes=tuple(output.changes),
    )


def _fingerprint(file: BinaryIO) -> tuple[int, int]:
    status = os.fstat(file.fileno())
    return status.st_size, status.st_mtime_ns


def _require_unchanged(file: BinaryIO, before: tuple[int, int], source: Path) -> None:
    if _fingerprint(file) != before:
        raise SourceProblem(
            f"{source.name!r} was still being written while it was read.",
            remedy="Nothing to do: mediawatch reads it again.",
            code="source-changed",
            handling=Handling.RETRY,
        )


def _convert(file: BinaryIO, options: ImageOptions) -> _Output:
    size = os.fstat(file.fileno()).st_size
    if size == 0:
        raise reject(Reason.EMPTY)
    if size > options.max_bytes:
        raise reject(Reason.TOO_BIG, size=size, limit=options.max_bytes)
    kind = _publishable(sniff(file.read(HEAD)))
    if kind.format in _PLUGINS:
        importlib.import_module(_PLUGINS[kind.format])
    limit = pixel_limit(kind.format, options.max_pixels)
    try:
        with warnings.catch_warnings():
            # Pillow refuses twice what it warns of, and does so before it allocates a canvas.
            Image.MAX_IMAGE_PIXELS = limit // 2
            warnings.simplefilter("ignore")
            if kind.format == "JPEG":
                return _from_jpeg(file, kind, options)
            with Image.open(file, formats=[kind.format]) as image:
                return _render(image, kind, options)
    except MediawatchError:
        raise
    except Image.DecompressionBombError as error:
        raise reject(Reason.TOO_MANY_PIXELS, limit=limit) from error
    except MemoryError as error:
        raise reject(Reason.MEMORY) from error
    except Exception as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # the disk spoke, not the decoder
        if "out of memory" in str(error):
            raise reject(Reason.MEMORY) from error
        whole = wholeness.has_end(file, kind.format)
        broken_off = whole is False or "truncated" in str(error).lower()
        raise reject(Reason.TRUNCATED if broken_off else Reason.CORRUPT) from error


def _publishable(kind: Sniffed) -> Sniffed:
    if kind.family is Family.VIDEO:
        raise Moving("It is a video.")
    if kind.family is Family.UNSUPPORTED:
        raise reject(Reason.UNSUPPORTED, label=kind.label)
    if kind.format == "HEIF":
        raise later(Later.HEIF)
    return kind


def _from_jpeg(file: BinaryIO, kind: Sniffed, options: ImageOptions) -> _Output:
    file.seek(0)
    data = file.read()
    if jpeg.exceeds_scans(data, MAX_SCANS.value):
        raise reject(Reason.SCAN_BOMB, limit=MAX_SCANS.value)
    with Image.open(io.BytesIO(data), formats=["JPEG"]) as image:
        if _may_pass(image, data, options):
            clean = jpeg.strip(data, keep_metadata=options.keep_metadata)
            if len(clean) < MAX_BYTES.value:
                image.load()  # only decoding tells a whole picture from a broken one
                changes = [] if clean is data else ["metadata removed"]
                return _Output(clean, image.size, changes)
        return _render(image, kind, options)


def _may_pass(image: Image.Image, data: bytes, options: ImageOptions) -> bool:
    width = image.width
    return (
        image.format == "JPEG"
        and image.mode in {"RGB", "L"}
        and MIN_WIDTH.value <= width <= options.max_width
        and fits(image.size)
        and _orientation(image) == 1
        and colour.is_srgb(image.info.get("icc_profile"))
        and jpeg.is_plain(data)
    )


def _orientation(image: Image.Image) -> int:
    try:
        value = image.getexif().get(_ORIENTATION, 1)
    except MemoryError:
        raise
    except Exception:
        return 1  # metadata that cannot be read turns nothing
    return value if value in _UPRIGHT else 1


def _render(image: Image.Image, kind: Sniffed, options: ImageOptions) -> _Output:
    """Decode, scale, turn, colour, place and encode."""
    changes = _still(image, options)
    if image.format not in _SHRINKS_ON_LOAD:
        image.load()  # Exif data may lie behind the pixels, and a TIFF turns itself
    if image.format != "JPEG":
        changes.append(f"{image.format or kind.format} to JPEG")
    profile = image.info.get("icc_profile")
    has_metadata = any(image.info.get(key) for key in _METADATA)
    turn = _orientation(image)
    exif = _kept_exif(image) if options.keep_metadata else b""

    width, height = image.size
    upright = (height, width) if turn in _SIDEWAYS else (width, height)
    planned = frame(upright, options.fit, options.max_width)
    content = planned.content
    small = _scale(image, content[::-1] if turn in _SIDEWAYS else content)
    if turn in _UPRIGHT:
        small = small.transpose(_UPRIGHT[turn])
        changes.append("rotated upright")
    if content != upright:
        changes.append(f"{upright[0]}x{upright[1]} to {content[0]}x{content[1]}")
    small, recoloured = colour.to_srgb(small, profile)
    changes += recoloured
    small, placed = place(small, planned, options.fit, options.pad_color)
    changes += placed
    if has_metadata and not exif:
        changes.append("metadata removed")
    data, quality = encode(small, options.quality, MAX_BYTES.value, exif)
    if quality != options.quality:
        changes.append(f"quality {quality}")
    return _Output(data, small.size, changes)


def _still(image: Image.Image, options: ImageOptions) -> list[str]:
    if not getattr(image, "is_animated", False):
        return []
    if image.format not in _ANIMATED:
        return ["first picture only"]  # pages of a TIFF, views of an MPO
    if options.gif != "still":
        raise Moving("It is an animation.")
    return ["first frame only"]


def _kept_exif(image: Image.Image) -> bytes:
    """The Exif data without its orientation; nothing if it is broken or too long for a JPEG."""
    try:
        exif = image.getexif()
        exif.pop(_ORIENTATION, None)
        data = exif.tobytes() if exif and image.info.get("exif") else b""
    except Exception:
        return b""
    return data if len(data) <= jpeg.MAX_SEGMENT else b""


def _scale(image: Image.Image, size: Size) -> Image.Image:
    drafted = image.draft(None, size)
    box = drafted[1] if drafted else None
    image = colour.scalable(image)
    # Pillow cannot pre-shrink 16-bit pixels.
    gap = None if image.mode in colour.DEEP_GREY else 1.0
    image.load()
    # Lanczos costs a third more of the whole conversion, for what Meta's encoder then blurs.
    return image.resize(size, Image.Resampling.BICUBIC, box=box, reducing_gap=gap)


def _write(target: Path, data: bytes) -> None:
    part = part_file(target)
    try:
        with part.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.replace(target)
    except BaseException:
        with suppress(OSError):
            part.unlink()
        raise
