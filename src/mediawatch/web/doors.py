"""What the web is handed by the composition root: the rest of the house, as a few calls."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
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
    answers what is asked of them;
    ``release_withheld`` lets go of what is held back since the first start: how many files;
    ``accounts_fed``: the ids of the accounts that the inbox feeds; ``local_key`` and
    ``setup_word``: what a command of this machine, and whoever makes the first user, must show."""

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
    accounts_fed: Callable[[], Awaitable[list[str]]]
    local_key: str = field(default="", repr=False)
    setup_word: str = field(default="", repr=False)

    def is_local_key(self, word: str) -> bool:
        """Whether it is what a command of this machine shows."""
        return bool(self.local_key) and hmac.compare_digest(
            word.encode("utf-8", "surrogateescape"), self.local_key.encode()
        )

    def is_setup_word(self, word: str) -> bool:
        """Whether it is that of the one-time link."""
        return bool(self.setup_word) and hmac.compare_digest(
            word.encode("utf-8", "surrogateescape"), self.setup_word.encode()
        )


DOORS = web.AppKey("DOORS", Doors)
