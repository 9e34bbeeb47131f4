"""One order, through the running daemon, or in the journal itself while none runs."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from mediawatch.cli.daemon_api import ask_daemon
from mediawatch.cli.failures import explained, load_settings
from mediawatch.cli.offline import own_journal
from mediawatch.clock import Clock, SystemClock
from mediawatch.config import Settings
from mediawatch.journal.database import Journal
from mediawatch.model.people import Actor, Door, this_machine

Offline = Callable[[Journal, Clock, Actor], Awaitable[dict[str, Any]]]


def ask(
    config: Path | None,
    method: str,
    path: str,
    offline: Offline,
    body: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """The answer of the daemon's API, or what ``offline`` gives in its place.

    Ends the command with a sentence if it is refused.
    """
    with explained():
        settings = load_settings(config)
        answer = ask_daemon(settings, method, path, body=body)
        return asyncio.run(_offline(settings, offline)) if answer is None else answer


async def _offline(settings: Settings, order: Offline) -> dict[str, Any]:
    clock = SystemClock()
    async with own_journal(settings, clock) as journal:
        return await order(journal, clock, this_machine(Door.COMMAND))
