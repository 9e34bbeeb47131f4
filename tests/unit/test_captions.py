"""Captions: made, and checked before any call."""

from __future__ import annotations

from datetime import datetime

import pytest

from mediawatch.errors import Handling, Rejected
from mediawatch.model import captions

WHEN = datetime(2026, 11, 20, 21, 30)  # noqa: DTZ001 - the local time of the user


@pytest.mark.parametrize(
    ("template", "shown"),
    [
        ("{title}", "beach day 2"),
        ("{stem}", "beach_day-2"),
        ("{name} on {date} at {time}", "beach_day-2.jpg on 2026-11-20 at 21:30"),
        ("{{kept}}", "{kept}"),
        ("", ""),
    ],
)
def test_the_template(template: str, shown: str) -> None:
    """Every field is filled from the name and the time."""
    assert shown == captions.render(template, "beach_day-2.jpg", WHEN)


def test_no_control_character_comes_from_a_name() -> None:
    """A name may hold what Meta refuses in a text; its owner has no caption file to mend."""
    assert "a b [31mc" == captions.render("{stem}", "a\nb\x1b[31mc\x7f.jpg", WHEN)
    assert "two\nlines" == captions.render("two\n{title}", "lines.jpg", WHEN)


def test_hashtags_follow_with_or_without_their_sign() -> None:
    """Hashtags are written once each, with one sign."""
    shown = captions.render("{stem}", "a.jpg", WHEN, ("sun", "#sea", " "))

    assert shown == "a\n\n#sun #sea"


@pytest.mark.parametrize(
    "caption",
    ["x" * 2200, "#a " * 30, "@a " * 20, "mail me@home.example " * 30, "😀" * 1100, ""],
)
def test_what_meta_takes(caption: str) -> None:
    """At the limits a caption passes."""
    captions.check(caption)


@pytest.mark.parametrize(
    ("caption", "what"),
    [
        ("x" * 2201, "2201 characters"),
        ("😀" * 1101, "2202 characters"),
        ("#a " * 31, "31 hashtags"),
        ("@a " * 21, "21 mentions"),
        ("a\0b", r"control character \(U\+0000\)"),
    ],
)
def test_what_meta_would_refuse(caption: str, what: str) -> None:
    """Above them the post is held before any call, with what was found."""
    with pytest.raises(Rejected, match=what) as caught:
        captions.check(caption)

    assert Handling.HOLD is caught.value.handling


def test_the_template_of_a_carousel() -> None:
    """Its folder as people would write it, the number of its files, the parts of the date."""
    template = "{folder}, {n} pictures, {day}.{month}.{year}"
    shown = captions.render(template, "summer_days", WHEN, folder=True, count=3)

    assert shown == "summer days, 3 pictures, 20.11.2026"


@pytest.mark.parametrize(
    ("name", "stem", "shown"),
    [
        ("St. Moritz", "St. Moritz", "St. Moritz"),
        ("trip_v1.5", "trip_v1.5", "trip v1.5"),
        ("2026-12-24 18.00 mr.smith", "2026-12-24 18.00 mr.smith", "mr.smith"),
        ("2026-12-24 18.00", "2026-12-24 18.00", ""),
    ],
)
def test_a_folder_has_no_suffix(name: str, stem: str, shown: str) -> None:
    """What stands behind a dot in its name is a part of it; a time in front is not."""
    assert stem == captions.render("{stem}", name, WHEN, folder=True)
    assert shown == captions.render("{title}", name, WHEN, folder=True)
    assert shown == captions.render("{folder}", name, WHEN, folder=True)


def test_a_file_by_itself_has_no_folder() -> None:
    """The inbox, reels/ and stories/ say nothing of what is seen."""
    assert "beach 1" == captions.render("{folder} {title} {n}", "beach.jpg", WHEN)


def test_a_date_in_front_is_no_part_of_the_title() -> None:
    """It says when to publish; the owner wants the tree in the caption."""
    name = "2026-12-24 18.00 the-tree.jpg"

    assert "the tree" == captions.render("{title}", name, WHEN)
    assert "" == captions.render("{title}", "2026-12-24 18.00.jpg", WHEN)
    assert "2026-12-24 18.00 the-tree" == captions.render("{stem}", name, WHEN)


def test_a_title_that_was_wished_for_comes_before_the_name() -> None:
    """The picture or its sidecar knows better than the file's name."""
    assert "Dawn" == captions.render("{title}", "IMG_1.jpg", WHEN, given_title="Dawn")


@pytest.mark.parametrize(
    ("text", "tags", "shown"),
    [
        ("a walk #Sea", ("sea", "sun"), "a walk #Sea\n\n#sun"),
        ("a walk #sea", ("#SEA",), "a walk #sea"),
        ("a walk #seaside", ("sea",), "a walk #seaside\n\n#sea"),
        ("", ("a", "A", "##a", ""), "#a"),
        ("a walk", (), "a walk"),
        ("#straße", ("STRASSE",), "#straße"),
    ],
)
def test_a_hashtag_is_added_once(text: str, tags: tuple[str, ...], shown: str) -> None:
    """Only those that the text does not hold, without regard to case."""
    assert shown == captions.with_hashtags(text, tags)


def test_the_limits_hold_for_the_whole_text() -> None:
    """The template and the hashtags of the settings count like the owner's own words."""
    text = captions.render("#a " * 29, "x.jpg", WHEN, ("b", "c"))

    with pytest.raises(Rejected, match="31 hashtags"):
        captions.check(text)


@pytest.mark.parametrize(
    ("text", "what"),
    [("x" * 1001, "1001 characters"), ("😀" * 501, "1002"), ("a\0", "control"), ("\ud800", "half")],
)
def test_an_alternative_text_has_limits_of_its_own(text: str, what: str) -> None:
    """A thousand characters, counted as those of a caption are."""
    captions.check_alt_text("x" * 1000)
    captions.check_alt_text("#a " * 40)
    with pytest.raises(Rejected, match=what) as caught:
        captions.check_alt_text(text)

    assert ("alt-text", Handling.HOLD) == (caught.value.code, caught.value.handling)


@pytest.mark.parametrize(
    ("text", "what"), [("x" * 2201, "2201 characters"), ("#a " * 31, "31 hashtags")]
)
def test_a_first_comment_has_the_limits_of_a_caption(text: str, what: str) -> None:
    """Hashtags are put there by many, thirty of them."""
    captions.check_first_comment("#a " * 30)
    with pytest.raises(Rejected, match=what) as caught:
        captions.check_first_comment(text)

    assert ("first-comment", Handling.HOLD) == (caught.value.code, caught.value.handling)
