"""Try everything that an upload needs, one finding a step, for `doctor` and for support."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

from mediawatch.config import FtpSettings
from mediawatch.errors import HostProblem
from mediawatch.hosts.base import HostRefused, new_key
from mediawatch.hosts.ftp_errors import FetchRefused, RenameRefused
from mediawatch.hosts.ftp_session import FtpSession
from mediawatch.hosts.ftp_transfer import LocalFile
from mediawatch.model.findings import Finding, failed

#: With every byte there is: hosts that take pictures for text change some of them.
_SAMPLE = b"mediawatch tries whether it may write here.\r\n" + bytes(range(256))

Step = Callable[[], Awaitable[Finding]]


class FtpCheck:
    """The steps of a check on one session that is not connected yet."""

    def __init__(self, session: FtpSession, settings: FtpSettings) -> None:
        self._session = session
        self._settings = settings
        self._name, self._renamed = new_key(".part"), new_key(".txt")
        self.problem: HostProblem | None = None

    async def run(self) -> list[Finding]:
        """The findings up to the first failure, which is kept in ``problem``."""
        findings: list[Finding] = []
        steps: dict[str, Step] = {
            "connect": self._connect,
            "TLS": self._secure,
            "login": self._login,
            "write": self._write,
            "TLS session": self._resumed,
            "SIZE": self._size,
            "read back": self._read_back,
            "rename": self._rename,
            "delete": self._delete,
        }
        for name, step in steps.items():
            try:
                findings.append(await step())
            except HostProblem as problem:
                self.problem = problem
                findings.append(failed(name, problem))
                await self._tidy_up()
                break
        return findings

    async def _tidy_up(self) -> None:
        if self._session.begun:
            with suppress(HostProblem):
                await self._session.discard(self._name, self._renamed)

    async def _connect(self) -> Finding:
        await self._session.connect()
        where = f"{self._settings.host}, port {self._settings.port}"
        return Finding("connect", True, f"The FTP host {where} answers.")

    async def _secure(self) -> Finding:
        await self._session.secure()
        if self._session.encrypted:
            return Finding("TLS", True, "The connection is encrypted and the certificate is good.")
        return Finding(
            "TLS",
            True,
            "The connection is not encrypted: the password travels readable.",
            "Ask the host for FTP over TLS.",
        )

    async def _login(self) -> Finding:
        await self._session.login()
        return Finding("login", True, f"The host knows {self._settings.user}.")

    async def _write(self) -> Finding:
        with tempfile.TemporaryDirectory() as folder:
            sample = Path(folder, "sample")
            await asyncio.to_thread(sample.write_bytes, _SAMPLE)
            await self._session.store(await asyncio.to_thread(LocalFile.read, sample), self._name)
        return Finding("write", True, f"A file can be stored in {self._settings.upload_dir}.")

    async def _resumed(self) -> Finding:
        if not self._session.encrypted:
            return Finding("TLS session", True, "Without encryption there is none to resume.")
        if self._session.resumed:
            return Finding("TLS session", True, "Data connections resume the session, as most ask.")
        return Finding(
            "TLS session", True, "The host starts a new session for each file, which is slower."
        )

    async def _size(self) -> Finding:
        self._session.require_whole(await self._session.size(self._name), len(_SAMPLE))
        return Finding("SIZE", True, "The host tells the size of a file, and it is right.")

    async def _read_back(self) -> Finding:
        try:
            content = await self._session.fetch(self._name, len(_SAMPLE) + 1)
        except FetchRefused:
            return Finding(
                "read back",
                True,
                "The host takes files and hands none out by FTP, so only the public address shows "
                "whether they are whole.",
                "Nothing to do, if the public address is well.",
            )
        if content != _SAMPLE:
            raise HostProblem(
                f"The FTP host {self._settings.host} gave back another file than was stored.",
                remedy="Ask the host what changes files there (a virus scanner, FTP in text mode), "
                "and have it leave those in ftp.upload_dir alone.",
            )
        return Finding("read back", True, "A file comes back by FTP byte for byte.")

    async def _rename(self) -> Finding:
        try:
            await self._session.rename(self._name, self._renamed)
        except RenameRefused:
            return Finding(
                "rename", True, "The host does not rename; files are stored under their final name."
            )
        self._name = self._renamed
        return Finding("rename", True, "A file can be renamed, so none is ever seen half.")

    async def _delete(self) -> Finding:
        may = 'Give the FTP user the right to delete, or set ftp.retention to "forever".'
        try:
            await self._session.delete(self._name)
        except HostRefused as problem:
            return Finding("delete", False, problem.message, may)
        if await self._session.size(self._name) is not None:
            kept = f"The host kept {self._name}, though it said that it was deleted."
            return Finding("delete", False, kept, may)
        return Finding("delete", True, "A file can be deleted.")
