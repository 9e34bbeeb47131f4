"""Pictures made to do harm, or broken as files get broken, and what must be said of each.

"published" stands for a file that is odd but good. No file is stored: each is made by the test.
"""

from __future__ import annotations

import random
import struct
import zlib
from functools import cache
from typing import Any

from tests.support import icc, metadata, pictures
from tests.support.hostile_tiff import TIFFS
from tests.support.pictures import encoded, photo, png_chunk, truncated

PUBLISHED = "published"
Corpus = dict[str, tuple[str, bytes]]
_QUICK = {"enc_params": {"preset": "ultrafast"}}
_SIDE = (600, 450)
#: Format -> how it is written, quickly.
FORMATS: dict[str, dict[str, Any]] = {
    "JPEG": {"quality": 88},
    "PNG": {},
    "WEBP": {},
    "GIF": {},
    "BMP": {},
    "TIFF": {"compression": "tiff_lzw"},
    "AVIF": {"speed": 10},
    "HEIF": _QUICK,
}


@cache
def good(image_format: str) -> bytes:
    """An ordinary picture of that format."""
    return encoded(photo(*_SIDE), image_format, **FORMATS[image_format])


def corpus() -> Corpus:
    """Name -> code of the refusal (or "published"), and the file."""
    parts = (
        _bombs(), _shapes(), _parts_of_files(), _strangers(), _two_in_one(), _much_metadata(),
        _pngs(), _bmps(), _webps_and_gifs(), _boxes(), _noise(), TIFFS,
    )  # fmt: skip
    found: Corpus = {}
    for part in parts:
        assert not found.keys() & part.keys()
        found |= part
    return found


def _bombs() -> Corpus:
    frame = good("JPEG").index(b"\xff\xc0")
    vast = good("JPEG")[: frame + 5] + b"\xfd\xe8\xfd\xe8" + good("JPEG")[frame + 9 :]
    return {
        "jpeg of 4225 MP by its header": ("too-many-pixels", vast),
        "jpeg of 6000 scans": ("scan-bomb", pictures.scan_bomb()),
        "png of 2500 MP": ("too-many-pixels", pictures.huge_png()),
        "png of 169 MP": ("too-many-pixels", pictures.huge_png(13_000, 13_000)),
        "png with a text of 64 MB": ("corrupt", pictures.inflating_png(b"zTXt")),
        "png with a profile of 64 MB": ("corrupt", pictures.inflating_png(b"iCCP")),
        "webp of 169 MP": ("too-many-pixels", pictures.huge_webp()),
        "webp of 64 MP": ("too-many-pixels", pictures.huge_webp(8000, 8000)),
        "gif of 4295 MP": ("too-many-pixels", _gif_of(65_535, 65_535)),
        "gif of 300 frames": ("animation", pictures.animation("GIF", 300, (40, 30))),
        "bmp of 400 MP": ("too-many-pixels", _bmp_of(20_000, 20_000)),
        "avif of 260 MP": ("too-many-pixels", _with_size("AVIF", 20_000, 13_000)),
        "avif of 1600 MP": ("corrupt", _with_size("AVIF", 40_000, 40_000)),  # by its own decoder
        "heic of 1600 MP": ("too-many-pixels", _with_size("HEIF", 40_000, 40_000)),
    }


def _shapes() -> Corpus:
    shapes: Corpus = {
        "jpeg thread": ("aspect", pictures.jpeg(10_000, 10)),
        "upright jpeg thread": ("aspect", pictures.jpeg(10, 10_000)),
        "png thread": ("aspect", encoded(photo(10_000, 10), "PNG")),
        "upright png thread": ("aspect", encoded(photo(10, 10_000), "PNG")),
        "nothing to see": ("blank", pictures.transparent_png()),
    }
    for image_format, options in FORMATS.items():
        pixel = encoded(photo(1, 1), image_format, **options)
        shapes[f"one pixel of {image_format}"] = ("too-small", pixel)
    return shapes


def _parts_of_files() -> Corpus:
    parts: Corpus = {
        "no byte": ("empty", b""),
        "one byte": ("unsupported", b"\xff"),
        "two bytes of a jpeg": ("unsupported", b"\xff\xd8"),
        "head of a jpeg": ("truncated", good("JPEG")[:20]),
        "head of a png": ("truncated", good("PNG")[:40]),
        "progressive jpeg without its last scans": (
            "truncated", truncated(pictures.jpeg(600, 450, progressive=True), 0.4),
        ),
        "jpeg with zeros for an end": ("truncated", truncated(good("JPEG")) + bytes(50_000)),
        "png with zeros for an end": ("truncated", truncated(good("PNG")) + bytes(50_000)),
    }  # fmt: skip
    for image_format in FORMATS:
        whole = good(image_format)
        for share in (0.01, 0.5, 0.99):
            parts[f"{share:.0%} of {image_format}"] = ("truncated", truncated(whole, share))
        parts[f"a {image_format} named .jpg"] = (PUBLISHED, whole)
    return parts


