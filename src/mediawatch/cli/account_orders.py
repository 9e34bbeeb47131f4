"""Orders about accounts: through the running daemon, or in the journal itself while none runs."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from mediawatch.actions.account_desk import AccountDesk
from mediawatch.app import open_desk
from mediawatch.cli.daemon_api import ask_daemon
from mediawatch.cli.offline import own_journal
from mediawatch.clock import SystemClock
from mediawatch.config import Settings
from mediawatch.log import open_log

PLACE = "/api/v1/social/instagram/accounts/"
#: Seconds that the daemon may take: Meta is asked meanwhile.
PATIENCE = 90.0


@dataclass(frozen=True, slots=True)
class Order:
    """What the daemon is asked, and what comes to the same without one."""

    method: str
    path: str
    offline: Callable[[AccountDesk], Awaitable[dict[str, Any]]]
    body: Mapping[str, Any] | None = field(default=None, repr=False)


def place_of(account: str, what: str = "") -> str:
    """The address of an account, or of something to be done with it."""
    of = f"{PLACE}{quote(account, safe='', errors='replace')}/"
    return f"{of}{what}/" if what else of


def give(settings: Settings, order: Order) -> dict[str, Any]:
    """Have it carried out; the answer. Raises MediawatchError."""
    answer = ask_daemon(settings, order.method, order.path, body=order.body, timeout=PATIENCE)
    return asyncio.run(_offline(settings, order)) if answer is None else answer


async def _offline(settings: Settings, order: Order) -> dict[str, Any]:
    clock = SystemClock()
    log = open_log(settings.log, settings.secret_values(), sys.stderr)
    async with (
        own_journal(settings, clock) as journal,
        open_desk(settings, journal, clock, log) as desk,
    ):
        return await order.offline(desk)
