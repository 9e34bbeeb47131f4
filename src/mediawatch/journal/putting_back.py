"""A journal takes the place of the one that is there, with what lies beside it: all or nothing,
whenever the power fails.

What is new lies whole in a folder of its own first. The rename of that folder decides: before it
nothing has happened, after it every start ends what was begun (``SqliteJournal`` sees to that), for
each step can be told from the files themselves. What was there is moved to a folder, whole.
"""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path

from mediawatch import crash
from mediawatch.errors import from_os_error
from mediawatch.journal.backup import flush
from mediawatch.journal.witness import FILE_NAME as WITNESS
from mediawatch.journal.witness import UNSEEN

JOURNAL = "journal.db"
TLS_SEEN = "tls_seen.json"
#: The keys of the tokens in the journal (crypto/vault.py).
KEYS = "keys"
#: What may be put back, the journal last: with it the rest counts.
NAMES = (UNSEEN, WITNESS, TLS_SEEN, KEYS, JOURNAL)

_PART = "restore.part"
_READY = "restore.ready"
#: In the folder: the name of the one that what was there goes to.
_ASIDE = "aside"
#: What belongs to a journal, itself last.
_WITH_JOURNAL = ("-wal", "-shm", ".suspect", "")


def begin(data_dir: Path) -> Path:
    """An empty folder for what is to be put back, on the same disk. Raises StorageProblem."""
    part = data_dir / _PART
    try:
        part.mkdir(mode=0o700, exist_ok=True)
        for path in part.iterdir():
            path.unlink()
            crash.at("restore.cleared")
    except OSError as error:
        raise from_os_error(error, f"make {part}") from error
    return part


def decide(data_dir: Path, stamp: str) -> Path:
    """What lies in the folder of ``begin`` takes its place. Gives the folder in which that lies
    which was there, if anything was. Only for the owner of ``data_dir``. Raises StorageProblem.
    """
    part, aside = data_dir / _PART, _free(data_dir / f"replaced-{stamp}")
    try:
        (part / _ASIDE).write_text(aside.name, encoding="utf-8")
        for path in part.iterdir():
            flush(path)
        _flush_folder(part)
        crash.at("restore.unsealed")
        part.rename(data_dir / _READY)
        _flush_folder(data_dir)
        crash.at("restore.ready")
    except OSError as error:
        raise from_os_error(error, f"write {part}") from error
    finish(data_dir)
    return aside


def finish(data_dir: Path) -> bool:
    """End what ``decide`` began, if it was cut off; whether there was anything to end.

    Only for the owner of ``data_dir``. Raises StorageProblem.
    """
    ready = data_dir / _READY
    if not ready.is_dir():
        return False
    try:
        if (ready / _ASIDE).exists():
            aside = data_dir / (ready / _ASIDE).read_text(encoding="utf-8")
            aside.mkdir(mode=0o700, exist_ok=True)
            for name in NAMES:
                if (ready / name).exists():
                    _place(ready / name, data_dir, aside)
            _flush_folder(aside)
            with contextlib.suppress(OSError):  # something was there
                aside.rmdir()
                crash.at("restore.ended")
            _flush_folder(data_dir)
            (ready / _ASIDE).unlink()
            crash.at("restore.ended")
        ready.rmdir()
        crash.at("restore.ended")
    except OSError as error:
        raise from_os_error(error, f"put back what lies in {ready}") from error
    return True


def _place(new: Path, data_dir: Path, aside: Path) -> None:
    for end in _WITH_JOURNAL if new.name == JOURNAL else ("",):
        old = data_dir / f"{new.name}{end}"
        if os.path.lexists(old):
            old.rename(aside / old.name)
            crash.at("restore.set-aside")
    new.rename(data_dir / new.name)
    crash.at("restore.placed")


def _free(folder: Path) -> Path:
    number, free = 1, folder
    while os.path.lexists(free):
        number += 1
        free = folder.with_name(f"{folder.name}-{number}")
    return free


def _flush_folder(folder: Path) -> None:
    if sys.platform != "win32":
        flush(folder)
