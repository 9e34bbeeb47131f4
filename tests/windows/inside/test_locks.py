"""One daemon a folder: locks between Windows processes."""

from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from mediawatch.errors import AlreadyRunning
from mediawatch.journal.ownership import Ownership, running

if sys.platform == "win32":
    import win32api

_OWNS = """
import sys
from pathlib import Path
from mediawatch.journal.ownership import Ownership
with Ownership(Path(sys.argv[1]) / "data", Path(sys.argv[1]) / "in", now=1.0) as owner:
    owner.announce("http://127.0.0.1:1")
    print("owns", flush=True)
    sys.stdin.read()
"""


def test_a_second_daemon_is_refused_until_the_first_is_gone(tmp_path: Path) -> None:
    """Another process is told who owns the folder; a lock dies with the process, even with one
    that was killed and left its card behind."""
    (tmp_path / "in").mkdir()
    first = subprocess.Popen(
        [sys.executable, "-c", _OWNS, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert first.stdout is not None
        assert "owns\n" == first.stdout.readline()
        owner = running(tmp_path / "data")
        assert owner is not None
        assert "http://127.0.0.1:1" == owner.url
        for data in ("data", "other"):
            with (
                pytest.raises(AlreadyRunning),
                Ownership(tmp_path / data, tmp_path / "in", now=2.0),
            ):
                pass
    finally:
        first.kill()
        first.communicate()
    with Ownership(tmp_path / "data", tmp_path / "in", now=3.0):
        assert running(tmp_path / "data") is not None
    assert running(tmp_path / "data") is None


def test_our_folder_in_the_inbox_is_hidden(tmp_path: Path) -> None:
    """Explorer does not show it, and files in it are written as ever, by a second owner too."""
    for now in (1.0, 2.0):
        with Ownership(tmp_path / "data", tmp_path, now=now):
            attributes = win32api.GetFileAttributes(str(tmp_path / ".mediawatch"))
            assert attributes & stat.FILE_ATTRIBUTE_HIDDEN
