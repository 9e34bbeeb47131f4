"""``keys list | create | revoke``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import typer

from mediawatch.actions import keys as actions
from mediawatch.cli.asking import ask
from mediawatch.clock import Clock
from mediawatch.journal.database import Journal
from mediawatch.log import printable
from mediawatch.model.people import Actor, Right

_KEYS = "/api/v1/keys/"


def list_keys(config: Path | None, *, as_json: bool) -> None:
    """A line each."""

    async def offline(journal: Journal, _: Clock, actor: Actor) -> dict[str, Any]:
        return {
            "keys": [
                actions.as_json(key, name) for key, name in await actions.listed(journal, actor)
            ]
        }

    found = ask(config, "GET", _KEYS, offline)["keys"]
    if as_json:
        typer.echo(json.dumps(found, indent=2, ensure_ascii=False))
        return
    for key in found:
        used = f"last used {key['used_at']}" if key["used_at"] else "never used"
        state = "revoked" if key["revoked_at"] else used
        line = f"{key['id']}  {key['scope']:<5}  {key['user']}: {key['name']}, {state}"
        typer.echo(printable(line))
    if not found:
        typer.echo("No keys yet.")


def create_key(
    config: Path | None, name: str, scope: Right, user: str, days: float | None, *, as_json: bool
) -> None:
    """A new one, shown this once."""

    async def offline(journal: Journal, clock: Clock, actor: Actor) -> dict[str, Any]:
        key, word = await actions.create(
            journal, clock, actor, name, scope, owner=user or None, days=days
        )
        return {**actions.as_json(key, user), "key": word}

    body = {"name": name, "scope": scope.value, "user": user or None, "days": days}
    made = ask(config, "POST", _KEYS, offline, body)
    if as_json:
        typer.echo(json.dumps(made, indent=2, ensure_ascii=False))
        return
    typer.echo(made["key"])
    typer.echo("It is shown this once. Send it as: Authorization: Bearer mw_…", err=True)


def revoke_key(config: Path | None, key_id: str) -> None:
    """Nobody comes in with it any more."""

    async def offline(journal: Journal, clock: Clock, actor: Actor) -> dict[str, Any]:
        await actions.revoke(journal, clock, actor, key_id)
        return {}

    ask(config, "DELETE", f"{_KEYS}{quote(key_id, safe='', errors='replace')}/", offline)
    typer.echo(printable(f"🔑 The key {key_id} opens nothing any more."))
