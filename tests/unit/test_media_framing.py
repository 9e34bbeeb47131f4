"""The sizes of what is published."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediawatch.errors import Rejected
from mediawatch.media.framing import Fit, Size, fits, frame

SIDES = st.integers(min_value=64, max_value=12_000)


@given(width=SIDES, height=SIDES, fit=st.sampled_from(["blur", "pad", "crop", "reject"]),
       max_width=st.integers(min_value=320, max_value=1440))  # fmt: skip
def test_every_canvas_is_within_the_limits(
    width: int, height: int, fit: Fit, max_width: int
) -> None:
    """Whatever goes in: what comes out has a shape and a width that Instagram takes, and the
    content covers the canvas (crop) or lies within it (pad), touching it on one axis."""
    ratio = width / height
    outside = not 0.8 * 0.995 <= ratio <= 1.91 * 1.005
    if not 1 / 8 <= ratio <= 8 or (fit == "reject" and outside):
        with pytest.raises(Rejected):
            frame((width, height), fit, max_width)
        return
    planned = frame((width, height), fit, max_width)
    canvas, content = planned.canvas, planned.content
    assert fits(canvas)
    assert 320 <= canvas[0] <= max_width
    assert canvas[0] == content[0] or canvas[1] == content[1]
    larger, smaller = (content, canvas) if fit == "crop" else (canvas, content)
    assert larger[0] >= smaller[0]
    assert larger[1] >= smaller[1]
    if canvas[0] > 320:
        assert content[0] <= 1.01 * width + 1  # whole pixels round the shape, no more
        assert content[1] <= 1.01 * height + 1


@pytest.mark.parametrize(
    ("size", "fit", "content", "canvas"),
    [
        ((4032, 3024), "blur", (1440, 1080), (1440, 1080)),
        ((1500, 400), "blur", (1440, 384), (1440, 754)),
        ((600, 1200), "pad", (600, 1200), (960, 1200)),
        ((200, 150), "blur", (320, 240), (320, 240)),
        ((1500, 400), "crop", (1500, 400), (764, 400)),
        ((600, 1200), "crop", (600, 1200), (600, 750)),
        ((1200, 628), "reject", (1200, 629), (1200, 629)),
        ((1440, 1800), "reject", (1440, 1800), (1440, 1800)),
    ],
)
def test_known_shapes(size: Size, fit: Fit, content: Size, canvas: Size) -> None:
    """Common pictures, worked out by hand; 1.9108:1, used all over the web, is not padded."""
    planned = frame(size, fit, 1440)
    assert (content, canvas) == (planned.content, planned.canvas)


@pytest.mark.parametrize(
    ("size", "fit", "code"),
    [
        ((10_000, 10), "blur", "aspect"),
        ((10, 10_000), "crop", "aspect"),
        ((1, 1), "blur", "too-small"),
        ((400, 63), "blur", "too-small"),
        ((1500, 400), "reject", "aspect"),
        ((1200, 1600), "reject", "aspect"),
    ],
)
def test_shapes_that_are_refused(size: Size, fit: Fit, code: str) -> None:
    """Threads, dots, and with fit = "reject" all that is outside 4:5 to 1.91:1."""
    with pytest.raises(Rejected) as caught:
        frame(size, fit, 1440)
    assert caught.value.code == code


def test_the_limits_themselves_fit() -> None:
    """Both ends are included; one pixel beyond is not."""
    assert fits((1440, 1800))
    assert fits((1440, 754))
    assert not fits((1440, 753))
    assert not fits((1440, 1801))
