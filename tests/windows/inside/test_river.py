"""The whole river in a Windows process: from the inbox over FTP and Graph into ``processed``."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.support import pictures
from tests.windows.inside.river import PATIENCE, River

_RUNS = """
import signal, sys, threading, time
from pathlib import Path
from mediawatch.cli.main import app

def press():
    while not Path(sys.argv[1]).with_name("break").exists():
        time.sleep(0.05)
    signal.raise_signal(signal.SIGBREAK)

threading.Thread(target=press, daemon=True).start()
app(["run", "--config", sys.argv[1]])
"""


def test_a_picture_is_published(tmp_path: Path, tables: dict[str, dict[str, Any]]) -> None:
    """``mediawatch run`` publishes what is dropped, once, and files the original; Ctrl-Break drains
    and ends it with exit code 0 (given by the process itself: Wine has no console here)."""
    river = River(tmp_path, tables)
    river.configure()
    daemon = subprocess.Popen(
        [sys.executable, "-c", _RUNS, str(river.config)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    try:
        river.until(lambda: river.said("start") or daemon.poll() is not None)
        river.publishes("Été à la plage.jpg", pictures.jpeg(400, 320, seed=1))
        river.publishes("zwei.png", pictures.see_through_png(400, 320))
        (tmp_path / "break").touch()
        assert 0 == daemon.wait(PATIENCE)
        assert "Stopped" in river.said("stop")[-1]["event"]
    finally:
        daemon.kill()
        print(daemon.communicate()[0].decode(errors="replace"))
        print(river.story())
