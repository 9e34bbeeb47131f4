"""What a process is run with so that its disk is small, its rights few, or its watches none."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

_ALONE = ["unshare", "--user", "--map-root-user", "--mount"]
_MOUNT = 'mount -t tmpfs -o size=2m none "$0" && exec "$@"'
#: For a process that cannot watch any folder.
NO_WATCHES = [
    *_ALONE, "sh", "-c", 'echo 0 > /proc/sys/user/max_inotify_watches && exec "$0" "$@"'
]  # fmt: skip


def small_disk(folder: Path) -> list[str]:
    """For a process that shall see a disk of 2 MB at ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    return [*_ALONE, "sh", "-c", _MOUNT, str(folder)]


def powerless() -> list[str]:
    """For a process to which permissions apply, even if root runs the tests."""
    if sys.platform == "win32" or os.geteuid() != 0:
        return []
    return ["setpriv", "--bounding-set=-all", "--inh-caps=-all"]


def required(before: list[str]) -> None:
    """Skip where that is not possible, unless all tests are required."""
    if os.environ.get("MEDIAWATCH_REQUIRE_ALL") == "1":
        return
    if before and shutil.which(before[0]) is None:
        pytest.skip(f"{before[0]} is not installed")
    done = subprocess.run([*before, "true"], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"not possible here: {done.stderr}")
