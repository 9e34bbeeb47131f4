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
