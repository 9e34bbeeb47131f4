"""The title and caption that lie in the picture itself."""

from __future__ import annotations

import os
import sys
import zlib
from pathlib import Path

import pytest

from mediawatch.errors import Rejected
from mediawatch.media import boxes, xmp
from mediawatch.media.embedded import embedded_caption
from tests.support import captioned, metadata, pictures
from tests.support.captioned import iim, languages

TEXTS = languages("dc:title", x_default="Möwe &amp; Meer", de="Moewe") + languages(
    "dc:description", de="Am Strand", x_default="On the beach 🌊"
)
MARKED = (1, 90, b"\x1b%G")


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "WEBP", "TIFF", "HEIF", "AVIF"])
def test_xmp_is_read_out_of_every_format(tmp_path: Path, image_format: str) -> None:
    """dc:title and dc:description in the default language, from a file or from its bytes."""
    data = captioned.with_xmp(image_format, captioned.xmp(TEXTS))
    assert ("Möwe & Meer", "On the beach 🌊") == embedded_caption(data)
    (tmp_path / "a.jpg").write_bytes(data)
    assert ("Möwe & Meer", "On the beach 🌊") == embedded_caption(tmp_path / "a.jpg")


@pytest.mark.parametrize("image_format", ["JPEG", "TIFF"])
def test_iptc_is_read_where_it_lies(image_format: str) -> None:
    """Headline (2:105) before object name (2:05), caption (2:120), in marked UTF-8."""
    fields = iim(
        MARKED, (2, 5, b"DSC_0001"), (2, 105, "Möwe".encode()), (2, 120, "Am\r\nStrand 🌊".encode())
    )
    assert ("Möwe", "Am\nStrand 🌊") == embedded_caption(captioned.with_iptc(image_format, fields))


def test_tiff_may_keep_its_iptc_in_photoshop_resources() -> None:
    """Tag 34377, as Photoshop itself writes it."""
    data = captioned.photoshop(iim((2, 120, b"By Photoshop")))
    tags = captioned._tags(34377, data)
    assert ("", "By Photoshop") == embedded_caption(
        pictures.encoded(pictures.photo(160, 120), "TIFF", tiffinfo=tags)
    )


@pytest.mark.parametrize(
    ("expected", "fields"),
    [
        ("Möwe", iim((2, 120, "Möwe".encode("latin-1")))),
        ("Möwe", iim((2, 120, "Möwe".encode()))),  # the mark was forgotten
        ("M\ufffdwe", iim(MARKED, (2, 120, b"M\xf6we"))),  # the mark lies
        ("long", b"\x1c\x02\x78\x80\x04\0\0\0\x04long"),
        ("first", iim((2, 120, b"first"), (2, 120, b"second"))),
        ("", iim((2, 25, b"keyword"))),
        ("cut", b"\x1c\x02\x78\x00\xffcut"),
    ],
)
def test_iptc_in_any_dress(expected: str, fields: bytes) -> None:
    """Latin-1, UTF-8 with a mark and without, extended lengths, repeated and broken fields."""
    assert ("", expected) == embedded_caption(captioned.with_iptc("JPEG", fields))


def test_xmp_counts_before_iptc_field_by_field() -> None:
    """Editors keep both alike; where only one says something, that is taken."""
    data = captioned.with_iptc("JPEG", iim((2, 105, b"old title"), (2, 120, b"old caption")))
    packet = captioned.xmp(languages("dc:description", x_default="new caption"))
    segment = metadata.segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + packet)
    both = data[:2] + segment + data[2:]
    assert ("old title", "new caption") == embedded_caption(both)


@pytest.mark.parametrize(
    ("expected", "packet"),
    [
        ("attribute", captioned.xmp("", 'dc:description="attribute"')),
        ("plain", captioned.xmp("<dc:description>plain</dc:description>")),
        ("first", captioned.xmp(languages("dc:description", fr="first", de="second"))),
        ("wide", captioned.xmp("<dc:description>wide</dc:description>").decode().encode("utf-16")),
        ("", captioned.xmp("<dc:description> \n </dc:description>")),
        ("", captioned.xmp("")),
    ],
)
def test_xmp_in_any_dress(expected: str, packet: bytes) -> None:
    """As an attribute, as plain text, without a default language, in UTF-16, or empty."""
    assert ("", expected) == embedded_caption(captioned.with_xmp("WEBP", packet))


