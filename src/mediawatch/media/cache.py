"""Every file is prepared once: a retry, a repetition, or a second account costs nothing.

What counts is the content, not the name: its hash, how it is to be prepared, and the version of
what prepares it.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from weakref import WeakValueDictionary

from mediawatch.errors import StorageProblem, from_os_error
from mediawatch.media.order import Prepared
from mediawatch.media.shelf import Shelf

#: To be raised with every change after which files come out differently.
CONVERTER_VERSION = 1
_NOTHING_LOST = "Nothing is lost: files are prepared anew. Look at the disk of the data folder."

#: Prepares the file at that path.
Make = Callable[[Path], Awaitable[Prepared]]


class Original(NamedTuple):
    """A file as it was ``seen`` (seconds since the epoch): then its bytes had this ``sha256``."""

    path: Path
    sha256: str
    seen: float


class Cache:
    """Prepared files in ``folder``, at most ``limit`` bytes of them (0: none), the least wanted
    leaving first. Whatever is the matter with them, files are prepared; ``complain`` is told once
    until it works again. For one event loop, and one process a folder."""

    def __init__(
        self,
        folder: Path,
        *,
        limit: int,
        version: int = CONVERTER_VERSION,
        complain: Callable[[StorageProblem], None] = lambda _: None,
    ) -> None:
        self._shelf = Shelf(folder, limit)
        self._version = version
        self._complain = complain
        self._hindered = False
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def get_or_prepare(
        self, original: Original, how: Mapping[str, Any], target: Path, make: Make
    ) -> tuple[Prepared, bool]:
        """Have the prepared file at ``target``, and whether it was there already.

        ``how``: all that changes what comes out, as JSON takes it. Who wants the same at the same
        time waits for the first. A refusal is not kept. Raises what ``make`` raises.
        """
        parts = [original.sha256, how, self._version]
        key = hashlib.sha256(json.dumps(parts, sort_keys=True).encode("ascii")).hexdigest()
        async with self._turns.setdefault(key, asyncio.Lock()):
            found = await self._take(key, target)
            if found is not None:
                return found, True
            prepared = await self._make(target, make)
            await self._keep(key, original, target, prepared)
            return prepared, False

    async def _take(self, key: str, target: Path) -> Prepared | None:
        try:
            return await asyncio.to_thread(self._shelf.take, key, target)
        except OSError:
            return None

    async def _make(self, target: Path, make: Make) -> Prepared:
        try:
            return await make(target)
        except StorageProblem as error:
            # What is only kept in case gives way to what is needed now.
            if error.code != "disk-full" or not await self._cleared():
                raise
        return await make(target)

    async def _cleared(self) -> bool:
        try:
            return await asyncio.to_thread(self._shelf.clear)
        except OSError:
            return False

    async def _keep(self, key: str, original: Original, file: Path, prepared: Prepared) -> None:
        def keep() -> None:
            # Who wrote to the original meanwhile had another file prepared than its hash tells.
            if original.path.stat().st_mtime <= original.seen:
                self._shelf.keep(key, file, prepared)

        try:
            await asyncio.to_thread(keep)
        except OSError as error:
            if not self._hindered:
                message = from_os_error(error, "keep prepared files for another time").message
                self._complain(StorageProblem(message, remedy=_NOTHING_LOST))
            self._hindered = True
        else:
            self._hindered = False
