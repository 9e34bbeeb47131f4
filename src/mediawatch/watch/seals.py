"""What tells whether a file that is left lying is still the same file. Everything here blocks.

A seal is a text: the inode, and of a file that is whole its size and time of change too.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Container, Iterable

from mediawatch.watch import folders
from mediawatch.watch.filters import ignored_by_name
from mediawatch.watch.writers import Writer, key_of, writer_of

#: Seconds since its last change below which a file may still be written to.
_YOUNG = 60.0


def files_in(root: str, accounts: Container[str] = ()) -> dict[str, int]:
    """The files that could be posts, told by name and kind alone, with their inodes. ``accounts``:
    names of folders that are looked into.

    Raises OSError if the folder cannot be listed.
    """
    return {
        name: entry.inode()
        for name, entry in folders.entries_in(root, accounts)
        if ignored_by_name(name) is None
        and (entry.is_file(follow_symlinks=False) or _is_carousel(name, entry))
    }


def _is_carousel(name: str, entry: os.DirEntry[str]) -> bool:
    return folders.may_be_carousel(name) and entry.is_dir(follow_symlinks=False)


def seals_of(root: str, names: Iterable[str], now: float) -> list[tuple[str, str]]:
    """Each name with its seal; without those that are gone. ``now``: seconds since the epoch."""
    seals = ((name, _seal(os.path.join(root, name), now)) for name in names)
    return [(name, seal) for name, seal in seals if seal]


def inode_of(seal: str) -> int:
    """The inode in a seal."""
    return int(seal.partition(":")[0])


def broken(root: str, sealed: Iterable[tuple[str, str]]) -> set[str]:
    """Those of the files that changed since they were whole; not those that are out of sight."""
    return {name for name, seal in sealed if ":" in seal and not is_same(root, name, seal)}


def is_same(root: str, name: str, seal: str) -> bool:
    """Whether a file with another inode is the sealed one all the same.

    FAT, exFAT and many shares give a file another inode with each mount; size and time of change
    tell it there. What cannot be looked at counts as the same.
    """
    found = _stat(os.path.join(root, name))
    return found is None or seal.partition(":")[2] == _state_of(found)


def _seal(path: str, now: float) -> str:
    found = _stat(path)
    if found is None:
        return ""
    if stat.S_ISDIR(found.st_mode):
        return str(found.st_ino)  # its times tell little of what lies in it
    if now - found.st_mtime < _YOUNG and writer_of(path, key_of(found)) is not Writer.NONE:
        return str(found.st_ino)  # it may grow yet, and is the same file all the while
    return f"{found.st_ino}:{_state_of(found)}"


def _state_of(found: os.stat_result) -> str:
    return f"{found.st_size}:{found.st_mtime_ns}"


def _stat(path: str) -> os.stat_result | None:
    try:
        return os.lstat(path)
    except OSError:
        return None
