"""Whose the files are that root makes in somebody else's folder: theirs.

An administrator who gives orders in the data folder of a service must leave nothing there that it
cannot open. What root itself owns in such a folder was made by one of these orders.
"""

from __future__ import annotations

import contextlib
import os
import stat
import sys
from pathlib import Path


def is_anothers(folder: Path) -> bool:
    """Whether this is root at work in a folder of somebody else. On Windows files inherit the
    rights of their folder, whoever makes them."""
    return sys.platform != "win32" and os.geteuid() == 0 and folder.stat().st_uid != 0


def give_to_owner_of(folder: Path, path: Path) -> None:
    """Let ``path`` be of whoever has ``folder``, with all that lies in it. Raises OSError."""
    if sys.platform != "win32" and is_anothers(folder):
        owner = folder.stat()
        give(path, owner.st_uid, owner.st_gid)


def give(path: Path, user: int, group: int) -> bool:
    """Let what is root's of ``path``, and of all that lies in it, be theirs; whether anything
    was. Links are not followed, and a file that has a second name somewhere stays what it is.
    Raises OSError."""
    if sys.platform == "win32":
        return False
    above = os.open(path.parent, os.O_DIRECTORY)
    try:
        given = _give(path.name, user, group, folder=above)
    finally:
        os.close(above)
    if path.is_symlink() or not path.is_dir():
        return given
    for _, folders, files, descriptor in os.fwalk(path):
        for name in (*folders, *files):
            with contextlib.suppress(FileNotFoundError):  # others work there too
                given |= _give(name, user, group, folder=descriptor)
    return given


def _give(name: str, user: int, group: int, *, folder: int) -> bool:
    if sys.platform == "win32":
        return False
    found = os.stat(name, dir_fd=folder, follow_symlinks=False)
    roots = found.st_uid == 0 and (stat.S_ISDIR(found.st_mode) or found.st_nlink == 1)
    if roots:
        os.chown(name, user, group, dir_fd=folder, follow_symlinks=False)
    return roots
