"""``accounts …``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from mediawatch.cli.commands.options import AsJson, Config

app = typer.Typer(help="Connect Instagram accounts, and see how they stand.", no_args_is_help=True)

Account = Annotated[str, typer.Argument(help="The account's id, or its name.")]
Login = Annotated[
    Literal["facebook", "instagram"], typer.Option(help="Where the token comes from.")
]
MaybeLogin = Annotated[
    Literal["facebook", "instagram"] | None,
    typer.Option(
        help="Default: as the token begins, or the settings have an app.", show_default=False
    ),
]
WhichAccount = Annotated[
    str | None,
    typer.Option(
        "--account", help="Of several accounts the one that is meant.", show_default=False
    ),
]
User = Annotated[str, typer.Argument(help="The name of a user.")]


@app.command("list")
def list_accounts(config: Config = None, json: AsJson = False) -> None:
    """A line for each account: its state, and until when its token is good."""
    from mediawatch.cli.accounts import list_accounts

    list_accounts(config, as_json=json)


@app.command("show")
def show_account(account: Account, config: Config = None, json: AsJson = False) -> None:
    """All that is known of one account; nothing of it is secret."""
    from mediawatch.cli.accounts import show_account

    show_account(config, account, as_json=json)


@app.command("connect")
def connect_account(
    config: Config = None,
    login: MaybeLogin = None,
    account: WhichAccount = None,
    redirect_uri: Annotated[
        str | None,
        typer.Option(
            help="Where Meta sends the browser, as the app names it. Default: localhost.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Log in to Meta with a browser that may be anywhere, and connect an account."""
    from mediawatch.cli.account_login import connect

    connect(config, login, account, redirect_uri)


@app.command("paste")
def paste_token(
    config: Config = None,
    login: Login = "facebook",
    account: WhichAccount = None,
    token_file: Annotated[
        Path | None,
        typer.Option(help="A file that holds only the token.", show_default=False),
    ] = None,
) -> None:
    """Connect the account of a token that you have; it is asked for, and not shown."""
    from mediawatch.cli.accounts import paste

    paste(config, login, account, token_file)


@app.command("import")
def import_tokens(
    file: Annotated[Path, typer.Argument(help="A token a line, plain or sealed with FERNET_KEY.")],
    config: Config = None,
    login: MaybeLogin = None,
) -> None:
    """Connect the account of each token of a file; before it may stand the account's id."""
    from mediawatch.cli.accounts import import_tokens

    import_tokens(config, file, login)


@app.command("refresh")
def refresh_account(account: Account, config: Config = None) -> None:
    """Refresh the account's token now; mediawatch does it in time by itself."""
    from mediawatch.cli.accounts import refresh

    refresh(config, account)


@app.command("disconnect")
def disconnect_account(
    account: Account,
    config: Config = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Take the consent back at Meta, and forget the token. Its posts wait."""
    from mediawatch.cli.accounts import disconnect

    disconnect(config, account, yes=yes)


@app.command("share")
def share_account(
    account: Account,
    user: User,
    config: Config = None,
    role: Annotated[
        Literal["viewer", "editor", "owner"],
        typer.Option(help="What they may do with it at the most."),
    ] = "editor",
) -> None:
    """Let a user work with an account."""
    from mediawatch.cli.accounts import share

    share(config, account, user, role)


@app.command("unshare")
def unshare_account(account: Account, user: User, config: Config = None) -> None:
    """Let a user see an account no more."""
    from mediawatch.cli.accounts import unshare

    unshare(config, account, user)


@app.command("rotate-key")
def rotate_key(config: Config = None) -> None:
    """Seal every token with a new key, and forget the old one."""
    from mediawatch.cli.accounts import rotate_key

    rotate_key(config)
