"""The desk of accounts for a house without a daemon."""

from __future__ import annotations

from pathlib import Path

from aiohttp import ClientSession

from mediawatch.actions.account_desk import AccountDesk
from mediawatch.clock import SystemClock
from mediawatch.config import InstagramSettings
from mediawatch.crypto.vault import Vault
from mediawatch.errors import MediawatchError
from mediawatch.graph.client import GraphClient
from mediawatch.graph.pacing import Pacing
from mediawatch.journal.sqlite import SqliteJournal
from mediawatch.log import silent
from mediawatch.tokens import Tokens
from tests.support.graph_apps import apps_at


async def _never(account_id: str) -> object:
    raise MediawatchError(f"{account_id} has no token here.", code="not-connected")


def a_desk(
    journal: SqliteJournal, folder: Path, session: ClientSession | None = None
) -> AccountDesk:
    """It calls nobody; with a session, an address where nobody is."""
    settings, clock = InstagramSettings(), SystemClock()
    pacing = Pacing(clock, silent())
    client = GraphClient(
        session,  # type: ignore[arg-type] - nobody is called without
        apps_at("http://127.0.0.1:9"),
        "v25.0",
        timeout=1.0,
        pacing=pacing,
    )
    tokens = Tokens(settings, journal, Vault(folder / "keys"), clock)
    return AccountDesk(journal, tokens, client, {}, clock, silent(), refresh=_never, ends=dict)
