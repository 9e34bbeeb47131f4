"""The figures as a page for people, with the bars and whether they are met."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from rich.console import Console
from rich.table import Table


def bars(figures: dict[str, Any]) -> list[tuple[str, str, str, bool | None]]:
    """What is promised: name, figure, bar, and whether it is met (None: cannot be told here)."""
    ratios, latency, idle = figures["ratios"], figures["latency_ms"], figures["idle"]
    problems = [problem for run in figures["rounds"] for problem in run["river"]["problems"]]
    once = "yes" if not problems else f"{len(problems)} problems"
    return [
        ("every post exactly once, its original filed", once, "yes", not problems),
        _bar("river / bare Pillow as written", ratios["bare Pillow, as written"], 0.7),
        _bar("river / sequential script", ratios["sequential script"], 2.0),
        _bar("settled to published, median", latency["median"], 150, "ms", below=True),
        _bar("idle daemon, 10,000 ignored files", idle["cpu_percent"], 1, "% of a core", True),
        _bar("the same, resident memory", idle["rss_mb"], 120, "MB", below=True),
        _bar("mediawatch --help, median", figures["help_ms"]["median"], 300, "ms", below=True),
    ]


def _bar(
    name: str, value: float | None, limit: float, unit: str = "", below: bool = False
) -> tuple[str, str, str, bool | None]:
    wanted = f"{'<' if below else '>='} {limit:g} {unit}".strip()
    if value is None:
        return name, "not measured here", wanted, None
    met = value < limit if below else value >= limit
    return name, f"{value:.3g} {unit}".strip(), wanted, met


def show(figures: dict[str, Any]) -> bool:
    """Print everything; whether all bars are met."""
    # Piped into a file, the table is as wide as it needs to be.
    console = Console(width=None if sys.stdout.isatty() else 110)
    console.print(
        f"\n{figures['pictures']} pictures, {figures['megabytes']} MB: {figures['mix']}\n"
        f"{figures['cores']} cores; load average {figures['load_average']['start']} at the start, "
        f"{figures['load_average']['end']} at the end",
        soft_wrap=True,
    )
    speeds = _table("speed", "posts/s", "river is")
    for name, rate in figures["rates"].items():
        ratio = figures["ratios"].get(name)
        speeds.add_row(name, f"{rate:.2f}", "" if ratio is None else f"{ratio:.2f} x")
    console.print(speeds)
    for run in figures["rounds"]:
        taken = ", ".join(f"{name} {part['others_percent']} %" for name, part in run.items())
        console.print(f"other programs took of this machine, during: {taken}")
    run = figures["rounds"][-1]["river"]
    console.print(_two_columns("stage of the river, ms", run["stages_ms"]))
    console.print(_table_of("CPU of the river, ms a post", run["cpu_ms_per_post"], "{:.1f}".format))
    peak = run["daemon_peak_mb"]
    console.print(f"daemon's peak: {peak:.0f} MB" if peak else "daemon's peak: not measured here")
    console.print(
        _two_columns(
            "quiet daemon, ms",
            {"settled to published": figures["latency_ms"], "--help": figures["help_ms"]},
        )
    )
    result = _table("bar", "measured", "wanted", "")
    met_all = True
    for name, value, wanted, met in bars(figures):
        result.add_row(name, value, wanted, {True: "pass", False: "MISS", None: "?"}[met])
        met_all = met_all and met is not False
    console.print(result)
    for run in figures["rounds"]:
        for problem in run["river"]["problems"]:
            console.print(problem[:2000], style="red", markup=False)
    return met_all


def _table(*columns: str) -> Table:
    table = Table()
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if number else "left", no_wrap=True)
    return table


def _table_of(name: str, rows: dict[str, float], form: Callable[[float], str]) -> Table:
    table = _table(name, "")
    for row, value in rows.items():
        table.add_row(row, form(value))
    return table


def _two_columns(name: str, rows: dict[str, dict[str, float]]) -> Table:
    table = _table(name, "median", "p95")
    for row, values in rows.items():
        table.add_row(row, f"{values['median']:.1f}", f"{values['p95']:.1f}")
    return table
