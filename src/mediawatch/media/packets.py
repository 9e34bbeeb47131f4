"""Where each format keeps its XMP and IPTC: found by markers and lengths, without decoding.

Each reader skips what it does not want, so that a picture of any size costs a few reads; how many
steps it makes and how many bytes it keeps are bounded.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Callable
from typing import BinaryIO, Literal, NamedTuple

from mediawatch.media import boxes, iptc

#: Bytes of one packet. Real ones have kilobytes; Photoshop's history makes a few megabytes.
MAX_PACKET = 4 << 20
_MAX_STEPS = 10_000
_XMP_IN_JPEG = b"http://ns.adobe.com/xap/1.0/\0"
_PHOTOSHOP_IN_JPEG = b"Photoshop 3.0\0"
_XMP_IN_PNG = b"XML:com.adobe.xmp\0"
_APPLICATION = frozenset({0xE1, 0xED})  # APP1, APP13
_PICTURE = frozenset({0xDA, 0xD9})  # SOS, EOI: nothing that is wanted follows
_SEGMENT = struct.Struct(">BBH")  # FF, marker, length with its own two bytes
_BLOCK = 32 << 10  # bytes
_XMP_TAG, _IPTC_TAG, _PHOTOSHOP_TAG = 700, 33723, 34377


class Packets(NamedTuple):
    """What was found; empty for what was not."""

    xmp: bytes = b""
    iptc: bytes = b""


def find(file: BinaryIO, image_format: str) -> Packets:
    """The packets of a file; ``image_format`` is Pillow's name. Raises OSError only."""
    reader = _READERS.get(image_format)
    file.seek(0)
    return reader(file) if reader else Packets()


def _jpeg(file: BinaryIO) -> Packets:
    xmp, photoshop = b"", b""
    # The segments are walked in a block of the file: reads and seeks of a few bytes cost more.
    at, start, block = 2, 0, b""
    for _ in range(_MAX_STEPS):
        if at - start + 4 > len(block):
            file.seek(at)
            start, block = at, file.read(_BLOCK)
            if len(block) < 4:
                break
        mark, kind, length = _SEGMENT.unpack_from(block, at - start)
        if mark != 0xFF or kind in _PICTURE:
            break
        if kind == 0xFF:  # a fill byte before the marker
            at += 1
            continue
        data_at, at = at + 4, at + max(4, length + 2)
        if kind not in _APPLICATION:
            continue
        file.seek(data_at)
        data = file.read(at - data_at)
        if data.startswith(_XMP_IN_JPEG):
            xmp = xmp or data.removeprefix(_XMP_IN_JPEG)
        elif data.startswith(_PHOTOSHOP_IN_JPEG) and len(photoshop) < MAX_PACKET:
            photoshop += data.removeprefix(_PHOTOSHOP_IN_JPEG)
    return Packets(xmp, iptc.in_photoshop(photoshop))


def _png(file: BinaryIO) -> Packets:
    file.seek(8)
    for _ in range(_MAX_STEPS):
        head = file.read(8)
        length = int.from_bytes(head[:4], "big")
        if len(head) < 8 or head[4:] == b"IEND":
            break
        if head[4:] != b"iTXt" or length > MAX_PACKET:
            file.seek(length + 4, os.SEEK_CUR)
            continue
        data = file.read(length)
        file.seek(4, os.SEEK_CUR)
        if data.startswith(_XMP_IN_PNG):
            return Packets(_international_text(data.removeprefix(_XMP_IN_PNG)))
    return Packets()


def _international_text(data: bytes) -> bytes:
    """PNG 3, 11.3.3.4: compressed or not, method, language, translated keyword, text."""
    parts = data[2:].split(b"\0", 2)
    if len(parts) < 3:
        return b""
    if not data[0]:
        return parts[2]
    try:
        return zlib.decompressobj().decompress(parts[2], MAX_PACKET)
    except zlib.error:
        return b""


def _webp(file: BinaryIO) -> Packets:
    length = riff_chunk(file, b"XMP ")
    return Packets(file.read(min(length, MAX_PACKET)))


def riff_chunk(file: BinaryIO, name: bytes) -> int:
    """Go to the content of the first chunk of that name in a WebP: its length, 0 if there is none.

    The length is what the chunk says of itself; the file may end before.
    """
    file.seek(12)
    for _ in range(_MAX_STEPS):
        head = file.read(8)
        if len(head) < 8:
            break
        length = int.from_bytes(head[4:], "little")
        if head[:4] == name:
            return length
        file.seek(length + length % 2, os.SEEK_CUR)
    return 0


def _tiff(file: BinaryIO) -> Packets:
    head = file.read(8)
    order: Literal["little", "big"] = "little" if head[:2] == b"II" else "big"
    file.seek(int.from_bytes(head[4:8], order))
    count = int.from_bytes(file.read(2), order)
    directory = file.read(12 * count)
    found: dict[int, bytes] = {}
    for at in range(0, len(directory) - 11, 12):
        tag = int.from_bytes(directory[at : at + 2], order)
        if tag in {_XMP_TAG, _IPTC_TAG, _PHOTOSHOP_TAG}:
            found[tag] = _tiff_value(file, directory[at : at + 12], order)
    iim = found.get(_IPTC_TAG) or iptc.in_photoshop(found.get(_PHOTOSHOP_TAG, b""))
    return Packets(found.get(_XMP_TAG, b""), iim)


def _tiff_value(file: BinaryIO, entry: bytes, order: Literal["little", "big"]) -> bytes:
    width = {1: 1, 2: 1, 4: 4, 7: 1}.get(int.from_bytes(entry[2:4], order), 0)
    size = min(width * int.from_bytes(entry[4:8], order), MAX_PACKET)
    if size <= 4:
        return entry[8 : 8 + size]
    file.seek(int.from_bytes(entry[8:12], order))
    return file.read(size)


def _heif(file: BinaryIO) -> Packets:
    place = boxes.xmp_place(file)
    if place is None:
        return Packets()
    file.seek(place.start)
    return Packets(file.read(min(place.length, MAX_PACKET)))


_READERS: dict[str, Callable[[BinaryIO], Packets]] = {
    "JPEG": _jpeg,
    "PNG": _png,
    "WEBP": _webp,
    "TIFF": _tiff,
    "HEIF": _heif,
    "AVIF": _heif,
}
