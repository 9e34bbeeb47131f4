"""``check``: every problem of the settings at once, each with table, key, value and remedy."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path

import typer

from mediawatch.cli.failures import BAD_CONFIGURATION, load_settings, tell_problems
from mediawatch.config import Settings
from mediawatch.errors import ConfigError, Problem


def check_settings(config: Path | None, *, as_json: bool) -> None:
    """Validate the settings and the folders that they name."""
    try:
        settings = load_settings(config)
        problems = folder_problems(settings)
    except ConfigError as error:
        problems = error.problems
    if as_json:
        typer.echo(
            json.dumps(
                {"ok": not problems, "problems": [asdict(problem) for problem in problems]},
                indent=2,
                ensure_ascii=False,
            )
        )
    elif problems:
        tell_problems(problems)
    else:
        typer.echo("✅ The settings are good. `mediawatch run` starts the daemon.")
    if problems:
        raise typer.Exit(BAD_CONFIGURATION)


def folder_problems(settings: Settings) -> list[Problem]:
    """What is wrong with the folders themselves."""
    problems = []
    inbox = settings.watch.folder
    if not inbox.is_dir():
        problems.append(
            Problem(
                "watch",
                "folder",
                str(inbox),
                "does not exist." if not inbox.exists() else "is not a folder.",
                f'Make it: mkdir -p "{inbox}"',
            )
        )
    elif not os.access(inbox, os.R_OK | os.W_OK | os.X_OK):
        problems.append(_not_writable("watch", "folder", inbox))
    for table, key, folder in (
        ("watch", "processed", settings.watch.processed_folder),
        ("watch", "failed", settings.watch.failed_folder),
        ("storage", "data_dir", settings.storage.data_dir),
    ):
        ground = next(place for place in (folder, *folder.parents) if place.exists())
        if not ground.is_dir() or not os.access(ground, os.W_OK | os.X_OK):
            problems.append(_not_writable(table, key, folder))
    return problems


def _not_writable(table: str, key: str, folder: Path) -> Problem:
    return Problem(
        table,
        key,
        str(folder),
        "cannot be written to.",
        "Give the user that runs mediawatch read and write access, or choose another folder.",
    )
