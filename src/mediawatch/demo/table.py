"""The live table of the demo."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from mediawatch.demo.progress import Progress
from mediawatch.demo.samples import Ending
from mediawatch.log import size
from mediawatch.model.lifecycle import STAGES

_COLOURS = {
    Ending.PUBLISHED: "green",
    Ending.IGNORED: "yellow",
    Ending.HELD: "magenta",
    Ending.DUPLICATE: "cyan",
}
_ICONS = {
    Ending.PUBLISHED: "✅",
    Ending.IGNORED: "🙈",
    Ending.HELD: "✋",
    Ending.DUPLICATE: "👯",
}
#: Characters across from which on the table also tells what a sample is, and its size and speed.
_WITH_WHAT, _WITH_ALL = 90, 120


def progress_table(rows: Sequence[Progress], now: float, width: int) -> Table:
    """Every sample with its way, its time and what became of it.

    What is told besides needs room: ``width``, in characters.
    """
    table = Table(expand=True, row_styles=["", "on grey3"], border_style="dim")
    table.add_column("file", no_wrap=True, style="bold")
    if width >= _WITH_WHAT:
        table.add_column("what it is", style="dim", ratio=2)
    if width >= _WITH_ALL:
        table.add_column("size", justify="right", no_wrap=True)
    table.add_column("way", no_wrap=True)
    table.add_column("time", justify="right", no_wrap=True)
    if width >= _WITH_ALL:
        table.add_column("speed", justify="right", no_wrap=True)
    table.add_column("outcome", ratio=4, overflow="fold")
    for row in rows:
        if row.dropped_at is None:
            continue
        table.add_row(
            row.sample.name,
            *([row.sample.what] if width >= _WITH_WHAT else []),
            *([size(row.size)] if width >= _WITH_ALL else []),
            _way(row),
            _time(row, now),
            *([_speed(row)] if width >= _WITH_ALL else []),
            _outcome(row),
        )
    return table


def _way(row: Progress) -> Text:
    done = min(max(row.stage - 1, 0), len(STAGES))
    text = Text("●" * done, style="green")
    if not row.ended and row.stage:
        text.append("◐", style="bold yellow")
        done += 1
    return text.append("○" * (len(STAGES) - done), style="dim")


def _time(row: Progress, now: float) -> str:
    if row.whole_at is None:
        return "…"
    return f"{(row.ended_at or now) - row.whole_at:.1f} s"


def _speed(row: Progress) -> str:
    if row.ending is not Ending.PUBLISHED or row.ended_at is None or row.whole_at is None:
        return ""
    return f"{size(round(row.size / max(0.001, row.ended_at - row.whole_at)))}/s"


def _outcome(row: Progress) -> Text:
    if row.failed:
        return Text(f"❌ {row.told}", style="bold red")
    if row.ending is None:
        return Text(f"⏳ {row.word}", style="yellow")
    style = _COLOURS[row.ending] if row.as_it_should else "bold red"
    return Text(f"{_ICONS[row.ending]} {row.ending.value}: {row.told}", style=style)
