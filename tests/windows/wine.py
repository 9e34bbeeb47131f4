"""The Windows Python that ``tests/support/fetch_windows_python.sh`` makes, run from Linux."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from tests.support.daemon import environment

REPOSITORY = Path(__file__).parents[2]
ROOT = REPOSITORY / ".cache" / "windows-python"
PREFIX = ROOT / "prefix"
#: As on Windows: it starts the interpreter in ``base`` as a child.
PYTHON = ROOT / "venv" / "Scripts" / "python.exe"


def missing() -> str:
    """Why nothing can run under Wine here; empty if it can."""
    if shutil.which("wine") is None:
        return "Wine is not installed: run tests/support/fetch_windows_python.sh (Debian)"
    if not (ROOT / "prefix.done").exists():
        return "no Windows Python: run tests/support/fetch_windows_python.sh"
    return ""


def python(*arguments: str, limit: float, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the Windows Python in the folder of the repository; its output and its complaints, in
    one text. ``variables`` are added to the environment. Raises TimeoutExpired after ``limit``
    seconds."""
    # Python dies at its start (WinError 6) if stdin is a file or a terminal, or stdout no pipe.
    return subprocess.run(
        ["wine", str(PYTHON), *arguments],
        cwd=REPOSITORY,
        env=environment() | quiet() | variables,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        timeout=limit,
        check=False,
    )


def quiet() -> dict[str, str]:
    """What Wine wants to know: where its Windows lies; no debugger, no browser, no menus."""
    unwanted = "winedbg.exe,winemenubuilder.exe,mscoree,mshtml=d"
    return {"WINEPREFIX": str(PREFIX), "WINEDEBUG": "-all", "WINEDLLOVERRIDES": unwanted}


def end_all() -> None:
    """End whatever still runs in this Windows, and in no other one."""
    subprocess.run(
        ["wineserver", "--kill"], env=os.environ | quiet(), check=False, capture_output=True
    )


def seen_inside(path: Path) -> str:
    """What a Windows program calls this path: Wine shows the root of Linux as its drive Z."""
    return "Z:" + str(path).replace("/", "\\")
