"""``backup`` and ``restore``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mediawatch.cli.commands.options import Config

app = typer.Typer()

PassphraseFile = Annotated[
    Path | None,
    typer.Option(
        help="A file with the passphrase. Default: $MEDIAWATCH_PASSPHRASE, else you are asked."
    ),
]


@app.command()
def backup(
    file: Annotated[
        Path | None,
        typer.Argument(
            help="The file to write, or a folder for it. Default: here, named by the time.",
            show_default=False,
        ),
    ] = None,
    config: Config = None,
    passphrase_file: PassphraseFile = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
) -> None:
    """Seal journal, settings and secrets into one file; the daemon may be at work."""
    from mediawatch.cli.backup import back_up

    back_up(config, file, passphrase_file, force=force)


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(help="What `mediawatch backup` wrote.")],
    config: Config = None,
    passphrase_file: PassphraseFile = None,
) -> None:
    """Put a backup back. What is there now is kept aside."""
    from mediawatch.cli.backup import restore

    restore(config, file, passphrase_file)
