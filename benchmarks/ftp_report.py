"""The figures of the uploads as a page for people, with the bars and whether they are met."""

from __future__ import annotations

import sys
from typing import Any

from rich.console import Console
from rich.table import Table


def show(figures: dict[str, Any]) -> bool:
    """Print everything; whether all bars are met."""
    # Piped into a file, the table is as wide as it needs to be.
    console = Console(width=None if sys.stdout.isatty() else 150)
    where = "memory" if figures["in_memory"] else "a disk"
    load = figures["load_average"]
    console.print(
        f"\n{figures['cores']} cores, served from {where}; load average {load['start']} at the "
        f"start, {load['end']} at the end. Seconds: median (least to most).",
        soft_wrap=True,
    )
    table = Table("upload", "server", "mediawatch", "lftp", "curl", "ratio", "wanted", "", "others")
    for row in figures["rows"]:
        table.add_row(
            row["trial"],
            row["server"] + (", TLS" if row["tls"] else ""),
            *(_seconds(row["runs"].get(name)) for name in ("mediawatch", "lftp", "curl")),
            f"{row['ratio']:.2f} x",
            f"<= {row['bar']:g} x",
            "pass" if _met(row) else "MISS",
            _others(row),
        )
    console.print(table)
    console.print("others: what other programs took of this machine, in percent, by client")
    for reason in figures["skipped"]:
        console.print(reason)
    return all(map(_met, figures["rows"]))


def _met(row: dict[str, Any]) -> bool:
    return bool(row["ratio"] <= row["bar"])


def _seconds(runs: list[dict[str, float]] | None) -> str:
    if not runs:
        return ""
    taken = sorted(run["seconds"] for run in runs)
    return f"{taken[len(taken) // 2]:.2f} ({taken[0]:.2f} to {taken[-1]:.2f})"


def _others(row: dict[str, Any]) -> str:
    shares = []
    for runs in row["runs"].values():
        percents = sorted(run["others"] for run in runs if run["others"] is not None)
        shares.append(f"{percents[len(percents) // 2]:.0f}" if percents else "?")
    return "/".join(shares)
