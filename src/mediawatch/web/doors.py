"""What the web is handed by the composition root: the rest of the house, as a few calls."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from mediawatch.actions.account_desk import AccountDesk
from mediawatch.clock import Clock
from mediawatch.config import Settings
from mediawatch.journal.database import Journal
from mediawatch.log import Log
from mediawatch.model.findings import Finding
from mediawatch.model.posts import Post


@dataclass(frozen=True, slots=True)
class Doors:
    """``poster_media`` publishes the folder now and reports; ``status`` is the configuration and
    the health; ``checks`` is computed from work done;
    ``metrics`` is the text that Prometheus reads; ``woken`` has a post worked on; ``accounts``
    answers what is asked of them; ``release_withheld`` lets go of what is held back since the
    first start: how many files."""

    settings: Settings
    journal: Journal
    clock: Clock
    log: Log
    poster_media: Callable[[], Awaitable[dict[str, Any]]]
    status: Callable[[], Awaitable[dict[str, Any]]]
    checks: Callable[[], Awaitable[list[Finding]]]
    metrics: Callable[[], Awaitable[bytes]]
    woken: Callable[[Post], None]
    release_withheld: Callable[[], Awaitable[int]]
    accounts: AccountDesk


DOORS = web.AppKey("DOORS", Doors)
