"""``config …``."""

from __future__ import annotations

import typer

from mediawatch.cli.commands.options import AsJson, Config

app = typer.Typer(help="Show the settings, and what they may be.", no_args_is_help=True)


@app.command("show")
def show_config(config: Config = None, json: AsJson = False) -> None:
    """Show the settings in force and where each comes from; secrets are hidden."""
    from mediawatch.cli.config import show_config

    show_config(config, as_json=json)


@app.command("schema")
def show_schema() -> None:
    """Print the JSON schema of the settings, for editors."""
    from mediawatch.cli.config import show_schema

    show_schema()
