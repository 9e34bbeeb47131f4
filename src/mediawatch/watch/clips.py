"""Whether a video is the clip of a Live Photo. Everything here blocks.

Apple's clips last about three seconds, and say that they are one; what was sent through another
program says so no more, and is told by its length beside its picture.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO

from mediawatch.media.probe import HEAD, Family, open_regular, sniff

#: What the clip of a Live Photo calls the name that it shares with its picture (Apple).
_MARK = b"com.apple.quicktime.content.identifier"
#: Bytes at either end of a video among which its index is looked for.
_INDEX = 256 << 10
#: Seconds that a clip lasts at the most, with some patience.
LONGEST = 3.25
_MAX_BOXES = 1000


def is_clip(path: Path) -> bool:
    """Whether the video is one, beside a picture of the same name. What cannot be read is none:
    whoever takes it is told."""
    try:
        with open_regular(path) as file:
            if sniff(file.read(HEAD)).family is not Family.VIDEO:
                return False
            lasts = _seconds(file)
            return _has_mark(file) or (lasts is not None and lasts <= LONGEST)
    except OSError:
        return False


def is_marked_clip(path: Path) -> bool:
    """Whether the video itself says that it is one. Raises OSError."""
    with open_regular(path) as file:
        return _has_mark(file)


def _has_mark(file: BinaryIO) -> bool:
    file.seek(0)
    if _MARK in file.read(_INDEX):
        return True
    size = file.seek(0, 2)
    file.seek(max(0, size - _INDEX))
    return _MARK in file.read(_INDEX)


def _seconds(file: BinaryIO) -> float | None:
    """How long its movie header says that it lasts (QuickTime File Format, ``mvhd``); None if it
    has none."""
    at, end = 0, file.seek(0, 2)
    for _ in range(_MAX_BOXES):
        file.seek(at)
        head = file.read(16)
        if len(head) < 8:
            return None
        length, kind, start = int.from_bytes(head[:4], "big"), head[4:8], at + 8
        if length == 1 and len(head) == 16:
            length, start = int.from_bytes(head[8:], "big"), at + 16
        elif length == 0:
            length = end - at
        if kind == b"mvhd":
            return _told(file, start)
        if length < start - at:
            return None
        at = start if kind == b"moov" else at + length
    return None


def _told(file: BinaryIO, start: int) -> float | None:
    file.seek(start)
    content = file.read(32)
    try:
        wide = content[0] == 1
        ticks, length = struct.unpack_from(">IQ" if wide else ">II", content, 20 if wide else 12)
    except (struct.error, IndexError):
        return None
    return length / ticks if ticks else None
