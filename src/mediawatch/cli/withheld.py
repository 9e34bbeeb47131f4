"""``posts release``: through the running daemon, or in the journal itself while none runs."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any
from urllib.parse import quote

import typer

from mediawatch.actions import posts, withheld
from mediawatch.cli.daemon_api import ask_daemon
from mediawatch.cli.failures import explained, load_settings
from mediawatch.cli.offline import own_journal
from mediawatch.clock import SystemClock
from mediawatch.config import Settings
from mediawatch.log import printable
from mediawatch.model.people import Door, this_machine


def release_posts(config: Path | None, prefix: str | None, *, every: bool) -> None:
    """Release one held post, or all files that are held back since the first start."""
    if (prefix is None) is not every:
        raise typer.BadParameter("Name one post, or say --all.")
    with explained():
        settings = load_settings(config)
        when, answer = "now", ask_daemon(settings, "POST", _path(prefix))
        if answer is None:
            when, answer = "at the next start", asyncio.run(_offline(settings, prefix))
    if prefix is not None:
        typer.echo(printable(f"🔁 {answer['name']} goes on {when}."))
    elif answer["released"]:
        typer.echo(f"🔁 {answer['released']} files that were held back are taken {when}.")
    else:
        typer.echo("No file is held back. `mediawatch posts retry --all` tries held posts again.")


def _path(prefix: str | None) -> str:
    if prefix is None:
        return "/api/v1/social/cron/release-withheld/"
    return f"/api/v1/social/scheduled-posts/{quote(prefix, safe='', errors='replace')}/release/"


async def _offline(settings: Settings, prefix: str | None) -> dict[str, Any]:
    clock, who = SystemClock(), this_machine(Door.COMMAND)
    async with own_journal(settings, clock) as journal:
        if prefix is None:
            return {"released": await withheld.release_all(journal, clock, who)}
        return {"name": (await posts.release(journal, clock, who, prefix)).name}
