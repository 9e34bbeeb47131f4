"""What a file is, told by its content. The name is never asked: a saved error page is often
called ``photo.jpg``."""

from __future__ import annotations

import os
import stat
import sys
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO

from mediawatch.media import wholeness
from mediawatch.media.rules import Reason, reject

#: Bytes that ``sniff`` wants to see (fewer only if the file is shorter).
HEAD = 4096


class Family(StrEnum):
    """How a file would be published."""

    IMAGE = "image"
    VIDEO = "video"
    UNSUPPORTED = "unsupported"


@dataclass(frozen=True, slots=True)
class Sniffed:
    """``format`` is Pillow's name of the format, ``demuxer`` FFmpeg's of the container, or "".
    ``label`` is for people."""

    family: Family
    format: str
    label: str
    demuxer: str = ""


def _picture(name: str, label: str) -> Sniffed:
    return Sniffed(Family.IMAGE, name, label)


def _video(label: str, demuxer: str) -> Sniffed:
    return Sniffed(Family.VIDEO, "", label, demuxer)


def _other(label: str) -> Sniffed:
    return Sniffed(Family.UNSUPPORTED, "", label)


_TIFF = _picture("TIFF", "TIFF picture")
_HEIF = _picture("HEIF", "HEIC picture")
_AVIF = _picture("AVIF", "AVIF picture")
_MP4 = _video("MP4 video", "mov")
_QUICKTIME = _video("QuickTime video", "mov")

