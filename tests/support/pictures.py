"""Makers of picture files, good and hostile. Deterministic, and cheap enough for every test."""

from __future__ import annotations

import io
import struct
import zlib
from functools import lru_cache
from typing import Any

from PIL import Image, ImageCms
from pillow_heif import register_heif_opener

register_heif_opener()

HTML = b"<!doctype html><html><body><h1>404 Not Found</h1></body></html>"
PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF"
EPS = (
    b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 100 100\n%%EndComments\n"
    b"0 0 100 100 rectfill\nshowpage\n%%EOF\n"
)
MP4 = b"\0\0\0\x18ftypisom\0\0\2\0isommp41\0\0\0\x10moov\0\0\0\x08free\0\0\0\x10mdat12345678"
COMMENT = b"a comment nobody should read"
XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
    b'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description '
    b'xmlns:exif="http://ns.adobe.com/exif/1.0/" exif:GPSLatitude="52,30N"/></rdf:RDF></x:xmpmeta>'
)


@lru_cache(maxsize=8)
def _photo(width: int, height: int, seed: int) -> Image.Image:
    state = 0x9E3779B9 * (seed + 1) & 0xFFFFFFFF
    pixels = bytearray()
    for _ in range(3 * 24 * 18):
        state = (1664525 * state + 1013904223) & 0xFFFFFFFF
        pixels.append(state >> 24)
    return Image.frombytes("RGB", (24, 18), bytes(pixels)).resize(
        (width, height), Image.Resampling.BICUBIC
    )


def photo(width: int = 1200, height: int = 900, seed: int = 1) -> Image.Image:
    """A soft field of colours, which compresses about as a photograph does."""
    return _photo(width, height, seed).copy()


def encoded(image: Image.Image, image_format: str, **options: Any) -> bytes:
    """The bytes of a file of that format."""
    buffer = io.BytesIO()
    image.save(buffer, image_format, **options)
    return buffer.getvalue()


def heic(width: int = 1200, height: int = 900, *, seed: int = 1, **options: Any) -> bytes:
    """A picture as an iPhone keeps it."""
    quick = {"quality": 60, "enc_params": {"preset": "ultrafast"}}
    return encoded(photo(width, height, seed), "HEIF", **quick | options)


def jpeg(width: int = 1200, height: int = 900, *, seed: int = 1, **options: Any) -> bytes:
    """An ordinary JPEG; as it stands, Instagram would take it."""
    return encoded(photo(width, height, seed), "JPEG", **{"quality": 88} | options)


