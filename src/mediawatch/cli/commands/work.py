"""``run`` and ``once``."""

from __future__ import annotations

import typer

from mediawatch.cli.commands.options import AsJson, Config

app = typer.Typer()


@app.command()
def run(config: Config = None) -> None:
    """Watch the folder and publish, until stopped."""
    from mediawatch.cli.run import run_daemon

    run_daemon(config)


@app.command()
def once(config: Config = None, json: AsJson = False) -> None:
    """Publish what lies in the folder now, then leave."""
    from mediawatch.cli.run import run_once

    run_once(config, as_json=json)
