"""Formats broken one field at a time: PNG, BMP, WebP, GIF, AVIF and HEIC that lie."""

from __future__ import annotations

import random
import struct
import zlib
from functools import cache
from typing import Any

from tests.support.pictures import encoded, photo, png_chunk

PUBLISHED = "published"
Corpus = dict[str, tuple[str, bytes]]
QUICK = {"enc_params": {"preset": "ultrafast"}}
SIDE = (600, 450)
#: Format -> how it is written, quickly.
FORMATS: dict[str, dict[str, Any]] = {
    "JPEG": {"quality": 88},
    "PNG": {},
    "WEBP": {},
    "GIF": {},
    "BMP": {},
    "TIFF": {"compression": "tiff_lzw"},
    "AVIF": {"speed": 10},
    "HEIF": QUICK,
}


@cache
def good(image_format: str) -> bytes:
    """An ordinary picture of that format."""
    return encoded(photo(*SIDE), image_format, **FORMATS[image_format])


def png(width: int, height: int, depth: int, kind: int, packed: bytes, *more: bytes) -> bytes:
    """A PNG by hand: ``kind`` is its colour type, ``more`` are chunks before the pixels."""
    header = struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0)
    chunks = (
        png_chunk(b"IHDR", header),
        *more,
        png_chunk(b"IDAT", packed),
        png_chunk(b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def pngs() -> Corpus:
    whole = good("PNG")
    rows = zlib.compress(bytes(481) * 360)
    frames = png_chunk(b"acTL", struct.pack(">II", 0x7FFFFFFF, 0))
    return {
        "png with a wrong sum of its header": ("corrupt", whole[:29] + bytes(4) + whole[33:]),
        "png with a wrong sum of its pixels": (PUBLISHED, whole.replace(whole[-16:-12], bytes(4))),
        "png without an end": (PUBLISHED, whole[:-12]),
        "png of no width": ("corrupt", png(0, 360, 8, 0, rows)),
        "png of a colour type that is none": ("corrupt", png(480, 360, 8, 5, rows)),
        "png of a depth that is none": ("corrupt", png(480, 360, 3, 0, rows)),
        "png with a palette that is missing": (PUBLISHED, png(480, 360, 8, 3, rows)),
        "png that ends its pixels a little early": (PUBLISHED, png(480, 400, 8, 0, rows)),
        "png with pixels that are noise": (
            "corrupt", png(480, 360, 8, 0, b"\x78\x9c" + b"\xff" * 999),
        ),
        "png of two billion frames": ("too-many-frames", png(480, 360, 8, 0, rows, frames)),
        "png with a chunk of 2 GB": (
            "truncated", whole[:33] + b"\x7f\xff\xff\xfftEXt" + whole[33:],
        ),
    }  # fmt: skip


def bmp_of(
    width: int, height: int, compression: int = 0, bits: int = 24, data: bytes = b""
) -> bytes:
    info = struct.pack("<IiiHHIIiiII", 40, width, height, 1, bits, compression, 0, 0, 0, 0, 0)
    palette = bytes(1024) if bits == 8 else b""
    start = 14 + len(info) + len(palette)
    head = b"BM" + struct.pack("<IHHI", start + len(data), 0, 0, start)
    return head + info + palette + data


def bmps() -> Corpus:
    endless = b"\0\2\0\0" * 50_000  # run-length code that moves by nothing, for ever
    return {
        "bmp of 2 billion by 2 billion": ("too-many-pixels", bmp_of(2**31 - 1, 2**31 - 1)),
        "bmp of minus 1 width": ("too-many-pixels", bmp_of(-1, 400)),
        "bmp of a depth that is none": ("corrupt", bmp_of(480, 360, 0, 7, bytes(999))),
        "bmp with a run that never ends": ("corrupt", bmp_of(480, 360, 1, 8, endless)),
        "bmp with a run past its edge": ("corrupt", bmp_of(480, 360, 1, 8, b"\xff\1" * 3)),
        "bmp without pixels": ("truncated", bmp_of(480, 360)),
    }


def gif_of(width: int, height: int) -> bytes:
    whole = good("GIF")
    return whole[:6] + struct.pack("<HH", width, height) + whole[10:]


def webps_and_gifs() -> Corpus:
    webp, gif = good("WEBP"), good("GIF")
    frame = webp.index(b"VP8 ") + 14  # the size of a lossy frame: RFC 6386, 9.1
    canvas = b"VP8X" + struct.pack("<I", 10) + bytes(4) + b"\xff\x3f\0\xff\x3f\0"
    body = canvas + webp[12:]
    code = gif.index(b",", 13 + 768) + 10
    return {
        "webp with a larger frame than it has": (
            "corrupt", webp[:frame] + struct.pack("<HH", 1600, 1200) + webp[frame + 4 :],
        ),
        "webp on a canvas of 268 MP": (
            "too-many-pixels", b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WEBP" + body,
        ),
        "webp with a length of 4 GB": ("truncated", webp[:4] + b"\xf0\xff\xff\xff" + webp[8:]),
        "gif with an impossible code size": ("corrupt", gif[:code] + b"\xff" + gif[code + 1 :]),
        "gif of no width": (PUBLISHED, gif_of(0, 450)),
    }  # fmt: skip


def with_size(image_format: str, width: int, height: int) -> bytes:
    """Its ispe box (ISO/IEC 23008-12, 6.5.3) lies."""
    data = bytearray(good(image_format))
    at = data.index(b"ispe") + 8
    data[at : at + 8] = struct.pack(">II", width, height)
    return bytes(data)


def _overwritten(image_format: str, box: bytes, data: bytes, offset: int = 8) -> bytes:
    whole = good(image_format)
    at = whole.index(box) + offset
    return whole[:at] + data + whole[at + len(data) :]


def boxes() -> Corpus:
    boxes: Corpus = {}
    for image_format in ("AVIF", "HEIF"):
        # libavif scales to the size that the file claims, libheif refuses a claim that is wrong.
        lie = PUBLISHED if image_format == "AVIF" else "corrupt"
        noise = random.Random(1).randbytes(4000)
        boxes |= {
            f"{image_format} that says 2 MP": (lie, with_size(image_format, 1600, 1200)),
            f"{image_format} that says 64x64": (lie, with_size(image_format, 64, 64)),
            f"{image_format} of no size": ("corrupt", with_size(image_format, 0, 0)),
            f"{image_format} with places that are nowhere": (
                "corrupt", _overwritten(image_format, b"iloc", b"\xff" * 16),
            ),
            f"{image_format} with items that are none": (
                "corrupt", _overwritten(image_format, b"iinf", b"\xff" * 8),
            ),
            f"{image_format} with a main picture that is none": (
                "corrupt", _overwritten(image_format, b"pitm", b"\xff\xff"),
            ),
            # Both decoders hide such damage, so that nobody can see it: a limit that is documented.
            f"{image_format} with noise for its last pixels": (
                PUBLISHED, good(image_format)[: -len(noise)] + noise,
            ),
        }  # fmt: skip
    return boxes
