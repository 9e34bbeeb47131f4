"""``demo``."""

from __future__ import annotations

import asyncio

import typer
from rich.console import Console

from mediawatch.cli.failures import FAILED, explained, speak_utf8
from mediawatch.demo.show import show


def run_demo(*, once: bool, pause: float) -> None:
    """Exit 0 only if every sample ended as it should."""
    speak_utf8()
    with explained():
        good = asyncio.run(show(Console(), once=once, pause=pause))
    if not good:
        raise typer.Exit(FAILED)
