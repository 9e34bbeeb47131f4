"""Print those of the locked requirements that a Windows CPython 3.11 wants, with their hashes.

pip asks the Python that it runs in about markers such as ``sys_platform``, whatever ``--platform``
says; so they are answered here. ``locked.py RUN TEST``.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from pip._vendor.packaging.markers import Marker

WINDOWS = {
    "implementation_name": "cpython",
    "os_name": "nt",
    "platform_machine": "AMD64",
    "platform_python_implementation": "CPython",
    "platform_system": "Windows",
    "python_full_version": "3.11.9",
    "python_version": "3.11",
    "sys_platform": "win32",
}
TESTING = ("iniconfig", "packaging", "pluggy", "pytest", "pytest-asyncio", "pytest-timeout")
_REQUIREMENT = re.compile(
    r"^(?P<pin>(?P<name>[^\s#;=]+)==[^\s#;]+)"
    r"(?: ; (?P<marker>[^\\\n]+?))?"
    r"(?P<hashes>(?: \\\n +--hash=\S+)+)$",
    re.MULTILINE,
)


def wanted(text: str) -> dict[str, str]:
    """Names and requirements, without their markers and without those whose marker says no."""
    return {
        found["name"]: found["pin"] + found["hashes"]
        for found in _REQUIREMENT.finditer(text)
        if not found["marker"] or Marker(found["marker"]).evaluate(WINDOWS)
    }


def main(run: Path, test: Path) -> None:
    """All that mediawatch runs with, and of what tests it only what runs inside Windows."""
    locked = wanted(run.read_text(encoding="utf-8"))
    others = wanted(test.read_text(encoding="utf-8"))
    print("\n".join((locked | {name: others[name] for name in TESTING}).values()))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
