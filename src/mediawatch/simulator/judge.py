"""The rules a picture and its caption must keep to be taken.

Limits: Meta's "IG User Media" page. JPEG only, 8 MiB, width to height 0.8 to 1.91 (feed and
carousel; stories have no hard bound), caption 2200 characters, 30 hashtags, 20 mentions. Where
Meta does not say how it counts, the stricter way is taken.
"""

from __future__ import annotations

import io
import re

from PIL import Image

from .refusals import Refusal, invalid

MAX_BYTES = 8 * 1024 * 1024
MIN_RATIO, MAX_RATIO, TOLERANCE = 0.8, 1.91, 0.01
MAX_CAPTION, MAX_HASHTAGS, MAX_MENTIONS, MAX_ALT_TEXT = 2200, 30, 20, 1000

_HASHTAG = re.compile(r"#\w")
_MENTION = re.compile(r"(?<!\w)@\w")
_SIGNATURES = (
    (0, b"\x89PNG", "PNG"),
    (0, b"GIF8", "GIF"),
    (8, b"WEBP", "WEBP"),
    (0, b"BM", "BMP"),
    (0, b"II*\0", "TIFF"),
    (0, b"MM\0*", "TIFF"),
    (8, b"heic", "HEIC"),
    (8, b"mif1", "HEIC"),
    (8, b"avif", "AVIF"),
    (4, b"ftyp", "MP4"),
)


def judge_picture(body: bytes, uri: str, *, any_shape: bool) -> tuple[int, int]:
    """Take or refuse a downloaded picture; gives width and height in pixels.

    Decodes at an eighth of the size, which finds a file that was cut off and costs a few
    milliseconds: call it in a thread. ``any_shape`` leaves the aspect ratio alone (stories).
    Raises Refusal: 36000, 36001, 36003, or 9004 for what is no whole picture.
    """
    if not body:
        raise Refusal(36003, 2207009, ratio=0)
    if len(body) > MAX_BYTES:
        raise Refusal(36000, 2207004)
    width, height = _open(body, uri)
    ratio = width / height
    if not any_shape and not MIN_RATIO - TOLERANCE <= ratio <= MAX_RATIO + TOLERANCE:
        raise Refusal(36003, 2207009, ratio=round(ratio, 4))
    return width, height


def _open(body: bytes, uri: str) -> tuple[int, int]:
    try:
        with Image.open(io.BytesIO(body), formats=["JPEG"]) as picture:
            if picture.format != "JPEG":
                raise Refusal(36001, 2207005, format=picture.format)
            size = picture.size
            picture.draft("L", (1, 1))
            picture.load()
            return size
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise Refusal(36000, 2207004) from None
    except (OSError, SyntaxError, ValueError):
        if name := _format_of(body):
            raise Refusal(36001, 2207005, format=name) from None
        raise Refusal(9004, 2207052, uri=uri) from None


def _format_of(body: bytes) -> str:
    for start, mark, name in _SIGNATURES:
        if body[start : start + len(mark)] == mark:
            return name
    return ""


def judge_text(caption: str, alt_text: str) -> None:
    """Take or refuse the words that go with a picture. Raises Refusal: 36004 or 100."""
    length = len(caption.encode("utf-16-le", "surrogatepass")) // 2
    if length > MAX_CAPTION:
        raise Refusal(36004, 2207010, length=length, limit=MAX_CAPTION)
    if len(_HASHTAG.findall(caption)) > MAX_HASHTAGS:
        raise Refusal(100, 2207040, limit=MAX_HASHTAGS)
    if len(_MENTION.findall(caption)) > MAX_MENTIONS:
        raise Refusal(100, 2207040, limit=MAX_MENTIONS)
    if len(alt_text) > MAX_ALT_TEXT:
        raise invalid(f"alt_text must be at most {MAX_ALT_TEXT} characters long")
