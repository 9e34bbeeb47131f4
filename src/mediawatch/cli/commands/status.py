"""``status``."""

from __future__ import annotations

import typer

from mediawatch.cli.commands.options import AsJson, Config

app = typer.Typer()


@app.command()
def status(config: Config = None, json: AsJson = False) -> None:
    """Tell what the daemon is doing."""
    from mediawatch.cli.status import show_status

    show_status(config, as_json=json)
