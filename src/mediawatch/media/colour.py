"""From any pixel mode to plain sRGB: palettes, 16 bits, CMYK, profiles, transparency."""

from __future__ import annotations

from PIL import Image

from mediawatch.media import profiles
from mediawatch.media.rules import Reason, reject

#: 16-bit grey, the only deep mode that has one meaning: 0 is black, 65535 is white.
DEEP_GREY = frozenset({"I;16", "I;16B", "I;16L", "I;16N"})
_KNOWN = DEEP_GREY | {
    "1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr", "LAB",
}  # fmt: skip


def scalable(image: Image.Image) -> Image.Image:
    """The same picture in a mode that can be scaled well.

    Palettes become colours, black-and-white becomes grey, and colours are multiplied with
    their transparency, so that hidden pixels cannot bleed into visible ones.
    Raises Rejected (unsupported) for 32-bit and floating-point pixels, whose white is anywhere.
    """
    if image.mode not in _KNOWN:
        label = "picture with 32-bit or floating-point pixels"
        raise reject(Reason.UNSUPPORTED, label=label)
    if image.mode not in DEEP_GREY and "transparency" in image.info:
        image = image.convert("RGBA")
    elif image.mode == "1":
        image = image.convert("L")
    elif image.mode == "P":
        image = image.convert("RGB")
    if image.mode in {"RGBA", "PA"}:
        return image.convert("RGBa") if image.mode == "RGBA" else scalable(image.convert("RGBA"))
    return image.convert("La") if image.mode == "LA" else image


def to_srgb(
    image: Image.Image, profile: bytes | None, tones: tuple[int, int] = (0, 65535)
) -> tuple[Image.Image, list[str]]:
    """An opaque RGB picture with sRGB colours, and what was changed on the way.

    ``tones``: what black and white are, of 16-bit grey.
    A profile that is broken, or made for another mode, is ignored as if there were none.
    Raises Rejected (blank) if every pixel is transparent.
    """
    changes: list[str] = []
    image, alpha = _split(image)
    if alpha is not None and alpha.getextrema() == (0, 0):
        raise reject(Reason.BLANK)
    if image.mode in DEEP_GREY:
        darkest, lightest = tones
        scale = 255 / (lightest - darkest)
        image = image.point(lambda value: value * scale - darkest * scale).convert("L")
        changes.append("16-bit grey to 8 bits")
    converted = profiles.to_srgb(image, profile)
    if converted is not None:
        image, name = converted
        changes.append(f"{name} to sRGB")
    elif image.mode == "CMYK":
        changes.append("CMYK to sRGB")
    image = image.convert("RGB")
    if alpha is not None and alpha.getextrema() != (255, 255):
        white = Image.new("RGB", image.size, "white")
        white.paste(image, mask=alpha)
        image = white
        changes.append("transparency on white")
    return image, changes


def _split(image: Image.Image) -> tuple[Image.Image, Image.Image | None]:
    modes = {"RGBa": ("RGBA", "RGB"), "La": ("LA", "L")}
    if image.mode not in modes:
        return image, None
    with_alpha, without = modes[image.mode]
    image = image.convert(with_alpha)
    return image.convert(without), image.getchannel("A")
