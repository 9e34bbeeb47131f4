"""The web door with nothing behind it but a journal, to be changed by a test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import ClientSession, DummyCookieJar
from aiohttp import web as web_app
from aiohttp.test_utils import TestClient, TestServer

from mediawatch.clock import Clock, SystemClock
from mediawatch.config import Settings
from mediawatch.journal import accounts
from mediawatch.journal.sqlite import SqliteJournal
from mediawatch.log import silent
from mediawatch.metrics import Metrics
from mediawatch.model.findings import Finding
from mediawatch.model.posts import Post
from mediawatch.web.app import create_app
from mediawatch.web.doors import Doors
from tests.contract.test_journal import ACCOUNT
from tests.support.desk import a_desk

Client = TestClient[Any, Any]
#: What a command of this machine shows here, and what the first user is made with.
LOCAL_KEY, SETUP_WORD = "mwl_of-this-test", "word-of-this-test"


def settings(folder: Path, **web: Any) -> Settings:
    """Settings that name a place for everything; nothing is ever called there."""
    ftp = {"host": "localhost", "user": "u", "password": "x", "public_url": "http://localhost/"}
    return Settings.model_validate(
        {
            "watch": {"folder": folder / "download"},
            "ftp": {**ftp, "upload_dir": "/"},
            "instagram": {"user_id": ACCOUNT, "access_token": "not-a-token"},
            "storage": {"data_dir": folder / "data"},
            "web": web,
        }
    )


class House:
    """What stands behind the web."""

    def __init__(self, folder: Path, journal: SqliteJournal, clock: Clock | None = None) -> None:
        self.folder = folder
        self.journal = journal
        self.clock = clock or SystemClock()
        self.session: ClientSession | None = None
        self.checks = [Finding("folder", True, "Looked at.")]
        self.woken: list[str] = []
        self.passes = 0
        self.error: Exception | None = None

    async def poster_media(self) -> dict[str, Any]:
        if self.error is not None:
            raise self.error
        self.passes += 1
        return {"success": True}

    async def status(self) -> dict[str, Any]:
        return {"status": "ok", "folder": {"settling": {"secret-plans.jpg": "grows"}}}

    async def check(self) -> list[Finding]:
        return self.checks

    async def metrics(self) -> bytes:
        return Metrics().text({"mediawatch_posts": {"done": 3}})

    async def release(self) -> int:
        return 3

    async def fed(self) -> list[str]:
        return [ACCOUNT]

    def wake(self, post: Post) -> None:
        self.woken.append(post.id)

    def doors(self, **web: Any) -> Doors:
        """Into this house; ``web``: settings of that table."""
        return Doors(
            settings=settings(self.folder, **web),
            journal=self.journal,
            clock=self.clock,
            log=silent(),
            poster_media=self.poster_media,
            status=self.status,
            checks=self.check,
            metrics=self.metrics,
            woken=self.wake,
            release_withheld=self.release,
            accounts=a_desk(self.journal, self.folder, self.session),
            accounts_fed=self.fed,
            local_key=LOCAL_KEY,
            setup_word=SETUP_WORD,
        )

    @asynccontextmanager
    async def open(self, **web: Any) -> AsyncIterator[Client]:
        """Somebody who may ask it, and who remembers no cookies."""
        async with client_of(create_app(self.doors(**web))) as client:
            yield client


@asynccontextmanager
async def client_of(app: web_app.Application) -> AsyncIterator[Client]:
    """Somebody who may ask it, and who remembers no cookies."""
    async with TestClient(TestServer(app), cookie_jar=DummyCookieJar()) as client:
        yield client


@asynccontextmanager
async def house(folder: Path, clock: Clock | None = None) -> AsyncIterator[House]:
    """With one account, and nobody in it."""
    async with SqliteJournal(folder / "journal.db") as journal, ClientSession() as session:
        await journal.apply([accounts.ensure(ACCOUNT)])
        found = House(folder, journal, clock)
        found.session = session
        yield found
