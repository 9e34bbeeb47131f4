"""The worker process by itself, spoken to as the daemon does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mediawatch.media import wire
from mediawatch.media.order import ImageOptions
from tests.support import pictures

COMMAND = [sys.executable, "-P", "-m", "mediawatch.media.worker", str(1 << 30), "30"]


def test_it_ends_when_stdin_closes(tmp_path: Path) -> None:
    """A daemon that was killed leaves no orphan: its end of the pipe closes with it."""
    (tmp_path / "photo.jpg").write_bytes(pictures.jpeg())
    order = wire.request(tmp_path / "photo.jpg", tmp_path / "out.jpg", ImageOptions())
    done = subprocess.run(COMMAND, input=order, capture_output=True, timeout=30, check=False)
    ready, answer = done.stdout.splitlines()
    assert {"ready": True} == json.loads(ready)
    assert json.loads(answer)["prepared"]["width"] == 1200
    assert done.returncode == 0


@pytest.mark.parametrize("stray", ["print('stray')", "import os; os.write(1, b'stray')", "input()"])
def test_stray_output_cannot_corrupt_the_protocol(stray: str) -> None:
    """A library that prints, even past Python, or that reads stdin, harms nothing."""
    program = (
        "import sys\nfrom mediawatch.media import worker\n"
        f"def stray(*_):\n    {stray}\n    raise ValueError('broken')\n"
        "worker._prepare = stray\nsys.exit(worker.main(sys.argv[1:]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(1 << 30), "30"],
        input=b"{}\n{}\n", capture_output=True, timeout=30, check=False,
    )  # fmt: skip
    ready, *answers = (json.loads(line) for line in done.stdout.splitlines())
    assert ready == {"ready": True}
    assert [answer["error"]["kind"] for answer in answers] == ["PreparationProblem"] * 2
    assert (b"stray" in done.stderr) == ("stray'" in stray)


@pytest.mark.skipif(sys.platform == "win32", reason="the alarm is POSIX")
def test_an_orphan_ends_by_alarm() -> None:
    """Even while it decodes without end, and with nobody left to kill it, it does not stay."""
    program = (
        "import sys\nfrom mediawatch.media import worker\n"
        "def busy(*_):\n    while True:\n        pass\n"
        "worker._prepare = busy\nworker._GRACE = 0\nsys.exit(worker.main(sys.argv[1:]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(1 << 30), "0.1"],
        input=b"{}\n", capture_output=True, timeout=30, check=False,
    )  # fmt: skip
    assert done.returncode == -14  # SIGALRM


def test_it_loads_only_what_it_needs() -> None:
    """It starts for a file that is about to come, so it brings no server and no Ghostscript."""
    program = "import sys, mediawatch.media.worker; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-P", "-c", program], capture_output=True, text=True, check=True,
        env={name: value for name, value in os.environ.items() if not name.startswith("COV")},
    )  # fmt: skip
    loaded = set(done.stdout.split())
    unwanted = {
        "asyncio",
        "aiohttp",
        "pydantic",
        "sqlalchemy",
        "av",
        "PIL.EpsImagePlugin",
        "PIL.ImageCms",
        "pillow_heif",
    }
    assert set() == loaded & unwanted
