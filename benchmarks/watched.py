"""A mediawatch daemon as users run it: a child process with a settings file and a JSON log."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from neighbours import ACCOUNT, TOKEN, Neighbours
from processes import Child

from mediawatch.config import WatchSettings

_DEFAULTS = WatchSettings()
#: Neither is set below, so that the daemon runs as it comes. Seconds; how many.
SETTLE, WORKERS = _DEFAULTS.settle, _DEFAULTS.workers


class Daemon:
    """A running daemon and what it has logged so far."""

    def __init__(self, child: Child, root: Path) -> None:
        self.child = child
        self.inbox = root / "download"
        self.processed = root / "processed"
        self._log = root / "mediawatch.log"
        self._lines: list[dict[str, Any]] = []
        self._read_to = 0

    def lines(self) -> list[dict[str, Any]]:
        """The log so far; ``at`` is each line's time in seconds since the epoch."""
        if not self._log.exists():
            return []
        with self._log.open("rb") as log:
            log.seek(self._read_to)
            new = log.read()
        new = new[: new.rfind(b"\n") + 1]
        self._read_to += len(new)
        for text in new.splitlines():
            line = json.loads(text)
            line["at"] = datetime.fromisoformat(line["timestamp"]).timestamp()
            self._lines.append(line)
        return self._lines

    def count(self, action: str) -> int:
        """How many lines have this action."""
        return sum(line["action"] == action for line in self.lines())

    def complaints(self) -> list[str]:
        """What the daemon warned of."""
        return [line["event"] for line in self.lines() if line["level"] != "info"]

    def drop(self, staged: Path) -> None:
        """Rename one prepared file into the inbox."""
        os.rename(staged, self.inbox / staged.name)


@contextmanager
def watched(root: Path, place: Neighbours, **more: dict[str, Any]) -> Iterator[Daemon]:
    """A daemon with default settings, apart from addresses, folders and the log, and ``more``."""
    (root / "download").mkdir(parents=True, exist_ok=True)
    config = root / "config.toml"
    config.write_text(_toml(root, place, more), "utf-8")
    command: list[str | Path] = ["-m", "mediawatch", "run", "--config", config]
    with Child(command, root / "daemon.out") as child:
        daemon = Daemon(child, root)
        child.until(lambda: daemon.count("start") > 0, 60, "The daemon does not start")
        yield daemon


def _toml(root: Path, place: Neighbours, more: dict[str, dict[str, Any]]) -> str:
    tables: dict[str, dict[str, Any]] = {
        "watch": {"folder": str(root / "download")},
        "ftp": place.ftp,
        "instagram": {"user_id": ACCOUNT, "access_token": TOKEN, "graph_url": place.graph_url},
        "publish": {"caption": "{name}"},
        "web": {"port": 0},
        "storage": {"data_dir": str(root / "data")},
        "log": {"file": str(root / "mediawatch.log"), "format": "json"},
    }
    tables |= more
    text = ""
    for table, values in tables.items():
        # A JSON text or number is the same in TOML.
        keys = [f"{key} = {json.dumps(value)}" for key, value in values.items()]
        text += "\n".join([f"[{table}]", *keys, "", ""])
    return text
