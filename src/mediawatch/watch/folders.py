"""The folders inside the inbox: those that say what becomes of their files, those of accounts, in
which there may be the same again, and carousels.

A carousel is settled when all of its files are: it has one key, one size and one answer to who
writes to it, as if it were one file. Everything here blocks.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Container, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from mediawatch.media.probe import open_regular
from mediawatch.model.kinds import PostKind
from mediawatch.model.names import natural_key
from mediawatch.watch.candidates import Inspect, Inspection
from mediawatch.watch.filters import (
    RAW,
    ignored_by_name,
    is_hidden_temporary,
    is_partial,
    is_sidecar,
)
from mediawatch.watch.writers import Key, Writer, key_of, writer_of

#: What becomes of the files in a folder of that name.
KINDS = {"stories": PostKind.STORY, "reels": PostKind.REEL}
EMPTY = "it is a folder without pictures or videos"
#: Of two answers to who writes, the one that counts.
_STRONGEST = (Writer.GONE, Writer.CHANGED, Writer.SOME, Writer.UNREADABLE, Writer.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Listed:
    """What lies in a folder. ``files``: name and status of those that may be part of the post,
    sidecars too; ``hidden``: those that another program may be making (rsync and FTP servers write
    under hidden names, and rename at the end); ``raws``: those of cameras, which only go along;
    ``others``: names of what can be no part of one;
    ``growing``: something there is not finished by its name."""

    files: tuple[tuple[str, os.stat_result], ...]
    hidden: tuple[tuple[str, os.stat_result], ...]
    raws: tuple[tuple[str, os.stat_result], ...]
    others: tuple[str, ...]
    growing: bool

    @property
    def all(self) -> tuple[tuple[str, os.stat_result], ...]:
        """Name and status of everything that must stand still before the folder is taken."""
        return *self.files, *self.hidden, *self.raws


def kind_of(name: str) -> PostKind | None:
    """What the folder makes of a file, by its name in the inbox (``stories/a.jpg``)."""
    return KINDS.get(name.rpartition("/")[0].rpartition("/")[2].lower())


def account_in(name: str) -> str | None:
    """The folder of an account in which a name in the inbox lies, as it is written; else None."""
    top, slash, _ = name.partition("/")
    return top if slash and top.lower() not in KINDS else None


def may_be_carousel(name: str) -> bool:
    """Whether a folder of that name in the inbox is one post: in the inbox itself, and in the
    folder of an account. Anything else is a folder in a folder."""
    return name.count("/") == (0 if account_in(name) is None else 1)


def is_account(name: str, accounts: Container[str]) -> bool:
    """Whether a folder of that name is that of an account. ``accounts``: names, casefolded."""
    return name.casefold() in accounts and name.lower() not in KINDS and name[:1] != "."


def entries_in(
    root: str, accounts: Container[str] = (), above: str = ""
) -> Iterator[tuple[str, os.DirEntry[str]]]:
    """Every name in the inbox with its entry; for the folders in ``KINDS``, and of ``accounts``,
    those in them. Raises OSError."""
    with os.scandir(root) as entries:
        for entry in entries:
            own = is_account(entry.name, accounts)
            if (own or entry.name.lower() in KINDS) and entry.is_dir(follow_symlinks=False):
                try:
                    if own:
                        yield from entries_in(entry.path, (), f"{entry.name}/")
                        continue
                    inside = os.scandir(entry.path)
                except OSError:
                    # It is looked at, and told that it cannot be read.
                    yield above + entry.name, entry
                    continue
                with inside:
                    for deep in inside:
                        yield f"{above}{entry.name}/{deep.name}", deep
            else:
                yield above + entry.name, entry


def listed(path: str) -> Listed:
    """Raises OSError."""
    files, hidden, raws, others, growing = [], [], [], [], False
    with os.scandir(path) as entries:
        names = sorted((entry.name for entry in entries), key=natural_key)
    for name in names:
        found = os.lstat(f"{path}/{name}")
        if is_partial(name):
            growing = True
        elif is_hidden_temporary(name) and stat.S_ISREG(found.st_mode):
            hidden.append((name, found))
        elif (reason := ignored_by_name(name)) is not None:
            if reason is RAW and stat.S_ISREG(found.st_mode):
                raws.append((name, found))
        elif stat.S_ISREG(found.st_mode):
            files.append((name, found))
        else:
            others.append(name)
    return Listed(tuple(files), tuple(hidden), tuple(raws), tuple(others), growing)


def key_and_size(path: str, found: Listed) -> tuple[Key, int]:
    """One key for all that lies there, and its size in bytes; 0 if it holds nothing to publish."""
    there = found.all
    told = repr([*((name, key_of(status)) for name, status in there), found.others, found.growing])
    digest = int.from_bytes(hashlib.sha256(told.encode("utf-8", "replace")).digest()[:8], "big")
    size = sum(status.st_size for name, status in found.files if not is_sidecar(name))
    return (os.lstat(path).st_ino, size, digest, len(there), len(found.others)), size


def writer(path: str, found: Listed) -> Writer:
    """Who writes to any of its files."""
    if found.growing:
        return Writer.SOME
    answers = {writer_of(f"{path}/{name}", key_of(status)) for name, status in found.all}
    return next((each for each in _STRONGEST if each in answers), Writer.NONE)


def inspect(path: Path, look_into: Inspect) -> Inspection:
    """Wanted if any of its files is; whole if none of them lacks its end. Raises OSError."""
    wanted, whole = False, True
    for name, _ in listed(str(path)).files:
        if is_sidecar(name):
            continue
        file: BinaryIO
        with open_regular(path / name) as file:
            seen = look_into(name, file)
        wanted |= seen.wanted
        whole &= seen.whole is not False
    return Inspection(wanted=wanted, reason=EMPTY, whole=whole)
