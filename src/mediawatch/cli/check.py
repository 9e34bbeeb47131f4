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
    for inbox in settings.inboxes:
        table = inbox.where.strip("[]")
        problems += _inbox_problems(table, inbox.folder)
        for key in ("processed", "failed"):
            if not _can_be_written(inbox.written[key]):
                problems.append(_not_writable(table, key, inbox.written[key]))
    for table, key, folder in (
        ("storage", "data_dir", settings.storage.data_dir),
        ("log", "file", settings.log.file.parent if settings.log.file else None),
    ):
        if folder is not None and not _can_be_written(folder):
            problems.append(_not_writable(table, key, folder))
    return problems


def _inbox_problems(table: str, inbox: Path) -> list[Problem]:
    # os.path answers "no" where pathlib raises: a parent that may not be searched.
    if not os.path.isdir(inbox):  # noqa: PTH112
        there = os.path.lexists(inbox)
        return [
            Problem(
                table,
                "folder",
                str(inbox),
                "is not a folder that can be reached." if there else "does not exist.",
                f'Make it: mkdir -p "{inbox}"',
            )
        ]
    if not os.access(inbox, os.R_OK | os.W_OK | os.X_OK):
        return [_not_writable(table, "folder", inbox)]
    return []


def _can_be_written(folder: Path) -> bool:
    """Whether the folder, or the one that it would be made in, can be written to."""
    ground = next(place for place in (folder, *folder.parents) if os.path.lexists(place))
    return os.path.isdir(ground) and os.access(ground, os.W_OK | os.X_OK)  # noqa: PTH112 - as below


def _not_writable(table: str, key: str, folder: Path) -> Problem:
    return Problem(
        table,
        key,
        str(folder),
        "cannot be written to.",
        "Give the user that runs mediawatch read and write access, or choose another folder.",
    )
