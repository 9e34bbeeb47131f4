"""``accounts list | show | paste | import | refresh | disconnect | share | unshare | rotate-key``.
Tokens are read without an echo or from a file, and never stand in a command line."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import typer
from pydantic import SecretStr

from mediawatch.actions.account_desk import AccountDesk
from mediawatch.cli.account_orders import PLACE, Order, give, place_of
from mediawatch.cli.failures import FAILED, explained, load_settings
from mediawatch.config import Settings
from mediawatch.crypto.fernet import is_fernet, unseal
from mediawatch.errors import MediawatchError, from_os_error
from mediawatch.log import printable
from mediawatch.model.accounts import Login
from mediawatch.model.people import Door, Role, this_machine

HERE = this_machine(Door.COMMAND)
_SIGNS = {"connected": "✅", "disconnected": "💤", "token_expired": "🚨", "error": "🚨"}


class NoToken(MediawatchError):
    """None was given, or what was given is none."""

    code = "no-token"


def list_accounts(config: Path | None, *, as_json: bool) -> None:
    """A line each."""

    async def offline(desk: AccountDesk) -> dict[str, Any]:
        return {"accounts": [each.as_json() for each in await desk.list(HERE)]}

    with explained():
        found = give(load_settings(config), Order("GET", PLACE, offline))["accounts"]
    if as_json:
        typer.echo(json.dumps(found, indent=2, ensure_ascii=False))
        return
    if not found:
        typer.echo("No account is connected yet. → `mediawatch accounts connect`")
    for each in found:
        name = f"@{each['username']}" if each["username"] else ""
        until = f"  until {each['ends_at']}" if each["ends_at"] else ""
        line = f"{_SIGNS[each['state']]} {each['id']}  {each['state']:<13}  {each['source']:<9}"
        typer.echo(printable(f"{line}  {name}{until}"))
        _tell_problem(each)


def show_account(config: Path | None, account: str, *, as_json: bool) -> None:
    """All that is known of one; exit code 1 if it does not work."""

    async def offline(desk: AccountDesk) -> dict[str, Any]:
        return (await desk.show(HERE, account)).as_json()

    with explained():
        found = give(load_settings(config), Order("GET", place_of(account), offline))
    if as_json:
        typer.echo(json.dumps(found, indent=2, ensure_ascii=False))
    else:
        for word, value in found.items():
            if value and word not in {"problem", "remedy"}:
                shown = ", ".join(value) if isinstance(value, list | tuple) else value
                typer.echo(printable(f"{word.replace('_', ' '):<16} {shown}"))
        _tell_problem(found)
    if found["state"] != "connected":
        raise typer.Exit(FAILED)


def paste(config: Path | None, login: Login, account: str | None, token_file: Path | None) -> None:
    """Connect the account of a token that somebody has."""
    with explained():
        settings = load_settings(config)
        token = _plain(settings, _read(token_file) if token_file else _asked())
        connected(connect_with(settings, login, token, account))


def import_tokens(config: Path | None, file: Path, login: Login | None) -> None:
    """Connect the account of each token of a file; exit code 1 if one of them cannot be."""
    failed = 0
    with explained():
        settings = load_settings(config)
        lines = [line.strip() for line in _read(file).splitlines()]
        for number, line in enumerate(lines, 1):
            if not line or line.startswith("#"):
                continue
            account, _, rest = line.rpartition(" ")
            try:
                token = _plain(settings, rest)
                connected(
                    connect_with(settings, login or _kind_of(token), token, account.strip() or None)
                )
            except MediawatchError as error:
                failed += 1
                typer.echo(printable(f"❌ line {number}: {error.message}"), err=True)
                typer.echo(printable(f"   → {error.remedy}"), err=True)
    if failed:
        raise typer.Exit(FAILED)


def connect_with(
    settings: Settings,
    login: Login,
    token: SecretStr,
    account: str | None,
    granted: frozenset[str] | None = None,
    choose: Callable[[dict[str, str]], str] | None = None,
) -> dict[str, Any]:
    """Have Meta asked whose the token is, and that account connected; what it is now.

    ``choose``: asked which account is meant, where there are several. Raises MediawatchError.
    """

    async def offline(desk: AccountDesk) -> dict[str, Any]:
        shown = await desk.paste(HERE, login, token, account=account, granted=granted)
        return shown.as_json()

    body = {
        "login": login,
        "token": token.get_secret_value(),
        "account": account,
        "granted": None if granted is None else sorted(granted),
    }
    try:
        return give(settings, Order("POST", PLACE, offline, body))
    except MediawatchError as error:
        several = error.details.get("accounts")
        if choose is None or error.code != "choose-account" or account is not None or not several:
            raise
    return connect_with(settings, login, token, choose(several), granted)


def refresh(config: Path | None, account: str) -> None:
    """Refresh its token now."""

    async def offline(desk: AccountDesk) -> dict[str, Any]:
        return (await desk.refresh_token(HERE, account)).as_json()

    with explained():
        found = give(load_settings(config), Order("POST", place_of(account, "refresh"), offline))
    until = f", and good until {found['ends_at']}" if found["ends_at"] else ""
    typer.echo(printable(f"✅ The token of {_name(found)} is refreshed{until}."))


def disconnect(config: Path | None, account: str, *, yes: bool) -> None:
    """Revoke and forget its token."""

    async def offline(desk: AccountDesk) -> dict[str, Any]:
        return asdict(await desk.disconnect(HERE, account))

    if not yes and not typer.confirm(f"Forget the token of {account}? Its posts will wait."):
        typer.echo("Nothing was done.")
        raise typer.Exit(FAILED)
    with explained():
        found = give(load_settings(config), Order("POST", place_of(account, "disconnect"), offline))
    typer.echo(f"✅ {found['account_id']} is disconnected: its token is forgotten.")
    if found["revoked"]:
        typer.echo("   Meta has taken the consent back.")
    else:
        typer.echo(printable(f"   → {found['left']}"))


def share(config: Path | None, account: str, user: str, role: str) -> None:
    """Let a user work with it."""

    async def offline(desk: AccountDesk) -> dict[str, Any]:
        return {"account_id": await desk.share(HERE, account, user, Role(role))}

    body = {"user": user, "role": role}
    with explained():
        give(load_settings(config), Order("POST", place_of(account, "share"), offline, body))
    typer.echo(printable(f"✅ {account} is shared with {user}, as {role}."))


def unshare(config: Path | None, account: str, user: str) -> None:
    """Let a user see it no more."""

    async def offline(desk: AccountDesk) -> dict[str, Any]:
        return {"was_shared": await desk.unshare(HERE, account, user)}

    with explained():
        found = give(
            load_settings(config),
            Order("POST", place_of(account, "unshare"), offline, {"user": user}),
        )
    told = "is not shared with {} any more" if found["was_shared"] else "was not shared with {}"
    typer.echo(printable(f"✅ {account} {told.format(user)}."))


def rotate_key(config: Path | None) -> None:
    """Seal every token with a new key."""

    async def offline(desk: AccountDesk) -> dict[str, Any]:
        return asdict(await desk.rotate_key(HERE))

    with explained():
        settings = load_settings(config)
        found = give(settings, Order("POST", f"{PLACE}rotate-key/", offline))
    typer.echo(f"✅ {found['resealed']} sealed values have the key {found['key_id']} now.")
    if settings.storage.keys:
        typer.echo("   That is the first key of storage.encryption_key; the others may go now.")
    if found["unreadable"]:
        typer.echo(f"❌ {found['unreadable']} could not be opened, and stay so.", err=True)
        typer.echo("   → Connect those accounts again: `mediawatch accounts list`.", err=True)
        raise typer.Exit(FAILED)


def connected(found: dict[str, Any]) -> None:
    """Say so."""
    until = f", its token is good until {found['ends_at']}" if found["ends_at"] else ""
    typer.echo(printable(f"✅ {_name(found)} is connected{until}."))


def _name(found: dict[str, Any]) -> str:
    return f"@{found['username']}" if found["username"] else str(found["id"])


def _tell_problem(found: dict[str, Any]) -> None:
    if found["problem"]:
        typer.echo(printable(f"   {found['problem']}"))
        typer.echo(printable(f"   → {found['remedy']}"))


def _kind_of(token: SecretStr) -> Login:
    """By how it begins, as Meta's tokens do."""
    return "instagram" if token.get_secret_value().startswith("IG") else "facebook"


def _plain(settings: Settings, text: str) -> SecretStr:
    text = text.strip()
    if is_fernet(text):
        from mediawatch.config.values import parse_keys

        key = settings.storage.fernet_key
        return SecretStr(unseal(text, parse_keys(key.get_secret_value()) if key else ()))
    if len(text) < 8 or any(sign.isspace() for sign in text):
        raise NoToken(
            "That is no access token.", remedy="Copy all of it, and nothing else, in one line."
        )
    return SecretStr(text)


def _asked() -> str:
    if not sys.stdin.isatty():
        raise NoToken(
            "There is no token, and nobody is here to be asked.",
            remedy="Say --token-file FILE.",
        )
    try:
        return str(typer.prompt("Access token (not shown)", hide_input=True))
    except (KeyboardInterrupt, typer.Abort):
        typer.echo("\nNothing was done.", err=True)
        raise typer.Exit(FAILED) from None


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise from_os_error(error, f"read {file}") from error
    except UnicodeDecodeError:
        raise NoToken(f"{file} holds no text.", remedy="Name a text file with the token.") from None
