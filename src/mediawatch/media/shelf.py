"""The folder in which finished pictures wait to be wanted again, the least wanted thrown out first.

Each has two files: the picture, and beside it what is known of it. Nothing here must last: what is
missing or does not add up is as good as never made.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections import OrderedDict
from collections.abc import Container
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from mediawatch.media import wire
from mediawatch.media.order import Prepared, part_file

_PICTURE, _KNOWN, _GROWING = ".jpg", ".json", ".making"


class Shelf:
    """Pictures by key, at most ``limit`` bytes of them. Blocks on the disk: call it in a thread,
    and by one thread at a time. Any method may raise OSError."""

    def __init__(self, folder: Path, limit: int) -> None:
        self._folder = folder
        self._limit = limit
        self._sizes: OrderedDict[str, int] | None = None  # the least wanted first
        self._growing = 0

    def take(self, key: str, target: Path) -> Prepared | None:
        """Put the picture of that key at ``target``; None if there is none that adds up."""
        sizes = self._opened()
        if key not in sizes:
            return None
        picture = self._folder / f"{key}{_PICTURE}"
        try:
            answer = json.loads(picture.with_suffix(_KNOWN).read_bytes())
            prepared = wire.result(answer)
            data = picture.read_bytes()
        except Exception:  # gone, or garbled: as good as never made
            self._drop(key)
            return None
        if hashlib.sha256(data).hexdigest() != prepared.sha256:
            self._drop(key)
            return None
        _deliver(picture, target)
        sizes.move_to_end(key)
        with suppress(OSError):
            os.utime(picture)  # so that the order outlives a restart
        return prepared

    def place_to_grow(self) -> Path:
        """A name for a picture that is about to be made, used by nobody else."""
        self._opened()
        self._growing += 1
        return self._folder / f"{os.getpid()}-{self._growing}{_GROWING}"

    def put(self, key: str, grown: Path, prepared: Prepared, wanted: Container[str]) -> None:
        """Keep the picture that has grown, and throw out what is too much, but for ``wanted``."""
        sizes = self._opened()
        picture = self._folder / f"{key}{_PICTURE}"
        known = picture.with_suffix(_KNOWN)
        part_file(known).write_bytes(json.dumps({"prepared": asdict(prepared)}).encode("ascii"))
        grown.replace(picture)
        part_file(known).replace(known)
        sizes[key] = prepared.size
        sizes.move_to_end(key)
        total = sum(sizes.values())
        for other in list(sizes):
            if total <= self._limit:
                break
            if other not in wanted:
                total -= sizes[other]
                self._drop(other)

    def _opened(self) -> OrderedDict[str, int]:
        if self._sizes is None:
            self._folder.mkdir(parents=True, exist_ok=True)
            found = []
            for file in self._folder.iterdir():
                if file.suffix == _PICTURE:
                    status = file.stat()
                    found.append((status.st_mtime_ns, file.stem, status.st_size))
                elif file.suffix != _KNOWN:
                    file.unlink(missing_ok=True)  # what a kill left half made
            self._sizes = OrderedDict((key, size) for _, key, size in sorted(found))
        return self._sizes

    def _drop(self, key: str) -> None:
        self._opened().pop(key, None)
        for suffix in (_KNOWN, _PICTURE):
            (self._folder / f"{key}{suffix}").unlink(missing_ok=True)


def _deliver(picture: Path, target: Path) -> None:
    """Whole or not at all; without copying where the system can give a file two names."""
    part = part_file(target)
    part.unlink(missing_ok=True)
    try:
        os.link(picture, part)
    except OSError:
        shutil.copyfile(picture, part)
    part.replace(target)
