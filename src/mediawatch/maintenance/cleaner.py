"""Deletes uploads from the web host that nobody needs any more."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from mediawatch import crash
from mediawatch.clock import Clock
from mediawatch.errors import HostProblem
from mediawatch.hosts.base import HostRefused, MediaHost
from mediawatch.journal import post_items, upkeep
from mediawatch.journal.database import Journal
from mediawatch.log import Log
from mediawatch.model.posts import Item

_DAY = 86_400.0
_HELD_FOR = 30 * _DAY
_SHORTEST_REST = 10.0  # seconds; so often it looks for what may go "at once"


class Cleaner:
    """Only by the names in the journal, never by listing a folder.

    ``retention``: seconds after a post ended; None keeps what was uploaded forever. What never
    got its public name goes a day after its post failed or was cancelled, whatever the
    retention. The upload of a post that is held for a month goes too: it is made anew if the
    post is released after all.
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
        self._wanted = asyncio.Event()

    def hurry(self) -> None:
        """The host is full: clean up at once."""
        self._wanted.set()

    async def rest(self, longest: float) -> None:
        """Return when it is time for ``run_once``, after ``longest`` seconds if nothing calls."""
        if self._retention is not None:
            longest = min(longest, max(self._retention, _SHORTEST_REST))
        try:
            async with asyncio.timeout(longest):
                await self._wanted.wait()
        except TimeoutError:
            pass
        self._wanted.clear()

    async def run_once(self) -> int:
        """Delete what is old enough; how many were deleted."""
        deleted, refused = 0, 0
        while found := await self._due(skip=refused):
            for item in found:
                try:
                    await self._host.delete(item.remote_key or "")
                except HostRefused as error:
                    refused += 1
                    self._complain(error)
                except HostProblem as error:
                    self._complain(error)
                    return deleted
                else:
                    await self._forget(item)
                    deleted += 1
        if deleted:
            self._log.info(f"{deleted} old uploads are deleted from the host.", action="clean")
        return deleted

    async def _due(self, *, skip: int) -> list[Item]:
        now = self._clock.now()
        return await upkeep.uploads_to_delete(
            self._journal,
            ended_before=None if self._retention is None else now - self._retention,
            broken_before=now - _DAY,
            held_before=now - _HELD_FOR,
            skip=skip,
        )

    async def _forget(self, item: Item) -> None:
        gone = replace(item, remote_key=None, public_url=None)
        await self._journal.apply([post_items.record_item(gone, item)])
        crash.at("upload.forgotten")

    def _complain(self, error: HostProblem) -> None:
        self._log.warning(
            f"Old uploads cannot be deleted now: {error.message}",
            action="clean",
            remedy=error.remedy,
        )
