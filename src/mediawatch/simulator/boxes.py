"""The boxes of an MP4 or MOV file: their order, edit lists, and whether any is cut off.

Source: ISO/IEC 14496-12, which writes a box as four bytes of length, four of name, content.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

_NESTED = {b"moov", b"trak", b"edts"}
#: A file of more boxes than this is no video but an attack.
_MOST = 10_000


@dataclass(frozen=True, slots=True)
class Layout:
    """How a file is laid out. ``whole`` is False if a box is longer than the rest of the file."""

    names: tuple[bytes, ...]
    edit_list: bool
    whole: bool

    @property
    def index_first(self) -> bool:
        """Whether the index (moov) stands before the media (mdat)."""
        if b"moov" not in self.names:
            return False
        before = self.names[: self.names.index(b"moov")]
        return b"mdat" not in before


def read_layout(path: Path) -> Layout:
    """Look at the boxes of a file. Anything at all can be looked at. Raises OSError."""
    names: list[bytes] = []
    edit_list = False
    whole = True
    with path.open("rb") as file:
        for name, depth, complete in _boxes(file, 0, path.stat().st_size, 0):
            if depth == 0:
                names.append(name)
            edit_list = edit_list or name == b"elst"
            whole = whole and complete
            if len(names) > _MOST:
                break
    return Layout(tuple(names), edit_list, whole)


def _boxes(file: BinaryIO, start: int, end: int, depth: int) -> Iterator[tuple[bytes, int, bool]]:
    """Name, depth and completeness of each box, outer ones before those within."""
    while start + 8 <= end:
        file.seek(start)
        size, name = struct.unpack(">I4s", file.read(8))
        header = 8
        if size == 1:
            size, header = int.from_bytes(file.read(8), "big"), 16
        elif size == 0:
            size = end - start
        if size < header:
            yield name, depth, False
            return
        yield name, depth, start + size <= end
        if name in _NESTED and depth < len(_NESTED):
            yield from _boxes(file, start + header, min(start + size, end), depth + 1)
        start += size