def phone_exif(orientation: int = 6) -> Image.Exif:
    """What a phone writes: orientation, a description, where it was taken."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010E] = "a secret description"
    gps = exif.get_ifd(0x8825)
    gps[1], gps[2], gps[3], gps[4] = "N", (52.0, 30.0, 0.0), "E", (13.0, 24.0, 0.0)
    return exif


def phone_jpeg(width: int = 1600, height: int = 1200, orientation: int = 6) -> bytes:
    """A picture held sideways: the top is red once it is upright. GPS, XMP, comment, sRGB."""
    image = photo(width, height)
    image.paste("red", (0, 0, width // 8, height))  # orientation 6: left becomes top
    return encoded(
        image, "JPEG", quality=88, exif=phone_exif(orientation), xmp=XMP, comment=COMMENT,
        icc_profile=srgb_profile(),
    )  # fmt: skip


def srgb_profile() -> bytes:
    """The ICC profile of sRGB."""
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def swapped_profile() -> bytes:
    """An RGB profile that is not sRGB: its red and blue primaries have changed places."""
    profile = srgb_profile().replace(b"s\0R\0G\0B", b"B\0G\0R\0s").replace(b"sRGB", b"BGRs")
    profile = profile.replace(b"rXYZ", b"?XYZ").replace(b"bXYZ", b"rXYZ")
    return profile.replace(b"?XYZ", b"bXYZ")


def see_through_png(width: int = 800, height: int = 600) -> bytes:
    """A PNG whose left half is opaque and whose right half hides green pixels."""
    image = photo(width, height).convert("RGBA")
    image.paste((0, 255, 0, 0), (width // 2, 0, width, height))
    return encoded(image, "PNG")


def transparent_png() -> bytes:
    """A PNG of which nothing can be seen."""
    image = photo(400, 300).convert("RGBA")
    image.putalpha(0)
    return encoded(image, "PNG")


def palette_png() -> bytes:
    """A PNG with 32 colours, one of them transparent."""
    return encoded(photo(800, 600).quantize(32), "PNG", transparency=0)


def deep_grey() -> Image.Image:
    """16-bit grey, from black on the left to white on the right."""
    ramp = Image.linear_gradient("L").rotate(90).resize((800, 600))
    return ramp.convert("I").point(lambda value: value * 257).convert("I;16")


def animation(image_format: str, frames: int = 5, size: tuple[int, int] = (400, 300)) -> bytes:
    """A moving picture of so many frames."""
    first, *others = (photo(*size, seed) for seed in range(frames))
    return encoded(first, image_format, save_all=True, append_images=others, duration=100)


def mpo() -> bytes:
    """A JPEG with a second picture behind it, as stereo cameras and some phones write."""
    return encoded(photo(), "MPO", save_all=True, append_images=[photo(300, 225)])


def truncated(data: bytes, share: float = 0.5) -> bytes:
    """The first part of a file."""
    return data[: int(len(data) * share)]


def scan_bomb(width: int = 512, height: int = 512, scans: int = 6000) -> bytes:
    """A progressive JPEG whose last scan is repeated: little to send, minutes to decode."""
    data = encoded(Image.new("L", (width, height), 128), "JPEG", quality=50, progressive=True)
    last = data[data.rindex(b"\xff\xda") : -2]
    return data[:-2] + last * scans + b"\xff\xd9"


@lru_cache(maxsize=1)
def slow_jpeg() -> bytes:
    """A JPEG that passes every guard and yet takes seconds to decode."""
    return scan_bomb(9900, 9900, scans=88)


def png_chunk(kind: bytes, data: bytes) -> bytes:
    """One chunk with its checksum."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def huge_png(width: int = 50_000, height: int = 50_000) -> bytes:
    """A PNG of two and a half thousand million pixels in a megabyte."""
    row = b"\0" * (1 + width // 8)
    packer = zlib.compressobj(1)
    packed = b"".join(packer.compress(row * 500) for _ in range(height // 500)) + packer.flush()
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + png_chunk(b"IHDR", header)
        + png_chunk(b"IDAT", packed)
        + png_chunk(b"IEND", b"")
    )


def huge_webp(width: int = 13_000, height: int = 13_000) -> bytes:
    """A WebP header that promises far more pixels than memory can hold."""
    bits = (width - 1) | (height - 1) << 14
    payload = b"\x2f" + struct.pack("<I", bits) + b"\0" * 8
    chunk = b"VP8L" + struct.pack("<I", len(payload)) + payload + b"\0" * (len(payload) % 2)
    return b"RIFF" + struct.pack("<I", 4 + len(chunk)) + b"WEBP" + chunk


def inflating_png(kind: bytes) -> bytes:
    """A PNG with a compressed chunk (zTXt, iCCP) that unpacks to 64 MB."""
    plain = encoded(photo(400, 300), "PNG")
    bomb = png_chunk(kind, b"c\0\0" + zlib.compress(b"A" * (64 << 20), 9))
    return plain[:33] + bomb + plain[33:]


def markers(data: bytes) -> dict[int, bytes]:
    """Every segment before the first scan of a JPEG, by marker; raises if that is malformed."""
    assert data[:2] == b"\xff\xd8"
    found: dict[int, bytes] = {}
    at = 2
    while True:
        assert data[at] == 0xFF
        marker, (length,) = data[at + 1], struct.unpack(">H", data[at + 2 : at + 4])
        if marker == 0xDA:
            return found
        found[marker] = data[at + 4 : at + 2 + length]
        at += 2 + length


def require_publishable(data: bytes) -> tuple[int, int]:
    """Assert all that Instagram asks of a feed picture, without our code; gives its pixels.

    Baseline, 8 bits, three components at 4:2:0, no metadata, 4:5 to 1.91:1, 320 to 1440 across,
    below 8 MB, and nothing behind its end.
    """
    found = markers(data)
    assert set(found) <= {0xE0, 0xDB, 0xC0, 0xC4, 0xDD}, [hex(marker) for marker in found]
    depth, height, width, components = struct.unpack(">BHHB", found[0xC0][:6])
    assert (depth, components) == (8, 3)
    assert [found[0xC0][7 + 3 * n] for n in range(3)] == [0x22, 0x11, 0x11]
    assert 0.8 <= width / height <= 1.91
    assert 320 <= width <= 1440
    assert len(data) < 8_000_000
    assert data.endswith(b"\xff\xd9")
    assert data.count(b"\xff\xd9") == 1
    return width, height
