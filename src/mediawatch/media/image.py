"""One picture in, one JPEG out that Instagram takes as it is. Runs in a worker process.

The order is chosen by measurement: shrink first (JPEG and WebP on their way out of the decoder),
and do all else on the small picture.
"""

from __future__ import annotations

import hashlib
import io
import os
import warnings
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from PIL import Image

from mediawatch.errors import Handling, MediawatchError, SourceProblem, from_os_error
from mediawatch.media import colour, decoders, jpeg, profiles, webp, wholeness
from mediawatch.media.canvas import encode, place
from mediawatch.media.framing import Size, fits, frame
from mediawatch.media.order import ImageOptions, Moving, Prepared, part_file
from mediawatch.media.probe import HEAD, Family, Sniffed, open_regular, sniff
from mediawatch.media.rules import (
    MAX_BYTES,
    MAX_SCANS,
    MIN_WIDTH,
    Reason,
    pixel_limit,
    reject,
)
from mediawatch.media.verify import require_publishable

__all__ = ["ImageOptions", "Prepared", "prepare_image"]

_METADATA = ("exif", "xmp", "XML:com.adobe.xmp", "comment", "photoshop")


@dataclass(frozen=True, slots=True)
class _Output:
    data: bytes
    pixels: Size
    changes: list[str]


def prepare_image(source: Path, target: Path, options: ImageOptions) -> Prepared:
    """Turn ``source`` into a JPEG at ``target``, which appears whole or not at all.

    Raises Rejected (codes of ``rules.Reason``), Moving (it is no picture),
    SourceProblem (cannot be read, or changed meanwhile), StorageProblem (cannot be written),
    PreparationProblem (what came out is not as it should be).
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
    require_publishable(
        output.data,
        output.pixels,
        options.max_width,
        options.aspects,
        metadata=options.keep_metadata,
    )
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
    decoders.load_plugin(kind.format)
    limit = pixel_limit(kind.format, options.max_pixels)
    try:
        with warnings.catch_warnings():
            # Pillow refuses twice what it warns of, and does so before it allocates a canvas.
            Image.MAX_IMAGE_PIXELS = limit // 2
            warnings.simplefilter("ignore")
            if kind.format == "JPEG":
                return _from_jpeg(file, kind, options)
            coded = decoders.coded_profile(file, kind.format)
            with decoders.opened(file, kind.format) as image:
                return _render(image, kind, options, coded)
    except MediawatchError:
        raise
    except Image.DecompressionBombError as error:
        raise reject(Reason.TOO_MANY_PIXELS, limit=limit) from error
    except MemoryError as error:
        raise reject(Reason.MEMORY) from error
    except Exception as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # the disk spoke, not the decoder
        if _is_memory(str(error)):
            raise reject(Reason.MEMORY) from error
        whole = wholeness.has_end(file, kind.format)
        broken_off = whole is False or "truncated" in str(error).lower()
        raise reject(Reason.TRUNCATED if broken_off else Reason.CORRUPT) from error


def _is_memory(told: str) -> bool:
    """Decoders that report a failed allocation in words: Pillow's codecs, libheif."""
    libheif = "Memory allocation error" in told and "Security limit" not in told
    return libheif or "out of memory" in told


def _publishable(kind: Sniffed) -> Sniffed:
    if kind.family is Family.VIDEO:
        raise Moving("It is a video.")
    if kind.family is Family.UNSUPPORTED:
        raise reject(Reason.UNSUPPORTED, label=kind.label)
    return kind


def _from_jpeg(file: BinaryIO, kind: Sniffed, options: ImageOptions) -> _Output:
    file.seek(0)
    data = file.read()
    if jpeg.exceeds_scans(data, MAX_SCANS.value):
        raise reject(Reason.SCAN_BOMB, limit=MAX_SCANS.value)
    with decoders.opened(io.BytesIO(data), "JPEG") as image:
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
        and fits(image.size, options.aspects)
        and decoders.orientation(image) == 1
        and profiles.is_srgb(image.info.get("icc_profile"), image.mode)
        and jpeg.is_plain(data)
    )


def _render(
    image: Image.Image, kind: Sniffed, options: ImageOptions, coded: bytes | None = None
) -> _Output:
    """Decode, scale, turn, colour, place and encode. ``coded``: the profile if it brings none."""
    changes = decoders.still(image, first_frame=options.gif == "still")
    turn, turned = decoders.load(image)
    _require_size(image, pixel_limit(kind.format, options.max_pixels))
    if image.format != "JPEG":
        name = "MPO" if image.format == "MPO" else kind.label.removesuffix(" picture")
        changes.append(f"{name} to JPEG")
    profile = image.info.get("icc_profile") or coded
    has_metadata = any(image.info.get(key) for key in _METADATA)
    exif = decoders.exif_to_keep(image, jpeg.MAX_SEGMENT) if options.keep_metadata else b""

    width, height = image.size
    upright = (height, width) if turn in decoders.SIDEWAYS else (width, height)
    planned = frame(upright, options.fit, options.max_width, options.aspects)
    content = planned.content
    small = _scale(image, content[::-1] if turn in decoders.SIDEWAYS else content)
    if turn in decoders.UPRIGHT:
        small = small.transpose(decoders.UPRIGHT[turn])
    if turned or turn in decoders.UPRIGHT:
        changes.append("turned upright")
    if content != upright:
        changes.append(f"{upright[0]}x{upright[1]} to {content[0]}x{content[1]}")
    small, recoloured = colour.to_srgb(small, profile, decoders.tones(image))
    changes += recoloured
    small, placed = place(small, planned, options.fit, options.pad_color)
    changes += placed
    if has_metadata and not exif:
        changes.append("metadata removed")
    data, quality = encode(small, options.quality, MAX_BYTES.value, exif)
    if quality != options.quality:
        changes.append(f"quality {quality}")
    return _Output(data, small.size, changes)


def _require_size(image: Image.Image, limit: int) -> None:
    """Refuse what turned out larger than its header said, before more is done with it."""
    if image.width * image.height > limit:
        raise reject(Reason.TOO_MANY_PIXELS, limit=limit)


def _scale(image: Image.Image, size: Size) -> Image.Image:
    shrunk = webp.shrunk(image, size)
    if shrunk is not None:
        return shrunk
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
