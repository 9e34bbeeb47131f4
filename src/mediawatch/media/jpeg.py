"""The segments of a JPEG file: count scans, find the end, take metadata out without re-encoding.

Markers are those of ITU-T T.81 table B.1. The walk steps over garbage between segments the way
libjpeg does, and stops at the first end-of-image, where libjpeg stops as well: what trails
behind (the video of a motion photo, the further pictures of an MPO) is not part of the picture.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from typing import NamedTuple

_SOF_HUFFMAN = frozenset({0xC0, 0xC1, 0xC2})  # baseline, extended sequential, progressive
_EOI, _SOS = 0xD9, 0xDA
_APP0, _APP1, _APP2, _APP14, _APP15 = 0xE0, 0xE1, 0xE2, 0xEE, 0xEF
_COM = 0xFE
_BARE = frozenset({0x01, 0xD8})  # markers without a length, besides the end
_LENGTH = struct.Struct(">H")
#: Bytes that fit into one segment, besides its marker and length.
MAX_SEGMENT = 65533
_BARE_JFIF = 18  # bytes of an APP0 segment without a thumbnail, marker included

# Neither stuffed zeros, nor restart markers, nor fill bytes: a marker that means something.
_MARKER = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")


class Segment(NamedTuple):
    """``data[start:end]`` with its marker; a scan reaches up to the next marker."""

    marker: int
    start: int
    end: int


def segments(data: bytes) -> Iterator[Segment]:
    """Every segment after the start-of-image up to the end-of-image, in file order.

    The last one is an EOI only if the file reaches its end.
    """
    found = _MARKER.search(data, 2)
    while found:
        start, marker = found.start(), data[found.start() + 1]
        if marker in _BARE:
            end = start + 2
        elif marker == _EOI:
            yield Segment(marker, start, start + 2)
            return
        else:
            length = int.from_bytes(data[start + 2 : start + 4], "big")
            if length < 2 or start + 2 + length > len(data):
                return
            end = start + 2 + length
        found = _MARKER.search(data, end)
        if marker == _SOS:
            end = found.start() if found else len(data)
        yield Segment(marker, start, end)


def has_end(data: bytes) -> bool:
    """True if the picture runs to its end-of-image marker."""
    # Walks as ``segments`` does, and makes none of them: it is asked of every file that settles.
    size, search, length_at = len(data), _MARKER.search, _LENGTH.unpack_from
    found = search(data, 2)
    while found:
        end = found.end()
        marker = data[end - 1]
        if marker == _EOI:
            return True
        if marker not in _BARE:
            if end + 2 > size:
                return False
            (length,) = length_at(data, end)
            end += length
            if length < 2 or end > size:
                return False
        found = search(data, end)
    return False


def exceeds_scans(data: bytes, limit: int) -> bool:
    """True as soon as more than ``limit`` scans are found."""
    count = 0
    for segment in segments(data):
        count += segment.marker == _SOS
        if count > limit:
            return True
    return False


def is_plain(data: bytes) -> bool:
    """True for the codings that every reader knows: Huffman baseline or progressive."""
    frames = [s.marker for s in segments(data) if _is_frame_header(s.marker)]
    return len(frames) == 1 and frames[0] in _SOF_HUFFMAN


def _is_frame_header(marker: int) -> bool:
    return 0xC0 <= marker <= 0xCF and marker not in {0xC4, 0xC8, 0xCC}


def _is_multi_picture(data: bytes, segment: Segment) -> bool:
    return segment.marker == _APP2 and data.startswith(b"MPF\0", segment.start + 4)


def _is_metadata(data: bytes, segment: Segment) -> bool:
    if segment.marker == _APP0:
        bare = segment.end - segment.start == _BARE_JFIF
        return not (bare and data.startswith(b"JFIF\0", segment.start + 4))
    if segment.marker == _APP14:  # says how the colours are coded
        return not data.startswith(b"Adobe", segment.start + 4)
    return _APP1 <= segment.marker <= _APP15 or segment.marker == _COM


def strip(data: bytes, *, keep_metadata: bool = False) -> bytes:
    """The same compressed picture without metadata segments and without trailing data.

    With ``keep_metadata`` only the index of further pictures goes, and these with it: a file
    that has one is an MPO, which Instagram refuses. Returns ``data`` itself if nothing is to go.
    """
    found = list(segments(data))
    several = any(_is_multi_picture(data, segment) for segment in found)
    unwanted = _is_multi_picture if keep_metadata else _is_metadata
    end = len(data) if keep_metadata and not several else found[-1].end
    parts: list[bytes] = []
    kept_to = 0
    for segment in found:
        if unwanted(data, segment):
            parts.append(data[kept_to : segment.start])
            kept_to = segment.end
    if not parts and end == len(data):
        return data
    return b"".join([*parts, data[kept_to:end]])
