"""The ``mediawatch`` command: what it can do, and nothing of how. Each command imports what it
needs when it runs, so that ``--help`` is quick."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

app = typer.Typer(
    name="mediawatch",
    help="Drop files into a folder and see them published on Instagram.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
posts_app = typer.Typer(
    help="List and show posts, and say what becomes of them.", no_args_is_help=True
)
app.add_typer(posts_app, name="posts")
config_app = typer.Typer(help="Show the settings, and what they may be.", no_args_is_help=True)
app.add_typer(config_app, name="config")
alerts_app = typer.Typer(help="Try the ways by which you are told.", no_args_is_help=True)
app.add_typer(alerts_app, name="alerts")
accounts_app = typer.Typer(
    help="Connect Instagram accounts, and see how they stand.", no_args_is_help=True
)
app.add_typer(accounts_app, name="accounts")
service_app = typer.Typer(
    help="Have mediawatch start with the machine (systemd, launchd, Windows).",
    no_args_is_help=True,
)
app.add_typer(service_app, name="service")

Config = Annotated[
    Path | None,
    typer.Option(
        "--config",
        "-c",
        help="The settings file. Default: $MEDIAWATCH_CONFIG, ./config.toml, the user's own.",
        show_default=False,
    ),
]
Post = Annotated[str, typer.Argument(help="The post's id, or its first digits.")]
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
AsJson = Annotated[bool, typer.Option("--json", help="Answer as JSON, for machines.")]


def _version(wanted: bool) -> None:
    if wanted:
        from mediawatch import __version__

        typer.echo(f"mediawatch {__version__}")
        raise typer.Exit


@app.callback()
def everywhere(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Tell the version.")
    ] = False,
) -> None:
    """Drop files into a folder and see them published on Instagram."""


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


@app.command()
def init(
    config: Annotated[
        Path | None,
        typer.Option(
            "--config",
            "-c",
            help="Where to write the settings. Default: where mediawatch looks for them.",
            show_default=False,
        ),
    ] = None,
    folder: Annotated[str, typer.Option(help="The folder to watch.")] = "",
    ftp_host: Annotated[str, typer.Option(help="The FTP host; host:port is fine too.")] = "",
    ftp_port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="Its port.", show_default="21")
    ] = None,
    ftp_user: Annotated[str, typer.Option(help="The FTP user.")] = "",
    ftp_password_file: Annotated[
        Path | None, typer.Option(help="A file with the FTP password; - reads a line of stdin.")
    ] = None,
    ftp_tls: Annotated[
        str, typer.Option(help="auto, explicit, implicit or off.", show_default="auto")
    ] = "",
    ftp_tls_pin: Annotated[
        str, typer.Option(help="The SHA-256 of the one certificate to trust.")
    ] = "",
    upload_dir: Annotated[str, typer.Option(help="The folder for uploads, as FTP sees it.")] = "",
    public_url: Annotated[str, typer.Option(help="The web address of that folder.")] = "",
    login: Annotated[
        str, typer.Option(help="Where the token comes from: facebook or instagram.")
    ] = "",
    user_id: Annotated[str, typer.Option(help="The id of the Instagram account.")] = "",
    token_file: Annotated[
        Path | None, typer.Option(help="A file with the access token; - reads a line of stdin.")
    ] = None,
    graph_url: Annotated[
        str, typer.Option(help="Another Graph API, such as that of `mediawatch simulate`.")
    ] = "",
    no_test: Annotated[bool, typer.Option("--no-test", help="Try nothing, write it down.")] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Replace the settings that are there; a copy is kept.")
    ] = False,
) -> None:
    """Ask for folder, web host and account, try each answer, and write the settings."""
    from mediawatch.cli.init import Flags, set_up

    flags = Flags(
        folder=folder,
        ftp_host=ftp_host,
        ftp_port=ftp_port,
        ftp_user=ftp_user,
        ftp_password_file=ftp_password_file,
        ftp_tls=ftp_tls,
        ftp_tls_pin=ftp_tls_pin,
        upload_dir=upload_dir,
        public_url=public_url,
        login=login,
        user_id=user_id,
        token_file=token_file,
        graph_url=graph_url,
    )
    set_up(config, flags, test=not no_test, force=force)


@app.command()
def check(config: Config = None, json: AsJson = False) -> None:
    """Tell every problem of the settings at once."""
    from mediawatch.cli.check import check_settings

    check_settings(config, as_json=json)


@app.command()
def doctor(config: Config = None, json: AsJson = False) -> None:
    """Try everything for real, and tell what to do about what is not well."""
    from mediawatch.cli.doctor import run_doctor

    run_doctor(config, as_json=json)


@app.command()
def status(config: Config = None, json: AsJson = False) -> None:
    """Tell what the daemon is doing."""
    from mediawatch.cli.status import show_status

    show_status(config, as_json=json)


@posts_app.command("list")
def list_posts(
    config: Config = None,
    json: AsJson = False,
    state: Annotated[
        list[str] | None,
        typer.Option(help="Only posts in this state: held, waiting, ready, running, done, …"),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many, newest first.")] = 50,
) -> None:
    """List posts, newest first."""
    from mediawatch.cli.posts import list_posts

    list_posts(config, as_json=json, states=state or [], limit=limit)


@posts_app.command("show")
def show_post(
    post: Post,
    config: Config = None,
    json: AsJson = False,
) -> None:
    """Show a post with everything that was asked of Meta for it."""
    from mediawatch.cli.posts import show_post

    show_post(config, post, as_json=json)


@posts_app.command("retry")
def retry_posts(
    post: Annotated[
        str | None, typer.Argument(help="The post's id, or its first digits.", show_default=False)
    ] = None,
    all_: Annotated[
        bool, typer.Option("--all", help="Every post that is held, failed or waits for a person.")
    ] = False,
    config: Config = None,
) -> None:
    """Try a post again now. What may be published already is asked after first."""
    from mediawatch.cli.orders import retry_posts

    retry_posts(config, post, every=all_)


@posts_app.command("release")
def release_posts(
    post: Annotated[
        str | None, typer.Argument(help="The post's id, or its first digits.", show_default=False)
    ] = None,
    all_: Annotated[
        bool, typer.Option("--all", help="Every file that is held back since the first start.")
    ] = False,
    config: Config = None,
) -> None:
    """Let a held post go on, or all files that were in the folder at the first start."""
    from mediawatch.cli.withheld import release_posts

    release_posts(config, post, every=all_)


@posts_app.command("confirm")
def confirm_post(
    post: Post,
    media: Annotated[
        str | None, typer.Option(help="Which media it is, if more than one may be it.")
    ] = None,
    config: Config = None,
) -> None:
    """You looked, and the post is on Instagram: it is filed, and never sent again."""
    from mediawatch.cli.orders import confirm_post

    confirm_post(config, post, media)


@posts_app.command("deny")
def deny_post(post: Post, config: Config = None) -> None:
    """You looked, and the post is not on Instagram: it is published."""
    from mediawatch.cli.orders import deny_post

    deny_post(config, post)


@posts_app.command("publish")
def publish_post(
    post: Post,
    again: Annotated[
        bool, typer.Option("--again", help="Also if it is published already: it is there twice.")
    ] = False,
    config: Config = None,
) -> None:
    """Publish a post now."""
    from mediawatch.cli.orders import publish_post

    publish_post(config, post, again_too=again)


@config_app.command("show")
def show_config(config: Config = None, json: AsJson = False) -> None:
    """Show the settings in force and where each comes from; secrets are hidden."""
    from mediawatch.cli.config import show_config

    show_config(config, as_json=json)


@config_app.command("schema")
def show_schema() -> None:
    """Print the JSON schema of the settings, for editors."""
    from mediawatch.cli.config import show_schema

    show_schema()


PassphraseFile = Annotated[
    Path | None,
    typer.Option(
        help="A file with the passphrase. Default: $MEDIAWATCH_PASSPHRASE, else you are asked."
    ),
]


@app.command()
def backup(
    file: Annotated[
        Path | None,
        typer.Argument(
            help="The file to write, or a folder for it. Default: here, named by the time.",
            show_default=False,
        ),
    ] = None,
    config: Config = None,
    passphrase_file: PassphraseFile = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
) -> None:
    """Seal journal, settings and secrets into one file; the daemon may be at work."""
    from mediawatch.cli.backup import back_up

    back_up(config, file, passphrase_file, force=force)


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(help="What `mediawatch backup` wrote.")],
    config: Config = None,
    passphrase_file: PassphraseFile = None,
) -> None:
    """Put a backup back. What is there now is kept aside."""
    from mediawatch.cli.backup import restore

    restore(config, file, passphrase_file)


@accounts_app.command("list")
def list_accounts(config: Config = None, json: AsJson = False) -> None:
    """A line for each account: its state, and until when its token is good."""
    from mediawatch.cli.accounts import list_accounts

    list_accounts(config, as_json=json)


@accounts_app.command("show")
def show_account(account: Account, config: Config = None, json: AsJson = False) -> None:
    """All that is known of one account; nothing of it is secret."""
    from mediawatch.cli.accounts import show_account

    show_account(config, account, as_json=json)


@accounts_app.command("connect")
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


@accounts_app.command("paste")
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


@accounts_app.command("import")
def import_tokens(
    file: Annotated[Path, typer.Argument(help="A token a line, plain or sealed with FERNET_KEY.")],
    config: Config = None,
    login: MaybeLogin = None,
) -> None:
    """Connect the account of each token of a file; before it may stand the account's id."""
    from mediawatch.cli.accounts import import_tokens

    import_tokens(config, file, login)


