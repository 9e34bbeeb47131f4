"""The title and the caption that a picture brings along, written into it by an editor.

Needs no decoder and keeps little memory, whatever the file: it may run in a thread.
"""

from __future__ import annotations

import io
import unicodedata
from pathlib import Path
from typing import BinaryIO

from mediawatch.media import iptc, packets, xmp
from mediawatch.media.probe import HEAD, Family, open_regular, sniff


def embedded_caption(source: Path | bytes | BinaryIO) -> tuple[str, str]:
    """Title and caption of a JPEG, PNG, WebP, TIFF, HEIC or AVIF file; "" for what it has not.

    XMP counts before IPTC: its characters are certain. The title is dc:title, else the headline
    of XMP, else the headline of IPTC (2:105), else its object name (2:05); the caption is
    dc:description, else 2:120. Whole, as it was written: its length is for the caller to judge.

    ``source``: a file, by its path or open at its beginning, or its content. Data that are broken
    count as none. Raises what ``probe.open_regular`` raises.
    """
    if isinstance(source, bytes):
        return _read(io.BytesIO(source))
    if not isinstance(source, Path):
        return _read(source)
    with open_regular(source) as file:
        return _read(file)


def _read(file: BinaryIO) -> tuple[str, str]:
    kind = sniff(file.read(HEAD))
    if kind.family is not Family.IMAGE:
        return "", ""
    found = packets.find(file, kind.format)
    if not found.xmp and not found.iptc:
        return "", ""
    told = xmp.properties(found.xmp) if found.xmp else {}
    older = iptc.texts(found.iptc)
    title = told.get(xmp.TITLE) or told.get(xmp.HEADLINE) or older.headline or older.title
    caption = told.get(xmp.DESCRIPTION) or older.caption
    return _plain(title), _plain(caption)


def _plain(text: str) -> str:
    """Line ends as we write them, and no character that cannot be seen or typed."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(c for c in text if c in "\n\t" or unicodedata.category(c) != "Cc").strip()
