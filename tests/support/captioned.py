"""Pictures with titles and captions in them, as editors write them."""

from __future__ import annotations

import struct
from typing import Any

from PIL import TiffImagePlugin

from tests.support import metadata, pictures

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
NAMES = (
    f'xmlns:rdf="{RDF}" xmlns:dc="http://purl.org/dc/elements/1.1/" '
    'xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/"'
)


def languages(name: str, **texts: str) -> str:
    """A property in several languages; ``x_default`` is the default."""
    items = "".join(
        f'<rdf:li xml:lang="{language.replace("_", "-")}">{text}</rdf:li>'
        for language, text in texts.items()
    )
    return f"<{name}><rdf:Alt>{items}</rdf:Alt></{name}>"


def xmp(inner: str, attributes: str = "") -> bytes:
    """A packet with these properties, as Lightroom writes it, padding included."""
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
        f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF {NAMES}>'
        f'<rdf:Description rdf:about="" {attributes}>{inner}</rdf:Description>'
        "</rdf:RDF></x:xmpmeta>" + " " * 200 + '\n<?xpacket end="w"?>'
    ).encode()


def iim(*fields: tuple[int, int, bytes]) -> bytes:
    """IPTC data of these fields: record, number, value."""
    return b"".join(
        bytes((0x1C, record, number)) + struct.pack(">H", len(value)) + value
        for record, number, value in fields
    )


def photoshop(data: bytes) -> bytes:
    """Photoshop's resources: one that does not matter, then the IPTC data."""
    other = b"8BIM\x03\xed\x03abc" + struct.pack(">I", 3) + b"xyz\0"
    return (
        other + b"8BIM\x04\x04\0\0" + struct.pack(">I", len(data)) + data + b"\0" * (len(data) % 2)
    )


def with_xmp(image_format: str, packet: bytes) -> bytes:
    """A picture of that format with an XMP packet."""
    image = pictures.photo(160, 120)
    if image_format == "PNG":
        text = b"XML:com.adobe.xmp\0\0\0\0\0" + packet
        plain = pictures.encoded(image, "PNG")
        return plain[:33] + pictures.png_chunk(b"iTXt", text) + plain[33:]
    if image_format == "TIFF":
        return pictures.encoded(image, "TIFF", tiffinfo=_tags(700, packet))
    return pictures.encoded(image, image_format, xmp=packet)


def with_iptc(image_format: str, data: bytes) -> bytes:
    """A JPEG or TIFF with IPTC data."""
    if image_format == "JPEG":
        return metadata.jpeg_with(0xED, b"Photoshop 3.0\0" + photoshop(data))
    return pictures.encoded(pictures.photo(160, 120), "TIFF", tiffinfo=_tags(33723, data))


def _tags(tag: int, value: bytes) -> Any:
    info = TiffImagePlugin.ImageFileDirectory_v2()
    info.tagtype[tag] = 7
    info[tag] = value
    return info
