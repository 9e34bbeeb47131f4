"""A fake FTP server that says what it is told to say: codes, silence, half replies, injected
text, lost files. It speaks enough FTP to take an upload when nothing is scripted."""

from __future__ import annotations

import asyncio
import ssl
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from mediawatch.config import FtpSettings

USER, PASSWORD = "scripted", "s3cret-Pa55"

#: Answers that are no text for the client.
HANG_UP = "<hang up>"  # close the connection instead of answering
SILENCE = "<silence>"  # say nothing, keep the connection
Answer = str | bytes | Callable[["Talk", str], str]


#: ``begun``: the client has sent something on it, or closed it.
DataConnection = tuple[asyncio.StreamReader, asyncio.StreamWriter, asyncio.Event]


@dataclass
class Talk:
    """One control connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    listener: asyncio.Server | None = None
    data: asyncio.Queue[DataConnection] = field(default_factory=asyncio.Queue)
    renaming: str = ""
    offset: int = 0


@dataclass
class ScriptedFtp:
    """``script``: verb -> answers, used up in order, then the usual one. "greeting", "after STOR"
    and "after RETR" (the reply at the end of a transfer) count as verbs. ``events``: what happened,
    oldest first: connect, each command line, client-hello, data. ``truncate``: of the next files
    only so many bytes are kept; ``break_off``: their data connection is broken off after so many,
    which are kept. ``garble``: what is handed out in place of a file. ``keeps``: nothing is renamed
    over a file. ``one_at_a_time``: of commands that come in one packet only the first is read.
    """

    tls: ssl.SSLContext | None = None
    script: defaultdict[str, list[Answer]] = field(default_factory=lambda: defaultdict(list))
    events: list[str] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    truncate: list[int] = field(default_factory=list)
    break_off: list[int] = field(default_factory=list)
    garble: Callable[[bytes], bytes] = bytes
    talks: list[Talk] = field(default_factory=list)
    data: list[asyncio.StreamWriter] = field(default_factory=list)
    port: int = 0
    keeps: bool = False
    one_at_a_time: bool = False

    def count(self, event: str) -> int:
        """How often something happened; a verb counts with any argument."""
        return sum(seen.split(" ")[0] == event for seen in self.events)

    def settings(self, **changes: Any) -> FtpSettings:
        """Settings that reach this server; the time-outs are short."""
        values: dict[str, Any] = {
            "host": "127.0.0.1",
            "port": self.port,
            "user": USER,
            "password": PASSWORD,
            "upload_dir": "/",
            "public_url": "https://example.org/",
            "tls": "off",
            "connect_timeout": 2,
            "io_timeout": 2,
            "reply_timeout": 2,
        }
        return FtpSettings(**values | changes)

    def hang_up(self) -> None:
        """Break off every connection, as a restart of the server does."""
        while self.talks:
            self.talks.pop().writer.transport.abort()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One control connection, from greeting to end."""
        self.events.append("connect")
        talk = Talk(reader, writer)
        self.talks.append(talk)
        try:
            if await self._say(talk, self._answer(talk, "greeting", "", "220 ready")):
                while line := await talk.reader.readline():
                    if not await self._obey(talk, line.decode().rstrip()):
                        break
        except (OSError, EOFError):
            pass  # the client went away
        finally:
            if talk.listener is not None:
                talk.listener.close()
            writer.close()

    def _answer(self, talk: Talk, verb: str, argument: str, usual: str) -> str | bytes:
        waiting = self.script[verb]
        answer = waiting.pop(0) if waiting else usual
        return answer(talk, argument) if callable(answer) else answer

    def _refuses(self, verb: str) -> bool:
        waiting = self.script[verb]
        return bool(waiting) and isinstance(waiting[0], str) and waiting[0][:1] in {"4", "5"}

    async def _say(self, talk: Talk, answer: str | bytes) -> bool:
        if answer == HANG_UP:
            return False
        if answer != SILENCE:
            talk.writer.write(answer if isinstance(answer, bytes) else f"{answer}\r\n".encode())
            await talk.writer.drain()
        return True

    async def _obey(self, talk: Talk, line: str) -> bool:
        self.events.append(line)
        if self.one_at_a_time:
            vars(talk.reader)["_buffer"].clear()
        verb, _, argument = line.partition(" ")
        usual = await self._usual(talk, verb, argument)
        answer = self._answer(talk, verb, argument, usual)
        if not await self._say(talk, answer):
            return False
        if verb == "AUTH" and str(answer).startswith("234") and self.tls is not None:
            await self._shake_hands(talk.writer, self.tls)
        if verb == "STOR" and str(answer).startswith("1"):
            await self._receive(talk, argument)
            return await self._say(
                talk, self._answer(talk, "after STOR", argument, "226 Transfer complete")
            )
        if verb == "RETR" and str(answer).startswith("1"):
            await self._hand_out(talk, argument)
            return await self._say(
                talk, self._answer(talk, "after RETR", argument, "226 Transfer complete")
            )
        return verb != "QUIT"

    async def _shake_hands(self, writer: asyncio.StreamWriter, context: ssl.SSLContext) -> None:
        tcp = writer.transport
        try:
            await writer.start_tls(context)
        except AttributeError:  # asyncio loses the transport if the client hangs up just now
            vars(writer)["_transport"] = tcp
            raise ConnectionResetError from None

    async def _usual(self, talk: Talk, verb: str, argument: str) -> str:
        match verb:
            case "EPSV":
                return f"229 Extended passive mode (|||{await self._listen(talk)}|)"
            case "PASV":
                high, low = divmod(await self._listen(talk), 256)
                return f"227 Passive mode (10,9,8,7,{high},{low})"
            case "SIZE":
                known = self.files.get(argument)
                return "550 No such file" if known is None else f"213 {len(known)}"
            case "RNFR":
                talk.renaming = argument
            case "REST":
                talk.offset = int(argument)
                return "350 go on there"
            case "RNTO":
                if self.keeps and argument in self.files:
                    return "550 There is such a file"
                if not self._refuses(verb):
                    self.files[argument] = self.files.pop(talk.renaming, b"")
            case "DELE":
                if argument not in self.files:
                    return "550 No such file"
                if not self._refuses(verb):
                    del self.files[argument]
        return {
            "AUTH": "234 go on" if self.tls else "502 no TLS",
            "USER": "331 password?",
            "PASS": "230 welcome",
            "STOR": "150 send",
            "RETR": "150 here it is",
            "RNFR": "350 and to?",
            "MKD": "257 made",
            "QUIT": "221 bye",
        }.get(verb, "200 OK" if verb in {"TYPE", "PBSZ", "PROT"} else "250 OK")

    async def _listen(self, talk: Talk) -> int:
        async def arrived(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self.data.append(writer)
            begun = asyncio.Event()
            data.put_nowait((reader, writer, begun))
            # 0x16 opens a TLS handshake; the byte is put back for whoever reads on.
            if first := await reader.read(1):
                self.events.append("client-hello" if first == b"\x16" else "data")
                vars(reader)["_buffer"][:0] = first
            begun.set()

        data = talk.data = asyncio.Queue()
        if talk.listener is not None:
            talk.listener.close()
        talk.listener = await asyncio.start_server(arrived, "127.0.0.1", 0)
        port: int = talk.listener.sockets[0].getsockname()[1]
        return port

    async def _hand_out(self, talk: Talk, name: str) -> None:
        content = self.garble(self.files.get(name, b""))
        _, writer, _ = await talk.data.get()
        with suppress(ConnectionError):  # it had enough of it
            writer.write(content)
            await writer.drain()
        writer.close()

    async def _receive(self, talk: Talk, name: str) -> None:
        reader, writer, begun = await talk.data.get()
        await begun.wait()
        offset, talk.offset = talk.offset, 0
        before = self.files.get(name, b"")[:offset]
        if self.break_off:
            self.files[name] = before + await reader.readexactly(self.break_off.pop(0))
            writer.transport.abort()
            return
        wanted = self.truncate.pop(0) if self.truncate else -1
        content = await reader.read(wanted)
        if wanted >= 0:
            await reader.read()
        self.files[name] = before + content
        writer.close()


@asynccontextmanager
async def scripted_ftp(tls: ssl.SSLContext | None = None) -> AsyncIterator[ScriptedFtp]:
    """Run the fake on loopback; AUTH TLS is refused without ``tls``."""
    fake = ScriptedFtp(tls)
    server = await asyncio.start_server(fake.serve, "127.0.0.1", 0)
    fake.port = server.sockets[0].getsockname()[1]
    try:
        yield fake
    finally:
        server.close()
        fake.hang_up()
        for writer in fake.data:
            writer.transport.abort()
        await asyncio.sleep(0)
