"""Whether the inbox is still the folder that is watched, asked every few seconds for weeks.

Listing 10,000 names for that costs a quiet daemon more than all else that it does, so a folder
whose own time did not change is believed to hold what it held.
"""

from __future__ import annotations

import os
from pathlib import Path

from mediawatch.watch import folders

#: Every so many times the folder is listed whatever its time says: not every file system keeps it.
LISTED_EVERY = 12


class SameFolder:
    """Tells the identities of one inbox. Every call blocks."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._listed_at: tuple[int, int, int] | None = None
        self._found: dict[str, tuple[int, int]] = {}
        self._believed = 0

    def identities(self) -> dict[str, tuple[int, int]]:
        """Device and inode of the folder, and of those in it whose files are looked at too:
        another folder in its place has others. Raises OSError."""
        status = Path(self._root).stat()
        seen = (status.st_dev, status.st_ino, status.st_mtime_ns)
        if seen == self._listed_at and self._believed < LISTED_EVERY - 1:
            self._believed += 1
            return self._found
        self._found = {self._root: seen[:2], **_kinds_in(self._root)}
        self._listed_at, self._believed = seen, 0
        return self._found


def _kinds_in(root: str) -> dict[str, tuple[int, int]]:
    found = {}
    with os.scandir(root) as entries:
        for entry in entries:
            if entry.name.lower() in folders.KINDS and entry.is_dir(follow_symlinks=False):
                inside = entry.stat(follow_symlinks=False)
                found[entry.path] = (inside.st_dev, inside.st_ino)
    return found
