"""A web server over a folder, and the ways in which real ones misbehave (web_faults.py)."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web

#: What is said instead of the folder's answer; None: let the folder answer after all.
Answer = Callable[[web.Request], Awaitable[web.StreamResponse | None]]


@dataclass
class WebHost:
    """A running web server. ``answers`` replace what it says for a path; a list is used up in
    order, then the folder answers again. ``fault`` replaces what it says for every picture.
    ``requests`` are those seen, oldest first."""

    url: str
    requests: list[web.Request] = field(default_factory=list)
    answers: dict[str, list[Answer]] = field(default_factory=dict)
    fault: Answer | None = None

    @property
    def pictures(self) -> list[web.Request]:
        """The requests for pictures, oldest first."""
        return [request for request in self.requests if request.path.endswith(".jpg")]

    async def answer(self, request: web.Request) -> web.StreamResponse | None:
        """What is scripted for this request, if anything is."""
        self.requests.append(request)
        if waiting := self.answers.get(request.path):
            return await waiting.pop(0)(request)
        if self.fault is not None and request.path.endswith(".jpg"):
            return await self.fault(request)
        return None


@asynccontextmanager
async def web_host(
    folder: Path, port: int = 0, *, tls: ssl.SSLContext | None = None, listing: bool = False
) -> AsyncIterator[WebHost]:
    """Serve ``folder`` on loopback, with ranges and content types as web servers do.

    ``listing``: folders show their files to everybody.
    """
    host = WebHost("")

    @web.middleware
    async def scripted(
        request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        return await host.answer(request) or await handler(request)

    app = web.Application(middlewares=[scripted])
    app.router.add_static("/", folder, show_index=listing)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", port, ssl_context=tls)
        await site.start()
        scheme = "http" if tls is None else "https"
        host.url = f"{scheme}://127.0.0.1:{runner.addresses[0][1]}"
        yield host
    finally:
        await runner.cleanup()
