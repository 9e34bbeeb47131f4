"""``users …``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mediawatch.cli.commands.options import AsJson, Config
from mediawatch.model.people import Role

app = typer.Typer(help="Say who may log in, and as what.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="The name that the user logs in with.")]
PasswordFile = Annotated[
    Path | None,
    typer.Option(help="A file that holds only the password; without it you are asked."),
]


@app.command("list")
def list_users(config: Config = None, json: AsJson = False) -> None:
    """List everybody who may log in."""
    from mediawatch.cli.users import list_users

    list_users(config, as_json=json)


@app.command("add")
def add_user(
    name: Name,
    role: Annotated[
        Role, typer.Option(help="An owner administers, an editor posts, a viewer looks on.")
    ],
    password_file: PasswordFile = None,
    config: Config = None,
) -> None:
    """Add somebody. With the first user everybody has to log in; it must be an owner."""
    from mediawatch.cli.users import add_user

    add_user(config, name, role, password_file)


@app.command("passwd")
def set_password(name: Name, password_file: PasswordFile = None, config: Config = None) -> None:
    """Set another password, and log the user out everywhere."""
    from mediawatch.cli.users import set_password

    set_password(config, name, password_file)


@app.command("role")
def set_role(
    name: Name,
    role: Annotated[Role, typer.Argument(help="owner, editor or viewer.")],
    config: Config = None,
) -> None:
    """Change what somebody is. One owner at least remains."""
    from mediawatch.cli.users import set_role

    set_role(config, name, role)


@app.command("remove")
def remove_user(
    name: Name,
    accounts_to: Annotated[
        str | None,
        typer.Option(help="Who gets the accounts of the user.", show_default=False),
    ] = None,
    config: Config = None,
) -> None:
    """Remove somebody, with sessions and keys."""
    from mediawatch.cli.users import remove_user

    remove_user(config, name, accounts_to)
