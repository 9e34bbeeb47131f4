"""The folder in which prepared files wait to be wanted again, the least wanted thrown out first.

Each has two files: what is published, and beside it what is known of it. Nothing here must last:
what is missing or does not add up is as good as never made.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections import OrderedDict
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from mediawatch import crash
from mediawatch.media import wire
from mediawatch.media.order import Prepared
from mediawatch.model.kinds import SUFFIXES

_KNOWN = ".json"


class Shelf:
    """Prepared files by key, at most ``limit`` bytes of them. Each is another name of the file that
    was prepared: keeping and taking copy nothing, and work only on the disk of the folder.

    Blocks on the disk: call it in a thread. Any method may raise OSError.
    """

    def __init__(self, folder: Path, limit: int) -> None:
        self._folder = folder
        self._limit = limit
        self._turn = threading.Lock()
        self._sizes: OrderedDict[str, int] | None = None  # the least wanted first

    def take(self, key: str, target: Path) -> Prepared | None:
        """Have the file of that key at ``target``, too; None if there is none that adds up."""
        with self._turn:
            if key not in self._opened():
                return None
        try:
            prepared = wire.result(json.loads((self._folder / f"{key}{_KNOWN}").read_bytes()))
            kept = self._folder / f"{key}{SUFFIXES[prepared.media_type]}"
            with kept.open("rb") as file:
                intact = hashlib.file_digest(file, "sha256").hexdigest() == prepared.sha256
        except Exception:  # gone, or garbled: as good as never made
            intact = False
        with self._turn:
            if not intact:
                self._drop(key)
                return None
            self._opened()[key] = prepared.size
            self._opened().move_to_end(key)
        _link(kept, target)
        with suppress(OSError):
            os.utime(kept)  # so that the order outlives a restart
        return prepared

    def keep(self, key: str, file: Path, prepared: Prepared) -> None:
        """Keep ``file``, which was prepared just now, and throw out what is too much."""
        if prepared.size > self._limit:
            return
        with self._turn:
            sizes = self._opened()
            self._folder.mkdir(parents=True, exist_ok=True)
            known = json.dumps({"prepared": asdict(prepared)}).encode("ascii")
            (self._folder / f"{key}{_KNOWN}").write_bytes(known)
            crash.at("cache.noted")
            os.link(file, self._folder / f"{key}{SUFFIXES[prepared.media_type]}")
            crash.at("cache.kept")
            sizes[key] = prepared.size
            self._trim(sizes)

    def clear(self) -> bool:
        """Throw out everything; whether there was anything."""
        with self._turn:
            keys = list(self._opened())
            for key in keys:
                self._drop(key)
            return bool(keys)

    def _opened(self) -> OrderedDict[str, int]:
        if self._sizes is None:
            found, notes = [], []
            for file in self._folder.iterdir() if self._folder.is_dir() else ():
                if file.suffix in SUFFIXES.values():
                    status = file.stat()
                    found.append((status.st_mtime_ns, file.stem, status.st_size))
                elif file.suffix == _KNOWN:
                    notes.append(file.stem)
            self._sizes = OrderedDict((key, size) for _, key, size in sorted(found))
            for key in notes:
                if key not in self._sizes:
                    self._drop(key)  # a kill came before its file
            self._trim(self._sizes)
        return self._sizes

    def _trim(self, sizes: OrderedDict[str, int]) -> None:
        total = sum(sizes.values())
        while total > self._limit:
            least = next(iter(sizes))
            total -= sizes[least]
            self._drop(least)

    def _drop(self, key: str) -> None:
        if self._sizes is not None:
            self._sizes.pop(key, None)
        for suffix in (_KNOWN, *SUFFIXES.values()):
            with suppress(OSError):  # on Windows, while somebody reads it
                (self._folder / f"{key}{suffix}").unlink(missing_ok=True)
                crash.at("cache.dropped")


def _link(kept: Path, target: Path) -> None:
    if target.exists() and target.samefile(kept):
        return
    target.unlink(missing_ok=True)
    crash.at("work.prepared-removed")
    os.link(kept, target)
