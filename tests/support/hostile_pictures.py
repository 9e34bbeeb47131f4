"""Pictures made to do harm, or broken as files get broken, and what must be said of each.

"published" stands for a file that is odd but good. No file is stored: each is made by the test.
"""

from __future__ import annotations

import random
import struct

from tests.support import icc, metadata, pictures
from tests.support.hostile_formats import (
    FORMATS,
    PUBLISHED,
    QUICK,
    SIDE,
    Corpus,
    bmp_of,
    bmps,
    boxes,
    gif_of,
    good,
    pngs,
    webps_and_gifs,
    with_size,
)
from tests.support.hostile_tiff import TIFFS
from tests.support.pictures import encoded, photo, truncated


def corpus() -> Corpus:
    """Name -> code of the refusal (or "published"), and the file."""
    parts = (
        _bombs(), _shapes(), _parts_of_files(), _strangers(), _two_in_one(), _much_metadata(),
        pngs(), bmps(), webps_and_gifs(), boxes(), _noise(), TIFFS,
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
        "gif of 4295 MP": ("too-many-pixels", gif_of(65_535, 65_535)),
        "gif of 300 frames": ("too-small", pictures.animation("GIF", 300, (40, 30))),
        "bmp of 400 MP": ("too-many-pixels", bmp_of(20_000, 20_000)),
        "avif of 260 MP": ("too-many-pixels", with_size("AVIF", 20_000, 13_000)),
        "avif of 1600 MP": ("corrupt", with_size("AVIF", 40_000, 40_000)),  # by its own decoder
        "heic of 1600 MP": ("too-many-pixels", with_size("HEIF", 40_000, 40_000)),
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
        "video": ("no-video", pictures.MP4),
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
        "webp with 8 MB of xmp": (PUBLISHED, encoded(photo(*SIDE), "WEBP", xmp=xmp)),
        "heic with 8 MB of xmp": (PUBLISHED, encoded(photo(*SIDE), "HEIF", xmp=xmp, **QUICK)),
    }  # fmt: skip


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
