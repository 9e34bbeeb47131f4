"""The order of names, and their parts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediawatch.model.names import natural_key, split_name


@pytest.mark.parametrize(
    ("name", "stem", "suffix"),
    [("a.jpg", "a", ".jpg"), ("a.b.jpg", "a.b", ".jpg"), ("plain", "plain", ""), (".x", ".x", "")],
)
def test_a_name_is_split_at_its_last_dot(name: str, stem: str, suffix: str) -> None:
    """A leading dot starts no suffix."""
    assert (stem, suffix) == split_name(name)


@pytest.mark.parametrize(
    "ordered",
    [
        ["IMG_2.jpg", "IMG_10.jpg", "IMG_100.jpg"],
        ["1.jpg", "2.jpg", "03.jpg", "10.jpg"],
        ["a.jpg", "B.jpg", "c.jpg"],
        ["a.jpg", "a (2).jpg", "a (10).jpg"],
        ["page 1.jpg", "page 1.png", "page 2.jpg"],
        ["v1.2.jpg", "v1.10.jpg", "v2.0.jpg"],
        ["1a.jpg", "1b.jpg", "a1.jpg"],
        ["٢.jpg", "10.jpg", "१२.jpg"],  # 2 in Arabic, 12 in Devanagari
        ["1.jpg", "01.jpg", "001.jpg"][::-1],  # the same number: by their characters
        ["a.jpg", "b.jpg", "ä.jpg"],
        ["x²1.jpg", "x²2.jpg"],
        ["9" * 200 + ".jpg", "1" + "0" * 200 + ".jpg"],
        ["", "0", "a"],
    ],
)
def test_names_follow_one_another_as_people_count(ordered: list[str]) -> None:
    """Digits by their value, in any script; letters without regard to case; the suffix last."""
    names = ordered[::-1]
    names.sort(key=natural_key)
    assert ordered == names


@given(st.lists(st.text(max_size=12), max_size=8))
def test_the_order_is_always_the_same(names: list[str]) -> None:
    """However they come in, and whatever is in them; no two names are alike."""
    assert sorted(names, key=natural_key) == sorted(sorted(names), key=natural_key)
    assert len(set(names)) == len({natural_key(name) for name in names})


def test_one_letter_in_two_spellings_has_one_place() -> None:
    """A Mac writes "é" as two characters; it stands where the other one stands."""
    assert ["caf\u00e9 1", "cafe\u0301 2", "caf\u00e9 3"] == sorted(
        ["caf\u00e9 3", "cafe\u0301 2", "caf\u00e9 1"], key=natural_key
    )
