"""Work on a logged-in connection. Used by one task at a time, thrown away after any error:
what the server says next could belong to the command that failed."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable
from pathlib import PurePosixPath

import aioftp
from aioftp.common import Code

from mediawatch import crash
from mediawatch.hosts.ftp_connection import FtpConnection
from mediawatch.hosts.ftp_errors import (
    FetchRefused,
    RenameRefused,
    ResumeRefused,
    Stage,
    not_whole,
    reply_code,
)
from mediawatch.hosts.ftp_transfer import LocalFile, Transfer

#: Bytes from which a file is gone on with after a break, and measured before it is renamed.
LARGE = 8 << 20

_MAX_AGE = 25 * 60.0  # seconds; TLS sessions age, and servers refuse data connections with old ones
_NUMBER = re.compile(r"(\d+)\s*$")
_QUOTED = re.compile(r'"((?:[^"]|"")*)"')  # a path, as PWD tells it (RFC 959, appendix II)
_FACT = re.compile(r"\bsize=(\d+)", re.IGNORECASE)
_UNKNOWN = {"500", "502", "504"}  # the host does not know this command
_REASON_TIMEOUT = 5.0  # seconds to wait for the server's reason after a data connection broke


class FtpSession(FtpConnection):
    """Look, store, publish, delete. Names are bare, inside ``upload_dir``. Every method raises
    HostProblem."""

    #: Whether the server began to write the last file that was to be stored.
    begun = False

    #: Whether the last data connection resumed the TLS session; None if there was none.
    resumed: bool | None = None

    def usable(self) -> bool:
        """Whether it may be used once more: alive, silent, not idle or old for too long."""
        now = self._clock.monotonic()
        return (
            not self._client.unread()
            and now - self._used < self._settings.idle_timeout
            and now - self._born < self._max_age()
        )

    def _max_age(self) -> float:
        session = self._client.session
        if session is None:
            return _MAX_AGE
        hints = [session.timeout, session.ticket_lifetime_hint]
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
        return f"{self._folder}{name}"

    async def look(self, *names: str) -> list[int | None]:
        """The sizes of ``names``, as ``size`` tells them; and where the next file may be sent,
        asked for in the same packet."""
        if self._known.lacks_size or not self._known.takes_packets:
            return [await self.size(name) for name in names]
        asked = [f"SIZE {self._remote(name)}" for name in names]
        if self._client.asks_with_epsv():
            asked.append("EPSV")
        with self._doing(Stage.SIZE):
            answers = await self._packet(*asked)
        sizes = answers[: len(names)]
        self._client.offer = answers[len(names)] if len(answers) > len(names) else None
        if any(code.startswith("50") for code, _ in sizes):
            self._known.lacks_size = True
            return await self.look(*names)
        return [self._size_in(code, text) for code, text in sizes]

    async def store(self, file: LocalFile, name: str, offset: int = 0) -> None:
        """Send ``file`` from ``offset`` on as ``name``, making ``upload_dir`` if it is
        missing. ``begun`` tells afterwards whether the server began to write.

        A return does not prove that the file is whole there: servers say 226 for a truncated
        file too; ask for its size. Raises HostProblem, ResumeRefused for an ``offset`` (the
        session may be used on), StorageProblem if our file cannot be read.
        """
        self.begun = False
        with self._doing(Stage.STORE):
            transfer = await self._transfer(name, offset)
            self.begun = True
            try:
                await self._told_why(transfer, self._send(transfer, file, offset))
                self._known.data_refused = 0
                await self._final_reply(self._settings.reply_timeout)
            except BaseException:
                transfer.abort()
                raise
            transfer.close()
        crash.at("upload.stored")

    async def fetch(self, name: str, most: int) -> bytes:
        """What is in ``name``, at most ``most`` bytes; after as many as that the server may have
        more to send, and the session must not be used on.

        Raises HostProblem, FetchRefused (the session may be used on).
        """
        with self._doing(Stage.FETCH):
            try:
                with self._client.within(self._settings.io_timeout):
                    transfer = await self._begin(f"RETR {self._remote(name)}")
            except aioftp.StatusCodeError as refusal:
                code = reply_code(refusal)
                if code[:1] != "5" or code == "522":  # that one is about TLS
                    raise
                raise FetchRefused(f"{self._settings.host} does not hand it out: {code}.") from None
            try:
                async with asyncio.timeout(self._settings.reply_timeout):
                    content = await transfer.receive(
                        most, tls=self._client.data_tls(), limit=self._settings.io_timeout
                    )
            finally:
                transfer.abort()  # some say nothing more until it is closed on both sides
            if len(content) < most:
                await self._final_reply(self._settings.reply_timeout)
        return content

    async def _transfer(self, name: str, offset: int) -> Transfer:
        command = f"STOR {self._remote(name)}"
        # Not longer: some servers say nothing while another connection still writes this file.
        with self._client.within(self._settings.connect_timeout + self._settings.io_timeout):
            try:
                return await self._begin(command, offset)
            except aioftp.StatusCodeError as refusal:
                code = reply_code(refusal)
                if offset and code[:1] in {"4", "5"} and code != "421":
                    host = self._settings.host
                    raise ResumeRefused(f"{host} does not go on with a file.") from None
                # The codes do not tell a missing folder, a name that is taken, and a missing
                # permission apart.
                if code not in {"550", "553"}:
                    raise
            await self._make_folders()
            await self._client.command(f"DELE {self._remote(name)}", ("2xx", "4xx", "5xx"))
            crash.at("upload.deleted")
            return await self._begin(command)

    async def _begin(self, command: str, offset: int = 0) -> Transfer:
        transfer = await self._client.open_data(self._known.threads)
        try:
            if offset:
                await self._client.command(f"REST {offset}", "350")
            [answer] = await self._client.packet(command)
            _require("1", *answer)
        except BaseException:
            transfer.abort()
            raise
        return transfer

    async def _told_why(self, transfer: Transfer, doing: Awaitable[None]) -> None:
        try:
            await doing
        except OSError:
            # Our socket only knows that it broke; the server says why (no space, 451, …).
            transfer.abort()
            try:
                await self._final_reply(_REASON_TIMEOUT)
            except OSError:
                pass
            raise

    async def _send(self, transfer: Transfer, file: LocalFile, offset: int) -> None:
        await transfer.send(
            file,
            offset,
            tls=self._client.data_tls(),
            rate=self._known.rate,
            limit=self._settings.io_timeout,
        )
        self.resumed = transfer.resumed
        if not self.resumed:
            self._client.forget_session()

    async def _final_reply(self, limit: float) -> None:
        with self._client.within(limit):
            answer = await self._client.answer()
            while answer[0].startswith("1"):
                answer = await self._client.answer()
        _require("2", *answer)

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
        return self._size_in(code, text)

    def _size_in(self, code: str, text: str) -> int | None:
        if code == "550":
            return None
        with self._doing(Stage.SIZE):
            if code not in {"213", "250"}:
                raise aioftp.StatusCodeError(Code("213"), Code(code), [text])
            found = _FACT.search(text) if code == "250" else _NUMBER.search(text)
            if found is None:
                raise ValueError
            return int(found[1])

    async def home(self) -> str:
        """The folder in which a login begins."""
        _, text = await self._command(Stage.FOLDER, "PWD", "257")
        found = _QUOTED.search(text)
        return found[1].replace('""', '"') if found else "/"

    async def is_folder(self, path: str) -> bool:
        """Whether there is such a folder. A session that was asked this has moved: let it go."""
        code, _ = await self._command(Stage.FOLDER, f"CWD {path}", "2xx", "5xx")
        return code.startswith("2")

    async def publish(self, part: str, name: str, size: int, *, replacing: bool) -> None:
        """Give ``part`` its ``name`` if it has ``size`` bytes. ``replacing``: a file of that
        name is in the way.

        Small files are measured and renamed in one packet: the name is known to nobody yet,
        and is taken away again from a file that is not whole.
        Raises not_whole, RenameRefused (the session may be used on) and HostProblem.
        """
        if size >= LARGE or self._known.lacks_size or not self._known.takes_packets:
            self.require_whole(await self.size(part), size)
            if replacing:
                await self.discard(name)
            await self.rename(part, name)
            return
        away = [f"DELE {self._remote(name)}"] if replacing else []
        with self._doing(Stage.RENAME):
            (code, text), *_, old, new = await self._packet(
                f"SIZE {self._remote(part)}", *away, *self._renaming(part, name)
            )
        crash.at("upload.renamed")
        there = self._size_in(code, text)
        if there != size and new[0].startswith("2"):
            await self.discard(name)
        self.require_whole(there, size)
        self._require_renamed(old, new)

    def require_whole(self, there: int | None, size: int) -> None:
        """Raise not_whole if a file has another size ``there`` than it should."""
        if there != size:
            raise not_whole(self._settings.host, there, size)

    async def rename(self, old: str, new: str) -> None:
        """Give ``old`` the name ``new``. Raises RenameRefused, HostProblem."""
        with self._doing(Stage.RENAME):
            answers = await self._packet(*self._renaming(old, new))
            crash.at("upload.renamed")
            self._require_renamed(*answers)

    def _renaming(self, old: str, new: str) -> tuple[str, str]:
        return f"RNFR {self._remote(old)}", f"RNTO {self._remote(new)}"

    def _require_renamed(self, *answers: tuple[str, str]) -> None:
        for expected, (code, text) in zip(("3", "2"), answers, strict=True):
            if code.startswith("5"):
                raise RenameRefused(
                    f"{self._settings.host} does not rename: {code}.", for_good=code in _UNKNOWN
                )
            with self._doing(Stage.RENAME):
                if not code.startswith(expected):
                    raise aioftp.StatusCodeError(Code("250"), Code(code), [text])

    async def delete(self, name: str) -> None:
        """Remove ``name``; fine if it is not there. Raises HostProblem if it is there still."""
        code, text = await self._command(Stage.DELETE, f"DELE {self._remote(name)}", "2xx", "550")
        crash.at("upload.deleted")
        # 550 says that it is not there, or that we may not.
        if code == "550" and await self.size(name) is not None:
            with self._doing(Stage.DELETE):
                raise aioftp.StatusCodeError(Code("250"), Code(code), [text])

    async def discard(self, *names: str) -> None:
        """Remove ``names`` if that is possible now; what the server answers is all the same."""
        with self._doing(Stage.DELETE):
            await self._packet(*(f"DELE {self._remote(name)}" for name in names))
        crash.at("upload.deleted")

    def rest(self) -> None:
        """Mark the end of a piece of work that went well."""
        self._used = self._clock.monotonic()


def _require(first: str, code: str, text: str) -> None:
    """Raise StatusCodeError for an answer of another kind than ``first`` stands for."""
    if not code.startswith(first):
        raise aioftp.StatusCodeError(Code(f"{first}xx"), Code(code), [text])
