"""Title and caption out of IPTC data (IIM 4.2), as photo agencies and editors have written them
since 1991, and out of the Photoshop resources in which they lie."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

_MARK = 0x1C
_CHARACTER_SET, _OBJECT_NAME, _HEADLINE, _CAPTION = (1, 90), (2, 5), (2, 105), (2, 120)
_UTF8 = b"\x1b%G"  # ISO 2022: "from here on UTF-8"
_RESOURCE = b"8BIM"
_IPTC_RESOURCE = 0x0404


class Texts(NamedTuple):
    """What IPTC data say; "" for what they do not."""

    title: str
    headline: str
    caption: str


def texts(data: bytes) -> Texts:
    """The texts of a block of IPTC data; broken data give what stands before the break."""
    fields: dict[tuple[int, int], bytes] = {}
    for key, value in _fields(data):
        fields.setdefault(key, value)
    marked = _UTF8 in fields.get(_CHARACTER_SET, b"")

    def text(key: tuple[int, int]) -> str:
        return _decoded(fields.get(key, b""), marked=marked).strip("\0 \t\r\n")

    return Texts(text(_OBJECT_NAME), text(_HEADLINE), text(_CAPTION))


def _decoded(value: bytes, *, marked: bool) -> str:
    """Many programs write UTF-8 and forget the mark; Latin-1 is hardly ever UTF-8 by chance."""
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("utf-8", "replace") if marked else value.decode("latin-1")


def _fields(data: bytes) -> Iterator[tuple[tuple[int, int], bytes]]:
    at = 0
    while at + 5 <= len(data) and data[at] == _MARK:
        key = data[at + 1], data[at + 2]
        length = int.from_bytes(data[at + 3 : at + 5], "big")
        at += 5
        if length & 0x8000:  # an extended field: this is the length of its length
            width = length & 0x7FFF
            length = int.from_bytes(data[at : at + min(width, 8)], "big")
            at += width
        yield key, data[at : at + length]
        at += length


def in_photoshop(resources: bytes) -> bytes:
    """The IPTC data among Photoshop's image resources; empty if there are none."""
    at = 0
    while resources.startswith(_RESOURCE, at) and at + 8 <= len(resources):
        kind = int.from_bytes(resources[at + 4 : at + 6], "big")
        name = resources[at + 6]
        at += 6 + name + 2 - name % 2  # the name with its length, padded to an even number
        size = int.from_bytes(resources[at : at + 4], "big")
        at += 4
        if kind == _IPTC_RESOURCE:
            return resources[at : at + size]
        at += size + size % 2
    return b""
