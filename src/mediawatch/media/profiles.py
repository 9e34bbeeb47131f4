"""ICC profiles: what a picture's numbers mean as colours, what that is called, and sRGB by it.

Colour management is loaded by the first picture that has a profile: most have none.
"""

from __future__ import annotations

import io
from functools import lru_cache
from typing import TYPE_CHECKING

from PIL import Image

if TYPE_CHECKING:
    from PIL import ImageCms

#: Pillow's mode to the colour space that a profile for it is made for (ICC.1:2022, table 19).
_SPACES = {"RGB": "RGB", "L": "GRAY", "CMYK": "CMYK", "LAB": "Lab"}
_NAME_LENGTH = 40
_MAX_PROFILE = 4 << 20  # bytes: the tables of a press take two million, a display's three thousand
# An eye sees no difference of two in 255, and rounding makes one.
_SAME = 2
_STEPS = range(0, 256, 51)


def to_srgb(image: Image.Image, profile: bytes | None) -> tuple[Image.Image, str] | None:
    """The picture in sRGB and the name of the colours that it had.

    None if there is nothing to do, or nothing to go by: no profile, one that is broken or made
    for another mode, or one that is sRGB under whatever name.
    """
    source = _lab() if image.mode == "LAB" else _opened(profile)
    if source is None or source.profile.xcolor_space.strip() != _SPACES.get(image.mode):
        return None
    if image.mode != "LAB" and is_srgb(profile, image.mode):
        return None
    converted = _converted(image, source)
    if converted is None:
        return None
    return converted, "LAB" if image.mode == "LAB" else _name(source)


def is_srgb(profile: bytes | None, mode: str) -> bool:
    """True if pixels of this Pillow mode are sRGB as they are; a profile nobody can use is none.

    It is tried out, because the name proves nothing: linear light is sold as sRGB, and small
    profiles that mean sRGB are called "c2".
    """
    return not profile or len(profile) > _MAX_PROFILE or _does_nothing(profile, mode)


@lru_cache(4)
def _does_nothing(profile: bytes, mode: str) -> bool:
    source = _opened(profile)
    if source is None or source.profile.xcolor_space.strip() != _SPACES.get(mode):
        return True
    if mode not in {"RGB", "L"}:
        return False
    sample = _sample(mode)
    converted = _converted(sample, source)
    if converted is None:
        return True
    pairs = zip(sample.convert("RGB").tobytes(), converted.tobytes(), strict=True)
    return all(abs(before - after) <= _SAME for before, after in pairs)


def _sample(mode: str) -> Image.Image:
    """Colours from all over the space, a pixel each."""
    if mode == "L":
        return Image.frombytes("L", (256, 1), bytes(range(256)))
    colours = bytes(value for r in _STEPS for g in _STEPS for b in _STEPS for value in (r, g, b))
    return Image.frombytes("RGB", (len(colours) // 3, 1), colours)


def _opened(profile: bytes | None) -> ImageCms.ImageCmsProfile | None:
    if not profile or len(profile) > _MAX_PROFILE:
        return None
    from PIL import ImageCms

    try:
        return ImageCms.ImageCmsProfile(io.BytesIO(profile))
    except (OSError, ValueError, TypeError, ImageCms.PyCMSError):
        return None


def _lab() -> ImageCms.ImageCmsProfile:
    from PIL import ImageCms

    return ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))


def _converted(image: Image.Image, source: ImageCms.ImageCmsProfile) -> Image.Image | None:
    from PIL import ImageCms

    try:
        return ImageCms.profileToProfile(
            image,
            source,
            ImageCms.createProfile("sRGB"),
            renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
            outputMode="RGB",
            flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None


def _name(source: ImageCms.ImageCmsProfile) -> str:
    """What the profile calls itself, short, and without anything that cannot be printed."""
    told = source.profile.profile_description or ""
    printable = "".join(character for character in told if character.isprintable())
    name = " ".join(printable.split())
    if not name:
        return "colour profile"
    return name if len(name) <= _NAME_LENGTH else f"{name[: _NAME_LENGTH - 1].rstrip()}…"
