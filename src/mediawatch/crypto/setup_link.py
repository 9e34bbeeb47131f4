"""The one-time link by which the first user is made: it works until there is a user, and lies in a
file that nobody but the daemon's user (and root) may read. It is in no log."""

from __future__ import annotations

import contextlib
from pathlib import Path

from mediawatch import crash
from mediawatch.crypto import bearer, owner_only
from mediawatch.errors import from_os_error

FILE_NAME = "setup-link"


def word_in(data_dir: Path) -> str:
    """The word of the link that lies there, or a new one."""
    try:
        lain = (data_dir / FILE_NAME).read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        lain = ""
    return lain.partition("?link=")[2] or bearer.new()


def lay(data_dir: Path, url: str, word: str) -> bool:
    """Write the link for people to read; whether it is a new one. Raises StorageProblem."""
    path = data_dir / FILE_NAME
    try:
        is_new = not path.exists()
        path.unlink(missing_ok=True)
        crash.at("door.cleared")
        owner_only.write(path, f"{address(url, word)}\n".encode())
        crash.at("door.opened")
    except OSError as error:
        raise from_os_error(error, f"write {path}") from error
    return is_new


def address(url: str, word: str) -> str:
    """What a person opens."""
    return f"{url}/setup?link={word}"


def take_away(data_dir: Path) -> None:
    """It was used, or is of no use any more."""
    with contextlib.suppress(OSError):
        (data_dir / FILE_NAME).unlink()
        crash.at("door.closed")
