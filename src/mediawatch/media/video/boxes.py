"""The boxes of an ISO base media file (ISO/IEC 14496-12): where the index lies, what is cut out.

Only lengths and a few fields are read; a length that lies ends the walk.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

_MAX_INDEX = 64 << 20  # bytes of an index that are looked at
_MAX_BOXES = 10_000
#: Seconds that an encoder may hide at the start: frames in another order, priming of the sound.
_HIDDEN_BY_ENCODERS = 0.25
_OFFSETS = (b"mdia", b"minf", b"stbl", b"ctts")
_NOTHING = 0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF  # a media time of -1: nothing is shown

Box = tuple[bytes, int, int]


@dataclass(frozen=True, slots=True)
class Index:
    """``first``: the index stands before the content. ``edited``: kinds of track (``vide``,
    ``soun``) of which an edit list cuts something out, or which it delays. ``edit_lists``: how
    many tracks have one, harmless or not."""

    first: bool
    edited: frozenset[str]
    edit_lists: int


def read_index(file: BinaryIO) -> Index | None:
    """What the boxes tell; None if this is no ISO base media file, or has no index."""
    size = os.fstat(file.fileno()).st_size
    order: list[bytes] = []
    index = None
    for kind, start, end in _top(file, size):
        order.append(kind)
        if kind == b"moov" and end - start <= _MAX_INDEX:
            file.seek(start)
            index = file.read(end - start)
    if index is None:
        return None
    lists = list(_edit_lists(index))
    first = b"mdat" not in order or order.index(b"moov") < order.index(b"mdat")
    return Index(first, frozenset(kind for kind, changes in lists if changes), len(lists))


def _top(file: BinaryIO, size: int) -> Iterator[Box]:
    """Kind, start and end of the content of every box of the file."""
    at = 0
    for _ in range(_MAX_BOXES):
        file.seek(at)
        head = file.read(16)
        if len(head) < 8:
            return
        length, kind = struct.unpack(">I4s", head[:8])
        start = at + 8
        if length == 1 and len(head) == 16:
            length, start = int.from_bytes(head[8:], "big"), at + 16
        elif length == 0:
            length = size - at
        if length < start - at:
            return
        yield kind, start, min(size, at + length)
        at += length


def _inside(data: bytes, start: int, end: int) -> Iterator[Box]:
    while start + 8 <= end:
        length, kind = struct.unpack_from(">I4s", data, start)
        if length < 8 or start + length > end:
            return
        yield kind, start + 8, start + length
        start += length


def _find(data: bytes, start: int, end: int, *path: bytes) -> tuple[int, int] | None:
    for name in path:
        found = next((box for box in _inside(data, start, end) if box[0] == name), None)
        if found is None:
            return None
        _, start, end = found
    return start, end


def _edit_lists(index: bytes) -> Iterator[tuple[str, bool]]:
    """For each track with an edit list: its kind, and whether the list changes what is played."""
    whole = (0, len(index))
    movie = _timing(index, _find(index, *whole, b"mvhd"))
    for kind, start, end in _inside(index, *whole):
        edits = _find(index, start, end, b"edts", b"elst") if kind == b"trak" else None
        media = _timing(index, _find(index, start, end, b"mdia", b"mdhd"))
        handler = _find(index, start, end, b"mdia", b"hdlr")
        if edits is not None:
            name = index[handler[0] + 8 : handler[0] + 12].decode("latin-1") if handler else ""
            reordered = _reordering(index, _find(index, start, end, *_OFFSETS))
            yield name, _changes(index[edits[0] : edits[1]], movie, media, reordered)


def _timing(index: bytes, box: tuple[int, int] | None) -> tuple[int, int] | None:
    """Ticks a second and the length in ticks, of a mvhd or an mdhd."""
    if box is None:
        return None
    content = index[box[0] : box[1]]
    try:
        if content[0] == 1:
            return struct.unpack_from(">IQ", content, 20)
        return struct.unpack_from(">II", content, 12)
    except (struct.error, IndexError):
        return None


def _reordering(index: bytes, offsets: tuple[int, int] | None) -> int:
    """Ticks by which the first frame is shown later than it is decoded: not hidden, only moved."""
    if offsets is None or offsets[1] - offsets[0] < 16:
        return 0
    first: int = struct.unpack_from(">i", index, offsets[0] + 12)[0]
    return max(0, first)


def _changes(
    edits: bytes, movie: tuple[int, int] | None, media: tuple[int, int] | None, reordered: int
) -> bool:
    if not movie or not media or not movie[0] or not media[0]:
        return True
    form, count = (">QQ4x", 20) if edits[:1] == b"\1" else (">II4x", 12)
    shown = []
    number = int.from_bytes(edits[4:8], "big")
    try:
        for entry in range(min(number, 1000)):
            length, begin = struct.unpack_from(form, edits, 8 + entry * count)
            if begin not in _NOTHING:
                shown.append((length / movie[0], (begin - reordered) / media[0]))
            elif length / movie[0] > _HIDDEN_BY_ENCODERS:
                return True  # a pause before the track begins
    except struct.error:
        return True
    if len(shown) != 1:
        return len(shown) > 1
    length, begin = shown[0]
    lasts = media[1] / media[0]
    cut_at_the_end = length > 0 and length + begin < lasts - _HIDDEN_BY_ENCODERS
    return bool(begin > _HIDDEN_BY_ENCODERS or cut_at_the_end)
