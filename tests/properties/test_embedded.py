"""Words in pictures: whatever the bytes, text comes out or none does."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mediawatch.media import iptc, xmp
from mediawatch.media.embedded import embedded_caption
from tests.support import captioned
from tests.support.captioned import iim
from tests.support.fuzzing import examples, mangled

_PACKET = captioned.xmp(captioned.languages("dc:title", x_default="A", de="B"))
_FIELDS = iim((1, 90, b"\x1b%G"), (2, 105, b"A"), (2, 120, b"B"))
SEEDS = [
    *(
        captioned.with_xmp(form, _PACKET)
        for form in ("JPEG", "PNG", "WEBP", "TIFF", "HEIF", "AVIF")
    ),
    *(captioned.with_iptc(form, _FIELDS) for form in ("JPEG", "TIFF")),
]


@examples(3)
@given(data=st.data())
def test_any_picture_gives_words_or_none(data: st.DataObject) -> None:
    """Lengths that lie, places that are nowhere, packets that break off: never an error."""
    for words in embedded_caption(mangled(data.draw(st.sampled_from(SEEDS)), data.draw)):
        assert words == words.strip()
        assert "\0" not in words


@examples(3)
@given(data=st.data())
def test_any_packet_is_read_or_left(data: st.DataObject) -> None:
    """XML that is broken anywhere, and IPTC data that are, raise nothing."""
    for text in xmp.properties(mangled(_PACKET, data.draw)).values():
        assert text
    iptc.texts(mangled(_FIELDS, data.draw))
    iptc.in_photoshop(mangled(captioned.photoshop(_FIELDS), data.draw))


@given(title=st.text(), caption=st.text())
def test_what_is_written_is_read(title: str, caption: str) -> None:
    """Any text that XML can hold comes back as it was, but for what cannot be typed."""
    from xml.sax.saxutils import escape

    def typed(text: str) -> str:
        return "".join(c for c in text if c.isprintable() or c == " ").strip()

    title, caption = typed(title), typed(caption)
    packet = captioned.xmp(
        captioned.languages("dc:title", x_default=escape(title))
        + captioned.languages("dc:description", x_default=escape(caption))
    )
    found = xmp.properties(packet)
    assert (title, caption) == (found.get(xmp.TITLE, ""), found.get(xmp.DESCRIPTION, ""))
