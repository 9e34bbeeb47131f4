"""A lossy WebP that is to be smaller: decoded and scaled as it is coded, brightness and colours.

Pillow knows only libwebp's decoder for animations, which makes 12 bytes of each pixel and copies
them twice. Asked for its three planes, the same library makes 1.5 bytes a pixel, and two of the
planes are half as large to scale. It is called in place, as Pillow has loaded it; whatever it or
the file does not offer, Pillow does.

The structures are those of webp/decode.h, whose fields have kept their places since the ABI
version below (libwebp 0.5). A library of another major version refuses it.
"""

from __future__ import annotations

import ctypes
import importlib
import os
from ctypes import c_char_p, c_int, c_size_t, c_ubyte, c_uint32, c_void_p
from functools import cache
from typing import Any

from PIL import Image

from mediawatch.media import packets
from mediawatch.media.framing import Size

_ABI = 0x0208
_OK = 0  # VP8StatusCode
_YUV = 11  # WEBP_CSP_MODE

# Of 8 bits of Rec. 601 (Y from 16 to 235, the others from 16 to 240) to R, G and B from 0 to 255:
# what libwebp does as well (src/dsp/yuv.h). Rows of Pillow's matrix: factors, then an offset.
_GAIN = 255 / 219
_TO_RGB = tuple(
    value
    for u, v in ((0.0, 1.596027), (-0.391762, -0.812968), (2.017232, 0.0))
    for value in (_GAIN, u, v, -16 * _GAIN - 128 * (u + v))
)


class _Output(ctypes.Structure):
    # A union in truth: seen as the larger of its members.
    _fields_ = (
        *((name, c_int) for name in ("colorspace", "width", "height", "is_external_memory")),
        ("planes", c_void_p * 4),
        ("strides", c_int * 4),
        ("sizes", c_size_t * 4),
        ("pad", c_uint32 * 4),
        ("private_memory", c_void_p),
    )


class _Config(ctypes.Structure):
    _fields_ = (
        ("input", c_int * 10),
        ("output", _Output),
        ("options", c_int * 18),
    )


def shrunk(image: Image.Image, size: Size) -> Image.Image | None:
    """The picture in RGB, scaled down to ``size``; None if Pillow has to do it.

    ``image`` is open and not yet decoded. A file that is broken is None too: Pillow tells how.
    """
    smaller = size[0] < image.width and size[1] < image.height
    file = getattr(image, "fp", None)
    library = _library()
    if not smaller or image.format != "WEBP" or image.mode != "RGB" or not file or not library:
        return None
    # Of the file around it, more than its own chunk would be read: Pillow's decoder reads no more.
    size_coded = packets.riff_chunk(file, b"VP8 ")
    if not size_coded:
        return None
    file.seek(-8, os.SEEK_CUR)
    data = file.read(8 + size_coded)
    config = _Config()
    if not library.WebPInitDecoderConfigInternal(ctypes.byref(config), _ABI):
        return None
    config.output.colorspace = _YUV
    try:
        if library.WebPDecode(data, len(data), ctypes.byref(config)) != _OK:
            return None
        if (config.output.width, config.output.height) != image.size:
            return None
        return _scaled(config.output, size)
    finally:
        library.WebPFreeDecBuffer(ctypes.byref(config.output))


@cache
def _library() -> Any:
    """libwebp, found through Pillow's module that is linked with it; None if it is out of reach,
    as where it is a part of that module (Windows)."""
    try:
        library = ctypes.CDLL(importlib.import_module("PIL._webp").__file__)
        library.WebPInitDecoderConfigInternal.argtypes = (c_void_p, c_int)
        library.WebPDecode.argtypes = (c_char_p, c_size_t, c_void_p)
        library.WebPFreeDecBuffer.argtypes = (c_void_p,)
    except (ImportError, OSError, AttributeError):
        return None
    return library


def _scaled(output: _Output, size: Size) -> Image.Image:
    width, height = output.width, output.height
    half = ((width + 1) // 2, (height + 1) // 2)
    # An odd picture ends in the middle of its last colour sample.
    box = (0.0, 0.0, width / 2, height / 2)
    bright = _plane(output, 0, (width, height))
    bright = bright.resize(size, Image.Resampling.BICUBIC, reducing_gap=1.0)
    # Between colour samples libwebp goes in a straight line as well.
    colours = [
        _plane(output, number, half).resize(
            size, Image.Resampling.BILINEAR, box=box, reducing_gap=1.0
        )
        for number in (1, 2)
    ]
    return Image.merge("RGB", (bright, *colours)).convert("RGB", _TO_RGB)


def _plane(output: _Output, number: int, size: Size) -> Image.Image:
    """A view of memory that is libwebp's: of no use once that is freed."""
    stride = output.strides[number]
    pixels = (c_ubyte * (stride * size[1])).from_address(output.planes[number])
    return Image.frombuffer("L", size, pixels, "raw", "L", stride, 1)
