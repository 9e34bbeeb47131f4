"""A whole river for a test: folders and settings of its own, and real neighbours on loopback."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import aiohttp

from mediawatch.errors import JournalError
from mediawatch.journal import alerts, posts, withheld
from mediawatch.journal.alerts import Untold
from mediawatch.journal.sqlite import SqliteReader
from mediawatch.model.alerts import AlertKind
from mediawatch.model.posts import Post
from mediawatch.simulator import Simulator, SimulatorOptions
from tests.support.daemon import PATIENCE, Ended, until
from tests.support.ftp_servers import PASSWORD, USER, PublishedFolder, published_folder
from tests.support.pictures import jpeg
from tests.support.processes import Running, command
from tests.support.simulator import TOKEN
from tests.support.simulator import USER as ACCOUNT

Tables = dict[str, dict[str, Any]]


class Door:
    """The way to a server, which can be closed and opened again; the port stays the same."""

    def __init__(self, target: int) -> None:
        self.port = 0
        self._target = target
        self._server: asyncio.Server | None = None
        self._lines: set[asyncio.StreamWriter] = set()

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def open(self) -> None:
        """Whoever knocks is led to the server."""
        self._server = await asyncio.start_server(self._lead, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Nobody listens any more, and who is inside is thrown out."""
        if self._server is not None:
            self._server.close()
            for line in list(self._lines):
                line.transport.abort()
            await self._server.wait_closed()
            self._server = None

    async def _lead(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner_reader, inner = await asyncio.open_connection("127.0.0.1", self._target)
        self._lines |= {writer, inner}
        try:
            await asyncio.gather(_pour(reader, inner), _pour(inner_reader, writer))
        finally:
            self._lines -= {writer, inner}
            for line in (writer, inner):
                line.close()


async def _pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while block := await reader.read(65536):
            writer.write(block)
            await writer.drain()
        writer.write_eof()


@dataclass
class River:
    """Where everything lies, and what became of it. The simulator is the oracle."""

    root: Path
    simulator: Simulator
    host: PublishedFolder
    tables: Tables = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.inbox = self.root / "download"
        self.processed = self.root / "processed"
        self.failed = self.root / "failed"
        self.held = self.root / "held"
        self.duplicate = self.root / "duplicate"
        self.data = self.root / "data"
        self.prepared = self.data / "prepared"
        self.log_file = self.root / "mediawatch.log"
        self.config = self.root / "config.toml"
        self.inbox.mkdir()
        self.configure()

    # Settings.

    def configure(self, **tables: dict[str, Any]) -> None:
        """Write the settings file: these changes on top of settings that work, and are quick."""
        settings = self._settings()
        for table, keys in tables.items():
            settings.setdefault(table, {}).update(keys)
        self.tables = settings
        self.write_settings()

    def write_settings(self) -> None:
        """Write ``tables`` as they are now."""
        lines = []
        for table, keys in self.tables.items():
            lines.append(f"[{table}]")
            several = keys.get("inboxes", [])
            lines += [
                f"{key} = {json.dumps(value)}"
                for key, value in keys.items()
                if key != "inboxes" and not (key == "folder" and several)
            ]
            for each in several:
                lines.append(f"[[{table}.inboxes]]")
                lines += [f"{key} = {json.dumps(value)}" for key, value in each.items()]
        self.config.write_text("\n".join(lines) + "\n", encoding="utf-8")

    def _settings(self) -> Tables:
        return {
            "watch": {"folder": str(self.inbox), "settle": 0.2, "hold_above": 0},
            "ftp": {
                "host": "127.0.0.1",
                "port": self.host.ftp.port,
                "user": USER,
                "password": PASSWORD,
                "upload_dir": "/upload",
                "public_url": self.host.public_url,
                "tls": "off",
                "retention": "forever",
            },
            "instagram": {
                "user_id": ACCOUNT,
                "access_token": TOKEN,
                "graph_url": self.simulator.url,
            },
            "publish": {
                "caption": "{stem}",
                "retry_delays": [0.5] * 20,
                "poll_delays": [0, 0.2],
                "publish_timeout": 1,
                "quiet_window": 1,
            },
            "web": {"port": 0},
            "storage": {"data_dir": str(self.data)},
            "log": {"format": "json", "file": str(self.log_file), "level": "debug"},
        }

    # What users do.

    def drop(self, name: str, content: bytes) -> bytes:
        """Put a file into the inbox."""
        (self.inbox / name).write_bytes(content)
        return content

    def drop_pictures(self, count: int, *, first: int = 1) -> dict[str, bytes]:
        """Put so many small JPEGs into the inbox, each another picture; names and bytes."""
        names = [f"picture{number:03}.jpg" for number in range(first, first + count)]
        return {
            name: self.drop(name, jpeg(400, 320, seed=first + number))
            for number, name in enumerate(names)
        }

    async def run(self, *words: str, before: Sequence[str] = (), limit: float = PATIENCE) -> Ended:
        """A command with this river's settings."""
        where = ["--config", str(self.config)]
        return await command(*words, *where, folder=self.root, before=before, limit=limit)

    @asynccontextmanager
    async def daemon(self, before: Sequence[str] = ()) -> AsyncIterator[Running]:
        """A daemon at work. If the test did not end it, it must leave well when it is asked to."""
        starts = len(self.said("start"))
        running = Running(self.root, self.config, before)
        try:
            await self.until(
                lambda: len(self.said("start")) > starts or running.process.poll() is not None
            )
            assert running.process.poll() is None, self.story()
            yield running
            if running.process.poll() is None:
                assert 0 == await running.stop(), self.story()
        finally:
            running.process.kill()
            running.process.wait()

    @property
    def api(self) -> str:
        """Where the API of the running daemon listens."""
        card = json.loads((self.data / "daemon.json").read_text(encoding="utf-8"))
        return str(card["url"])

    # What they see.

    def captions(self) -> list[str]:
        """The captions of all that was ever published, sorted: each as often as it was."""
        return sorted(media.container.caption for media in self.simulator.state.publications)

    async def rules(self) -> list[dict[str, Any]]:
        """The rules that Meta plays, each with how often it ``fired``."""
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"{self.simulator.url}/_simulator/state") as answer,
        ):
            rules: list[dict[str, Any]] = (await answer.json())["rules"]
            return rules

    def filed(self) -> dict[str, bytes]:
        """What lies in ``processed``."""
        return contents(self.processed)

    def leftovers(self) -> set[str]:
        """Whatever lies in the inbox, the work folder or the prepared folder."""
        lying = {path.name for path in self.inbox.iterdir() if path.name != ".mediawatch"}
        for folder in (self.inbox / ".mediawatch" / "work", self.prepared):
            if folder.is_dir():
                lying |= {path.name for path in folder.iterdir()}
        return lying

    def said(self, action: str = "") -> list[dict[str, Any]]:
        """The lines of the log, whole ones only, with this action if one is named."""
        if not self.log_file.exists():
            return []
        lines = self.log_file.read_text(encoding="utf-8").split("\n")[:-1]
        found = [json.loads(line) for line in lines]
        return [line for line in found if action in {"", line["action"]}]

    def story(self) -> str:
        """The end of the log and of what was printed, for a test that failed."""
        printed = self.root / "output.txt"
        told = printed.read_text() if printed.exists() else ""
        log = self.log_file.read_text(encoding="utf-8") if self.log_file.exists() else ""
        lying = f"lying about: {sorted(self.leftovers())}"
        return "\n".join([*log.splitlines()[-40:], *told.splitlines()[-40:], lying])

    async def posts(self) -> dict[str, Post]:
        """What the journal says of each file, by its name; read beside the daemon."""
        return {post.name: post for post in await self.all_posts()}

    async def all_posts(self) -> list[Post]:
        """Everything that the journal knows; several posts may have one name."""
        found: list[Post] = await self._read(lambda reader: posts.listed(reader, limit=1000), [])
        return found

    async def alerts(self) -> dict[str, Untold]:
        """What the owner is still to be told of, by its key."""
        found = await self._read(alerts.untold, [])
        return {each.alert.key: each for each in found}

    async def lasting(self) -> dict[str, AlertKind] | None:
        """What lasts and was told of, by its key; None if the journal is being made."""
        found: dict[str, AlertKind] | None = await self._read(alerts.lasting, None)
        return found

    async def was_looked(self) -> bool:
        """Whether the first look at the inbox is over."""
        return bool(await self._read(lambda r: withheld.was_looked(r, self.inbox), False))

    async def _read(self, query: Callable[[Any], Awaitable[Any]], unknown: Any) -> Any:
        path = self.data / "journal.db"
        if not path.exists():
            return unknown
        reader = SqliteReader(path)
        try:
            return await query(reader)
        except JournalError:
            return unknown  # it is being made
        finally:
            reader.close()

    async def post(self, name: str, **facts: object) -> Post:
        """The post of that file, once it has these attributes."""

        async def as_wanted() -> Post | None:
            post = (await self.posts()).get(name)
            fits = post and all(getattr(post, key) == value for key, value in facts.items())
            return post if fits else None

        found: Post = await self.until(as_wanted)
        return found

    async def until(self, seen: Callable[[], Any], limit: float = PATIENCE) -> Any:
        """Wait until that is seen."""
        return await until(seen, limit, self.story)

    async def arrived(self, originals: dict[str, bytes], limit: float = PATIENCE) -> None:
        """Wait until these lie in ``processed`` as they were, each published once, and their
        posts are done; nothing else lies anywhere."""
        await self.until(
            lambda: len(originals) <= len(self.filed()) and not self.leftovers(), limit
        )
        for name in originals:
            await self.post(name, state="done")
        assert originals == self.filed(), self.story()
        assert sorted(Path(name).stem for name in originals) == self.captions(), self.story()
        # Nor was Meta asked a second time for what was live: it only happened to refuse.
        assert 0 == self.simulator.state.snapshot()["republish_calls"], self.story()


def contents(folder: Path) -> dict[str, bytes]:
    """Name and bytes of each file of a folder; of none if there is no such folder."""
    if not folder.is_dir():
        return {}
    found = {}
    for path in folder.iterdir():
        with contextlib.suppress(FileNotFoundError):  # a note that got its name just now
            found[path.name] = path.read_bytes()
    return found


@asynccontextmanager
async def open_river(root: Path, **options: Any) -> AsyncIterator[River]:
    """Simulator (with ``options``), FTP server and web host; the daemon is the test's to start."""
    host = root / "host"
    async with (
        published_folder(host) as published,
        Simulator(SimulatorOptions(**{"token": TOKEN, "users": (ACCOUNT,)} | options)) as simulator,
    ):
        yield River(root, simulator, published)
