"""A daemon's folders and settings on Windows, and what became of a picture."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

#: Seconds that anything may take that is waited for. Far more than it needs.
PATIENCE = 40.0


@dataclass
class River:
    """Everything lies below ``root``; ``tables`` lead to Graph and FTP server."""

    root: Path
    tables: dict[str, dict[str, Any]]

    def __post_init__(self) -> None:
        self.inbox = self.root / "download"
        self.processed = self.root / "processed"
        self.log_file = self.root / "mediawatch.log"
        self.config = self.root / "config.toml"
        self.inbox.mkdir()

    def configure(self, **changes: dict[str, Any]) -> None:
        """Write settings that work, and are quick; ``changes`` by table."""
        settings: dict[str, dict[str, Any]] = {
            "watch": {"folder": str(self.inbox), "settle": 0.2, "hold_above": 0},
            **self.tables,
            "publish": {"caption": "{stem}", "poll_delays": [0, 0.2]},
            "web": {"port": 0},
            "storage": {"data_dir": str(self.root / "data")},
            "log": {"format": "json", "file": str(self.log_file)},
        }
        for table, keys in changes.items():
            settings[table] = settings[table] | keys
        lines = []
        for table, keys in settings.items():
            lines.append(f"[{table}]")
            lines += [f"{key} = {json.dumps(value)}" for key, value in keys.items()]
        self.config.write_text("\n".join(lines) + "\n", encoding="utf-8")

    def said(self, action: str, file: Path | None = None) -> list[dict[str, Any]]:
        """The whole lines of the log with this action."""
        file = file or self.log_file
        if not file.exists():
            return []
        lines = file.read_text(encoding="utf-8").split("\n")[:-1]
        return [line for line in map(json.loads, lines) if line["action"] == action]

    def story(self) -> str:
        """The end of the log, for a test that failed."""
        told = self.log_file.read_text(encoding="utf-8") if self.log_file.exists() else "no log"
        return told[-4000:]

    def captions(self) -> list[str]:
        """The captions of all that the Graph published, ours and those of other tests."""
        url = f"{self.tables['instagram']['graph_url']}/_simulator/state"
        with urllib.request.urlopen(url, timeout=10) as answer:
            return [media["caption"] for media in json.load(answer)["publications"]]

    def until(self, seen: Callable[[], Any], limit: float = PATIENCE) -> None:
        """Wait until that is seen."""
        end = time.monotonic() + limit
        while not seen():
            assert time.monotonic() < end, f"not seen within {limit:.0f} s\n{self.story()}"
            time.sleep(0.05)

    def publishes(self, name: str, content: bytes) -> None:
        """Drop a picture: it must be published once, and lie in ``processed`` as it was."""
        (self.inbox / name).write_bytes(content)
        self.until((self.processed / name).exists)
        assert content == (self.processed / name).read_bytes()
        assert 1 == self.captions().count(Path(name).stem), self.captions()
        assert not (self.inbox / name).exists()
