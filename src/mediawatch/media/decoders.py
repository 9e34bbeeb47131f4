"""How a picture is opened: one format a file, each plugin when it is needed, upright once.

Asked for a plugin that it lacks, Pillow would load them all, and Ghostscript's among them.
"""

from __future__ import annotations

import importlib
import re
from typing import BinaryIO

from PIL import Image

from mediawatch.media import boxes, coded
from mediawatch.media.order import Moving

# Pillow's common plugins, now rather than with the first picture.
Image.preinit()
_PLUGINS = {
    "AVIF": "PIL.AvifImagePlugin",
    "TIFF": "PIL.TiffImagePlugin",
    "WEBP": "PIL.WebPImagePlugin",
}
_ORIENTATION = 0x0112  # Exif 3.0, table 4
_BITS, _PHOTOMETRIC, _WHITE_IS_ZERO = 258, 262, 0  # TIFF 6.0, section 8
_WHITE, _WHITE_OF_12_BITS = 65535, 4095
#: Exif orientation to what brings the picture upright; 1 is upright.
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
#: Orientations in which width and height change places.
SIDEWAYS = frozenset({5, 6, 7, 8})
# ISO/IEC 23008-12, 6.5.10 and 6.5.12: a quarter turn or more, or a mirror.
_TURN = re.compile(rb"\0\0\0\x09(?:irot[\1-\3]|imir[\0\1])")
_HEIF_PROPERTIES = 1 << 16  # bytes in which they lie, also with the hundreds of tiles of a phone
_CONTAINERS = frozenset({"HEIF", "AVIF"})
_ANIMATED = frozenset({"GIF", "WEBP", "PNG", "AVIF"})
_SHRINKS_ON_LOAD = frozenset({"JPEG", "MPO", "WEBP"})


def load_plugin(image_format: str) -> None:
    """Have the decoder of this format (Pillow's name) in the process."""
    if image_format == "HEIF":
        _load_heif()
    elif image_format in _PLUGINS:
        importlib.import_module(_PLUGINS[image_format])


def _load_heif() -> None:
    from pillow_heif import register_heif_opener

    # The picture itself is all we want: a gain map, a depth map or a thumbnail is decoded by
    # nobody. One thread, because each worker has a core to itself, and stacks cost address space.
    register_heif_opener(thumbnails=False, depth_images=False, aux_images=False, decode_threads=1)


def opened(file: BinaryIO, image_format: str) -> Image.Image:
    """The picture, not yet decoded. Raises what Pillow raises."""
    return Image.open(file, formats=[image_format])


def orientation(image: Image.Image) -> int:
    """How the pixels lie, by Exif; 1 if that is not told, or told in a way that makes no sense."""
    try:
        value = image.getexif().get(_ORIENTATION, 1)
    except MemoryError:
        raise
    except Exception:
        return 1  # metadata that cannot be read turns nothing
    return value if value in UPRIGHT else 1


def load(image: Image.Image) -> tuple[int, bool]:
    """Decode the pixels, and tell how they lie then, and whether the decoder has turned them.

    JPEG and WebP are left to be decoded when the final size is known. The decoders of TIFF and
    HEIF turn by themselves; the Exif data of a PNG may lie behind its pixels, so it is not asked
    before.
    """
    if image.format in _SHRINKS_ON_LOAD:
        return orientation(image), False
    turned = _turns_itself(image)
    image.load()
    after = orientation(image)
    return after, turned and after == 1


def _turns_itself(image: Image.Image) -> bool:
    """A HEIC says in its properties how it is to be turned and mirrored; Exif is a mere remark."""
    if image.format == "TIFF":
        return orientation(image) in UPRIGHT
    if image.format != "HEIF":
        return False
    file = getattr(image, "fp", None)
    if file is None:
        return False
    file.seek(0)
    return _TURN.search(file.read(_HEIF_PROPERTIES)) is not None


def coded_profile(file: BinaryIO, image_format: str) -> bytes | None:
    """An ICC profile for colours that the container tells by numbers; None if there is no need."""
    if image_format not in _CONTAINERS:
        return None
    told = boxes.coded_colours(file)
    file.seek(0)
    return coded.profile(*told) if told else None


def tones(image: Image.Image) -> tuple[int, int]:
    """What black and white are among 16-bit pixels: Pillow leaves a TIFF's negative as it is,
    and 12 bits at the bottom of its 16."""
    tags = getattr(image, "tag_v2", {})
    white = _WHITE_OF_12_BITS if tags.get(_BITS) == (12,) else _WHITE
    return (white, 0) if tags.get(_PHOTOMETRIC) == _WHITE_IS_ZERO else (0, white)


def still(image: Image.Image, *, first_frame: bool) -> list[str]:
    """What is left out of a file of several pictures, in words.

    Raises Moving for one that moves, unless its ``first_frame`` is wanted.
    """
    if not getattr(image, "is_animated", False):
        return []
    if image.format == "HEIF":
        return ["main picture only"]  # of a burst; the file says which that is
    if image.format not in _ANIMATED:
        return ["first picture only"]  # pages of a TIFF, views of an MPO
    if not first_frame:
        raise Moving("It is an animation.")
    return ["first frame only"]


def exif_to_keep(image: Image.Image, limit: int) -> bytes:
    """The Exif data without its orientation; nothing if broken, or over ``limit`` bytes."""
    try:
        exif = image.getexif()
        exif.pop(_ORIENTATION, None)
        data = exif.tobytes() if exif and image.info.get("exif") else b""
    except Exception:
        return b""
    return data if len(data) <= limit else b""