def _strangers() -> Corpus:
    texts = {
        "html": pictures.HTML,
        "html after a mark and blanks": b"\xef\xbb\xbf \r\n\r\n<!DOCTYPE html><p>404",
        "svg": b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>',
        "svg that reads a file": (
            b'<?xml version="1.0"?><!DOCTYPE s [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
            b'<svg xmlns="http://www.w3.org/2000/svg"><text>&x;</text></svg>'
        ),
        "pdf": pictures.PDF,
        "eps": pictures.EPS,
        "eps of dos": b"\xc5\xd0\xd3\xc6" + struct.pack("<II", 30, 200) + bytes(20) + pictures.EPS,
        "playlist of files": b"ffconcat version 1.0\nfile /etc/passwd\n",
        "playlist of the web": b"#EXTM3U\n#EXTINF:9,\nfile:///etc/passwd\n",
        "imagemagick script": b"push graphic-context\nimage over 0,0 0,0 'https://x.y/z'\n",
        "zip": b"PK\3\4" + bytes(100),
        "pnm of 160 MP": b"P6\n20000 8000\n255\n",
        "xpm": b"/* XPM */\nstatic char *a[] = {\n",
        "psd": b"8BPS\0\1" + bytes(20),
        "jpeg 2000": b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(40),
        "icon": b"\0\0\1\0\1\0" + bytes(40),
        "program": b"MZ" + bytes(200),
        "zeros": bytes(5000),
    }
    return {name: ("unsupported", data) for name, data in texts.items()}


def _two_in_one() -> Corpus:
    return {
        "jpeg with a zip behind it": (PUBLISHED, good("JPEG") + b"PK\3\4" + bytes(500)),
        "jpeg with a video behind it": (PUBLISHED, good("JPEG") + pictures.MP4 * 50),
        "png with a script behind it": (PUBLISHED, good("PNG") + b"<script>alert(1)</script>"),
        "jpeg with a script in it": (
            PUBLISHED, pictures.jpeg(600, 450, comment=b"<script>alert('PK')</script>"),
        ),
        "pdf with a jpeg in it": ("unsupported", pictures.PDF + good("JPEG")),
        "script that is a gif": ("truncated", b"GIF89a/*\0\0\0\0*/=1;alert(1)//"),
        "two jpegs glued together": (PUBLISHED, good("JPEG") * 2),
        "video": ("video", pictures.MP4),
    }  # fmt: skip


def _much_metadata() -> Corpus:
    start, rest = good("JPEG")[:2], good("JPEG")[2:]
    app1 = metadata.segment(0xE1, b"Exif\0\0MM\0*\0\0\0\x08" + bytes(65_000))
    comment = metadata.segment(0xFE, b"x" * 65_533)
    profile = b"".join(
        metadata.segment(0xE2, b"ICC_PROFILE\0" + bytes((n, 255)) + b"p" * 65_000)
        for n in range(1, 256)
    )
    loop = b"Exif\0\0MM\0*\0\0\0\x08\0\1\x87\x69\0\4\0\0\0\1\0\0\0\x08\0\0\0\x08"
    vast_count = b"Exif\0\0MM\0*\0\0\0\x08\0\1\x01\x0e\0\2\xff\xff\xff\xff\0\0\0\x08\0\0\0\0"
    lying_profile = b"\xff\xff\xff\xf0" + icc.rgb("Display P3", icc.DISPLAY_P3, None)[4:]
    many_tags = bytearray(icc.rgb("x", icc.SRGB, None))
    many_tags[128:132] = b"\xff\xff\xff\xff"
    xmp = b"<x>" + b"a" * (8 << 20)
    return {
        "jpeg with 13 MB of exif": (PUBLISHED, start + app1 * 200 + rest),
        "jpeg with 13 MB of comments": (PUBLISHED, start + comment * 200 + rest),
        "jpeg with a profile of 16 MB": (PUBLISHED, start + profile + rest),
        "jpeg with exif that loops": (PUBLISHED, metadata.jpeg_with(0xE1, loop)),
        "jpeg with exif of 4 GB": (PUBLISHED, metadata.jpeg_with(0xE1, vast_count)),
        "jpeg with exif that is noise": (
            PUBLISHED, metadata.jpeg_with(0xE1, b"Exif\0\0II*\0\xff\xff\xff\x7f" + bytes(500)),
        ),
        "jpeg with a profile that lies": (
            PUBLISHED, pictures.jpeg(600, 450, icc_profile=lying_profile),
        ),
        "jpeg with a profile of 4 billion tags": (
            PUBLISHED, pictures.jpeg(600, 450, icc_profile=bytes(many_tags)),
        ),
        "png with 9 MB of exif": (
            PUBLISHED, metadata.png_with(b"eXIf", b"MM\0*\0\0\0\x08" + bytes(9 << 20)),
        ),
        "webp with 8 MB of xmp": (PUBLISHED, encoded(photo(*_SIDE), "WEBP", xmp=xmp)),
        "heic with 8 MB of xmp": (PUBLISHED, encoded(photo(*_SIDE), "HEIF", xmp=xmp, **_QUICK)),
    }  # fmt: skip


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


