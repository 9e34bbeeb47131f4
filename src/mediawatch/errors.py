"""The tree of errors. Each says what happened, what a person can do, and how it is handled.

    MediawatchError
    ├── ConfigError            bad settings: every problem at once, exit code 78
    ├── AlreadyRunning         another daemon owns this data folder
    ├── JournalError           the journal cannot be opened or written
    │   └── Conflict           a guarded statement did not find the row it expected
    ├── Rejected               the file itself can never be published as it is
    ├── SourceProblem          the original cannot be read, or changed under us
    ├── StorageProblem         our own disk: full, read-only, gone
    ├── PreparationProblem     the converter broke or ran out of time
    ├── HostProblem            the web host (FTP, public address)     in hosts/
    └── GraphProblem           Meta's Graph API                       in graph/

Rooms subclass these where they need more; foreign exceptions are translated at the border of
the room that talks to the neighbour, never further in.
"""

from __future__ import annotations

import errno
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Handling(StrEnum):
    """What becomes of the post that met the error."""

    RETRY = "retry"  # may pass by itself; an attempt is spent
    WAIT = "wait"  # nothing is wrong: come back at a known time; no attempt is spent
    PARK = "park"  # the neighbour, not the file, needs a person: wait, tried at the next start
    HOLD = "hold"  # a person must act; the post keeps its stage and its facts
    FAIL = "fail"  # this file can never be published as it is


class MediawatchError(Exception):
    """Base of all our errors.

    ``code`` is a stable word for machines, ``message`` a sentence for people, ``remedy`` what
    a person does next, ``details`` JSON-safe facts. ``retry_after`` is in seconds. No secret
    may be put into any of them.
    """

    code = "error"
    handling = Handling.HOLD

    def __init__(
        self,
        message: str,
        *,
        remedy: str = "",
        code: str | None = None,
        handling: Handling | None = None,
        retry_after: float | None = None,
        **details: Any,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        self.retry_after = retry_after
        self.details = details
        if code is not None:
            self.code = code
        if handling is not None:
            self.handling = handling

    def as_dict(self) -> dict[str, Any]:
        """The error as every door shows it: code, message, remedy, details."""
        return {
            "code": self.code,
            "message": self.message,
            "remedy": self.remedy,
            "details": self.details,
        }


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with the settings. ``value`` is masked if it is a secret."""

    table: str
    key: str
    value: str
    message: str
    remedy: str

    def __str__(self) -> str:
        where = f"[{self.table}] {self.key}" if self.table else self.key
        shown = f" = {self.value}" if self.value else ""
        return f"{where}{shown}: {self.message} {self.remedy}".rstrip()


class ConfigError(MediawatchError):
    """The settings cannot be used. Holds every problem that was found, not only the first."""

    code = "bad-configuration"

    def __init__(self, problems: list[Problem]) -> None:
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        super().__init__(
            f"{count} in the configuration: " + "; ".join(str(problem) for problem in problems),
            remedy="Mend the settings named above; `mediawatch check` lists them all.",
        )
        self.problems = problems


class AlreadyRunning(MediawatchError):
    """Another daemon works on this data folder or inbox."""

    code = "already-running"


class JournalError(MediawatchError):
    """The journal cannot be opened, migrated or written."""

    code = "journal"
    handling = Handling.RETRY


class Conflict(JournalError):
    """A guarded statement changed another number of rows than it required: somebody newer
    owns the post, or it moved on. Nothing of the transaction was written."""

    code = "conflict"


class Rejected(MediawatchError):
    """The file can never be published as it is. ``code`` is one of media/rules.py."""

    code = "rejected"
    handling = Handling.FAIL


class SourceProblem(MediawatchError):
    """The original cannot be read, is gone, or changed after it was claimed."""

    code = "source"
    handling = Handling.HOLD


class StorageProblem(MediawatchError):
    """Our own disk: full, read-only, no permission."""

    code = "storage"
    handling = Handling.RETRY


class PreparationProblem(MediawatchError):
    """The converter broke down or ran out of time on a file."""

    code = "preparation"
    handling = Handling.RETRY


class HostProblem(MediawatchError):
    """The web host refused, broke off, or serves something else than was uploaded."""

    code = "host"
    handling = Handling.RETRY


class GraphProblem(MediawatchError):
    """The Graph API refused, or could not be reached."""

    code = "graph"
    handling = Handling.RETRY


_DISK_REMEDIES = {
    errno.ENOSPC: ("disk-full", "Free some space; mediawatch goes on by itself."),
    errno.EDQUOT: (
        "disk-full",
        "Raise the quota or free some space; mediawatch goes on by itself.",
    ),
    errno.EROFS: ("read-only", "Mount the folder read-write, or choose another one."),
    errno.EACCES: ("no-permission", "Give the user that runs mediawatch read and write access."),
    errno.EPERM: ("no-permission", "Give the user that runs mediawatch read and write access."),
    errno.EMFILE: ("too-many-files", "Raise the limit of open files (ulimit -n) and restart."),
    errno.EIO: ("disk-error", "Check the disk; the system log names the device."),
}


#: Windows: somebody else has the file open, and shares it too little (a sharing or lock violation).
_IN_USE = {32, 33}


def from_os_error(error: OSError, doing: str) -> StorageProblem:
    """Translate what the operating system said while we were ``doing`` something.

    ``doing`` completes the sentence "Could not …".
    """
    if getattr(error, "winerror", None) in _IN_USE:
        return StorageProblem(
            f"Could not {doing}: another program has it open.",
            code="in-use",
            remedy="Close it there; mediawatch tries again by itself.",
        )
    code, remedy = _DISK_REMEDIES.get(
        error.errno or 0, ("storage", "Look at the folder and its disk; mediawatch tries again.")
    )
    reason = error.strerror or type(error).__name__
    return StorageProblem(f"Could not {doing}: {reason}.", code=code, remedy=remedy)
