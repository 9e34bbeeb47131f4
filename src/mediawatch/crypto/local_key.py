"""By this a command on this machine shows the daemon that it may read the daemon's own files: a new
word at each start, in a file that nobody but the daemon's user (and root) may read."""

from __future__ import annotations

import contextlib
from pathlib import Path

from mediawatch import crash
from mediawatch.crypto import bearer, owner_only
from mediawatch.errors import from_os_error

FILE_NAME = "local.key"
PREFIX = "mwl_"


def lay(data_dir: Path) -> str:
    """A new word, for as long as this daemon lives. Raises StorageProblem."""
    path, word = data_dir / FILE_NAME, bearer.new(PREFIX)
    try:
        path.unlink(missing_ok=True)
        crash.at("door.cleared")
        owner_only.write(path, word.encode())
        crash.at("door.opened")
    except OSError as error:
        raise from_os_error(error, f"write {path}") from error
    return word


def take_away(data_dir: Path) -> None:
    """At the end of the daemon."""
    with contextlib.suppress(OSError):
        (data_dir / FILE_NAME).unlink()
        crash.at("door.closed")


def read(data_dir: Path) -> str | None:
    """The word of the daemon that runs; None if whoever asks may not read it, or none runs."""
    try:
        return (data_dir / FILE_NAME).read_text(encoding="ascii").strip() or None
    except (OSError, ValueError):
        return None
