"""``config show`` and ``config schema``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import typer

from mediawatch import config as settings_of
from mediawatch.cli.failures import explained, speak_utf8
from mediawatch.config.in_force import InForce, in_force
from mediawatch.config.schema import schema
from mediawatch.log import printable

#: Columns that a key and its value may take before where it comes from.
_WIDTH = 44


def show_config(config: Path | None, *, as_json: bool) -> None:
    """The settings in force, and where each comes from."""
    speak_utf8()
    with explained():
        file = config or settings_of.default_config_file()
        found = in_force(settings_of.load_with_origins(file))
    if as_json:
        told: dict[str, Any] = {}
        for each in found:
            table = told.setdefault(each.table, {})
            table[each.key] = {"value": each.value, "from": each.origin}
        answer = {"file": None if file is None else str(file), "settings": told}
        typer.echo(json.dumps(answer, indent=2, ensure_ascii=False))
        return
    typer.echo(printable(f"# {file or 'no settings file'}"))
    table = ""
    for each in found:
        if each.table != table:
            table = each.table
            name, _, number = table.partition(" ")
            typer.echo(f"\n[[{name}]]" if number else f"\n[{name}]")
        typer.echo(printable(_line(each)))


def show_schema() -> None:
    """The JSON schema of the settings."""
    typer.echo(json.dumps(schema(), indent=2, ensure_ascii=False))


def _line(each: InForce) -> str:
    if each.value is None:
        shown = f"# {each.key} is not set"
    else:
        shown = f"{each.key} = {json.dumps(each.value, ensure_ascii=False)}"
    return f"{shown:<{_WIDTH}} # {each.origin}"
