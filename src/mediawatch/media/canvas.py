"""Putting a small picture on its canvas, and the canvas into a JPEG."""

from __future__ import annotations

import io

from PIL import Image, ImageFilter

from mediawatch.media.framing import Fit, Frame, Size
from mediawatch.media.rules import MAX_ASPECT, MIN_ASPECT, Reason, reject

_BLUR_SCALE = 16  # the background is blurred at this fraction of its size, which is all it needs
_QUALITY_STEP = 5
_QUALITY_FLOOR = 50


def place(
    image: Image.Image, planned: Frame, fit: Fit, pad_color: str
) -> tuple[Image.Image, list[str]]:
    """Pad or crop ``image`` (of the planned content size) to the canvas, centred."""
    width, height = planned.canvas
    left, top = (width - image.width) // 2, (height - image.height) // 2
    if planned.canvas == image.size:
        return image, []
    shape = f"{MAX_ASPECT.value}:1" if image.width * MIN_ASPECT.value > image.height else "4:5"
    if fit == "crop":
        cropped = image.crop((-left, -top, width - left, height - top))
        return cropped, [f"cropped to {shape}"]
    if fit == "blur":
        canvas = _blurred(image, planned.canvas)
    else:
        canvas = Image.new("RGB", planned.canvas, pad_color)
    canvas.paste(image, (left, top))
    return canvas, [f"padded to {shape}"]


def _blurred(image: Image.Image, size: Size) -> Image.Image:
    """The middle of the picture, filling ``size``, out of focus."""
    width, height = size
    scale = min(image.width / width, image.height / height)
    left, top = (image.width - width * scale) / 2, (image.height - height * scale) / 2
    small = image.resize(
        (max(1, width // _BLUR_SCALE), max(1, height // _BLUR_SCALE)),
        Image.Resampling.BOX,
        box=(left, top, left + width * scale, top + height * scale),
    )
    return small.filter(ImageFilter.GaussianBlur(2)).resize(size, Image.Resampling.BICUBIC)


def encode(image: Image.Image, quality: int, limit: int, exif: bytes = b"") -> tuple[bytes, int]:
    """A baseline JPEG of less than ``limit`` bytes, and the quality it took.

    At 1440x1800 pixels the first try is always small enough; the steps below it are a net.
    Raises Rejected (too-big) if even the lowest quality is not.
    """
    image.info = {}  # Pillow would copy the comment of the source
    size = 0
    for attempt in range(quality, _QUALITY_FLOOR - 1, -_QUALITY_STEP):
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=attempt, subsampling="4:2:0", exif=exif)
        size = buffer.tell()
        if size < limit:
            return buffer.getvalue(), attempt
    raise reject(Reason.TOO_BIG, size=size, limit=limit)
