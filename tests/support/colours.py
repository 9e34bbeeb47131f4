"""Colours by the book, without a colour engine: what a picture should look like, and how far off.

Matrices are derived from chromaticities as IEC 61966-2-1 and CSS Color 4 give them; distance is
CIEDE2000 (CIE 142-2001), of which about 1 can just be seen by two patches side by side.
"""

from __future__ import annotations

from math import atan2, cos, degrees, exp, hypot, radians, sin, sqrt

Triple = tuple[float, float, float]
Matrix = tuple[Triple, Triple, Triple]

#: x and y of red, green, blue and white.
SRGB = ((0.64, 0.33), (0.30, 0.60), (0.15, 0.06), (0.3127, 0.3290))
DISPLAY_P3 = ((0.68, 0.32), (0.265, 0.69), (0.15, 0.06), (0.3127, 0.3290))
ADOBE_RGB = ((0.64, 0.33), (0.21, 0.71), (0.15, 0.06), (0.3127, 0.3290))
PROPHOTO = ((0.7347, 0.2653), (0.1596, 0.8404), (0.0366, 0.0001), (0.3457, 0.3585))
BT2020 = ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046), (0.3127, 0.3290))
Space = tuple[tuple[float, float], tuple[float, float], tuple[float, float], tuple[float, float]]
D65: Triple = (0.3127 / 0.3290, 1.0, (1 - 0.3127 - 0.3290) / 0.3290)
D50: Triple = (0.9642, 1.0, 0.8249)
_BRADFORD: Matrix = (
    (0.8951, 0.2664, -0.1614),
    (-0.7502, 1.7135, 0.0367),
    (0.0389, -0.0685, 1.0296),
)


def srgb_to_linear(value: float) -> float:
    """The curve of sRGB and Display P3, 0 to 1."""
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4


def linear_to_srgb(value: float) -> float:
    """Its inverse; what lies outside is cut."""
    value = min(1.0, max(0.0, value))
    return value * 12.92 if value <= 0.0031308 else 1.055 * value ** (1 / 2.4) - 0.055


def _times(matrix: Matrix, vector: Triple) -> Triple:
    a, b, c = (sum(m * v for m, v in zip(row, vector, strict=True)) for row in matrix)
    return a, b, c


def _inverse(m: Matrix) -> Matrix:
    (a, b, c), (d, e, f), (g, h, i) = m
    det = a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g)
    return (
        ((e * i - f * h) / det, (c * h - b * i) / det, (b * f - c * e) / det),
        ((f * g - d * i) / det, (a * i - c * g) / det, (c * d - a * f) / det),
        ((d * h - e * g) / det, (b * g - a * h) / det, (a * e - b * d) / det),
    )


def _to_xyz(space: Space) -> Matrix:
    (rx, ry), (gx, gy), (bx, by), (wx, wy) = space
    columns: Matrix = (
        (rx / ry, gx / gy, bx / by),
        (1.0, 1.0, 1.0),
        ((1 - rx - ry) / ry, (1 - gx - gy) / gy, (1 - bx - by) / by),
    )
    weights = _times(_inverse(columns), (wx / wy, 1.0, (1 - wx - wy) / wy))
    a, b, c = (tuple(m * w for m, w in zip(row, weights, strict=True)) for row in columns)
    return a, b, c  # type: ignore[return-value] # three of three


def adapted(xyz: Triple, source: Triple, target: Triple) -> Triple:
    """Bradford: a colour under another white."""
    cone = _times(_BRADFORD, xyz)
    before, after = _times(_BRADFORD, source), _times(_BRADFORD, target)
    r, g, b = (c * y / x for c, x, y in zip(cone, before, after, strict=True))
    return _times(_inverse(_BRADFORD), (r, g, b))


