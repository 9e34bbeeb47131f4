"""The last look at a picture before it may be published: not the plan counts, but the bytes."""

from __future__ import annotations

import io

from PIL import Image

from mediawatch.errors import PreparationProblem
from mediawatch.media import jpeg
from mediawatch.media.framing import FEED, Aspects, Size, fits
from mediawatch.media.rules import MAX_BYTES, MIN_WIDTH


def require_publishable(
    data: bytes, size: Size, max_width: int, aspects: Aspects = FEED, *, metadata: bool
) -> None:
    """Check a finished JPEG against what Instagram takes, by its own headers; decodes nothing.

    ``size``: the pixels that it should have; ``aspects``: its shape. ``metadata``: whether it
    may hold any.
    Raises PreparationProblem; that is a mistake of ours, never one of the picture.
    """
    problem = _problem(data, size, max_width, aspects, metadata=metadata)
    if problem:
        raise PreparationProblem(
            f"The picture that was made is not as it should be: {problem}.",
            remedy="Nothing to do at first: mediawatch tries again. If it stays, report it.",
        )


def _problem(
    data: bytes, size: Size, max_width: int, aspects: Aspects, *, metadata: bool
) -> str | None:
    if len(data) >= MAX_BYTES.value:
        return f"it has {len(data)} bytes"
    try:
        with Image.open(io.BytesIO(data), formats=["JPEG"]) as image:
            kind, mode, found = image.format, image.mode, image.size
    except (OSError, SyntaxError, ValueError) as error:
        return f"it cannot be read ({error})"
    if kind != "JPEG" or mode not in {"RGB", "L"}:
        return f"it is a {kind} of mode {mode}"
    if found != size:
        return f"it has {found[0]}x{found[1]} pixels, not {size[0]}x{size[1]}"
    if not MIN_WIDTH.value <= found[0] <= max_width or not fits(found, aspects):
        return f"{found[0]}x{found[1]} pixels are outside the rules"
    if not jpeg.has_end(data):
        return "it breaks off"
    if jpeg.strip(data, keep_metadata=metadata) is not data:
        return "it holds metadata"
    return None
