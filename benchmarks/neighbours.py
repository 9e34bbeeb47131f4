"""The neighbours, each a process of its own: Graph simulator, FTP server, web host."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from processes import Child, own_cpu
from servers import PASSWORD, USER

ACCOUNT, TOKEN = "17841400000000001", "bench-access-token"
_SERVERS = Path(__file__).with_name("servers.py")


@dataclass
class Neighbours:
    """Where they listen. ``published`` follows the publications as the simulator logs them."""

    ports: dict[str, int]
    pids: dict[str, int]
    log: Path
    _seen: list[dict[str, Any]] = field(default_factory=list)
    _read_to: int = 0

    @property
    def graph_url(self) -> str:
        return f"http://127.0.0.1:{self.ports['simulator']}"

    @property
    def public_url(self) -> str:
        return f"http://127.0.0.1:{self.ports['web']}/"

    @property
    def ftp(self) -> dict[str, Any]:
        return {
            "host": "127.0.0.1",
            "port": self.ports["ftp"],
            "user": USER,
            "password": PASSWORD,
            "public_url": self.public_url,
        }

    def published(self) -> list[dict[str, Any]]:
        """All publications so far: ``time``, ``caption``, ``container``, …"""
        with self.log.open("rb") as log:
            log.seek(self._read_to)
            whole = log.read()
        whole = whole[: whole.rfind(b"\n") + 1]
        self._read_to += len(whole)
        self._seen += map(json.loads, whole.splitlines())
        return self._seen

    def state(self) -> dict[str, Any]:
        """The oracle: everything that the simulator knows."""
        with urllib.request.urlopen(f"{self.graph_url}/_simulator/state", timeout=30) as answer:
            state: dict[str, Any] = json.load(answer)
            return state

    def cpu(self) -> dict[str, float]:
        """CPU seconds of each so far."""
        return {name: own_cpu(pid) or 0.0 for name, pid in self.pids.items()}


@contextmanager
def neighbours(root: Path) -> Iterator[Neighbours]:
    """All three while the context lasts; their files lie below ``root``."""
    host, log = root / "host", root / "published.log"
    host.mkdir(parents=True)
    log.touch()
    simulator: list[str | Path] = ["-m", "mediawatch.simulator", "--token", TOKEN]
    simulator += ["--user", ACCOUNT, "--quota", "1000000", "--log", log, "--port-file"]
    commands: dict[str, list[str | Path]] = {
        "simulator": [*simulator, root / "simulator.port"],
        "ftp": [_SERVERS, "ftp", host, root / "ftp.port"],
        "web": [_SERVERS, "web", host, root / "web.port"],
    }
    with ExitStack() as stack:
        children = {
            name: stack.enter_context(Child(command, root / f"{name}.out"))
            for name, command in commands.items()
        }
        for name, child in children.items():
            child.until((root / f"{name}.port").exists, 30, f"The {name} does not start")
        yield Neighbours(
            ports={name: int((root / f"{name}.port").read_text()) for name in children},
            pids={name: child.pid for name, child in children.items()},
            log=log,
        )