def test_the_headline_stands_in_for_a_title() -> None:
    """photoshop:Headline is what news editors fill in."""
    packet = captioned.xmp("<photoshop:Headline>Storm</photoshop:Headline>")
    assert ("Storm", "") == embedded_caption(captioned.with_xmp("PNG", packet))


def test_titles_of_pictures_that_went_into_this_one_do_not_count() -> None:
    """A collage remembers its parts, with their titles, further down."""
    inner = f"<rdf:Description>{languages('dc:title', x_default='Part')}</rdf:Description>"
    packet = captioned.xmp(
        f'<m:Pantry xmlns:m="http://ns.adobe.com/xap/1.0/mm/"><rdf:Bag><rdf:li>{inner}'
        "</rdf:li></rdf:Bag></m:Pantry>" + languages("dc:title", x_default="Whole")
    )
    assert ("Whole", "") == embedded_caption(captioned.with_xmp("WEBP", packet))


def test_no_entity_is_ever_expanded() -> None:
    """A thousand million laughs, or the text of another file: a document type ends the reading."""
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    for entities in (
        f'<!ENTITY l0 "ha">{laughs}',
        '<!ENTITY l9 SYSTEM "file:///etc/passwd">',
        '<!ENTITY % p SYSTEM "http://192.0.2.1/x.dtd">%p;',
    ):
        body = captioned.xmp("<dc:description>&l9;</dc:description>").decode()
        packet = f"<!DOCTYPE x [{entities}]>{body[body.index('<x:') :]}".encode()
        assert {} == xmp.properties(packet)
        assert ("", "") == embedded_caption(captioned.with_xmp("WEBP", packet))


def test_depth_is_bounded() -> None:
    """A million open elements are no XMP."""
    assert {} == xmp.properties(b"<a>" * 100_000)
    assert {} == xmp.properties(captioned.xmp("<a>" * 70 + "</a>" * 70))


def test_compressed_text_of_a_png_is_read_up_to_a_limit() -> None:
    """zlib may promise gigabytes; the first megabytes must do."""
    plain = pictures.encoded(pictures.photo(80, 60), "PNG")

    def png(packet: bytes) -> bytes:
        text = b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(packet, 9)
        return plain[:-12] + pictures.png_chunk(b"iTXt", text) + plain[-12:]

    assert ("Möwe & Meer", "On the beach 🌊") == embedded_caption(png(captioned.xmp(TEXTS)))
    assert ("", "") == embedded_caption(png(b"<x>" + b"a" * (64 << 20)))


def test_what_cannot_be_typed_does_not_reach_a_caption() -> None:
    """No NUL, no escape for a terminal; line ends are one character."""
    fields = iim((2, 120, b"one\r\ntwo\rthree\x00\x1b[31m\x7f\xc2\x9b!"))
    assert ("", "one\ntwo\nthree[31m!") == embedded_caption(captioned.with_iptc("JPEG", fields))


def test_a_long_caption_is_not_cut() -> None:
    """Whether it is too long is said to its owner, who decides; nothing is cut in silence."""
    packet = captioned.xmp(f"<dc:description>{'é' * 30_000}</dc:description>")
    assert ("", "é" * 30_000) == embedded_caption(captioned.with_xmp("JPEG", packet))


@pytest.mark.parametrize(
    "data", [b"", b"\xff\xd8", pictures.HTML, pictures.PDF, pictures.MP4, pictures.jpeg(64, 64)]
)
def test_files_without_texts_have_none(data: bytes) -> None:
    """Nothing is found in what is no picture, or a picture without words."""
    assert ("", "") == embedded_caption(data)


def test_items_of_no_width_end_the_search() -> None:
    """An index that takes no bytes could be walked for ever."""
    vast = b"\0\0\0\0\0\0\xff\xff" + b"\0\1\0\0\xff\xff" * 9_000
    assert boxes._location(vast, 5) is None
    assert boxes._location(b"\0\0\0\0\x44\0\xff\xff" + b"\0\1\0\0\xff\xff" * 9_000, 5) is None


@pytest.mark.skipif(sys.platform == "win32", reason="needs pipes")
def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    """A pipe would block the thread for ever."""
    if sys.platform == "win32":
        return
    os.mkfifo(tmp_path / "pipe.jpg")
    with pytest.raises(Rejected):
        embedded_caption(tmp_path / "pipe.jpg")
