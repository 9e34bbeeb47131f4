"""Files on their way into memory: off the event loop, by one thread of our own.

A thread pool and asyncio's way to it cost more than the reading itself, and with every further
thread each of them waits longer for its turn to run Python.
"""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue

from mediawatch.errors import StorageProblem
from mediawatch.hosts.ftp_transfer import LocalFile

_Asked = tuple[Path, asyncio.AbstractEventLoop, "asyncio.Future[LocalFile]"]


class FileReader:
    """Reads one file at a time. While it is at one, which may take long on a bad disk, others
    are read by asyncio's threads: no file waits for another."""

    def __init__(self) -> None:
        self._asked: SimpleQueue[_Asked | None] = SimpleQueue()
        self._running = False
        self._busy = False

    async def read(self, path: Path) -> LocalFile:
        """Look at the file ``path``. Raises StorageProblem."""
        if self._busy:
            return await asyncio.to_thread(LocalFile.read, path)
        self._busy = True
        if not self._running:
            self._running = True
            # Not waited for at the end of the process: a disk may hang.
            threading.Thread(target=self._run, name="ftp-reader", daemon=True).start()
        loop = asyncio.get_running_loop()
        found: asyncio.Future[LocalFile] = loop.create_future()
        self._asked.put((path, loop, found))
        return await found

    def close(self) -> None:
        """Let the thread end once it has read what was asked for."""
        if self._running:
            self._running = False
            self._asked.put(None)

    def _run(self) -> None:
        while (asked := self._asked.get()) is not None:
            path, loop, found = asked
            file: LocalFile | StorageProblem
            try:
                file = LocalFile.read(path)
            except StorageProblem as problem:
                file = problem
            with suppress(RuntimeError):  # the loop was closed meanwhile
                loop.call_soon_threadsafe(self._tell, found, file)

    def _tell(self, found: asyncio.Future[LocalFile], file: LocalFile | StorageProblem) -> None:
        self._busy = False
        if found.done():
            return  # nobody waits any more
        if isinstance(file, StorageProblem):
            found.set_exception(file)
        else:
            found.set_result(file)
