"""Deletes uploads from the web host that nobody needs any more."""

from __future__ import annotations

from dataclasses import replace

from mediawatch import crash
from mediawatch.clock import Clock
from mediawatch.errors import HostProblem
from mediawatch.hosts.base import MediaHost
from mediawatch.journal import posts
from mediawatch.journal.database import Journal
from mediawatch.log import Log


class Cleaner:
    """Only by the names in the journal, never by listing a folder.

    ``retention``: seconds after a post ended; None keeps uploads forever.
    """

    def __init__(
        self,
        journal: Journal,
        host: MediaHost,
        clock: Clock,
        log: Log,
        *,
        retention: float | None,
    ) -> None:
        self._journal = journal
        self._host = host
        self._clock = clock
        self._log = log
        self._retention = retention

    async def run_once(self) -> int:
        """Delete what is old enough; how many were deleted."""
        if self._retention is None:
            return 0
        deleted = 0
        before = self._clock.now() - self._retention
        for item in await posts.uploads_to_delete(self._journal, ended_before=before):
            try:
                await self._host.delete(item.remote_key or "")
            except HostProblem as error:
                self._log.warning(
                    f"Old uploads cannot be deleted now: {error.message}",
                    action="clean",
                    remedy=error.remedy,
                )
                return deleted
            gone = replace(item, remote_key=None, public_url=None)
            await self._journal.apply([posts.record_item(gone, item)])
            crash.at("upload.forgotten")
            deleted += 1
        if deleted:
            self._log.info(f"{deleted} old uploads are deleted from the host.", action="clean")
        return deleted
