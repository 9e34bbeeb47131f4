"""``posts retry | confirm | deny | publish``: through the running daemon, or in the journal itself
while none runs."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import quote, urlencode

import typer

from mediawatch.actions import again
from mediawatch.actions import posts as actions
from mediawatch.cli.daemon_api import ask_daemon
from mediawatch.cli.failures import explained, load_settings
from mediawatch.cli.offline import own_journal
from mediawatch.clock import Clock, SystemClock
from mediawatch.config import Settings
from mediawatch.journal.database import Journal
from mediawatch.log import printable
from mediawatch.model.people import Door, this_machine
from mediawatch.model.posts import Post

_WHO = this_machine(Door.COMMAND)
Offline = Callable[[Journal, Clock, Settings], Awaitable[list[Post]]]


def retry_posts(config: Path | None, prefix: str | None, *, every: bool) -> None:
    """Have one post, or all that need it, tried again."""
    if (prefix is None) is not every:
        raise typer.BadParameter("Name one post, or say --all.")

    async def offline(journal: Journal, clock: Clock, _: Settings) -> list[Post]:
        if prefix is None:
            return await actions.retry_all(journal, clock, _WHO)
        return [await actions.retry(journal, clock, _WHO, prefix)]

    path = "/api/v1/social/cron/retry-failed/" if prefix is None else _of(prefix, "retry")
    names, when = _order(config, path, offline)
    for name in names:
        _say(f"🔁 {name} is tried again {when}.")
    if not names:
        typer.echo("Nothing is held, failed or waits for a person.")


def confirm_post(config: Path | None, prefix: str, media: str | None) -> None:
    """The owner looked: it is on Instagram."""

    async def offline(journal: Journal, clock: Clock, _: Settings) -> list[Post]:
        return [await actions.confirm(journal, clock, _WHO, prefix, media)]

    query = f"?{urlencode({'media': media})}" if media else ""
    (name,), when = _order(config, _of(prefix, "confirm") + query, offline)
    _say(f"✅ {name} counts as published; it is filed {when}, and nothing is sent for it again.")


def deny_post(config: Path | None, prefix: str) -> None:
    """The owner looked: it is not on Instagram."""

    async def offline(journal: Journal, clock: Clock, settings: Settings) -> list[Post]:
        return [
            await actions.deny(journal, clock, _WHO, prefix, quiet=settings.publish.doubtful_for)
        ]

    (name,), when = _order(config, _of(prefix, "deny"), offline)
    _say(f"🔁 {name} counts as not published; it is published {when}.")


def publish_post(config: Path | None, prefix: str, *, again_too: bool) -> None:
    """Publish a post now; one that is published already only if that is asked for."""

    async def offline(journal: Journal, clock: Clock, settings: Settings) -> list[Post]:
        if again_too:
            return [await again.publish_again(journal, clock, _WHO, prefix, settings.inboxes)]
        return [await actions.publish_now(journal, clock, _WHO, prefix)]

    query = "?again=true" if again_too else ""
    (name,), when = _order(config, _of(prefix, "publish-now") + query, offline)
    _say(f"🔁 {name} is published {'once more ' if again_too else ''}{when}.")


def _of(prefix: str, order: str) -> str:
    return f"/api/v1/social/scheduled-posts/{quote(prefix, safe='', errors='replace')}/{order}/"


def _order(config: Path | None, path: str, offline: Offline) -> tuple[list[str], str]:
    """The names of the posts that the order moved, and when something comes of it."""
    with explained():
        settings = load_settings(config)
        answer = ask_daemon(settings, "POST", path)
        if answer is not None:
            moved = answer.get("retried", [answer])
            return [post["name"] for post in moved], "now"
        return [post.name for post in asyncio.run(_offline(settings, offline))], "at the next start"


async def _offline(settings: Settings, order: Offline) -> list[Post]:
    clock = SystemClock()
    async with own_journal(settings, clock) as journal:
        return await order(journal, clock, settings)


def _say(line: str) -> None:
    typer.echo(printable(line))
