"""How commands of ours are said on this machine, for people to copy."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

#: Where sudo looks for programs, whatever the PATH of who says it (secure_path).
_SUDO_LOOKS_IN = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def by_administrator(*words: str) -> str:
    """``mediawatch WORDS`` as whoever keeps the services of this machine says it: on Linux that is
    root, and sudo finds no program in somebody's virtual environment."""
    if sys.platform == "win32":
        return f"mediawatch {subprocess.list2cmdline(words)}"
    if sys.platform == "darwin":
        return f"mediawatch {shlex.join(words)}"
    found = shutil.which("mediawatch", path=_SUDO_LOOKS_IN) is not None
    return f"sudo {shlex.join([*(['mediawatch'] if found else this_program()), *words])}"


def this_program() -> list[str]:
    """The words by which this very program is called from anywhere."""
    called = Path(os.path.abspath(sys.argv[0]))  # noqa: PTH100 - a link to it is a name of it
    if called.name == "__main__.py":
        return [sys.executable, "-m", "mediawatch"]
    return [str(called)]
