"""The bytes of a settled file, read once: what they are, whether they are whole, their sha256.

Everything here blocks.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from mediawatch.media.embedded import embedded_caption
from mediawatch.media.probe import HEAD, open_regular, sniff
from mediawatch.watch import folders
from mediawatch.watch.candidates import Contents, Identity, Inspect, Inspection

#: A file up to this size, in bytes, is read in one go.
AT_ONCE = 1 << 20


@dataclass(frozen=True, slots=True)
class Reading:
    """What a look into a file says, or what was in its way; and what it held, if it stood still."""

    seen: Inspection | Exception
    contents: Contents | None = None


class Readings:
    """Reads small files while they are open anyway, to be asked who writes to them; of others it
    only says what they are."""

    def __init__(self, inspect: Inspect) -> None:
        self._inspect = inspect
        self.by_name: dict[str, Reading] = {}

    def peek(self, name: str, descriptor: int, size: int) -> None:
        """Read an open file of that size, unless it is large: others wait. Raises nothing."""
        if size > AT_ONCE:
            return
        try:
            before = identity(os.fstat(descriptor))
            data = os.read(descriptor, size + 1)
            if len(data) != size or identity(os.fstat(descriptor)) != before:
                return
            contents = _contents(data, before)
            seen = self._inspect(name, BytesIO(data))
        except Exception as error:  # whatever a broken file does to the inspector: go on
            self.by_name[name] = Reading(error)
        else:
            self.by_name[name] = Reading(seen, contents)

    def look_into(self, name: str, path: Path) -> None:
        """Open a file, and see what it is. Raises nothing."""
        try:
            if path.is_dir() and not path.is_symlink():
                self.by_name[name] = Reading(folders.inspect(path, self._inspect))
                return
            with open_regular(path) as file:
                self.by_name[name] = Reading(self._inspect(name, file))
        except Exception as error:
            self.by_name[name] = Reading(error)


def read(descriptor: int) -> Contents | None:
    """Read an open file to its end; None if it changed meanwhile. Raises OSError."""
    before = os.fstat(descriptor)
    if before.st_size <= AT_ONCE:
        data = os.read(descriptor, before.st_size + 1)
        if len(data) == before.st_size:
            found = _contents(data, identity(before))
            return found if identity(os.fstat(descriptor)) == found.identity else None
        os.lseek(descriptor, 0, os.SEEK_SET)
    with open(descriptor, "rb", closefd=False) as file:
        family = sniff(file.read(HEAD)).family
        file.seek(0)
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        file.seek(0)
        told = embedded_caption(file)
    if identity(os.fstat(descriptor)) != identity(before):
        return None
    return Contents(sha256, before.st_size, family, identity(before), told)


def identity(found: os.stat_result) -> Identity:
    """What a rename leaves as it is, and a writer does not."""
    return found.st_ino, found.st_size, found.st_mtime_ns


def _contents(data: bytes, of: Identity) -> Contents:
    sha256 = hashlib.sha256(data).hexdigest()
    return Contents(sha256, len(data), sniff(data[:HEAD]).family, of, embedded_caption(data))
