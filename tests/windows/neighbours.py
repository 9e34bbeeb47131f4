"""Graph, FTP server and web host on loopback, for a daemon that runs in another process."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mediawatch.simulator import Simulator, SimulatorOptions
from tests.support.ftp_servers import PASSWORD, USER, published_folder
from tests.support.simulator import TOKEN
from tests.support.simulator import USER as ACCOUNT


@contextmanager
def neighbours(folder: Path) -> Iterator[dict[str, dict[str, object]]]:
    """They serve from a thread while the context lasts. The settings that lead to them, by table.

    ``folder`` is where uploads go.
    """
    loop, ready, leave = asyncio.new_event_loop(), threading.Event(), asyncio.Event()
    found: dict[str, dict[str, object]] = {}

    async def serve() -> None:
        options = SimulatorOptions(token=TOKEN, users=(ACCOUNT,))
        async with published_folder(folder) as host, Simulator(options) as simulator:
            found["ftp"] = {
                "host": "127.0.0.1",
                "port": host.ftp.port,
                "user": USER,
                "password": PASSWORD,
                "upload_dir": "/upload",
                "public_url": host.public_url,
                "tls": "off",
                "retention": "forever",
            }
            found["instagram"] = {
                "user_id": ACCOUNT,
                "access_token": TOKEN,
                "graph_url": simulator.url,
            }
            ready.set()
            await leave.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),), daemon=True)
    thread.start()
    assert ready.wait(30), "the simulator and the FTP server did not start"
    try:
        yield found
    finally:
        loop.call_soon_threadsafe(leave.set)
        thread.join(30)
        loop.close()
