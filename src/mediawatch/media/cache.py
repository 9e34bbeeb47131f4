"""Every picture is made once: a retry, or a second account that wants the same, costs nothing.

What counts is the content, not the name: its hash, what it is for, how it is to be made, and the
version of what makes it.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from pathlib import Path

from mediawatch.errors import StorageProblem, from_os_error
from mediawatch.media.order import ImageOptions, Prepared
from mediawatch.media.shelf import Shelf

#: To be raised with every change after which pictures come out differently.
CONVERTER_VERSION = 1
# A disk that garbles what was just written is not asked for ever.
_ROUNDS = 2

#: Makes the picture at that path. Called once for all who wait; cancelled if none does any more.
Make = Callable[[Path], Awaitable[Prepared]]


class Cache:
    """Finished pictures in ``folder``, at most ``limit`` bytes of them, the least wanted leaving
    first. For one event loop, and one process a folder."""

    def __init__(
        self, folder: Path, *, limit: int = 2 << 30, version: int = CONVERTER_VERSION
    ) -> None:
        self._shelf = Shelf(folder, limit)
        self._version = version
        self._disk = asyncio.Lock()
        self._made: dict[str, asyncio.Task[None]] = {}
        self._wanted: Counter[str] = Counter()

    async def get_or_prepare(
        self, content: str, purpose: str, options: ImageOptions, target: Path, make: Make
    ) -> Prepared:
        """Have the picture at ``target``, out of the cache or by ``make``.

        ``content``: SHA-256 of the original, hex. ``purpose``: what the picture is for, such as
        "feed". A refusal is not kept: ``make`` is asked again. Raises what ``make`` raises, and
        StorageProblem if ``folder`` or ``target`` cannot be written.
        """
        key = self._key(content, purpose, options)
        self._wanted[key] += 1
        try:
            for _ in range(_ROUNDS):
                found = await self._take(key, target)
                if found is not None:
                    return found
                await self._make(key, make)
            found = await self._take(key, target)
            if found is None:
                raise StorageProblem(
                    "The prepared picture did not stay what it was.",
                    remedy="Look at the disk of the data folder; mediawatch tries again.",
                )
            return found
        finally:
            self._wanted[key] -= 1
            if not self._wanted[key]:
                del self._wanted[key]

    async def _take(self, key: str, target: Path) -> Prepared | None:
        try:
            async with self._disk:
                return await asyncio.to_thread(self._shelf.take, key, target)
        except OSError as error:
            raise from_os_error(error, "write the prepared picture") from error

    def _key(self, content: str, purpose: str, options: ImageOptions) -> str:
        parts = [content, purpose, asdict(options), self._version]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode("ascii")).hexdigest()

    async def _make(self, key: str, make: Make) -> None:
        """Have it made, or wait until someone else has; the last who leaves stops the work."""
        task = self._made.get(key)
        if task is None:
            task = self._made[key] = asyncio.create_task(self._fill(key, make))
            task.add_done_callback(_look_at_outcome)
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            if self._wanted[key] == 1:
                self._forget(key, task)
                task.cancel()
                await asyncio.wait([task])
            raise
        finally:
            if task.done():
                self._forget(key, task)

    def _forget(self, key: str, task: asyncio.Task[None]) -> None:
        if self._made.get(key) is task:
            del self._made[key]

    async def _fill(self, key: str, make: Make) -> None:
        try:
            async with self._disk:
                grown = await asyncio.to_thread(self._shelf.place_to_grow)
            try:
                prepared = await make(grown)
                async with self._disk:
                    wanted = frozenset(self._wanted)
                    await asyncio.to_thread(self._shelf.put, key, grown, prepared, wanted)
            finally:
                grown.unlink(missing_ok=True)
        except OSError as error:
            raise from_os_error(error, "keep the prepared picture") from error


def _look_at_outcome(task: asyncio.Task[None]) -> None:
    """So that nobody complains of an error that nobody was left to hear."""
    if not task.cancelled():
        task.exception()
