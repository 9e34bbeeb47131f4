"""``alerts test``: whether a message comes through to each address. Needs no daemon."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import typer

from mediawatch.alerts.addresses import Address, addresses
from mediawatch.alerts.sender import Sender
from mediawatch.cli.failures import FAILED, explained, load_settings
from mediawatch.model.alerts import Message

_MESSAGE = Message(
    "mediawatch: this is a test",
    "It came through: here you will be told when mediawatch needs you.",
    good=True,
)
_REMEDY = (
    "Compare that address with the page of its service at github.com/caronc/apprise/wiki, "
    "and try again."
)
_NONE = "No address is set: write one in [alerts] urls, for example the one of your mail."


def try_addresses(config: Path | None, *, as_json: bool) -> None:
    """Exit code 1 if a message did not go, or if there is no address."""
    with explained():
        settings = load_settings(config)
    known = addresses(settings.alerts.urls)
    found = asyncio.run(_try(known))
    if as_json:
        rows = [
            {"address": address.shown, "ok": not why, "detail": why or "It went."}
            for address, why in zip(known, found, strict=True)
        ]
        typer.echo(json.dumps({"ok": bool(rows) and not any(found), "addresses": rows}, indent=2))
    else:
        _tell(known, found)
    if any(found) or not known:
        raise typer.Exit(FAILED)


async def _try(known: tuple[Address, ...]) -> list[str]:
    sender = Sender()
    return list(await asyncio.gather(*(sender.send(address, _MESSAGE) for address in known)))


def _tell(known: tuple[Address, ...], found: list[str]) -> None:
    if not known:
        typer.echo(f"❌ {_NONE}")
    for address, why in zip(known, found, strict=True):
        if why:
            typer.echo(f"❌ Address {address.shown}: {why}.\n   → {_REMEDY}")
        else:
            typer.echo(f"✅ Address {address.shown}: it went. Look whether it has come.")