_SIGNATURES = (
    (b"\xff\xd8\xff", _picture("JPEG", "JPEG picture")),
    (b"\x89PNG\r\n\x1a\n", _picture("PNG", "PNG picture")),
    (b"GIF87a", _picture("GIF", "GIF picture")),
    (b"GIF89a", _picture("GIF", "GIF picture")),
    (b"II*\0", _TIFF),
    (b"MM\0*", _TIFF),
    (b"II+\0", _TIFF),
    (b"MM\0+", _TIFF),
    (b"\x1aE\xdf\xa3", _video("Matroska or WebM video", "matroska")),
    (b"\0\0\1\xba", _video("MPEG video", "mpeg")),
    (b"FLV\1", _video("Flash video", "flv")),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", _video("Windows Media video", "asf")),
    (b"%PDF", _other("PDF document")),
    (b"%!PS", _other("PostScript or EPS drawing")),
    (b"\xc5\xd0\xd3\xc6", _other("PostScript or EPS drawing")),
    (b"8BPS", _other("Photoshop document")),
    (b"PK\3\4", _other("ZIP archive or office document")),
    (b"Rar!", _other("RAR archive")),
    (b"7z\xbc\xaf\x27\x1c", _other("7-Zip archive")),
    (b"\x1f\x8b", _other("gzip archive")),
    (b"\0\0\0\x0cjP  ", _other("JPEG 2000 picture")),
    (b"\xff\x4f\xff\x51", _other("JPEG 2000 picture")),
    (b"\0\0\0\x0cJXL ", _other("JPEG XL picture")),
    (b"\xff\x0a", _other("JPEG XL picture")),
    (b"\0\0\1\0", _other("Windows icon")),
    (b"#EXTM3U", _other("playlist")),
    (b"ffconcat", _other("playlist")),
    (b"ID3", _other("MP3 audio")),
    (b"MZ", _other("Windows program")),
    (b"\x7fELF", _other("Linux program")),
)
_RIFF = {
    b"WEBP": _picture("WEBP", "WebP picture"),
    b"AVI ": _video("AVI video", "avi"),
    b"WAVE": _other("WAV audio"),
}
_HEIF_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"})
_AVIF_BRANDS = frozenset({b"avif", b"avis"})
_STILL_BRANDS = frozenset({b"mif1", b"msf1"})
_QUICKTIME_BOXES = frozenset({b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"})
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def sniff(head: bytes) -> Sniffed:
    """Tell the kind of a file from its first bytes (``HEAD`` of them, or the whole file)."""
    if not head:
        return _other("empty file")
    return _by_signature(head) or _by_container(head) or _by_text(head)


def _by_signature(head: bytes) -> Sniffed | None:
    for signature, kind in _SIGNATURES:
        if head.startswith(signature):
            return kind
    if head.startswith(b"BM") and head[6:10] == b"\0\0\0\0":
        return _picture("BMP", "BMP picture")
    if head[0] == 0x47 and head[188:189] == head[376:377] == b"G":
        return _video("MPEG transport stream", "mpegts")
    return None


def _by_container(head: bytes) -> Sniffed | None:
    if head.startswith(b"RIFF"):
        return _RIFF.get(head[8:12], _other("RIFF container"))
    if head[4:8] == b"ftyp":
        return _by_brand(head)
    return _QUICKTIME if head[4:8] in _QUICKTIME_BOXES else None


def _by_brand(head: bytes) -> Sniffed:
    """ISO base media files name their brands in the first box (ISO/IEC 14496-12, 4.3)."""
    end = min(len(head), int.from_bytes(head[:4], "big"))
    major = head[8:12]
    brands = {head[at : at + 4] for at in range(16, end, 4)}
    still = major in _STILL_BRANDS
    if major in _AVIF_BRANDS or (still and brands & _AVIF_BRANDS):
        return _AVIF
    if major in _HEIF_BRANDS or still:
        return _HEIF
    if major == b"qt  ":
        return _QUICKTIME
    if major in {b"M4A ", b"M4B "}:
        return _other("MPEG-4 audio")
    return _MP4


def _by_text(head: bytes) -> Sniffed:
    text = head.removeprefix(_BYTE_ORDER_MARK).lstrip()[:512].lower()
    if text.startswith(b"<"):
        if b"<svg" in text:
            return _other("SVG drawing")
        if b"<html" in text or text.startswith(b"<!doctype html"):
            return _other("web page (HTML)")
        return _other("XML document")
    if b"\0" in head:
        return _other("unknown kind of file")
    return _other("text file" if head.isascii() else "unknown kind of file")


def open_regular(path: Path) -> BinaryIO:
    """Open a regular file for reading; never waits, never follows a link.

    Raises Rejected (not-a-file) for a folder, link, pipe, socket or device, OSError otherwise.
    """
    _require_regular(os.lstat(path).st_mode)
    flags = os.O_RDONLY
    if sys.platform == "win32":
        flags |= os.O_BINARY
    else:
        flags |= os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    descriptor = os.open(path, flags)
    try:
        _require_regular(os.fstat(descriptor).st_mode)
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def _require_regular(mode: int) -> None:
    if stat.S_ISREG(mode):
        return
    kinds = {stat.S_IFDIR: "folder", stat.S_IFLNK: "link", stat.S_IFIFO: "named pipe"}
    raise reject(Reason.NOT_A_FILE, what=kinds.get(stat.S_IFMT(mode), "device or socket"))


def sniff_file(path: Path) -> Sniffed:
    """Tell the kind of a file. Reads 4 KiB. Raises as ``open_regular`` does."""
    with open_regular(path) as file:
        return sniff(file.read(HEAD))


def examine(file: BinaryIO) -> tuple[Sniffed, bool | None]:
    """The kind of an open file, and whether it looks whole (see ``looks_whole``)."""
    sniffed = sniff(file.read(HEAD))
    if sniffed.family is Family.UNSUPPORTED:
        return sniffed, None
    return sniffed, wholeness.has_end(file, sniffed.format)


def looks_whole(path: Path, sniffed: Sniffed) -> bool | None:
    """True: the end is there. False: it is missing, so more may come. None: cannot be told.

    Cheap: markers and lengths only. A file may be damaged and still look whole; one that stays
    False for long is broken off. Raises as ``open_regular`` does.
    """
    if sniffed.family is Family.UNSUPPORTED:
        return None
    with open_regular(path) as file:
        return wholeness.has_end(file, sniffed.format)
