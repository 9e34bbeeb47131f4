"""The page on files says of sidecars and names what mediawatch does with them."""

from __future__ import annotations

import re

import pytest

from mediawatch.model.dated_names import dated
from mediawatch.model.pairs import PICTURES, RAWS
from mediawatch.watch import sidecar, sidecar_keys
from tests.docs import inventory

PAGE = inventory.page("reference/files-and-folders.md")
NAME = re.compile(r"`([^`…]+)`")


def _section(heading: str) -> str:
    return re.split(r"^#+ ", PAGE.split(f"# {heading}\n")[1], flags=re.MULTILINE)[0]


def _first_cells(text: str) -> list[str]:
    return re.findall(r"^\| ([^|]*`[^|]*) \|", text, re.MULTILINE)


@pytest.mark.parametrize("text", re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL))
def test_a_sidecar_that_is_shown_works(text: str) -> None:
    """It can be copied and used."""
    assert sidecar.parse("beach.toml", text.encode()).said()


def test_every_key_of_a_sidecar_is_documented() -> None:
    """All of them, and no others."""
    keys = {key for cell in _first_cells(_section("Sidecars")) for key in NAME.findall(cell)}

    assert {*sidecar_keys.KEYS} == {key for key in keys if "." not in key}


def test_the_names_of_the_page_plan_what_it_says() -> None:
    """Those of the first table plan a post, those of the second none."""
    planning, other = _section("A time in the name").split("Cameras and phones")
    planned = [name for cell in _first_cells(planning) for name in NAME.findall(cell)]
    unplanned = [name for cell in _first_cells(other) for name in NAME.findall(cell)]

    assert len(planned) > 7
    assert len(unplanned) > 9
    assert [] == [name for name in planned if dated(name) is None]
    assert [] == [name for name in unplanned if dated(name) is not None]


def test_every_suffix_of_a_pair_is_documented() -> None:
    """Which pictures and which RAWs go together."""
    text = _section("Files that belong together").lower()

    assert [] == [suffix for suffix in (*PICTURES, *sorted(RAWS)) if suffix not in text]
