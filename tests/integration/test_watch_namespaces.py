r"""What only an administrator can cause: mounts over the folder, and limits that are used up.

Each case runs in a child with namespaces of its own, so that the machine is left as it is:

    unshare --user --map-root-user --mount \
        python -m tests.integration.test_watch_namespaces CASE DIR
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from tests.support.watching import Watched

_ALONE = ["unshare", "--user", "--map-root-user", "--mount"]


def _mount(folder: Path) -> None:
    subprocess.run(["mount", "-t", "tmpfs", "none", str(folder)], check=True)


async def _mounted_over(root: Path) -> None:
    """Files on the mount are found, those below it when it is gone; the watch follows."""
    watched = Watched(root)
    watched.put("below.jpg")
    async with watched.running():
        await watched.until(lambda: "below.jpg" in watched.taken)
        _mount(watched.folder)
        await watched.until(lambda: watched.actions().count("watching") == 2)
        watched.put("on-the-mount.jpg")
        await watched.until(lambda: "on-the-mount.jpg" in {c.name for c in watched.offered})
        (watched.folder / "on-the-mount.jpg").unlink(missing_ok=True)
        subprocess.run(["umount", "-l", str(watched.folder)], check=True)
        await watched.until(lambda: watched.actions().count("watching") == 3)
        watched.put("below-again.jpg")
        await watched.until(lambda: "below-again.jpg" in watched.taken)


async def _no_watches(root: Path) -> None:
    await _polls(root, "max_inotify_watches", "fs.inotify.max_user_watches")


async def _no_instances(root: Path) -> None:
    await _polls(root, "max_inotify_instances", "fs.inotify.max_user_instances")


async def _polls(root: Path, limit: str, named: str) -> None:
    """The limit is named once, and files are found all the same."""
    Path("/proc/sys/user", limit).write_text("0", encoding="ascii")
    watched = Watched(root)
    async with watched.running():
        for name in ("a.jpg", "b.jpg"):
            watched.put(name)
            await watched.until(lambda: name in watched.taken)  # noqa: B023
        state = watched.watcher.state
    assert "polling" == state.mode
    assert named in state.mode_reason
    assert 1 == watched.actions().count("polling")


CASES: dict[str, Callable[[Path], Awaitable[None]]] = {
    "mounted-over": _mounted_over,
    "no-watches": _no_watches,
    "no-instances": _no_instances,
}


@pytest.fixture(scope="module")
def namespaces() -> None:
    try:
        script = "mount -t tmpfs none /tmp && test -w /proc/sys/user/max_inotify_watches"
        subprocess.run([*_ALONE, "sh", "-c", script], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        if os.environ.get("MEDIAWATCH_REQUIRE_ALL") == "1":
            raise
        pytest.skip(f"namespaces cannot be made here: {error}")


@pytest.mark.parametrize("case", CASES)
@pytest.mark.usefixtures("namespaces")
def test_the_watcher_goes_on(case: str, tmp_path: Path) -> None:
    """Mounted over and unmounted, no watches left, no instances left: nothing is lost."""
    command = [*_ALONE, sys.executable, "-m", "tests.integration.test_watch_namespaces"]
    done = subprocess.run(
        [*command, case, str(tmp_path)], capture_output=True, text=True, timeout=90, check=False
    )
    assert 0 == done.returncode, done.stderr


if __name__ == "__main__":
    asyncio.run(CASES[sys.argv[1]](Path(sys.argv[2])))  # type: ignore[arg-type]
