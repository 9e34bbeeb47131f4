"""``init``, ``check`` and ``doctor``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mediawatch.cli.commands.options import AsJson, Config

app = typer.Typer()


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
