"""Captions as they lie beside pictures: any bytes that somebody may have saved as a text."""

from __future__ import annotations

import codecs
import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mediawatch.errors import Rejected
from mediawatch.journal.schema import Prose
from mediawatch.model import captions
from mediawatch.model.dated_names import dated, moment_of
from mediawatch.model.kinds import PostKind
from mediawatch.model.wishes import Cover, UserTag, Wishes
from mediawatch.watch import sidecar
from tests.support.fuzzing import ANY_TEXT, JSON, awry, examples, mangled

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
    try:
        caption = sidecar.read([picture.with_suffix(".txt")]).caption
    except Rejected:
        assert len(data) > sidecar.MAX_BYTES
        return
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
            sidecar.read([picture.with_suffix(".txt")]).caption or ""
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


PARIS = ZoneInfo("Europe/Paris")
GOOD: dict[str, Any] = {
    "caption": "The beach",
    "title": "Dawn",
    "alt_text": {"a.jpg": "A", "b.jpg": "B"},
    "publish_at": "2026-12-24 18:00",
    "zone": "Europe/Paris",
    "kind": "image",
    "location_id": "7640348500",
    "user_tags": [{"username": "some.one", "x": 0.5, "y": 0.5}, "other"],
    "collaborators": ["a", "b"],
    "share_to_feed": True,
    "first_comment": "#sea",
    "cover": "12.5s",
    "again": "1",
}
#: Texts of people and of other programs, in any of the places where one may stand.
VALUES = JSON | st.sampled_from(
    [
        *("2026-03-29 02:30", "2026-10-25 02:30 Europe/Paris", "2026-12-24T18:00-05:00[UTC]"),
        *("0001-01-01 00:00", "9999-12-31 23:59+14:00", "2026-12-24 18:00 ../../etc/passwd"),
        *("Europe", "posixrules", "localtime", "/etc/localtime", "C:/a", "..", "nul", "a\0b"),
        *("\ud800", "1e999s", "99:59", "\u202e", "@", "x" * 3000, {"a.jpg": None}, [[]], [{}]),
    ]
)
KEYS = st.sampled_from([*GOOD, "captoin", "alt", "\ud800", "", "a.b"]) | ANY_TEXT


def _parse(name: str, data: bytes) -> Wishes | None:
    """What it wishes for; None if it is refused, as everything that is wrong must be."""
    try:
        wishes = sidecar.parse(name, data, PARIS)
    except Rejected as error:
        refused = error
    else:
        _can_be_kept(wishes)
        return wishes
    assert "sidecar" == refused.code
    assert name in refused.message
    assert refused.remedy
    assert (refused.message + refused.remedy).isprintable()
    json.dumps(refused.as_dict()).encode()
    return None


def _can_be_kept(wishes: Wishes) -> None:
    """The journal takes it and gives it back, and a request can carry it."""
    text = wishes.to_json()
    text.encode("ascii")
    assert text == Wishes.from_json(text).to_json()
    for sent in (wishes.caption, wishes.first_comment, wishes.title, wishes.alt_text):
        (sent or "").encode()
    if wishes.publish_at is not None:
        assert 1999 <= wishes.publish_at.astimezone(UTC).year <= 2100


@example(name="a.toml", data=b"a" + b".a" * 30000 + b" = 1")
@example(name="a.toml", data=b"x = " + b"{a=" * 20000)
@example(name="a.toml", data=b"a" * 65000)
@example(
    name="a.toml", data=b"[a" + b".a" * 60 + b"]\n" + b"".join(b"b%d=1\n" % n for n in range(7000))
)
@example(name="a.toml", data=b"[[a]]\n" * 9000)
@example(name="a.toml", data=b"caption = '" + b"\r" * 60000 + b"'")
@example(name="a.toml", data=b"publish_at = 2026-12-24T18:00:00+23:59")
@example(name="a.toml", data=b"publish_at = 2026-12-24T18:00:00.123456789123")
@example(name="a.json", data=b"1" * 60000)
@example(name="a.json", data=b'{"cover": 1e999, "location_id": -1e999}')
@example(name="a.json", data=b'"\\' * 20000)
@example(name="a.json", data=codecs.BOM_UTF16_LE + b"{\x00\x00")
@given(name=st.sampled_from(["a.txt", "a.toml", "a.json"]), data=ENCODED | st.binary(max_size=200))
def test_no_bytes_break_a_sidecar(name: str, data: bytes) -> None:
    """Whatever lies there under such a name is understood, or refused with what to do."""
    _parse(name, data)