def linear_xyz(space: Space, linear: Triple) -> Triple:
    """XYZ under D65 of linear light in that space."""
    xyz = _times(_to_xyz(space), linear)
    wx, wy = space[3]
    return adapted(xyz, (wx / wy, 1.0, (1 - wx - wy) / wy), D65)


def xyz_linear(space: Space, xyz: Triple) -> Triple:
    """The inverse of ``linear_xyz``."""
    wx, wy = space[3]
    return _times(_inverse(_to_xyz(space)), adapted(xyz, D65, (wx / wy, 1.0, (1 - wx - wy) / wy)))


def xyz_to_srgb8(xyz: Triple) -> tuple[int, int, int]:
    """8-bit sRGB of XYZ under D65."""
    r, g, b = (round(255 * linear_to_srgb(value)) for value in xyz_linear(SRGB, xyz))
    return r, g, b


def lab_to_xyz(lab: Triple) -> Triple:
    """XYZ under D65 of L*a*b* under D50."""
    fy = (lab[0] + 16) / 116
    parts = (fy + lab[1] / 500, fy, fy - lab[2] / 200)
    linear = [f**3 if f > 6 / 29 else 3 * (6 / 29) ** 2 * (f - 4 / 29) for f in parts]
    x, y, z = (value * white for value, white in zip(linear, D50, strict=True))
    return adapted((x, y, z), D50, D65)


def srgb8_to_lab(colour: tuple[int, ...]) -> Triple:
    """L*a*b* (D65) of 8-bit sRGB."""
    r, g, b = (srgb_to_linear(value / 255) for value in colour)
    ratios = (v / w for v, w in zip(linear_xyz(SRGB, (r, g, b)), D65, strict=True))
    x, y, z = (
        t ** (1 / 3) if t > (6 / 29) ** 3 else t / (3 * (6 / 29) ** 2) + 4 / 29 for t in ratios
    )
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def distance(one: tuple[int, ...], other: tuple[int, ...]) -> float:
    """CIEDE2000 between two 8-bit sRGB colours."""
    return ciede2000(srgb8_to_lab(one), srgb8_to_lab(other))


def ciede2000(one: Triple, other: Triple) -> float:
    """The distance of two L*a*b* colours, by the formulas of Sharma, Wu and Dalal (2005)."""
    (l1, a1, b1), (l2, a2, b2) = one, other
    mean_c7 = ((hypot(a1, b1) + hypot(a2, b2)) / 2) ** 7
    g = 0.5 * (1 - sqrt(mean_c7 / (mean_c7 + 25**7)))
    a1, a2 = a1 * (1 + g), a2 * (1 + g)
    c1, c2 = hypot(a1, b1), hypot(a2, b2)
    h1, h2 = degrees(atan2(b1, a1)) % 360, degrees(atan2(b2, a2)) % 360
    turn = (h2 - h1 + 180) % 360 - 180 if c1 * c2 else 0.0
    delta_h = 2 * sqrt(c1 * c2) * sin(radians(turn / 2))
    light, c = (l1 + l2) / 2, (c1 + c2) / 2
    h = (h1 + turn / 2) % 360 if c1 * c2 else h1 + h2
    t = (
        1 - 0.17 * cos(radians(h - 30)) + 0.24 * cos(radians(2 * h))
        + 0.32 * cos(radians(3 * h + 6)) - 0.20 * cos(radians(4 * h - 63))
    )  # fmt: skip
    s_l = 1 + 0.015 * (light - 50) ** 2 / sqrt(20 + (light - 50) ** 2)
    s_c, s_h = 1 + 0.045 * c, 1 + 0.015 * c * t
    rotation = -2 * sqrt(c**7 / (c**7 + 25**7)) * sin(radians(60 * exp(-(((h - 275) / 25) ** 2))))
    dl, dc, dh = (l2 - l1) / s_l, (c2 - c1) / s_c, delta_h / s_h
    return sqrt(max(0.0, dl * dl + dc * dc + dh * dh + rotation * dc * dh))
