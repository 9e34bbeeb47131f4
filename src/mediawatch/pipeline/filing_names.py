"""Names under which originals are filed: free, short enough, and allowed on this system."""

from __future__ import annotations

import errno
import os
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

_LIMIT = 255  # bytes of UTF-8 on POSIX, UTF-16 units on Windows
#: The readable note beside a filed original.
NOTE_SUFFIX = ".mediawatch.json"
_RESERVED = re.compile(r"^(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])\s*(\.|$)", re.IGNORECASE)
_FORBIDDEN = re.compile(r'[<>:"/\\|?*\x00-\x1f]')


def beside(name: str, companion: str) -> str:
    """What a companion of ``name`` is called: the note is appended to the whole name, a sidecar
    takes the place of the suffix. ``companion``: NOTE_SUFFIX, or a tail such as ``.txt``, ``.CR2``,
    ``.cover.jpg``."""
    if companion == NOTE_SUFFIX:
        return name + companion
    return Path(name).with_suffix(companion).name


def choose_name(folder: Path, name: str, job_id: str, also: Iterable[str] = ()) -> str:
    """A name that is free in ``folder``: ``name`` itself, else ``<stem>.<job_id[:8]><suffix>``
    (``<name>-<job_id[:8]>`` without a suffix), else the same with the whole job id.

    ``also``: the companions that are filed with it (see ``beside``); their names are free too,
    and no name is too long. Whether a name is taken is asked of the file system, which alone
    knows how it compares letters. Blocks. Raises FileExistsError if all are taken. The answer is
    a proposal until the move has worked: record it, so that the same job always gets the same.
    """
    companions = tuple(also)
    for candidate in candidate_names(name, job_id, companions):
        names = [candidate, *(beside(candidate, companion) for companion in companions)]
        if not any(os.path.lexists(folder / each) for each in names):
            return candidate
    raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(folder / name))


def candidate_names(name: str, job_id: str, companions: tuple[str, ...]) -> Iterator[str]:
    """The names that ``choose_name`` chooses from, the best first."""
    windows = sys.platform == "win32"
    allowed = _allowed_on_windows(name) if windows else name
    stem, suffix = _split(allowed)
    longest = max((_length(beside(allowed, other), windows) for other in companions), default=0)
    extra = max(0, longest - _length(allowed, windows))
    if _length(allowed, windows) + extra <= _LIMIT:
        yield allowed
    if not suffix:
        # Behind a dot the mark would be a suffix, and a sidecar would take its place.
        stem = stem.replace(".", "_")
    for mark in (job_id[:8], job_id):
        ending = f".{mark}{suffix}" if suffix else f"-{mark}"
        room = _LIMIT - extra - _length(ending, windows)
        yield _cut(stem, room, windows) + ending


def _split(name: str) -> tuple[str, str]:
    stem, dot, suffix = name.rpartition(".")
    if not stem or len(suffix) > 16:  # a dot in a long sentence starts no suffix
        return name, ""
    return stem, dot + suffix


def _length(text: str, windows: bool) -> int:
    if windows:
        return len(text.encode("utf-16-le", "surrogatepass")) // 2
    return len(os.fsencode(text))


def _cut(text: str, room: int, windows: bool) -> str:
    """The longest beginning that fits and ends between two characters."""
    used = 0
    for index, character in enumerate(text):
        used += _length(character, windows)
        if used > room:
            return text[:index]
    return text


def _allowed_on_windows(name: str) -> str:
    """Names that Windows would refuse, or take for a device, in a form that it keeps."""
    name = _FORBIDDEN.sub("_", name).rstrip(". ") or "_"
    return f"_{name}" if _RESERVED.match(name) else name
