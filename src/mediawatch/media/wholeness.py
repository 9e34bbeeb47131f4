"""Whether a file has its end: a cheap test that keeps hands off half-written files.

It reads markers and lengths, decodes nothing, and maps nothing into memory (a file that shrinks
while it is mapped would end the process).
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import BinaryIO, Literal

from mediawatch.media import jpeg

_PNG_END = b"IEND\xaeB\x60\x82"
_MAX_JPEG = 64 << 20  # above it, a walk over all bytes is no longer cheap
_MAX_STEPS = 100_000  # chunks or boxes looked at before giving up
_CLASSIC_TIFF = 42
_PIXEL_TAGS = frozenset({273, 279, 324, 325})  # where strips or tiles lie, and how long they are
_BOXES = frozenset({b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"})


def has_end(file: BinaryIO, image_format: str) -> bool | None:
    """True: the end is there. False: it is missing. None: cannot be told for this format.

    ``image_format`` is Pillow's name, or "" for a video of any kind.
    """
    test = _TESTS.get(image_format)
    return test(file, file.seek(0, os.SEEK_END)) if test else None


def _jpeg(file: BinaryIO, size: int) -> bool | None:
    if size > _MAX_JPEG:
        return None
    file.seek(0)
    return jpeg.has_end(file.read())


def _png(file: BinaryIO, _size: int) -> bool | None:
    file.seek(8)
    for _ in range(_MAX_STEPS):
        head = file.read(8)
        if len(head) < 8 or not head[4:].isalpha():
            return False
        if head[4:] == b"IEND":
            return head[4:] + file.read(4) == _PNG_END
        file.seek(int.from_bytes(head[:4], "big") + 4, os.SEEK_CUR)
    return None


def _webp(file: BinaryIO, size: int) -> bool | None:
    return _declared(file, 4, size - 8)


def _bmp(file: BinaryIO, size: int) -> bool | None:
    return _declared(file, 2, size)


def _declared(file: BinaryIO, at: int, size: int) -> bool | None:
    """Formats that write their own length, in little-endian order."""
    file.seek(at)
    field = file.read(4)
    declared = int.from_bytes(field, "little")
    if len(field) == 4 and declared == 0:
        return None
    return len(field) == 4 and declared <= size


def _gif(file: BinaryIO, size: int) -> bool:
    file.seek(max(0, size - 1024))
    return file.read().rstrip(b"\0").endswith(b";")


def _tiff(file: BinaryIO, size: int) -> bool | None:
    """TIFF 6.0, section 2: whole if its first directory and the pixels that it names are there."""
    file.seek(0)
    head = file.read(8)
    order: Literal["little", "big"] = "little" if head[:2] == b"II" else "big"
    if int.from_bytes(head[2:4], order) != _CLASSIC_TIFF:
        return None  # BigTIFF: for files of many gigabytes, which are none of ours
    file.seek(int.from_bytes(head[4:8], order))
    count = int.from_bytes(file.read(2), order)
    directory = file.read(12 * count)
    if count == 0 or len(directory) < 12 * count:
        return False
    found: dict[int, list[int]] = {}
    for entry in (directory[at : at + 12] for at in range(0, len(directory), 12)):
        tag = int.from_bytes(entry[:2], order)
        if tag in _PIXEL_TAGS:
            values = _tiff_values(file, entry, order)
            if values is None:
                return False
            found[tag] = values
    ends = [
        start + length
        for starts, lengths in ((273, 279), (324, 325))
        for start, length in zip(found.get(starts, []), found.get(lengths, []), strict=False)
    ]
    return max(ends) <= size if ends else None


def _tiff_values(file: BinaryIO, entry: bytes, order: Literal["little", "big"]) -> list[int] | None:
    """The numbers of one entry, shorts or longs; None if they lie behind the end of the file."""
    width = {3: 2, 4: 4}.get(int.from_bytes(entry[2:4], order), 0)
    count = min(int.from_bytes(entry[4:8], order), _MAX_STEPS)
    data = entry[8:12]
    if width * count > len(data):
        file.seek(int.from_bytes(data, order))
        data = file.read(width * count)
        if len(data) < width * count:
            return None
    return [int.from_bytes(data[n * width : (n + 1) * width], order) for n in range(count)]


def _video(file: BinaryIO, size: int) -> bool | None:
    file.seek(0)
    return _declared(file, 4, size - 8) if file.read(4) == b"RIFF" else _boxes(file, size)


def _boxes(file: BinaryIO, size: int) -> bool | None:
    """ISO base media: whole if the boxes fill the file and one describes the content."""
    file.seek(4)
    if file.read(4) not in _BOXES:
        return None
    at, described = 0, False
    for _ in range(_MAX_STEPS):
        if at == size:
            return described
        file.seek(at)
        head = file.read(16)
        if len(head) < 8:
            return False
        length = int.from_bytes(head[:4], "big")
        if length == 1:
            length = int.from_bytes(head[8:16], "big")
        if length < 8:
            return None
        described |= head[4:8] in {b"moov", b"meta"}
        at += length
        if at > size:
            return False
    return None


_TESTS: dict[str, Callable[[BinaryIO, int], bool | None]] = {
    "JPEG": _jpeg,
    "PNG": _png,
    "WEBP": _webp,
    "BMP": _bmp,
    "GIF": _gif,
    "TIFF": _tiff,
    "AVIF": _boxes,
    "HEIF": _boxes,
    "": _video,
}
