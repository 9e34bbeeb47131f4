"""Somebody who is told: a real server that takes what Apprise sends to ``json://`` addresses."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

#: Stands in the address, as the passwords and tokens of real ones do.
SECRET = "receiver-secret-4711"


@dataclass
class Receiver:
    """``told`` are the messages, oldest first. ``status``: what it answers; ``hangs``: never."""

    port: int
    told: list[dict[str, Any]] = field(default_factory=list)
    asked: int = 0
    status: int = 200
    hangs: bool = False

    @property
    def url(self) -> str:
        """The address for the settings."""
        return f"json://owner:{SECRET}@127.0.0.1:{self.port}/{SECRET}-hook"

    @property
    def titles(self) -> list[str]:
        """The headings of all messages."""
        return [message["title"] for message in self.told]

    async def take(self, request: web.Request) -> web.Response:
        """One message."""
        self.asked += 1
        if self.hangs:
            await asyncio.sleep(3600)
        if self.status == 200:
            self.told.append(await request.json())
        return web.Response(status=self.status)


@asynccontextmanager
async def receiver() -> AsyncIterator[Receiver]:
    """One on a free port of loopback."""
    app = web.Application()
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    found = Receiver(0)
    app.router.add_post("/{way:.*}", found.take)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    found.port = runner.addresses[0][1]
    try:
        yield found
    finally:
        await runner.cleanup()
