"""Whether the inbox is still the folder that is watched, asked every few seconds for weeks.

Listing 10,000 names for that costs a quiet daemon more than all else that it does, so a folder
whose own time did not change is believed to hold what it held.
"""

from __future__ import annotations

import contextlib
import itertools
import os
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

from mediawatch.watch import folders

#: Every so many times the folder is listed whatever its time says: not every file system keeps it.
LISTED_EVERY = 12
#: Folders in the inbox that are watched for changes at the most: each costs a thread.
MOST_WATCHED = 64


class SameFolder:
    """Tells the identities of one inbox. Every call blocks. ``accounts``: the names of folders in
    it that are accounts, which may become more."""

    def __init__(self, root: str, accounts: Callable[[], Collection[str]] = frozenset) -> None:
        self._root = root
        self._accounts = accounts
        #: Whether there are more folders than are watched.
        self.beyond = False
        self._listed_at: tuple[object, ...] | None = None
        self._found: dict[str, tuple[int, int]] = {}
        self._believed = 0

    def identities(self) -> dict[str, tuple[int, int]]:
        """Device and inode of the folder, and of those in it whose files are looked at too:
        another folder in its place has others. Raises OSError."""
        status, accounts = Path(self._root).stat(), self._accounts()
        seen = (status.st_dev, status.st_ino, status.st_mtime_ns, accounts)
        if seen == self._listed_at and self._believed < LISTED_EVERY - 1:
            self._believed += 1
            return self._found
        inside = _kinds_in(self._root, accounts)
        self.beyond = len(inside) > MOST_WATCHED
        self._found = {self._root: (status.st_dev, status.st_ino)}
        self._found.update(itertools.islice(sorted(inside.items()), MOST_WATCHED))
        self._listed_at, self._believed = seen, 0
        return self._found


def _kinds_in(root: str, accounts: Collection[str] = ()) -> dict[str, tuple[int, int]]:
    return dict(_folders_in(root, accounts))


def _folders_in(root: str, accounts: Collection[str]) -> Iterator[tuple[str, tuple[int, int]]]:
    with os.scandir(root) as entries:
        for entry in entries:
            own = folders.is_account(entry.name, accounts)
            if (own or entry.name.lower() in folders.KINDS) and entry.is_dir(follow_symlinks=False):
                inside = entry.stat(follow_symlinks=False)
                yield entry.path, (inside.st_dev, inside.st_ino)
                if own:
                    with contextlib.suppress(OSError):  # the scan tells of it
                        yield from _folders_in(entry.path, ())
