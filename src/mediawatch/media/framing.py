"""The sizes of a published picture: pure arithmetic, no pixels."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from mediawatch.media.rules import (
    ASPECT_TOLERANCE,
    HARD_ASPECT,
    MAX_ASPECT,
    MIN_ASPECT,
    MIN_SIDE,
    MIN_WIDTH,
    Reason,
    reject,
)

Fit = Literal["blur", "pad", "crop", "reject"]
Size = tuple[int, int]
#: Width divided by height, at the least and at the most.
Aspects = tuple[float, float]
#: Of a picture in the feed, and of one in a story, where every shape is shown.
FEED: Aspects = (MIN_ASPECT.value, MAX_ASPECT.value)
STORY: Aspects = (1 / HARD_ASPECT.value, HARD_ASPECT.value)


@dataclass(frozen=True, slots=True)
class Frame:
    """``content``: what the whole picture is scaled to. ``canvas``: what is published.

    A canvas larger than the content is padded, a smaller one crops it. Pixels, upright.
    """

    content: Size
    canvas: Size


def fits(size: Size, aspects: Aspects = FEED) -> bool:
    """True if the shape is within the aspects, both included."""
    width, height = size
    return aspects[0] * height <= width <= aspects[1] * height


def frame(size: Size, fit: Fit, max_width: int, aspects: Aspects = FEED) -> Frame:
    """Place a picture of ``size`` (upright, before scaling) on a canvas Instagram takes.

    The canvas is at most ``max_width`` wide and never enlarged beyond 320.
    Raises Rejected: aspect, too-small.
    """
    width, height = size
    ratio = width / height
    if not 1 / HARD_ASPECT.value <= ratio <= HARD_ASPECT.value:
        raise reject(Reason.ASPECT, width=width, height=height)
    if min(size) < MIN_SIDE.value:
        raise reject(Reason.TOO_SMALL, width=width, height=height, limit=MIN_SIDE.value)
    low, high = aspects
    slack = ASPECT_TOLERANCE.value
    if low * (1 - slack) <= ratio <= high * (1 + slack):
        canvas = _canvas(width, ratio, max_width, aspects)
        return Frame(canvas, canvas)
    if fit == "reject":
        raise reject(Reason.ASPECT, width=width, height=height)
    wanted = low if ratio < low else high
    keeps_width = (ratio > high) != (fit == "crop")
    canvas = _canvas(width if keeps_width else height * wanted, wanted, max_width, aspects)
    if keeps_width:
        return Frame((canvas[0], max(1, round(canvas[0] / ratio))), canvas)
    return Frame((max(1, round(canvas[1] * ratio)), canvas[1]), canvas)


def _canvas(natural_width: float, ratio: float, max_width: int, aspects: Aspects) -> Size:
    """The size of this shape, its height pulled into the limits to the pixel."""
    width = max(MIN_WIDTH.value, min(max_width, math.ceil(natural_width)))
    shortest = math.ceil(width / aspects[1])
    tallest = math.floor(width / aspects[0])
    return width, min(max(round(width / ratio), shortest), tallest)
