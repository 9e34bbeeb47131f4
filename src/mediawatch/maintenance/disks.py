"""How much room the disks have that mediawatch writes to."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Room:
    """``free`` and ``size`` of the disk below ``folder``, in bytes; ``device`` tells it from
    others."""

    folder: Path
    device: int
    free: int
    size: int


class Disks:
    """``folders``: by what they are called in the figures. What cannot be asked is left out."""

    def __init__(self, folders: Mapping[str, Path]) -> None:
        self._folders = dict(folders)
        self._asking: asyncio.Task[dict[str, Room]] | None = None
        #: What was last found; None before the first look.
        self.rooms: dict[str, Room] | None = None

    async def run_once(self) -> None:
        """Ask all disks. One that does not answer, such as a dead share, is asked by one thread
        only, however often this is called."""
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(asyncio.to_thread(self._ask), name="disks")
        self.rooms = await asyncio.shield(self._asking)

    def _ask(self) -> dict[str, Room]:
        found = {}
        for name, folder in self._folders.items():
            # A folder that is not made yet will lie on the disk of the one above it.
            for place in (folder, folder.parent):
                try:
                    device, usage = place.stat().st_dev, shutil.disk_usage(place)
                except OSError:
                    continue
                found[name] = Room(folder, device, usage.free, usage.total)
                break
        return found
