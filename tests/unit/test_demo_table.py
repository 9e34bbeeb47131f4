"""The demo's table, on narrow terminals and on wide ones."""

from __future__ import annotations

import pytest
from rich.console import Console

from mediawatch.demo.progress import Progress
from mediawatch.demo.samples import Ending, samples
from mediawatch.demo.table import progress_table
from mediawatch.model.lifecycle import STAGES


def shown(width: int, rows: list[Progress]) -> list[str]:
    console = Console(width=width)
    with console.capture() as capture:
        console.print(progress_table(rows, 5.0, width))
    return capture.get().splitlines()


def rows() -> list[Progress]:
    """Every sample, in the longest words that it can end with."""
    told = "turned upright; 1512x2016 to 1350x1800; padded to 4:5; metadata removed"
    return [
        Progress(sample, 123_456, 1.0, 2.0, 3.0, len(STAGES) + 1, told=told, ending=sample.ends)
        for sample in samples()
    ]


@pytest.mark.parametrize(
    ("width", "columns", "lines"),
    [
        (80, ["file", "way", "time", "outcome"], 4),
        (100, ["file", "what it is", "way", "time", "outcome"], 4),
        (150, ["file", "what it is", "size", "way", "time", "speed", "outcome"], 2),
    ],
)
def test_no_word_is_cut_off(width: int, columns: list[str], lines: int) -> None:
    """What a terminal has no room for is left out as a whole; the outcome is read in few lines."""
    found = shown(width, rows())
    assert columns == [word.strip() for word in found[1].strip("┃").split("┃")]
    assert "…" not in "".join(found)
    assert {width} >= {len(line) for line in (found[0], found[-1])}
    assert len(found) <= 4 + lines * len(samples())


def test_what_is_under_way_tells_how_far_it_is() -> None:
    """The stage, and the percent of a conversion."""
    sample = next(each for each in samples() if each.name == "waves.avi")
    row = Progress(sample, 123_456, 1.0, 2.0, stage=1, word="converting 42 %")
    assert any("⏳ converting 42 %" in line for line in shown(80, [row]))


def test_every_kind_of_post_is_among_the_samples() -> None:
    """A folder of several files with its words, a story's folder, and texts beside a picture."""
    by_name = {sample.name: sample for sample in samples()}
    assert len(by_name) == len(samples())
    assert {"trip/caption.txt", "trip/1-train.jpg"} < set(by_name["trip"].files())
    assert ["harbour.toml", "harbour.jpg"] == list(by_name["harbour.jpg"].files())
    assert ["stories/evening.jpg"] == list(by_name["stories/evening.jpg"].files())
    assert {Ending.PUBLISHED, Ending.HELD, Ending.IGNORED, Ending.DUPLICATE} == {
        sample.ends for sample in samples()
    }
