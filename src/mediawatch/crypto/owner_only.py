"""Files that nobody but their owner may read.

On POSIX by their mode. Windows has no mode: there the list of rights that a file inherits from its
folder is replaced by one that names its owner, the system and the administrators (who may read
whatever they want anyway), as ``icacls FILE /inheritance:r /grant:r …`` does it (Microsoft:
icacls; well-known SIDs).
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

#: OWNER RIGHTS, SYSTEM, Administrators: their SIDs, which are the same in every language.
_MAY = ("*S-1-3-4:F", "*S-1-5-18:F", "*S-1-5-32-544:F")


@contextlib.contextmanager
def new(path: Path) -> Iterator[BinaryIO]:
    """A file that was not there, to be written; flushed to the disk at the end. Raises OSError."""
    binary = getattr(os, "O_BINARY", 0)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | binary, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        restrict(path)  # before anything is in it
        yield file
        file.flush()
        os.fsync(file.fileno())


def write(path: Path, content: bytes) -> None:
    """The same with this content."""
    with new(path) as file:
        file.write(content)


def make_folder(path: Path) -> None:
    """A folder with all above it, if it is not there; then it is its owner's alone, with what
    will lie in it. Raises OSError."""
    if not path.is_dir():
        path.mkdir(parents=True, exist_ok=True)
        restrict(path)


def restrict(path: Path) -> None:
    """Take everybody else's rights away. Raises OSError."""
    if sys.platform == "win32":
        grants = [word for who in _MAY for word in ("/grant:r", who)]
        done = subprocess.run(  # noqa: S603 - our own words, and a path
            ["icacls", str(path), "/inheritance:r", *grants],  # noqa: S607 - part of Windows
            capture_output=True,
            check=False,
        )
        if done.returncode:
            raise OSError(None, "its rights could not be limited to you (icacls)", str(path))
    else:
        path.chmod(0o700 if path.is_dir() else 0o600)


def as_its_folder(path: Path) -> None:
    """Windows: give ``path`` the rights again that it inherits, so that a service can read what an
    administrator wrote into its folder. Raises OSError."""
    if sys.platform == "win32":
        done = subprocess.run(  # noqa: S603 - our own words, and a path
            ["icacls", str(path), "/reset"],  # noqa: S607 - part of Windows
            capture_output=True,
            check=False,
        )
        if done.returncode:
            raise OSError(
                None, "it could not be given the rights of its folder (icacls)", str(path)
            )
