"""Work on a logged-in connection. Used by one task at a time, thrown away after any error:
what the server says next could belong to the command that failed."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path, PurePosixPath

import aioftp

from mediawatch import crash
from mediawatch.errors import from_os_error
from mediawatch.hosts.ftp_client import DataStream
from mediawatch.hosts.ftp_connection import FtpConnection
from mediawatch.hosts.ftp_errors import Stage, reply_code

_BLOCK = 256 << 10  # bytes a write: the cost of aioftp is paid for each call
_READ = 1 << 20  # bytes a trip to the disk, made in a thread
_MAX_AGE = 25 * 60.0  # seconds; TLS sessions age, and servers refuse data connections with old ones
_NUMBER = re.compile(r"(\d+)\s*$")
_FACT = re.compile(r"\bsize=(\d+)", re.IGNORECASE)
_REASON_TIMEOUT = 5.0  # seconds to wait for the server's reason after a data connection broke


class FtpSession(FtpConnection):
    """Store, size, rename, delete. Names are bare, inside ``upload_dir``. Every method raises
    HostProblem."""

    @property
    def resumed(self) -> bool | None:
        """Whether the last data connection resumed the TLS session; None if there was none."""
        return self._client.resumed

    def usable(self) -> bool:
        """Whether it may be used once more: alive, silent, not idle or old for too long."""
        now = self._clock.monotonic()
        return (
            not self._client.unread()
            and now - self._used < self._settings.idle_timeout
            and now - self._born < self._max_age()
        )

    def _max_age(self) -> float:
        tls = self._client.tls
        if tls is None or tls.session is None:
            return _MAX_AGE
        hints = [tls.session.timeout, tls.session.ticket_lifetime_hint]
        return min([_MAX_AGE, *(0.8 * hint for hint in hints if hint > 0)])

    def take(self) -> None:
        """Mark the start of a piece of work; see ``answered``."""
        self._answers_when_taken = self._client.answers

    def answered(self) -> bool:
        """Whether the server has answered anything since ``take``. If not, a kept connection
        was dead already, and the work may be done over on a new one.
        """
        return self._client.answers > self._answers_when_taken

    def _remote(self, name: str) -> str:
        return str(PurePosixPath(self._settings.upload_dir, name))

    async def store(self, path: Path, name: str) -> int:
        """Send the file ``path`` as ``name``, making ``upload_dir`` if it is missing.

        Returns the number of bytes sent. A return does not prove that the file is whole there:
        servers say 226 for a truncated file too; ask ``size``.
        Raises HostProblem, StorageProblem if our file cannot be read.
        """
        block = await asyncio.to_thread(_read, path, 0)
        stream = await self._data_stream(name)
        sent = 0
        try:
            with self._doing(Stage.STORE):
                while block:
                    await self._send(stream, block)
                    sent += len(block)
                    block = (
                        await asyncio.to_thread(_read, path, sent) if len(block) == _READ else b""
                    )
                stream.close()
                await self._final_reply(self._settings.reply_timeout)
        except BaseException:
            stream.abort()
            raise
        crash.at("upload.stored")
        return sent

    async def _data_stream(self, name: str) -> DataStream:
        command = f"STOR {self._remote(name)}"
        with self._doing(Stage.STORE):
            async with asyncio.timeout(self._settings.reply_timeout):
                try:
                    return await self._client.get_stream(command, "1xx")
                except aioftp.StatusCodeError as refusal:
                    # The codes do not tell a missing folder from a missing permission.
                    if reply_code(refusal) not in {"550", "553"}:
                        raise
                await self._make_folders()
                return await self._client.get_stream(command, "1xx")

    async def _send(self, stream: DataStream, data: bytes) -> None:
        step = min(_BLOCK, self._settings.max_rate or _BLOCK)
        try:
            for start in range(0, len(data), step):
                await stream.wait("write")  # for max_rate; not part of the time-out
                async with asyncio.timeout(self._settings.io_timeout):
                    await stream.write(data[start : start + step])
        except OSError:
            # Our socket only knows that it broke; the server says why (no space, 451, …).
            stream.abort()
            try:
                await self._final_reply(_REASON_TIMEOUT)
            except OSError:
                pass
            raise

    async def _final_reply(self, limit: float) -> None:
        async with asyncio.timeout(limit):
            await self._client.command(None, "2xx", "1xx")

    async def _make_folders(self) -> None:
        folder = PurePosixPath(self._settings.upload_dir)
        for part in [*reversed(folder.parents), folder]:
            if part.name:
                # 550 also means that it is there already; the next STOR will tell.
                await self._client.command(f"MKD {part}", ("257", "5xx"))
                crash.at("upload.folder-made")

    async def size(self, name: str) -> int | None:
        """The size of ``name`` in bytes, None if it is not there."""
        remote = self._remote(name)
        if not self._known.lacks_size:
            code, text = await self._command(Stage.SIZE, f"SIZE {remote}", "213", "550", "50x")
            self._known.lacks_size = code.startswith("50")
        if self._known.lacks_size:
            code, text = await self._command(Stage.SIZE, f"MLST {remote}", "250", "550")
        if code == "550":
            return None
        found = _FACT.search(text) if code == "250" else _NUMBER.search(text)
        with self._doing(Stage.SIZE):
            if found is None:
                raise ValueError
            return int(found[1])

    async def rename(self, old: str, new: str) -> bool:
        """Give ``old`` the name ``new``. False if this host does not let us rename (5xx)."""
        code, _ = await self._command(Stage.RENAME, f"RNFR {self._remote(old)}", "350", "5xx")
        if code != "350":
            return False
        code, _ = await self._command(Stage.RENAME, f"RNTO {self._remote(new)}", "2xx", "5xx")
        crash.at("upload.renamed")
        return code.startswith("2")

    async def delete(self, name: str) -> None:
        """Remove ``name``; fine if it is not there."""
        await self._command(Stage.DELETE, f"DELE {self._remote(name)}", "2xx", "550")
        crash.at("upload.deleted")

    async def discard(self, name: str) -> None:
        """Remove ``name`` if that is possible now; what the server answers is all the same."""
        await self._command(Stage.DELETE, f"DELE {self._remote(name)}", "2xx", "4xx", "5xx")
        crash.at("upload.deleted")

    def rest(self) -> None:
        """Mark the end of a piece of work that went well."""
        self._used = self._clock.monotonic()


def _read(path: Path, offset: int) -> bytes:
    """Up to 1 MiB of a file from ``offset``. Opened anew each time: a cancelled upload so
    leaves no open file behind in its thread."""
    try:
        with path.open("rb") as file:
            file.seek(offset)
            return file.read(_READ)
    except OSError as error:
        raise from_os_error(error, f"read {path}") from error