@accounts_app.command("refresh")
def refresh_account(account: Account, config: Config = None) -> None:
    """Refresh the account's token now; mediawatch does it in time by itself."""
    from mediawatch.cli.accounts import refresh

    refresh(config, account)


@accounts_app.command("disconnect")
def disconnect_account(
    account: Account,
    config: Config = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Take the consent back at Meta, and forget the token. Its posts wait."""
    from mediawatch.cli.accounts import disconnect

    disconnect(config, account, yes=yes)


@accounts_app.command("share")
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


@accounts_app.command("unshare")
def unshare_account(account: Account, user: User, config: Config = None) -> None:
    """Let a user see an account no more."""
    from mediawatch.cli.accounts import unshare

    unshare(config, account, user)


@accounts_app.command("rotate-key")
def rotate_key(config: Config = None) -> None:
    """Seal every token with a new key, and forget the old one."""
    from mediawatch.cli.accounts import rotate_key

    rotate_key(config)


@alerts_app.command("test")
def try_alerts(config: Config = None, json: AsJson = False) -> None:
    """Send a message to each address of [alerts] urls, and tell whether it went."""
    from mediawatch.cli.alerts import try_addresses

    try_addresses(config, as_json=json)


@service_app.command("install")
def install_service(config: Config = None) -> None:
    """Have mediawatch start with the machine; say it again after a change of the settings."""
    from mediawatch.cli.service import install

    install(config)


@service_app.command("uninstall")
def uninstall_service() -> None:
    """Stop the service and take it away. Settings, folders and journal stay."""
    from mediawatch.cli.service import uninstall

    uninstall()


@service_app.command("start")
def start_service() -> None:
    """Start the service, and return when it is at work."""
    from mediawatch.cli.service import start

    start()


@service_app.command("stop")
def stop_service() -> None:
    """Stop the service, and return when it has finished what must not be cut off."""
    from mediawatch.cli.service import stop

    stop()


@service_app.command("status")
def service_status(json: AsJson = False) -> None:
    """Tell how the service is."""
    from mediawatch.cli.service import status

    status(as_json=json)


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


def main() -> None:
    """The entry point of the ``mediawatch`` command."""
    try:
        app()
    except OSError as error:
        # What a command has to say can be said nowhere: a full disk, a pipe that was closed.
        with contextlib.suppress(OSError):
            typer.echo(f"❌ The answer could not be written: {error.strerror}.", err=True)
        sys.exit(1)
