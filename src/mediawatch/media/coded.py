"""Colours that a HEIC or AVIF tells by numbers (ITU-T H.273) instead of by a profile.

Wide and high dynamic range are brought to sRGB like any other colours: by an ICC profile, which is
made here. What is brighter than paper is not cut but bent, so that highlights keep their shapes.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from functools import lru_cache

#: Code point to name and colorants: XYZ of red, green and blue, adapted to D50 by Bradford.
_PRIMARIES = {
    1: ("BT.709", (
        (0.43607, 0.22249, 0.01392), (0.38515, 0.71687, 0.09708), (0.14307, 0.06061, 0.71410),
    )),
    9: ("BT.2020", (
        (0.67350, 0.27904, -0.00193), (0.16566, 0.67533, 0.02998), (0.12507, 0.04561, 0.79685),
    )),
    12: ("Display P3", (
        (0.51512, 0.24120, -0.00105), (0.29198, 0.69225, 0.04189), (0.15710, 0.06657, 0.78407),
    )),
}  # fmt: skip
_LINEAR, _SRGB, _PQ, _HLG = 8, 13, 16, 18
# The curves of video cameras: whoever shows a still picture takes them for that of sRGB.
_LIKE_SRGB = frozenset({1, 2, 6, 14, 15})
_D50 = (0.9642, 1.0, 0.8249)
_PAPER = 203.0  # cd/m2 of diffuse white in HDR: ITU-R BT.2408, 2.2
_KNEE = 0.7  # of paper white: below it, HDR looks as SDR does
_STEPS = 1024


@lru_cache(8)
def profile(primaries: int, transfer: int) -> bytes | None:
    """The ICC profile of these colours; None for sRGB itself, and for what is not known."""
    known = _PRIMARIES.get(1 if primaries == 2 else primaries)
    curve = _CURVES.get(_SRGB if transfer in _LIKE_SRGB else transfer)
    if known is None or curve is None:
        return None
    name, colorants = known
    suffix, function = curve
    if name == "BT.709" and not suffix:
        return None
    return _icc(f"{name}{suffix}", colorants, function)


def _from_srgb(value: float) -> float:
    """IEC 61966-2-1."""
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4


def _from_pq(value: float) -> float:
    """SMPTE ST 2084: cd/m2 of the screen, bent to paper white."""
    m1, m2, c1, c2, c3 = 0.1593017578125, 78.84375, 0.8359375, 18.8515625, 18.6875
    root = value ** (1 / m2)
    return _bent(10_000 * (max(0.0, root - c1) / (c2 - c3 * root)) ** (1 / m1))


def _from_hlg(value: float) -> float:
    """ITU-R BT.2100, table 5, on a screen of 1,000 cd/m2, whose gamma is 1.2."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    scene = value * value / 3 if value <= 0.5 else (math.exp((value - c) / a) + b) / 12
    return _bent(1000 * scene**1.2)


def _bent(light: float) -> float:
    """Of cd/m2: the same below the knee, above it slowly up to 1."""
    value = light / _PAPER
    room = 1 - _KNEE
    return value if value <= _KNEE else _KNEE + room * (1 - math.exp((_KNEE - value) / room))


_CURVES: dict[int, tuple[str, Callable[[float], float]]] = {
    4: (" (gamma 2.2)", lambda value: value**2.2),
    _LINEAR: (" (linear)", lambda value: value),
    _SRGB: ("", _from_srgb),
    _PQ: (" PQ (HDR)", _from_pq),
    _HLG: (" HLG (HDR)", _from_hlg),
}


def _icc(
    name: str, colorants: tuple[tuple[float, ...], ...], curve: Callable[[float], float]
) -> bytes:
    """A display profile of version 2 (ICC.1:2001-04): a matrix, and one curve for all channels."""
    steps = [round(65535 * curve(step / (_STEPS - 1))) for step in range(_STEPS)]
    table = struct.pack(f">4sII{_STEPS}H", b"curv", 0, _STEPS, *steps)
    text = name.encode("ascii") + b"\0"
    tags = {
        b"desc": struct.pack(">4sII", b"desc", 0, len(text)) + text + bytes(78),
        b"wtpt": _xyz(_D50),
        b"rTRC": table,
        b"gTRC": table,
        b"bTRC": table,
    } | dict(zip((b"rXYZ", b"gXYZ", b"bXYZ"), map(_xyz, colorants), strict=True))
    start = 128 + 4 + 12 * len(tags)
    directory, data = struct.pack(">I", len(tags)), b""
    for tag, body in tags.items():
        directory += struct.pack(">4sII", tag, start + len(data), len(body))
        data += body + bytes(-len(body) % 4)
    header = struct.pack(">II", start + len(data), 0) + b"\x02\x40\0\0mntrRGB XYZ " + bytes(12)
    header += b"acsp" + bytes(28) + struct.pack(">3i", *(round(part * 65536) for part in _D50))
    return header.ljust(128, b"\0") + directory + data


def _xyz(values: tuple[float, ...]) -> bytes:
    return struct.pack(">4sI3i", b"XYZ ", 0, *(round(value * 65536) for value in values))
