"""TIFFs by hand (TIFF 6.0, section 2): the format that leaves most to whoever writes it."""

from __future__ import annotations

import struct

_WIDTH, _LENGTH, _BITS, _COMPRESSION, _PHOTOMETRIC = 256, 257, 258, 259, 262
_OFFSETS, _SAMPLES, _ROWS, _COUNTS = 273, 277, 278, 279
_TILE_WIDTH, _TILE_LENGTH, _TILE_OFFSETS, _TILE_COUNTS = 322, 323, 324, 325
SIZE = (120, 90)
PIXELS = bytes(range(120)) * 90


def tiff(entries: dict[int, int | bytes], pixels: bytes = PIXELS, following: int = 0) -> bytes:
    """A little-endian TIFF; ``following``: where it says that its next page lies. Values that are
    bytes are shorts; 0xF00D stands for the place of the pixels."""
    count = len(entries)
    start = 8 + 2 + 12 * count + 4
    longer = b""
    for value in entries.values():
        if isinstance(value, bytes) and len(value) > 4:
            longer += value
    at_pixels, at_longer = start + len(longer), start
    directory = struct.pack("<H", count)
    for tag, value in sorted(entries.items()):
        if isinstance(value, int):
            number = at_pixels if value == 0xF00D else value
            directory += struct.pack("<HHII", tag, 4, 1, number)
        elif len(value) <= 4:
            directory += struct.pack("<HHI", tag, 3, len(value) // 2) + value.ljust(4, b"\0")
        else:
            directory += struct.pack("<HHII", tag, 3, len(value) // 2, at_longer)
            at_longer += len(value)
    return b"II*\0\x08\0\0\0" + directory + struct.pack("<I", following) + longer + pixels


def grey(**changes: int) -> dict[int, int | bytes]:
    """The entries of a good grey picture in one strip, with changes by name."""
    values = {
        "width": SIZE[0], "length": SIZE[1], "bits": 8, "compression": 1, "photometric": 1,
        "offsets": 0xF00D, "samples": 1, "rows": SIZE[1], "counts": len(PIXELS),
    } | changes  # fmt: skip
    tags = {
        "width": _WIDTH, "length": _LENGTH, "bits": _BITS, "compression": _COMPRESSION,
        "photometric": _PHOTOMETRIC, "offsets": _OFFSETS, "samples": _SAMPLES, "rows": _ROWS,
        "counts": _COUNTS,
    }  # fmt: skip
    return {tags[name]: value for name, value in values.items()}


def tiled(width: int, length: int) -> dict[int, int | bytes]:
    """A grey picture in tiles of that size."""
    entries = grey()
    for tag in (_OFFSETS, _ROWS, _COUNTS):
        del entries[tag]
    return entries | {
        _TILE_WIDTH: width, _TILE_LENGTH: length, _TILE_OFFSETS: 0xF00D, _TILE_COUNTS: len(PIXELS),
    }  # fmt: skip


TIFFS: dict[str, tuple[str, bytes]] = {
    "tiff by hand": ("published", tiff(grey())),
    "tiff with pages in a ring": ("published", tiff(grey(), following=8)),
    "tiff with a page beyond its end": ("published", tiff(grey(), following=1 << 30)),
    "tiff of 2500 MP": ("too-many-pixels", tiff(grey(width=50_000, length=50_000))),
    "tiff of 18 exapixels": ("too-many-pixels", tiff(grey(width=2**32 - 1, length=2**32 - 1))),
    "tiff of no width": ("corrupt", tiff(grey(width=0))),
    "tiff with a strip of 4 GB": ("published", tiff(grey(counts=2**32 - 1))),
    "tiff with a strip that is nowhere": ("truncated", tiff(grey(offsets=1 << 31))),
    "tiff with 4 billion channels": ("corrupt", tiff(grey(samples=2**32 - 1))),
    "tiff of a packing that is none": ("corrupt", tiff(grey(compression=31_337))),
    "tiff of a depth that is none": ("corrupt", tiff(grey(bits=77))),
    "tiff with tiles of 4 billion": ("corrupt", tiff(tiled(2**32 - 1, 2**32 - 1))),
    "tiff with tiles of no size": ("corrupt", tiff(tiled(0, 0))),
    "tiff without entries": ("truncated", b"II*\0\x08\0\0\0\0\0\0\0\0\0"),
    "tiff with 65,535 entries": (
        "truncated",
        b"II*\0\x08\0\0\0\xff\xff" + b"\xfe\0\4\0\1\0\0\0" * 99,
    ),
    "tiff that is its own directory": ("truncated", b"II*\0\0\0\0\0"),
    "tiff of packed noise": ("corrupt", tiff(grey(compression=5), b"\xff\x80" * 5400)),
}
