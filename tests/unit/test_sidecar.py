"""Sidecars: what they may say, how they go together, and what is said of one that is wrong."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from mediawatch.errors import Handling, Rejected
from mediawatch.model.kinds import PostKind
from mediawatch.model.wishes import Cover, UserTag, Wishes
from mediawatch.watch import sidecar

PARIS, NEW_YORK = ZoneInfo("Europe/Paris"), ZoneInfo("America/New_York")
ALL_TOML = """
caption = "The beach\\nat dawn"
title = "Dawn"
alt_text = "A beach"
publish_at = 2026-12-24T18:00:00
zone = "Europe/Paris"
kind = "image"
location_id = 7640348500
user_tags = [{username = "@some.one", x = 0.5, y = 1}, "other_one"]
collaborators = ["@a.b", "c_d", "a.b"]
share_to_feed = false
first_comment = "#sea"
cover = "12.5s"
again = "2026-12-24"
"""
ALL_JSON = """\ufeff{
"caption": "The beach\\r\\nat dawn", "title": "Dawn", "alt_text": "A beach",
"publish_at": "2026-12-24 18:00 Europe/Paris", "kind": "IMAGE", "location_id": "7640348500",
"user_tags": [{"username": "some.one", "x": 0.5, "y": 1.0}, "@other_one"],
"collaborators": ["a.b", "c_d"], "share_to_feed": false, "first_comment": " #sea ", "cover": 12.5,
"again": "2026-12-24"
}"""
ALL = Wishes(
    caption="The beach\nat dawn",
    title="Dawn",
    alt_text="A beach",
    publish_at=datetime(2026, 12, 24, 18, tzinfo=PARIS),
    kind=PostKind.IMAGE,
    location_id="7640348500",
    user_tags=(UserTag("some.one", 0.5, 1.0), UserTag("other_one")),
    collaborators=("a.b", "c_d"),
    share_to_feed=False,
    first_comment="#sea",
    cover=Cover(offset_ms=12500),
    again="2026-12-24",
)


def parsed(text: str, name: str = "beach.toml") -> Wishes:
    return sidecar.parse(name, text.encode(), PARIS)


def refused(text: str, name: str = "beach.toml") -> Rejected:
    with pytest.raises(Rejected) as caught:
        parsed(text, name)
    assert ("sidecar", Handling.HOLD) == (caught.value.code, caught.value.handling)
    assert name in caught.value.message
    assert caught.value.remedy
    return caught.value


@pytest.mark.parametrize(("name", "text"), [("beach.toml", ALL_TOML), ("beach.JSON", ALL_JSON)])
def test_everything_that_may_be_wished_for(name: str, text: str) -> None:
    """In both forms, with line ends and marks of any system."""
    assert ALL == parsed(text, name)
    assert ALL == parsed(text.replace("\n", "\r\n"), name)
    assert ALL == sidecar.parse(name, text.lstrip("\ufeff").encode("utf-16"), PARIS)


def test_wishes_come_back_from_the_journal() -> None:
    """As they were written, with the zone, so that "the next day" stays what it was."""
    back = Wishes.from_json(ALL.to_json())

    assert ALL == back
    assert back.publish_at is not None
    assert PARIS is back.publish_at.tzinfo
    assert Wishes() == Wishes.from_json(Wishes().to_json())
    assert "{}" == Wishes().to_json()


@pytest.mark.parametrize(
    "text",
    ["", "[]", "null", "{", '{"kind":"poem"}', '{"x":1}', '{"cover":[1,2,3]}', '{"user_tags":1}'],
)
def test_what_the_journal_never_wrote_is_no_wish(text: str) -> None:
    """One kind of error, whatever it is."""
    with pytest.raises(ValueError, match=r"\w"):
        Wishes.from_json(text)


@pytest.mark.parametrize(
    ("line", "instant"),
    [
        ("publish_at = 2026-12-24T18:00:00", "2026-12-24T17:00+00:00"),
        ("publish_at = 2026-12-24 18:00:00-05:00", "2026-12-24T23:00+00:00"),
        ("publish_at = 2026-12-24T18:00:00Z", "2026-12-24T18:00+00:00"),
        ('publish_at = "2026-12-24 18:00"', "2026-12-24T17:00+00:00"),
        ('publish_at = "2026-12-24 18:00 America/New_York"', "2026-12-24T23:00+00:00"),
        ('publish_at = 2026-12-24T18:00:00\nzone = "America/New_York"', "2026-12-24T23:00+00:00"),
        ('publish_at = 2026-12-24T18:00:00Z\nzone = "America/New_York"', "2026-12-24T18:00+00:00"),
        ('publish_at = "2026-12-24 18:00"\nzone = "America/New_York"', "2026-12-24T23:00+00:00"),
    ],
)
def test_when(line: str, instant: str) -> None:
    """A time in its own zone, in the one beside it, or in the one of the machine."""
    at = parsed(line).publish_at

    assert at is not None
    assert datetime.fromisoformat(instant) == at.astimezone(UTC)


def test_what_was_decided_about_a_time_is_said() -> None:
    """Two thirty comes twice that night."""
    assert "comes twice" in parsed("publish_at = 2026-10-25T02:30:00").publish_note


@pytest.mark.parametrize(
    ("value", "cover"),
    [
        ("12.5", Cover(offset_ms=12500)),
        ("0", Cover(offset_ms=0)),
        ('"12"', Cover(offset_ms=12000)),
        ('"1.5 s"', Cover(offset_ms=1500)),
        ('"1500ms"', Cover(offset_ms=1500)),
        ('"1:05.5"', Cover(offset_ms=65500)),
        ('"cover.jpg"', Cover(file="cover.jpg")),
        ('"the 12s.jpg"', Cover(file="the 12s.jpg")),
    ],
)
def test_a_cover(value: str, cover: Cover) -> None:
    """A moment of the video, or a file beside it."""
    assert cover == parsed(f"cover = {value}").cover


@pytest.mark.parametrize(
    ("text", "key", "hint"),
    [
        ('captoin = "a"', "captoin", '"caption"'),
        ('Caption = "a"', "Caption", '"caption"'),
        ('alt = "a"', "alt", '"alt_text"'),
        ('alt-text = "a"', "alt-text", '"alt_text"'),
        ("schedule = 2026-12-24T18:00:00", "schedule", '"publish_at"'),
        ("tags = []", "tags", '"user_tags"'),
        ("xyzzy = 1", "xyzzy", "Known are: caption"),
        ("caption = 5", "caption", "quotes"),
        ("caption = ['a']", "caption", "quotes"),
        (f'caption = "{"x" * 2201}"', "caption", "Shorten"),
        (f'alt_text = "{"x" * 1001}"', "alt_text", "Shorten"),
        ('caption = "a\\u0000b"', "caption", "Take it out"),
        ("publish_at = 2026-12-24", "publish_at", "18:00"),
        ("publish_at = 18:00:00", "publish_at", "18:00"),
        ("publish_at = 1798135200", "publish_at", "quotes"),
        ('publish_at = "soon"', "publish_at", "18:00"),
        ("publish_at = 0001-01-01T00:00:00", "publish_at", "Correct"),
        ("publish_at = 9999-12-31T23:59:59-12:00", "publish_at", "Correct"),
        (
            'publish_at = 2026-12-24T18:00:00+05:00\nzone = "Europe/Paris"',
            "publish_at",
            "Leave one",
        ),
        ('publish_at = "2026-12-24 18:00"\nzone = "Europe/Pariss"', "zone", "Europe/Paris"),
        ('zone = "Europe/Paris"', "zone", "publish_at"),
        ('kind = "poem"', "kind", '"reel"'),
        ('location_id = "Paris"', "location_id", "Page"),
        ("location_id = -5", "location_id", "Page"),
        (f"location_id = 0x{'f' * 9000}", "location_id", "Page"),
        ('user_tags = "a"', "user_tags", "brackets"),
        ("user_tags = [{x = 0.5, y = 0.5}]", "user_tags.0", "username"),
        ('user_tags = [{username = "a", x = 0.5}]', "user_tags.0", "both"),
        ('user_tags = [{username = "a", x = 1.5, y = nan}]', "user_tags.0", "from 0"),
        ('user_tags = ["a", "b c"]', "user_tags.1", "some.one"),
        ("user_tags = [" + '"a", ' * 21 + "]", "user_tags", "Leave some out"),
        ('collaborators = ["a", "b", "c", "d"]', "collaborators", "Leave some out"),
        ('share_to_feed = "yes"', "share_to_feed", "without quotes"),
        ("share_to_feed = 1", "share_to_feed", "without quotes"),
        ('cover = "../secret.jpg"', "cover", "without a folder"),
        ('cover = "C:a.jpg"', "cover", "without a folder"),
        ("cover = -1", "cover", "seconds"),
        ("cover = inf", "cover", "seconds"),
        ("again = true", "again", "another word"),
        ('again = ""', "again", "another word"),
        ('[alt_text]\n"../a.jpg" = "a"', "alt_text", "without a folder"),
    ],
)
def test_what_is_wrong_is_told_with_the_key_and_the_remedy(text: str, key: str, hint: str) -> None:
    """Nothing is passed over: the post would be published otherwise than it was meant."""
    error = refused(text)

    assert f'"{key}"' in error.message
    assert hint in error.remedy


@pytest.mark.parametrize(
    ("name", "text", "what"),
    [
        ("a.toml", "caption = unquoted", "not valid TOML"),
        ("a.toml", 'caption = "a"\ncaption = "b"', "not valid TOML"),
        ("a.toml", "x = " + "9" * 5000, "thousands of digits"),
        ("a.toml", "x = " + "[" * 30000, "nested too deeply"),
        ("a.toml", "a" + ".a" * 30000 + " = 1", "nested too deeply"),
        ("a.toml", "[" + '"a" . ' * 9000 + "a]" + "\nb=1\nc=1", "nested too deeply"),
        ("a.toml", "x = {" + "a." * 9000 + "a = 1}", "nested too deeply"),
        ("a.toml", "publish_at = 2026-02-30T18:00:00", "not valid TOML"),
        ("a.json", "", "not valid JSON"),
        ("a.json", "[" * 60000, "nested too deeply"),
        ("a.json", '{"a":' * 10000, "nested too deeply"),
        ("a.json", '{"cover": NaN}', "NaN is no number"),
        ("a.json", '{"cover": -Infinity}', "-Infinity is no number"),
        ("a.json", '{"caption": "a", "caption": "b"}', '"caption" stands in it twice'),
        ("a.json", "[1]", "must be an object"),
        ("a.json", "{" + "9" * 5000 + "}", "not valid JSON"),
        ("a.json", '{"cover": ' + "9" * 5000 + "}", "thousands of digits"),
        ("a.json", "\ufffe", "not valid JSON"),
        ("a.json", '{"caption": "\\ud800"}', "half a character"),
        ("a.toml", "#" * (64 * 1024 + 1), "more than 64 KiB"),
        ("a.txt", "x" * (64 * 1024 + 1), "more than 64 KiB"),
    ],
)
def test_what_cannot_be_read_is_told(name: str, text: str, what: str) -> None:
    """Bombs, halves and doubles of both forms."""
    assert what in refused(text, name).message


def test_the_file_of_another_program_is_told_shortly() -> None:
    """It may have hundreds of keys; a name that nobody can print does no harm."""
    error = refused(
        ", ".join(['{"a\\u001b": 1', *(f'"b{n}": {n}' for n in range(99))]) + "}", "x.json"
    )

    assert "And 95 more." in error.message
    assert error.message.isprintable()
    assert len(error.message) < 400


def test_null_says_nothing() -> None:
    """A key that is there without a value is a key that is left out; an unknown one is not."""
    assert Wishes(caption="a") == parsed('{"caption": "a", "cover": null, "zone": null}', "a.json")
    refused('{"captoin": null}', "a.json")


def beside(folder: Path, **texts: str) -> list[Path]:
    (folder / "a.jpg").touch()
    for suffix, text in texts.items():
        (folder / f"a.{suffix}").write_text(text, encoding="utf-8")
    return sidecar.find(folder / "a.jpg")


def test_several_sidecars_of_one_picture_go_together(tmp_path: Path) -> None:
    """The caption as a text, the rest in a table."""
    files = beside(tmp_path, txt="The beach", toml='title = "Dawn"', json='{"cover": 1}')

    assert ["a.txt", "a.toml", "a.json"] == [file.name for file in files]
    assert Wishes(caption="The beach", title="Dawn", cover=Cover(offset_ms=1000)) == sidecar.read(
        files
    )


def test_the_same_said_twice_is_no_contradiction(tmp_path: Path) -> None:
    """A caption that stands in both files."""
    files = beside(tmp_path, txt="The beach\n", toml='caption = "The beach"')

    assert Wishes(caption="The beach") == sidecar.read(files)


def test_sidecars_that_contradict_each_other_are_told_by_name(tmp_path: Path) -> None:
    """Nobody knows which caption is meant."""
    files = beside(tmp_path, txt="The beach", toml='caption = "The sea"')

    with pytest.raises(
        Rejected, match=r"a\.txt and a\.toml contradict each other: caption"
    ) as caught:
        sidecar.read(files)
    assert "sidecar" == caught.value.code


def test_a_file_that_is_gone_or_no_file_wishes_for_nothing(tmp_path: Path) -> None:
    """Between the listing and the reading anything may happen."""
    files = beside(tmp_path, txt="The beach", toml="")
    files[0].unlink()
    files[1].unlink()
    files[1].mkdir()

    assert Wishes() == sidecar.read(files)


def test_no_link_is_followed(tmp_path: Path) -> None:
    """It could lead to any file that this user may read."""
    secret = tmp_path / "secret"
    secret.write_text('caption = "not for anybody"', encoding="utf-8")
    link = tmp_path / "a.toml"
    try:
        link.symlink_to(secret)
    except OSError:
        pytest.skip("links need a right here")

    assert [] == sidecar.find(tmp_path / "a.jpg")
    assert Wishes() == sidecar.read([link])


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_no_pipe_is_waited_for(tmp_path: Path) -> None:
    """It would stand still until somebody writes into it."""
    os.mkfifo(tmp_path / "a.toml")

    assert [] == sidecar.find(tmp_path / "a.jpg")
    assert Wishes() == sidecar.read([tmp_path / "a.toml"])


def test_the_sidecars_of_a_name(tmp_path: Path) -> None:
    """Suffixes in either case; never the file itself, nor a note of ours."""
    for name in ("a.b.jpg", "a.b.TXT", "a.toml", "a.b.mediawatch.json", "caption.txt", "b.txt"):
        (tmp_path / name).touch()

    assert ["a.b.TXT"] == [file.name for file in sidecar.find(tmp_path / "a.b.jpg")]
    assert ["caption.txt"] == [file.name for file in sidecar.find(tmp_path / "caption")]
    assert [] == sidecar.find(tmp_path / "b.txt")
    assert [] == sidecar.find(tmp_path / "a.b.mediawatch.jpg")
    assert [] == sidecar.find(tmp_path / "a\0.jpg")


def test_what_the_listing_of_a_folder_tells(tmp_path: Path) -> None:
    """For many files one listing says which have sidecars, and hides none that is looked for beside
    a single one: not where the disk takes two spellings of a name for one, either."""
    for name in ("a.TXT", "b.toml", "Été.json", "d.txt.jpg", "e.jpg"):
        (tmp_path / name).write_text("")
    stems = sidecar.stems_in(tmp_path, 5)
    assert stems is not None

    found = {name: sidecar.find(tmp_path / f"{name}.jpg", stems) for name in ("a", "b", "d", "e")}
    assert {"a": ["a.TXT"], "b": ["b.toml"], "d": [], "e": []} == {
        name: [file.name for file in files] for name, files in found.items()
    }
    assert {"a", "b"} < stems
    for spelling in ("Été", "ÉTÉ", "E\u0301te\u0301"):  # one name on Windows, one on a Mac
        asked = _Asked(stems)
        sidecar.find(tmp_path / f"{spelling}.jpg", asked)
        assert asked.answers == [True]


class _Asked:
    """Notes what is answered."""

    def __init__(self, stems: frozenset[str]) -> None:
        self._stems = stems
        self.answers: list[bool] = []

    def __contains__(self, stem: object) -> bool:
        self.answers.append(stem in self._stems)
        return self.answers[-1]


def test_a_folder_of_thousands_is_not_listed_for_one_file(tmp_path: Path) -> None:
    """Where a listing would take longer, each sidecar is looked for; so it is where there is none
    to be had."""
    for number in range(100):
        (tmp_path / f"{number}.jpg").touch()
    (tmp_path / "1.txt").touch()
    assert sidecar.stems_in(tmp_path, 1) is None
    assert {"1"} == sidecar.stems_in(tmp_path, 2)
    assert sidecar.stems_in(tmp_path / "gone", 2) is None
    assert ["1.txt"] == [file.name for file in sidecar.find(tmp_path / "1.jpg", None)]


def test_the_nearer_source_wins() -> None:
    """Template, picture, folder, sidecar: what one does not say comes from the one before; an empty
    caption is said."""
    template = Wishes(caption="IMG 1")
    picture = Wishes(caption="from the camera", title="Dawn", alt_texts=(("a.jpg", "A"),))
    folder = Wishes(caption="the album", publish_at=ALL.publish_at, publish_note="decided")
    own = Wishes(caption="", alt_texts=(("b.jpg", "B"),), publish_at=ALL.publish_at)

    merged = template.merge(picture).merge(folder)
    assert ("the album", "Dawn", "decided") == (merged.caption, merged.title, merged.publish_note)
    merged = merged.merge(own)
    assert ("", "Dawn", "") == (merged.caption, merged.title, merged.publish_note)
    assert (("a.jpg", "A"), ("b.jpg", "B")) == merged.alt_texts


def test_alternative_texts_of_a_carousel() -> None:
    """Each picture has its own, or the one for all; a name that is none of them is told."""
    wishes = parsed('[alt_text]\n"a.jpg" = "A"\n"B.JPG" = "B"\n"z.jpg" = "Z"').merge(Wishes())

    assert ("A", "B", None) == tuple(wishes.alt_text_for(name) for name in ("a.jpg", "b.jpg", "c"))
    assert "all" == Wishes(alt_text="all").alt_text_for("c")
    assert ["z.jpg"] == wishes.alt_texts_astray(["a.jpg", "b.jpg"])
