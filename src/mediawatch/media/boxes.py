"""The boxes of a HEIF or AVIF file (ISO/IEC 14496-12, 8.11; ISO/IEC 23008-12, 9.3): where its
items lie and what colours they have, without decoding."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

_MAX_META = 4 << 20  # bytes of the box that describes all items: a phone's has some kilobytes
_MAX_FILE = 1 << 40  # bytes; what says that it is longer lies
_MAX_STEPS = 10_000
_XMP_TYPE = b"application/rdf+xml\0"


class Place(NamedTuple):
    """Bytes of a file: where they start, how many they are."""

    start: int
    length: int


def xmp_place(file: BinaryIO) -> Place | None:
    """Where the XMP packet lies, if there is one and it is in one piece."""
    meta = _meta(file)
    parts = {kind: meta[start:end] for kind, start, end in _inside(meta, 4, len(meta))}
    number = _xmp_item(parts.get(b"iinf", b""))
    return None if number is None else _location(parts.get(b"iloc", b""), number)


def coded_colours(file: BinaryIO) -> tuple[int, int] | None:
    """Primaries and transfer of the main picture by the numbers of ITU-T H.273, if it tells them
    and has no profile. A gain map or an HDR version in the same file has colours of its own."""
    meta = _meta(file)
    parts = {kind: meta[start:end] for kind, start, end in _inside(meta, 4, len(meta))}
    properties = parts.get(b"iprp", b"")
    inner = {
        kind: properties[start:end] for kind, start, end in _inside(properties, 0, len(properties))
    }
    known = inner.get(b"ipco", b"")
    listed = [(kind, known[start:end]) for kind, start, end in _inside(known, 0, len(known))]
    main = _main_item(parts.get(b"pitm", b""))
    found = None
    for index in _properties_of(inner.get(b"ipma", b""), main):
        kind, content = listed[index - 1] if 0 < index <= len(listed) else (b"", b"")
        if kind == b"colr" and content[:4] in {b"prof", b"rICC"}:
            return None
        if kind == b"colr" and content[:4] == b"nclx" and len(content) >= 8:
            found = int.from_bytes(content[4:6], "big"), int.from_bytes(content[6:8], "big")
    return found


def _main_item(content: bytes) -> int:
    return int.from_bytes(content[4:6] if content[:1] == b"\0" else content[4:8], "big")


def _properties_of(associations: bytes, item: int) -> list[int]:
    """The places in the list of properties, counted from 1, that the content of an ipma box gives
    to an item."""
    numbers = _Numbers(associations, 8)
    id_width = 4 if associations[:1] != b"\0" else 2
    wide = bool(associations[3:4] and associations[3] & 1)
    for _ in range(min(int.from_bytes(associations[4:8], "big"), _MAX_STEPS)):
        number, count = numbers.next(id_width), numbers.next(1)
        found = [numbers.next(2) & 0x7FFF if wide else numbers.next(1) & 0x7F for _ in range(count)]
        if number == item:
            return found
    return []


def _meta(file: BinaryIO) -> bytes:
    at = 0
    for _ in range(_MAX_STEPS):
        file.seek(at)
        head = file.read(16)
        if len(head) < 8:
            break
        size, skip = int.from_bytes(head[:4], "big"), 8
        if size == 1:
            size, skip = int.from_bytes(head[8:16], "big"), 16
        if head[4:8] == b"meta":
            file.seek(at + skip)
            return file.read(min(max(0, size - skip), _MAX_META))
        if not skip <= size <= _MAX_FILE:
            break
        at += size
    return b""


def _inside(data: bytes, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Kind, start and end of the content of each box between two places."""
    for _ in range(_MAX_STEPS):
        size = int.from_bytes(data[start : start + 4], "big")
        if size < 8 or start + size > end:
            return
        yield data[start + 4 : start + 8], start + 8, start + size
        start += size


def _xmp_item(information: bytes) -> int | None:
    """The number of the item that is XMP, out of the content of an iinf box."""
    begin = 6 if information[:1] == b"\0" else 8
    for kind, start, end in _inside(information, begin, len(information)):
        if kind != b"infe" or end - start < 12:
            continue
        version = information[start]
        wide = 4 if version == 3 else 2
        rest = information[start + 4 + wide + 2 : end]
        if version >= 2 and rest.startswith(b"mime"):
            _name, _, content_type = rest[4:].partition(b"\0")
            if content_type.startswith(_XMP_TYPE):
                return int.from_bytes(information[start + 4 : start + 4 + wide], "big")
    return None


class _Numbers:
    """Big-endian numbers, one after the other; what lies behind the end is zero."""

    def __init__(self, data: bytes, at: int) -> None:
        self._data = data
        self._at = at

    def next(self, width: int) -> int:
        value = int.from_bytes(self._data[self._at : self._at + width], "big")
        self._at += width
        return value


def _location(locations: bytes, wanted: int) -> Place | None:
    """Where an item lies, out of the content of an iloc box."""
    if len(locations) < 8 or locations[4] == 0:
        return None
    version = locations[0]
    offset_width, length_width = locations[4] >> 4, locations[4] & 15
    base_width = locations[5] >> 4
    index_width = locations[5] & 15 if version else 0
    numbers = _Numbers(locations, 6)
    number_width = 2 if version < 2 else 4
    steps = 0
    for _ in range(numbers.next(number_width)):
        number = numbers.next(number_width)
        method = numbers.next(2) & 15 if version else 0
        numbers.next(2)  # which file: always this one
        base = numbers.next(base_width)
        extents = numbers.next(2)
        for _ in range(extents):
            numbers.next(index_width)
            place = Place(base + numbers.next(offset_width), numbers.next(length_width))
            if number == wanted:
                usable = method == 0 and extents == 1 and place.start <= _MAX_FILE
                return place if usable else None
            steps += 1
        steps += 1
        if steps > _MAX_STEPS:
            break
    return None
