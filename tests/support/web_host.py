"""A web server over a folder, and the ways in which real ones misbehave."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class WebHost:
    """A running web server. ``answers`` replace what it says for a path; a list is used up in
    order, then the folder answers again. ``requests`` are those seen, oldest first."""

    url: str
    requests: list[web.Request] = field(default_factory=list)
    answers: dict[str, list[Answer]] = field(default_factory=dict)


@asynccontextmanager
async def web_host(folder: Path, port: int = 0) -> AsyncIterator[WebHost]:
    """Serve ``folder`` on loopback, with ranges and content types as web servers do."""
    host = WebHost("")

    @web.middleware
    async def scripted(
        request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        host.requests.append(request)
        waiting = host.answers.get(request.path)
        return await (waiting.pop(0)(request) if waiting else handler(request))

    app = web.Application(middlewares=[scripted])
    app.router.add_static("/", folder)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", port)
        await site.start()
        host.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield host
    finally:
        await runner.cleanup()
