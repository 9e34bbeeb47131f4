"""The ``mediawatch`` command: wires the groups of commands together. Each command imports what it
needs when it runs, so that ``--help`` is quick."""

from __future__ import annotations

import contextlib
import sys
from typing import Annotated

import typer

from mediawatch.cli.commands import (
    accounts,
    alerts,
    config,
    keys,
    posts,
    safekeeping,
    service,
    setup,
    status,
    trial,
    users,
    work,
)

app = typer.Typer(
    name="mediawatch",
    help="Drop files into a folder and see them published on Instagram.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
# In the order in which the help lists them.
for group in (work, setup, status, safekeeping, trial):
    app.add_typer(group.app)
for name, group in {
    "posts": posts,
    "accounts": accounts,
    "users": users,
    "keys": keys,
    "config": config,
    "alerts": alerts,
    "service": service,
}.items():
    app.add_typer(group.app, name=name)


def _version(wanted: bool) -> None:
    if wanted:
        from mediawatch import __version__

        typer.echo(f"mediawatch {__version__}")
        raise typer.Exit


@app.callback()
def everywhere(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Tell the version.")
    ] = False,
) -> None:
    """Drop files into a folder and see them published on Instagram."""


def main() -> None:
    """The entry point of the ``mediawatch`` command."""
    try:
        app()
    except OSError as error:
        # What a command has to say can be said nowhere: a full disk, a pipe that was closed.
        with contextlib.suppress(OSError):
            typer.echo(f"❌ The answer could not be written: {error.strerror}.", err=True)
        sys.exit(1)
