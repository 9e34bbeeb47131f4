"""``alerts …``."""

from __future__ import annotations

import typer

from mediawatch.cli.commands.options import AsJson, Config

app = typer.Typer(help="Try the ways by which you are told.", no_args_is_help=True)


@app.command("test")
def try_alerts(config: Config = None, json: AsJson = False) -> None:
    """Send a message to each address of [alerts] urls, and tell whether it went."""
    from mediawatch.cli.alerts import try_addresses

    try_addresses(config, as_json=json)
