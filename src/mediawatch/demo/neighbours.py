"""The neighbours of a mediawatch, for real but on loopback: Meta, an FTP server, a web host."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aioftp
from aiohttp import web

from mediawatch.config import Settings
from mediawatch.simulator import Simulator, SimulatorOptions

ACCOUNT = "17841400000000001"
TOKEN = "demo-access-token"
USER = "demo"
PASSWORD = "demo-password"


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Where they listen."""

    graph_url: str
    ftp_port: int
    public_url: str


@asynccontextmanager
async def neighbours(folder: Path) -> AsyncIterator[Neighbours]:
    """Serve all three while the context lasts. ``folder``: what FTP writes and the web shows."""
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    options = SimulatorOptions(token=TOKEN, users=(ACCOUNT,))
    async with Simulator(options) as graph, _ftp(folder) as port, _web(folder) as address:
        yield Neighbours(graph.url, port, address)


@asynccontextmanager
async def _ftp(folder: Path) -> AsyncIterator[int]:
    user = aioftp.User(
        USER,
        PASSWORD,
        base_path=folder,
        permissions=[aioftp.Permission("/", readable=True, writable=True)],
    )
    server = aioftp.Server([user], idle_timeout=120)
    await server.start("127.0.0.1", 0)
    try:
        yield server.server_port
    finally:
        await server.close()


@asynccontextmanager
async def _web(folder: Path) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_static("/", folder)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/"
    finally:
        await runner.cleanup()


def settings_for(place: Neighbours, root: Path) -> Settings:
    """Settings for a daemon among these neighbours, all its folders below ``root``."""
    tables: dict[str, dict[str, Any]] = {
        "watch": {"folder": str(root / "download"), "settle": 1.0},
        "ftp": {
            "host": "127.0.0.1",
            "port": place.ftp_port,
            "user": USER,
            "password": PASSWORD,
            "public_url": place.public_url,
            "tls": "off",
        },
        "instagram": {
            "user_id": ACCOUNT,
            "access_token": TOKEN,
            "graph_url": place.graph_url,
        },
        "publish": {"hashtags": ["mediawatch"]},
        "web": {"port": 0},
        "storage": {"data_dir": str(root / "data")},
        "log": {"file": str(root / "mediawatch.log"), "format": "json"},
    }
    return Settings.model_validate(tables)