def _pngs() -> Corpus:
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
        "png of two billion frames": ("animation", png(480, 360, 8, 0, rows, frames)),
        "png with a chunk of 2 GB": (
            "truncated", whole[:33] + b"\x7f\xff\xff\xfftEXt" + whole[33:],
        ),
    }  # fmt: skip


def _bmp_of(
    width: int, height: int, compression: int = 0, bits: int = 24, data: bytes = b""
) -> bytes:
    info = struct.pack("<IiiHHIIiiII", 40, width, height, 1, bits, compression, 0, 0, 0, 0, 0)
    palette = bytes(1024) if bits == 8 else b""
    start = 14 + len(info) + len(palette)
    head = b"BM" + struct.pack("<IHHI", start + len(data), 0, 0, start)
    return head + info + palette + data


def _bmps() -> Corpus:
    endless = b"\0\2\0\0" * 50_000  # run-length code that moves by nothing, for ever
    return {
        "bmp of 2 billion by 2 billion": ("too-many-pixels", _bmp_of(2**31 - 1, 2**31 - 1)),
        "bmp of minus 1 width": ("too-many-pixels", _bmp_of(-1, 400)),
        "bmp of a depth that is none": ("corrupt", _bmp_of(480, 360, 0, 7, bytes(999))),
        "bmp with a run that never ends": ("corrupt", _bmp_of(480, 360, 1, 8, endless)),
        "bmp with a run past its edge": ("corrupt", _bmp_of(480, 360, 1, 8, b"\xff\1" * 3)),
        "bmp without pixels": ("truncated", _bmp_of(480, 360)),
    }


def _gif_of(width: int, height: int) -> bytes:
    whole = good("GIF")
    return whole[:6] + struct.pack("<HH", width, height) + whole[10:]


def _webps_and_gifs() -> Corpus:
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
        "gif of no width": (PUBLISHED, _gif_of(0, 450)),
    }  # fmt: skip


def _with_size(image_format: str, width: int, height: int) -> bytes:
    """Its ispe box (ISO/IEC 23008-12, 6.5.3) lies."""
    data = bytearray(good(image_format))
    at = data.index(b"ispe") + 8
    data[at : at + 8] = struct.pack(">II", width, height)
    return bytes(data)


def _overwritten(image_format: str, box: bytes, data: bytes, offset: int = 8) -> bytes:
    whole = good(image_format)
    at = whole.index(box) + offset
    return whole[:at] + data + whole[at + len(data) :]


def _boxes() -> Corpus:
    boxes: Corpus = {}
    for image_format in ("AVIF", "HEIF"):
        # libavif scales to the size that the file claims, libheif refuses a claim that is wrong.
        lie = PUBLISHED if image_format == "AVIF" else "corrupt"
        noise = random.Random(1).randbytes(4000)
        boxes |= {
            f"{image_format} that says 2 MP": (lie, _with_size(image_format, 1600, 1200)),
            f"{image_format} that says 64x64": (lie, _with_size(image_format, 64, 64)),
            f"{image_format} of no size": ("corrupt", _with_size(image_format, 0, 0)),
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


def _noise() -> Corpus:
    noise = random.Random(7).randbytes(4000)
    heads = {
        "jpeg": ("truncated", b"\xff\xd8\xff\xe0"),
        "png": ("truncated", b"\x89PNG\r\n\x1a\n"),
        "gif": ("truncated", b"GIF89a"),
        "webp": ("corrupt", b"RIFF\xa0\x0f\0\0WEBP"),
        "bmp": ("truncated", b"BM\xff\xff\0\0\0\0\0\0"),
        "tiff": ("truncated", b"II*\0\x08\0\0\0"),
        "bigtiff": ("corrupt", b"II+\0\x08\0\0\0\x10\0\0\0\0\0\0\0"),
        "avif": ("truncated", b"\0\0\0\x18ftypavif\0\0\0\0mif1avif"),
        "heic": ("truncated", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"),
    }
    return {
        f"noise behind the mark of a {name}": (verdict, head + noise)
        for name, (verdict, head) in heads.items()
    }
