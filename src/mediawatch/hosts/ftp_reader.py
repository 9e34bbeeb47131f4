"""Files on their way into memory: without waiting for a disk, or off the event loop.

A file that was converted a moment ago is in the system's memory still: it is read at once, for
handing it to a thread and back costs several times the reading (preadv(2), RWF_NOWAIT). All others
are read by one thread of our own: a thread pool and asyncio's way to it cost more, and with every
further thread each of them waits longer for its turn to run Python.
"""

from __future__ import annotations

import asyncio
import errno
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
        self._tells_without_waiting = True

    async def read(self, path: Path) -> LocalFile:
        """Look at the file ``path``. Raises StorageProblem."""
        if self._tells_without_waiting and (file := self._at_once(path)) is not None:
            return file
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

    def _at_once(self, path: Path) -> LocalFile | None:
        """The file if no disk has to be waited for, else None, as for whatever cannot be read."""
        try:
            return LocalFile.in_memory(path)
        except OSError as error:
            # So say disks of the network, where to open a file can take long already.
            self._tells_without_waiting = error.errno != errno.EOPNOTSUPP
            return None

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
