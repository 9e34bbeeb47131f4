"""The journal itself, for orders that are given while no daemon runs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from mediawatch.cli.daemon_api import require_this_machine
from mediawatch.clock import Clock
from mediawatch.config import Settings
from mediawatch.errors import AlreadyRunning
from mediawatch.journal.ownership import Ownership
from mediawatch.journal.sqlite import FILE_NAME, SqliteJournal
from mediawatch.service.data_owner import make_for_service


@asynccontextmanager
async def own_journal(settings: Settings, clock: Clock) -> AsyncIterator[SqliteJournal]:
    """The journal, ours alone meanwhile.

    Raises KeyOnly, JournalError, and AlreadyRunning if a mediawatch that takes no orders is at
    work.
    """
    require_this_machine()
    data_dir = settings.storage.data_dir
    make_for_service(data_dir)
    try:
        with Ownership(data_dir, *settings.inboxes.folders, now=clock.now()):
            async with SqliteJournal(data_dir / FILE_NAME) as journal:
                yield journal
    except AlreadyRunning as error:
        raise AlreadyRunning(
            error.message,
            remedy="It takes no orders while it starts, stops or makes its one pass, nor with "
            "web.enabled = false. Say it again in a moment, or stop it first.",
        ) from None
