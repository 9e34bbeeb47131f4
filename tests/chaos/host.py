"""An FTP server that is killed and started again, on the same port over the same folder."""

from __future__ import annotations

import threading
import warnings
from pathlib import Path
from typing import Any

from tests.support.ftp_servers import PASSWORD, USER

with warnings.catch_warnings():  # pyftpdlib is built on asyncore
    warnings.simplefilter("ignore", DeprecationWarning)
    from pyftpdlib.authorizers import DummyAuthorizer
    from pyftpdlib.handlers import DTPHandler, FTPHandler, ThrottledDTPHandler
    from pyftpdlib.ioloop import IOLoop
    from pyftpdlib.servers import FTPServer


class FtpHost:
    """``rate``: bytes a second that an upload may have, 0 for as many as it likes."""

    def __init__(self, folder: Path, rate: int) -> None:
        self.folder = folder
        self.port = 0
        self._rate = rate
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        (folder / "upload").mkdir(parents=True)

    def start(self) -> None:
        """Serve, on the port of the last time if there was one."""
        users = DummyAuthorizer()
        users.add_user(USER, PASSWORD, str(self.folder), perm="elradfmwMT")
        attributes: dict[str, Any] = {"read_limit": self._rate}
        transfer = type(
            "Transfer", (ThrottledDTPHandler if self._rate else DTPHandler,), attributes
        )
        handler = type("Handler", (FTPHandler,), {"authorizer": users, "dtp_handler": transfer})
        server = FTPServer(("127.0.0.1", self.port), handler, IOLoop())
        self.port = server.address[1]
        self._stop.clear()
        self._thread = threading.Thread(target=self._serve, args=[server], daemon=True)
        self._thread.start()

    def _serve(self, server: Any) -> None:
        while not self._stop.is_set():
            server.ioloop.loop(timeout=0.02, blocking=False)
        server.close_all()

    def kill(self) -> None:
        """End it and every transfer, in the middle of whatever it does."""
        if self._thread is not None:
            self._stop.set()
            self._thread.join(10)
            self._thread = None

    def names(self) -> set[str]:
        """What lies in the upload folder."""
        return {path.name for path in (self.folder / "upload").iterdir()}
