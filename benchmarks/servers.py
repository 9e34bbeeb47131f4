"""An FTP server and a web host on loopback: ``python servers.py ftp|web FOLDER PORT_FILE``."""

from __future__ import annotations

import asyncio
import logging
import sys
from pathlib import Path

USER, PASSWORD = "bench", "bench-password"


def serve_ftp(folder: Path, port_file: Path) -> None:
    """pyftpdlib, as it comes."""
    from pyftpdlib.authorizers import DummyAuthorizer
    from pyftpdlib.handlers import FTPHandler
    from pyftpdlib.servers import FTPServer

    FTPHandler.authorizer = DummyAuthorizer()
    FTPHandler.authorizer.add_user(USER, PASSWORD, str(folder), perm="elradfmwMT")
    logging.getLogger("pyftpdlib").setLevel(logging.WARNING)
    server = FTPServer(("127.0.0.1", 0), FTPHandler)
    _tell(port_file, server.address[1])
    server.serve_forever()


async def serve_web(folder: Path, port_file: Path) -> None:
    """The same folder as the world sees it."""
    from aiohttp import web

    app = web.Application()
    app.router.add_static("/", folder)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    _tell(port_file, runner.addresses[0][1])
    await asyncio.Event().wait()


def _tell(port_file: Path, port: int) -> None:
    part = port_file.with_suffix(".part")
    part.write_text(f"{port}\n", "utf-8")
    part.replace(port_file)


if __name__ == "__main__":
    kind, folder, port_file = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    if kind == "ftp":
        serve_ftp(folder, port_file)
    else:
        asyncio.run(serve_web(folder, port_file))
