"""``simulate`` and ``demo``: without an account."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer()


@app.command()
def simulate(
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 8090,
    token: Annotated[
        str | None, typer.Option(help="The access token to accept. Default: any.")
    ] = None,
    user: Annotated[str, typer.Option(help="The id of the account.")] = "17841400000000001",
    quota: Annotated[int, typer.Option(min=0, help="Posts allowed in 24 hours.")] = 100,
    scenario: Annotated[
        Path | None, typer.Option(help="A TOML or JSON file that scripts faults.")
    ] = None,
) -> None:
    """A local Graph API to try things against; its page shows what was published."""
    from mediawatch.cli.simulate import simulate_graph

    simulate_graph(port=port, token=token, user=user, quota=quota, scenario=scenario)


@app.command()
def demo(
    once: Annotated[
        bool, typer.Option("--once", help="Leave when every sample has come to its end.")
    ] = False,
    pause: Annotated[float, typer.Option(min=0, max=10, help="Seconds between two samples.")] = 0.4,
) -> None:
    """See it all work on this machine, with no account: simulator, FTP, web host and daemon."""
    from mediawatch.cli.demo import run_demo

    run_demo(once=once, pause=pause)
