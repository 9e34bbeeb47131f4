"""``keys …``."""

from __future__ import annotations

from typing import Annotated

import typer

from mediawatch.cli.commands.options import AsJson, Config
from mediawatch.model.people import Right

app = typer.Typer(help="Make keys for programs that use the API.", no_args_is_help=True)


@app.command("list")
def list_keys(config: Config = None, json: AsJson = False) -> None:
    """List the keys; what they say is not known any more."""
    from mediawatch.cli.keys import list_keys

    list_keys(config, as_json=json)


@app.command("create")
def create_key(
    name: Annotated[str, typer.Argument(help="What it is for.")],
    user: Annotated[
        str, typer.Option(help="Whose key it is. It may no more than its user.", show_default=False)
    ] = "",
    scope: Annotated[
        Right, typer.Option(help="read looks on, post also posts, admin does all.")
    ] = Right.READ,
    days: Annotated[
        float | None, typer.Option(min=0.01, max=3660, help="It ends after so many days.")
    ] = None,
    config: Config = None,
    json: AsJson = False,
) -> None:
    """Make a key, and show it this once."""
    from mediawatch.cli.keys import create_key

    create_key(config, name, scope, user, days, as_json=json)


@app.command("revoke")
def revoke_key(
    key: Annotated[str, typer.Argument(help="Its id, as the list shows it.")],
    config: Config = None,
) -> None:
    """Have a key open nothing any more."""
    from mediawatch.cli.keys import revoke_key

    revoke_key(config, key)
