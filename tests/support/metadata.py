"""Files full of what nobody should read: every kind of metadata, in every format that has it."""

from __future__ import annotations

import io
import struct
from typing import Any

from PIL import Image, TiffImagePlugin

from tests.support import pictures

SECRET = b"SECRET-of-mine"
XMP = (
    b'<?xpacket begin=""?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
    b'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description '
    b'xmlns:exif="http://ns.adobe.com/exif/1.0/" exif:GPSLatitude="'
    + SECRET
    + b'"/></rdf:RDF></x:xmpmeta>'
)
#: Photoshop's resource 0x0404 with IPTC 2:120, the caption.
IPTC = b"\x1c\x02\x78" + struct.pack(">H", len(SECRET)) + SECRET
PHOTOSHOP = b"8BIM\x04\x04\0\0" + struct.pack(">I", len(IPTC)) + IPTC + b"\0" * (len(IPTC) % 2)
_DESCRIPTION, _SOFTWARE, _EXIF_IFD, _GPS_IFD = 0x010E, 0x0131, 0x8769, 0x8825
_MAKER_NOTE, _USER_COMMENT, _GPS_AREA = 0x927C, 0x9286, 28


def exif() -> bytes:
    """Description, maker's note, user comment, and a place on Earth."""
    image_exif = Image.Exif()
    image_exif[_DESCRIPTION] = SECRET.decode()
    image_exif[_SOFTWARE] = SECRET.decode()
    inner = image_exif.get_ifd(_EXIF_IFD)
    inner[_MAKER_NOTE], inner[_USER_COMMENT] = SECRET, b"ASCII\0\0\0" + SECRET
    gps = image_exif.get_ifd(_GPS_IFD)
    gps[1], gps[2], gps[_GPS_AREA] = "N", (52.0, 30.0, 0.0), SECRET
    return image_exif.tobytes()


def with_thumbnail() -> bytes:
    """Exif data with a preview in it, which often shows more than the picture does."""
    preview = pictures.jpeg(160, 120, comment=SECRET)
    first = struct.pack(">HI", 0, 14)
    second = struct.pack(">HHHII", 2, 0x0201, 4, 1, 44) + struct.pack(
        ">HHII", 0x0202, 4, 1, len(preview)
    )
    return b"Exif\0\0MM\0*\0\0\0\x08" + first + second + bytes(4) + preview


def segment(marker: int, data: bytes) -> bytes:
    """A segment of a JPEG."""
    return bytes((0xFF, marker)) + struct.pack(">H", len(data) + 2) + data


def jpeg_with(marker: int, data: bytes) -> bytes:
    """A fitting JPEG with one more segment."""
    plain = pictures.jpeg(600, 450)
    return plain[:2] + segment(marker, data) + plain[2:]


def png_with(kind: bytes, data: bytes) -> bytes:
    """A PNG with one more chunk."""
    plain = pictures.encoded(pictures.photo(600, 450), "PNG")
    return plain[:33] + pictures.png_chunk(kind, data) + plain[33:]


def _tiff() -> bytes:
    info = TiffImagePlugin.ImageFileDirectory_v2()
    info[_DESCRIPTION] = SECRET.decode()
    info[700] = XMP
    info.tagtype[33723] = 7
    info[33723] = IPTC
    info.tagtype[34377] = 1
    info[34377] = PHOTOSHOP
    return _saved("TIFF", tiffinfo=info, exif=exif())


def _saved(image_format: str, **options: Any) -> bytes:
    return pictures.encoded(pictures.photo(600, 450), image_format, **options)


def files() -> dict[str, bytes]:
    """Name -> file; each holds ``SECRET``, and nothing of it may be published."""
    everything: dict[str, Any] = {"exif": exif(), "xmp": XMP}
    fast = {"enc_params": {"preset": "ultrafast"}}
    return {
        "JPEG: Exif, GPS, MakerNote": _saved("JPEG", exif=exif()),
        "JPEG: thumbnail": _saved("JPEG", exif=with_thumbnail()),
        "JPEG: XMP": _saved("JPEG", xmp=XMP),
        "JPEG: extended XMP": jpeg_with(0xE1, b"http://ns.adobe.com/xmp/extension/\0" + SECRET),
        "JPEG: IPTC": jpeg_with(0xED, b"Photoshop 3.0\0" + PHOTOSHOP),
        "JPEG: comment": _saved("JPEG", comment=SECRET),
        "JPEG: other segments": jpeg_with(0xEB, SECRET),
        "JPEG: trailing data": pictures.jpeg(600, 450) + b"PK\3\4" + SECRET,
        "JPEG: all, to be shrunk": pictures.encoded(
            pictures.photo(2000, 1500), "JPEG", comment=SECRET, **everything
        ),
        "PNG: Exif": _saved("PNG", exif=exif()),
        "PNG: tEXt": png_with(b"tEXt", b"Comment\0" + SECRET),
        "PNG: iTXt XMP": png_with(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + XMP),
        "PNG: unknown chunk": png_with(b"prIv", SECRET),
        "PNG: trailing data": _saved("PNG") + SECRET,
        "WebP: Exif, XMP": _saved("WEBP", **everything),
        "WebP: trailing data": _saved("WEBP") + SECRET,
        "TIFF: Exif, XMP, IPTC": _tiff(),
        "HEIC: Exif, XMP": _saved("HEIF", **fast, **everything),
        "AVIF: Exif, XMP": _saved("AVIF", speed=10, **everything),
        "GIF: comment": _saved("GIF", comment=SECRET),
        "BMP: trailing data": _saved("BMP") + SECRET,
        "MPO: second picture": _mpo(),
    }


def _mpo() -> bytes:
    buffer = io.BytesIO()
    pictures.photo(600, 450).save(
        buffer, "MPO", save_all=True, append_images=[pictures.photo(300, 225)], exif=exif()
    )
    return buffer.getvalue() + SECRET


FITTING_WITH_EXIF = _saved("JPEG", exif=exif())
