"""``service …``."""

from __future__ import annotations

import typer

from mediawatch.cli.commands.options import AsJson, Config

app = typer.Typer(
    help="Have mediawatch start with the machine (systemd, launchd, Windows).", no_args_is_help=True
)


@app.command("install")
def install_service(config: Config = None) -> None:
    """Have mediawatch start with the machine; say it again after a change of the settings."""
    from mediawatch.cli.service import install

    install(config)


@app.command("uninstall")
def uninstall_service() -> None:
    """Stop the service and take it away. Settings, folders and journal stay."""
    from mediawatch.cli.service import uninstall

    uninstall()


@app.command("start")
def start_service() -> None:
    """Start the service, and return when it is at work."""
    from mediawatch.cli.service import start

    start()


@app.command("stop")
def stop_service() -> None:
    """Stop the service, and return when it has finished what must not be cut off."""
    from mediawatch.cli.service import stop

    stop()


@app.command("status")
def service_status(json: AsJson = False) -> None:
    """Tell how the service is."""
    from mediawatch.cli.service import status

    status(as_json=json)
