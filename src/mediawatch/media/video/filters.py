"""The filters between decoder and encoder, as FFmpeg names them: told by facts and plan alone."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from av.filter import Graph
from av.video.frame import VideoFrame

from mediawatch.media.framing import Fit
from mediawatch.media.video.facts import Facts
from mediawatch.media.video.plan import Plan, Size
from mediawatch.media.video.reading import THREADS

Filter = tuple[str, str]

_TURNS: dict[int, list[Filter]] = {
    90: [("transpose", "clock")],
    180: [("hflip", ""), ("vflip", "")],
    270: [("transpose", "cclock")],
}
_WIDE = frozenset({9, 11, 12})  # BT.2020, DCI-P3 and Display P3, ITU-T H.273 table 2
_PLANAR_RGB = ("rgb", "bgr", "gbr", "argb", "abgr", "pal")


def filters(facts: Facts, plan: Plan, fit: Fit, pad_color: str) -> list[Filter]:
    """In this order: fewer frames before the others work on them, scaling before colours."""
    chain: list[Filter] = []
    if facts.interlaced:
        chain.append(("bwdif", "mode=send_frame"))
    chain.append(("fps", f"{fraction(plan.rate)}:start_time=0"))
    chain += _upright(facts, plan.content)
    chain += _placed(plan, fit, pad_color)
    chain += [("setsar", "1"), ("format", "yuv420p")]
    return chain


def still_filters(facts: Facts, size: Size) -> list[Filter]:
    """For a single frame, which becomes RGB of ``size``."""
    still: list[Filter] = [("bwdif", "mode=send_frame")] if facts.interlaced else []
    return [*still, *_upright(facts, size), ("setsar", "1"), ("format", "rgb24")]


def connected(frame: VideoFrame, chain: Sequence[Filter]) -> Graph:
    """A graph that is ready for frames like this one. Raises FFmpegError."""
    graph = Graph()
    graph.threads = THREADS
    nodes = [
        graph.add_buffer(
            width=frame.width, height=frame.height, format=frame.format, time_base=frame.time_base
        )
    ]
    nodes += [graph.add(name, arguments or None) for name, arguments in chain]
    graph.link_nodes(*nodes, graph.add("buffersink")).configure()
    return graph


def _upright(facts: Facts, upright: Size) -> list[Filter]:
    """To this size, these colours, and the right way up."""
    chain: list[Filter] = []
    width, height = upright[::-1] if facts.turn in {90, 270} else upright
    if (width, height) != (facts.width, facts.height):
        chain.append(("scale", f"{width}:{height}:flags=bicubic"))
    chain += _colours(facts)
    if facts.mirrored:
        chain.append(("hflip", ""))
    return chain + _TURNS.get(facts.turn, [])


def fraction(rate: Fraction) -> str:
    """A rate as filters read it."""
    return f"{rate.numerator}/{rate.denominator}"


def _colours(facts: Facts) -> list[Filter]:
    """To BT.709 in limited range, which is what players take for granted.

    FFmpeg 8 works the mapping of HDR out once, for about five seconds, and then looks it up.
    """
    to_709 = "out_transfer=bt709:out_primaries=bt709:out_color_matrix=bt709:out_range=tv"
    if facts.hdr:
        of_2020 = f"in_transfer={facts.hdr}:in_primaries=bt2020:in_color_matrix=bt2020nc"
        return [("scale", f"{of_2020}:{to_709}:intent=perceptual")]
    if facts.primaries in _WIDE:
        return [("scale", f"{to_709}:intent=relative_colorimetric")]
    if facts.pixel_format.startswith(_PLANAR_RGB):
        return [("scale", "out_color_matrix=bt709:out_range=tv")]
    if facts.full_range or facts.pixel_format.startswith("yuvj"):
        return [("scale", "out_range=tv")]
    return []


def _placed(plan: Plan, fit: Fit, pad_color: str) -> list[Filter]:
    if plan.content == plan.canvas:
        return []
    width, height = plan.canvas
    if fit == "crop":
        return [("crop", f"{width}:{height}")]
    color = pad_color.replace("#", "0x")
    return [("pad", f"{width}:{height}:(ow-iw)/2:(oh-ih)/2:color={color}")]
