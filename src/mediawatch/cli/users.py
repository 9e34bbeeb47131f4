"""``users list | add | passwd | role | remove``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import typer

from mediawatch.actions import users as actions
from mediawatch.cli.asking import ask
from mediawatch.cli.failures import explained
from mediawatch.clock import Clock
from mediawatch.errors import MediawatchError
from mediawatch.journal.database import Journal
from mediawatch.log import printable
from mediawatch.model.people import Actor, Role

_USERS = "/api/v1/users/"


def list_users(config: Path | None, *, as_json: bool) -> None:
    """A line each."""

    async def offline(journal: Journal, _: Clock, actor: Actor) -> dict[str, Any]:
        return {"users": [actions.as_json(user) for user in await actions.listed(journal, actor)]}

    found = ask(config, "GET", _USERS, offline)["users"]
    if as_json:
        typer.echo(json.dumps(found, indent=2, ensure_ascii=False))
        return
    for user in found:
        typer.echo(printable(f"{user['role']:<7} {user['name']}  since {user['created_at']}"))
    if not found:
        typer.echo("Nobody yet: whoever uses this machine can use mediawatch.")
        typer.echo("   → mediawatch users add NAME --role owner")


def add_user(config: Path | None, name: str, role: Role, password_file: Path | None) -> None:
    """Somebody new, with a password out of a file or from the terminal."""
    password = _password(password_file)

    async def offline(journal: Journal, clock: Clock, actor: Actor) -> dict[str, Any]:
        return actions.as_json(await actions.add(journal, clock, actor, name, role, password))

    body = {"name": name, "role": role.value, "password": password}
    user = ask(config, "POST", _USERS, offline, body)
    typer.echo(printable(f"👤 {user['name']} may log in, as {user['role']}."))


def set_password(config: Path | None, name: str, password_file: Path | None) -> None:
    """Another password; the user is logged out everywhere."""
    password = _password(password_file)

    async def offline(journal: Journal, clock: Clock, actor: Actor) -> dict[str, Any]:
        await actions.set_password(journal, clock, actor, name, password)
        return {}

    ask(config, "PATCH", _of(name), offline, {"password": password})
    typer.echo(printable(f"🔑 {name} has a new password, and is logged out everywhere."))


def set_role(config: Path | None, name: str, role: Role) -> None:
    """What somebody is from now on."""

    async def offline(journal: Journal, clock: Clock, actor: Actor) -> dict[str, Any]:
        await actions.set_role(journal, clock, actor, name, role)
        return {}

    ask(config, "PATCH", _of(name), offline, {"role": role.value})
    typer.echo(printable(f"👤 {name} is {role.value} from now on."))


def remove_user(config: Path | None, name: str, accounts_to: str | None) -> None:
    """Somebody leaves."""

    async def offline(journal: Journal, clock: Clock, actor: Actor) -> dict[str, Any]:
        await actions.remove(journal, clock, actor, name, accounts_to)
        return {}

    query = f"?{urlencode({'accounts_to': accounts_to})}" if accounts_to else ""
    ask(config, "DELETE", _of(name) + query, offline)
    typer.echo(printable(f"👤 {name} may no longer log in."))


def _of(name: str) -> str:
    return f"{_USERS}{quote(name, safe='', errors='replace')}/"


def _password(file: Path | None) -> str:
    """Never out of the arguments: those every user of a machine may see."""
    with explained():
        if file is not None:
            try:
                return file.read_text(encoding="utf-8").rstrip("\r\n")
            except (OSError, UnicodeDecodeError) as error:
                reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
                raise MediawatchError(
                    f"{file} cannot be read: {reason}.",
                    code="unreadable-file",
                    remedy="Name a text file that holds only the password.",
                ) from error
        if not sys.stdin.isatty():
            return sys.stdin.readline().rstrip("\r\n")
    return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))
