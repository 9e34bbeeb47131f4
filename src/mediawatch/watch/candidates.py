"""The words that the watcher and its neighbours exchange."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO

from mediawatch.media.probe import Family
from mediawatch.model.kinds import PostKind
from mediawatch.watch.writers import Key

#: Is told the name of a file, the id of its post, and whether it is a duplicate of that.
Told = Callable[[str, str, bool], None]
#: Inode, size in bytes, and time of change in nanoseconds.
Identity = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Inspection:
    """What a look into the bytes says.

    ``wanted``: a kind that is published at all; if not, ``reason`` completes "It is ignored
    because …". ``whole``: False if its end is missing, None if that cannot be told.
    """

    wanted: bool
    reason: str = ""
    whole: bool | None = None


#: Looks into an open file of that name; may raise anything.
Inspect = Callable[[str, BinaryIO], Inspection]


@dataclass(frozen=True, slots=True)
class Contents:
    """The bytes that a file held, and which file that was. ``sha256`` in hex, ``size`` in bytes;
    ``told``: title and caption that a picture holds itself, empty for what it does not."""

    sha256: str
    size: int
    family: Family
    identity: Identity
    told: tuple[str, str] = ("", "")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A settled file that may be claimed. ``size`` in bytes; ``key`` as it was when it settled:
    if it differs after the claim, the file was changed meanwhile. ``contents``: if they were read
    when it was last looked at. ``kind``: what the folder in which it lies makes of it;
    ``is_folder``: it is one, with the files of a carousel; ``companions``: files that belong to it
    and go with it (model/pairs.py), settled like itself; ``leaves_sidecars``: another post is to
    have its sidecars too, and takes them along. ``awaits``: code, sentence and remedy of what a
    person must say yes to before it is published."""

    path: Path
    name: str
    key: Key
    size: int
    contents: Contents | None = None
    kind: PostKind | None = None
    is_folder: bool = False
    companions: tuple[Path, ...] = ()
    leaves_sidecars: bool = False
    awaits: tuple[str, str, str] | None = None


class Taken(StrEnum):
    """What the intake did with a candidate."""

    TAKEN = "taken"
    GONE = "gone"
    CHANGED = "changed"  # it settles again
    REFUSED = "refused"  # it stays, and is offered again only when it changes
    PROBLEM = "problem"  # it stays, and is offered again after a while
    NO_ROOM = "no-room"  # its account has posts enough under way; it is offered again soon


class Accounts:
    """Which top folders of an inbox are those of accounts: none, unless somebody knows better."""

    folders: frozenset[str] = frozenset()  # their names, casefolded

    async def refresh(self) -> None:
        """Look who is connected by now. Raises JournalError."""


class Outcome(StrEnum):
    """What became of a file in one pass over the folder."""

    TAKEN = "taken"
    IGNORED = "ignored"
    UNFINISHED = "unfinished"
    UNREADABLE = "unreadable"
    PROBLEM = "problem"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Seen:
    """A file that a pass met, and its one outcome. ``reason`` completes "…, because …"."""

    name: str
    outcome: Outcome
    reason: str = ""


class FolderState(StrEnum):
    """Whether the inbox can be listed."""

    UNKNOWN = "unknown"  # not looked at yet
    OK = "ok"
    MISSING = "missing"
    UNREADABLE = "unreadable"
    LED_AWAY = "led-away"  # it lies elsewhere since: nothing is taken from there
    SILENT = "silent"  # a call on it does not come back, as on a dead share


@dataclass(frozen=True, slots=True)
class Waiting:
    """A file that is not taken yet: since when it is known (seconds since the epoch), and why."""

    since: float
    reason: str


@dataclass(frozen=True, slots=True)
class WatchState:
    """What the watcher is doing, for status pages. ``last_scan`` is in seconds since the epoch,
    None before the first scan that worked. ``scan_ended``: when the last one came back, whatever
    it found, on the monotonic clock; None before the first."""

    folder: FolderState = FolderState.UNKNOWN
    mode: str = "polling"
    mode_reason: str = ""
    last_scan: float | None = None
    scan_ended: float | None = None
    scans: int = 0
    hints: int = 0
    overflows: int = 0
    hints_missed: int = 0
    more: bool = False  # more files lie in the folder than are tracked at a time
    settling: Mapping[str, Waiting] = field(default_factory=dict)
    ignored: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    withheld: int = 0  # files that were there at the first start and wait for their release
