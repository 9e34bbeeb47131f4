"""``simulate``: the Graph API simulator alone."""

from __future__ import annotations

import asyncio
from pathlib import Path

import typer

from mediawatch.cli.failures import FAILED, speak_utf8
from mediawatch.simulator import Scenario, Simulator, SimulatorOptions, serve


def simulate_graph(
    *, port: int, token: str | None, user: str, quota: int, scenario: Path | None
) -> None:
    """Serve until stopped."""
    speak_utf8()
    try:
        faults = Scenario.load(scenario) if scenario else Scenario()
    except (OSError, ValueError) as error:
        raise typer.BadParameter(str(error), param_hint="--scenario") from None
    options = SimulatorOptions(token=token, users=(user,), quota_total=quota, scenario=faults)

    def ready(simulator: Simulator) -> None:
        typer.echo(f"🎭 A Graph API answers at {simulator.url}; what was published is shown there.")
        typer.echo(f'   In the settings: [instagram] graph_url = "{simulator.url}"')

    try:
        asyncio.run(serve(options, port=port, ready=ready))
    except OSError as error:
        typer.echo(f"❌ Port {port} cannot be used: {error.strerror}.", err=True)
        typer.echo("   → Choose another one with --port.", err=True)
        raise typer.Exit(FAILED) from None
