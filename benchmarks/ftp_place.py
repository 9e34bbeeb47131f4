"""A real FTP server in a process of its own: ``python ftp_place.py ORDER_FILE``.

The servers are those of the tests (tests/support/ftp_daemons.py): as Debian ships them, with TLS
demanded on every connection and its session resumed on data connections.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from delay_tunnel import Way
from processes import Child

UPLOAD = "/upload"


@dataclass(frozen=True)
class Place:
    """Where the server listens and what it serves. ``ca``: empty if it speaks plain text."""

    host: str
    port: int
    user: str
    password: str
    ca: str
    folder: str

    def sizes(self) -> dict[str, int]:
        """What was uploaded, in bytes."""
        return {entry.name: entry.stat().st_size for entry in os.scandir(self.folder)}

    def read(self, name: str) -> bytes:
        """The bytes of an uploaded file."""
        return Path(self.folder, name).read_bytes()

    def empty(self) -> None:
        """Remove what was uploaded."""
        for entry in os.scandir(self.folder):
            os.unlink(entry.path)


@contextmanager
def place(root: Path, kind: str, *, tls: bool, way: Way) -> Iterator[Place]:
    """A server of that ``kind`` at the far end of the ``way``."""
    order, told = root / "order.json", root / "told.json"
    order.write_text(json.dumps({"kind": kind, "tls": tls, "listen": way.address}), "utf-8")
    with Child([__file__, order], root / "server.out", way.far) as child:
        child.until(told.exists, 30, f"{kind} does not start")
        yield Place(**json.loads(told.read_text("utf-8")))


def _serve(order: Path) -> None:
    sys.path.insert(0, str(Path(__file__).parents[1]))
    from tests.support.ftp_daemons import Rules, ftp_daemon
    from tests.support.ftp_servers import PASSWORD, make_certificates

    asked, root = json.loads(order.read_text("utf-8")), order.parent
    # What the servers serve lies in memory or on disk as all the rest does.
    tempfile.tempdir = str(root)
    certificates = make_certificates(root / "tls", asked["listen"]) if asked["tls"] else None
    rules = Rules(listen=asked["listen"])
    with ftp_daemon(asked["kind"], root, certificates, rules) as server:
        # Not enough ports lie idle after a thousand transfers for the range to be any smaller.
        found = Place(
            asked["listen"],
            server.port,
            server.user,
            PASSWORD,
            str(server.ca or ""),
            str(server.folder) + UPLOAD,
        )
        part = root / "told.part"
        part.write_text(json.dumps(vars(found)), "utf-8")
        part.replace(root / "told.json")
        while True:
            signal.pause()


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # the server ends with us
    _serve(Path(sys.argv[1]))
