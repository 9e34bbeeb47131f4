"""How every command fails: a sentence, a remedy, and the exit code of the contract.

0 all well · 1 something failed or is held · 2 wrong usage · 78 bad configuration.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path

import typer

from mediawatch import config
from mediawatch.errors import ConfigError, MediawatchError, Problem, from_os_error
from mediawatch.log import printable

FAILED = 1
BAD_CONFIGURATION = 78


@contextlib.contextmanager
def explained() -> Iterator[None]:
    """Turn our errors into a sentence on stderr and an exit code."""
    try:
        yield
    except ConfigError as error:
        tell_problems(error.problems)
        raise typer.Exit(BAD_CONFIGURATION) from None
    except MediawatchError as error:
        typer.echo(printable(f"❌ {error.message}"), err=True)
        if error.remedy:
            typer.echo(printable(f"   → {error.remedy}"), err=True)
        raise typer.Exit(FAILED) from None
    except OSError as error:
        told = from_os_error(error, f"use {error.filename}" if error.filename else "go on")
        typer.echo(printable(f"❌ {told.message}"), err=True)
        typer.echo(printable(f"   → {told.remedy}"), err=True)
        raise typer.Exit(FAILED) from None
    except BaseExceptionGroup as group:
        ours, others = group.split(MediawatchError)
        if others is not None or ours is None:
            raise
        first = ours.exceptions[0]
        typer.echo(f"❌ {first}", err=True)
        raise typer.Exit(FAILED) from None


def load_settings(file: Path | None) -> config.Settings:
    """The settings in force. Raises ConfigError."""
    speak_utf8()
    return config.load(file or config.default_config_file())


def tell_problems(problems: list[Problem]) -> None:
    """Every problem on lines of its own, the remedy below."""
    for problem in problems:
        where = f"[{problem.table}] {problem.key}".strip() if problem.table else problem.key
        shown = f" = {problem.value}" if problem.value else ""
        about = f"{where}{shown}: " if where or shown else ""  # some concern two settings
        typer.echo(f"❌ {about}{problem.message}", err=True)
        typer.echo(f"   → {problem.remedy}", err=True)


def speak_utf8() -> None:
    """Icons and names must not end a command on a console that cannot say them."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
