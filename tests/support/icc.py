"""A maker of ICC profiles (ICC.1:2001-04, version 2): Pillow ships none but sRGB, XYZ and LAB.

Colorants are those that the vendors' own profiles hold: relative to D50, by Bradford.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence

from tests.support.colours import srgb_to_linear

Triple = tuple[float, float, float]

D50: Triple = (0.9642, 1.0, 0.8249)
#: Apple's "Display P3".
DISPLAY_P3 = (
    (0.51512, 0.24120, -0.00105),
    (0.29198, 0.69225, 0.04189),
    (0.15710, 0.06657, 0.78407),
)
#: Adobe's "Adobe RGB (1998)".
ADOBE_RGB = ((0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457))
#: Kodak's "ROMM-RGB", sold as ProPhoto.
PROPHOTO = ((0.79767, 0.28804, 0.0), (0.13519, 0.71188, 0.0), (0.03134, 0.00009, 0.82491))
#: W3C's sRGB.
SRGB = ((0.43607, 0.22249, 0.01392), (0.38515, 0.71687, 0.09708), (0.14307, 0.06061, 0.71410))


def rgb(name: str, colorants: Sequence[Triple], curve: float | None) -> bytes:
    """A display profile; ``curve`` is a gamma, or None for the curve of sRGB."""
    table = _curve(curve)
    tags = {b"rTRC": table, b"gTRC": table, b"bTRC": table, b"wtpt": _xyz(D50)}
    for tag, colorant in zip((b"rXYZ", b"gXYZ", b"bXYZ"), colorants, strict=True):
        tags[tag] = _xyz(colorant)
    return _profile(name, b"mntr", b"RGB ", b"XYZ ", tags)


def grey(name: str, gamma: float) -> bytes:
    """A profile for grey pictures."""
    return _profile(name, b"mntr", b"GRAY", b"XYZ ", {b"kTRC": _curve(gamma), b"wtpt": _xyz(D50)})


def cmyk(name: str, paint: Callable[[int, int, int, int], Triple]) -> bytes:
    """A printer's profile: ``paint`` gives L*a*b* (D50) for inks that are on (1) or off (0)."""
    ramp = bytes(range(256))
    nodes = bytearray()
    for node in range(16):
        lightness, a, b = paint(node >> 3 & 1, node >> 2 & 1, node >> 1 & 1, node & 1)
        nodes += bytes((round(lightness * 2.55), round(a + 128), round(b + 128)))
    matrix = struct.pack(">9i", 65536, 0, 0, 0, 65536, 0, 0, 0, 65536)
    table = b"mft1" + bytes(4) + bytes((4, 3, 2, 0)) + matrix + ramp * 4 + nodes + ramp * 3
    return _profile(name, b"prtr", b"CMYK", b"Lab ", {b"A2B0": table, b"wtpt": _xyz(D50)})


def _profile(name: str, kind: bytes, space: bytes, pcs: bytes, tags: dict[bytes, bytes]) -> bytes:
    tags = {b"desc": _description(name), b"cprt": b"text" + bytes(4) + b"none\0", **tags}
    directory, data = struct.pack(">I", len(tags)), b""
    start = 128 + 4 + 12 * len(tags)
    for tag, body in tags.items():
        directory += tag + struct.pack(">II", start + len(data), len(body))
        data += body + bytes(-len(body) % 4)
    size = start + len(data)
    head = struct.pack(">I4sI4s4s4s", size, bytes(4), 0x02400000, kind, space, pcs)
    head += struct.pack(">6H", 2026, 1, 1, 0, 0, 0) + b"acsp" + bytes(28)
    head += struct.pack(">3i", *(round(part * 65536) for part in D50))
    return head.ljust(128, b"\0") + directory + data


def _description(name: str) -> bytes:
    text = name.encode("ascii") + b"\0"
    return b"desc" + bytes(4) + struct.pack(">I", len(text)) + text + bytes(4 + 4 + 2 + 1 + 67)


def _xyz(values: Triple) -> bytes:
    return b"XYZ " + bytes(4) + struct.pack(">3i", *(round(value * 65536) for value in values))


def _curve(gamma: float | None) -> bytes:
    if gamma is not None:
        return b"curv" + bytes(4) + struct.pack(">IH", 1, round(gamma * 256))
    steps = [round(65535 * srgb_to_linear(step / 1023)) for step in range(1024)]
    return b"curv" + bytes(4) + struct.pack(f">I{len(steps)}H", len(steps), *steps)
