"""Captions as they lie beside pictures: any bytes that somebody may have saved as a text."""

from __future__ import annotations

import codecs
import re
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs, urlencode

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mediawatch.errors import Rejected
from mediawatch.journal.schema import Prose
from mediawatch.model import captions
from mediawatch.watch import fingerprint
from tests.support.fuzzing import ANY_TEXT, examples

WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
ENCODED = st.one_of(
    st.builds(
        lambda text, encoding: text.encode(encoding, "replace"),
        WORDS,
        st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "cp1252", "utf-32", "cp037"]),
    ),
    st.builds(
        lambda mark, rest: mark + rest,
        st.sampled_from([codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, b"\0", b""]),
        st.binary(max_size=80),
    ),
    st.builds(
        lambda text, times: text.encode() * times,
        WORDS,
        st.integers(1, 3000),
    ),
)


@pytest.fixture(scope="module")
def picture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("in") / "a.jpg"
    file.touch()
    return file


@examples(2)
@example(data=codecs.BOM_UTF16_LE + b"\x00\xd8")
@example(data=codecs.BOM_UTF16_LE + b"a")
@example(data="😀".encode("utf-16-le")[:2])
@example(data="a\u0301👩‍👩‍👧".encode() * 9000)
@example(data=b"\xed\xa0\x80")
@given(data=ENCODED)
def test_a_caption_is_text_that_can_be_sent_or_is_refused_with_a_remedy(
    picture: Path, data: bytes
) -> None:
    """No bytes make a caption that the journal, the log or a request cannot hold; what Meta would
    refuse is refused here, with what to do; plain text comes through as it was meant."""
    picture.with_suffix(".txt").write_bytes(data)
    caption = fingerprint._caption_in(picture.with_suffix(".txt"))
    assert caption is not None
    caption.encode()
    assert caption == Prose().process_bind_param(caption, None)  # type: ignore[arg-type]
    assert caption == caption.strip()
    try:
        captions.check(caption)
    except Rejected as refused:
        remedy = refused.remedy
        assert remedy
        return
    assert len(caption) <= captions.MAX_CHARACTERS
    assert "\0" not in caption
    assert {"caption": [caption]} == parse_qs(
        urlencode({"caption": caption}), keep_blank_values=True
    )


@given(text=WORDS)
def test_what_was_saved_as_utf8_or_utf16_is_read_as_it_was_meant(picture: Path, text: str) -> None:
    """With and without a mark, on whatever system it was written."""
    for encoding in ("utf-8", "utf-8-sig", "utf-16"):
        picture.with_suffix(".txt").write_bytes(text.encode(encoding))
        assert text.removeprefix("\ufeff").strip() == (
            fingerprint._caption_in(picture.with_suffix(".txt")) or ""
        )


@examples(2)
@example(name="{title}.jpg", tags=["{stem}"])
@example(name=".jpg", tags=["#", " ", "##a"])
@example(name="\x1b", tags=[])
@given(name=ANY_TEXT, tags=st.lists(ANY_TEXT, max_size=3))
def test_a_caption_can_be_made_of_any_name(name: str, tags: list[str]) -> None:
    """A name is never taken for a template, and none breaks it."""
    template = "{title} {stem} {name} {date} {time}"
    made = captions.render(template, name, datetime(2026, 1, 2, tzinfo=UTC), tuple(tags))
    words = re.sub(r"[\x00-\x1f\x7f-\x9f]+", " ", name).strip()
    assert words in made
    assert "2026-01-02" in made
