"""``accounts connect``: log in to Meta with a browser that may be anywhere.

The address to open is printed; Meta sends the browser back to an address of this machine, which
need not answer: what stands in the browser's address bar then is pasted here.
"""

from __future__ import annotations

import asyncio
import hmac
import sys
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import typer

from mediawatch.actions.connecting import LoginFailed, no_app
from mediawatch.app import login_apis
from mediawatch.cli.accounts import connect_with, connected
from mediawatch.cli.failures import FAILED, explained, load_settings
from mediawatch.config import Settings
from mediawatch.crypto import bearer, signing
from mediawatch.graph.oauth import Grant
from mediawatch.hosts.http_session import http_session
from mediawatch.log import printable
from mediawatch.model.accounts import Login

CALLBACK = "/api/auth/instagram/callback"


def connect(
    config: Path | None, login: Login | None, account: str | None, redirect_uri: str | None
) -> None:
    """Print an address, take the one that Meta sends the browser to, connect what was chosen."""
    with explained():
        settings = load_settings(config)
        login = login or _offered(settings)
        redirect = redirect_uri or f"http://localhost:{settings.web.port}{CALLBACK}"
        grant = asyncio.run(_log_in(settings, login, redirect))
        found = connect_with(settings, login, grant.token, account, grant.permissions, _choose)
        connected(found)


def _offered(settings: Settings) -> Login:
    """The login that the settings have an app for; theirs first."""
    other: Login = "instagram" if settings.instagram.login == "facebook" else "facebook"
    for login in (settings.instagram.login, other):
        if settings.instagram.app(login)[0]:
            return login
    raise no_app(settings.instagram.login)


async def _log_in(settings: Settings, login: Login, redirect: str) -> Grant:
    async with http_session() as session:
        api = login_apis(settings, session).get(login)
        if api is None or not api.has_app:
            raise no_app(login)
        state, verifier = bearer.new(), signing.new_verifier()
        address = api.authorize_url(
            state=state, redirect_uri=redirect, challenge=signing.challenge_of(verifier)
        )
        typer.echo("Open this address in a browser, on any machine, and log in:\n")
        typer.echo(f"{address}\n")
        typer.echo(f"Meta then sends the browser to {redirect}?code=…")
        typer.echo("It does not matter if nothing is shown there: copy the address from the top.")
        code = _code(await asyncio.to_thread(_pasted), state)
        return await api.exchange_code(code, redirect, verifier)


def _pasted() -> str:
    try:
        # The code in it is good once, and only with the secret of the app; still it is not shown.
        return str(typer.prompt("Paste that address (not shown)", hide_input=sys.stdin.isatty()))
    except (KeyboardInterrupt, typer.Abort):
        typer.echo("\nNothing was done.", err=True)
        raise typer.Exit(FAILED) from None


def _code(address: str, state: str) -> str:
    """Out of what Meta sent the browser to. Raises LoginFailed."""
    try:
        found = parse_qs(urlsplit(address.strip()).query)
    except ValueError:
        found = {}
    told = {key: values[0] for key, values in found.items()}
    if "error" in told:
        why = told.get("error_description", told["error"])
        raise LoginFailed(f"Meta did not let you in: {why}.", remedy="Say it again, and allow it.")
    code = told.get("code", "").removesuffix("#_")
    if not code:
        raise LoginFailed(
            "That address holds no code.",
            remedy="Copy all of it, from the browser's address bar, after you have logged in.",
        )
    if not hmac.compare_digest(told.get("state", "").encode(), state.encode()):
        raise LoginFailed(
            "That address belongs to another login.",
            remedy="Use the address that was printed last, and paste the one it leads to.",
        )
    return code


def _choose(accounts: dict[str, str]) -> str:
    typer.echo("Which account?")
    ids = list(accounts)
    for number, account_id in enumerate(ids, 1):
        name = f"@{accounts[account_id]}" if accounts[account_id] else ""
        typer.echo(printable(f"  {number}  {account_id}  {name}"))
    while True:
        answer = str(typer.prompt("Number"))
        if answer.isdecimal() and 1 <= int(answer) <= len(ids):
            return ids[int(answer) - 1]
        typer.echo(f"Type a number from 1 to {len(ids)}.")