@given(st.data())
def test_a_sidecar_that_is_nearly_right_is_understood_or_refused(data: st.DataObject) -> None:
    """Any value in any place, any key, any byte changed, in both forms."""
    document = dict(GOOD)
    for _ in range(data.draw(st.integers(0, 2))):
        document = awry(document, data.draw)
        if not isinstance(document, dict):
            break
        document[data.draw(KEYS)] = data.draw(VALUES)
    text = json.dumps(document)
    _parse("a.json", mangled(text.encode(), data.draw))
    if isinstance(document, dict):
        lines = [f"{json.dumps(key)} = {_inline(value)}" for key, value in document.items()]
        text = "\n".join(lines)
        _parse("a.toml", mangled(text.encode("utf-8", "replace"), data.draw))


def _inline(value: Any) -> str:
    """A value as TOML, as far as TOML can say it."""
    if isinstance(value, dict):
        pairs = (f"{json.dumps(key)} = {_inline(each)}" for key, each in value.items())
        return "{" + ", ".join(pairs) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_inline, value)) + "]"
    return json.dumps(value)


def test_what_is_right_is_understood_in_both_forms() -> None:
    """The document that the fuzzer starts from is a good one."""
    in_json = _parse("a.json", json.dumps(GOOD).encode())
    lines = [f"{key} = {_inline(value)}" for key, value in GOOD.items()]

    assert in_json is not None
    assert len(GOOD) == len(in_json.said()) + 1  # zone is said by publish_at
    assert in_json == _parse("a.toml", "\n".join(lines).encode())


TEXTS = st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
WISHES = st.builds(
    Wishes,
    caption=TEXTS,
    title=TEXTS,
    alt_text=TEXTS,
    alt_texts=st.lists(
        st.tuples(st.sampled_from(["a.jpg", "b.jpg"]), st.just("x")), unique=True
    ).map(tuple),
    publish_at=st.none()
    | st.datetimes(datetime(2001, 1, 1), datetime(2090, 1, 1)).map(  # noqa: DTZ001 - zoned at once
        lambda wall: wall.replace(tzinfo=UTC).astimezone(PARIS)
    ),
    kind=st.none() | st.sampled_from(PostKind),
    user_tags=st.none() | st.lists(st.builds(UserTag, st.just("a"))).map(tuple),
    collaborators=st.none() | st.lists(st.just("a"), max_size=2).map(tuple),
    share_to_feed=st.none() | st.booleans(),
    cover=st.none() | st.builds(Cover, st.none() | st.just("a.jpg"), st.none() | st.integers()),
    again=TEXTS,
)


@given(WISHES, WISHES, WISHES)
def test_wishes_go_together_in_any_grouping(far: Wishes, near: Wishes, nearest: Wishes) -> None:
    """Nearer sources win, whichever are put together first; nothing said is lost."""
    assert far.merge(near).merge(nearest) == far.merge(near.merge(nearest))
    assert far == far.merge(Wishes())
    assert near == Wishes().merge(near)
    assert far.said().keys() | near.said().keys() == far.merge(near).said().keys()
    assert far == Wishes.from_json(far.to_json())


@examples(3)
@example(name="2026-02-30 18.00 a.jpg")
@example(name="2026-12-24 18.00\ud800.jpg")
@given(
    name=ANY_TEXT
    | st.from_regex(r"20\d\d([-._]?)\d\d\1\d\d[ _T-]{1,2}\d\d[-._:h]?\d\d[ap .m0-9_a-z-]{0,9}")
)
def test_any_name_plans_a_post_or_does_not(name: str) -> None:
    """Never an error but one that tells a person; what is left of the name is part of it."""
    found = dated(name)
    if found is None:
        return
    assert found.rest in name
    try:
        at = moment_of(found, PARIS).at
    except Rejected as error:
        refused = error
    else:
        assert 2000 <= at.year <= 2100
        return
    assert refused.remedy
