"""What is always known and costs nothing to tell: one finding each, the same whoever asks.

A finding fails here only if mediawatch does not do its work, or if nothing at all is published
until a person acts. What passes by itself, or will matter later, is advice.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mediawatch.clock import iso
from mediawatch.config import Settings, WatchSettings
from mediawatch.errors import Handling, HostProblem
from mediawatch.maintenance.conditions import TOKEN_DAYS
from mediawatch.model.accounts import AccountState
from mediawatch.model.findings import Finding, failed
from mediawatch.watch.candidates import FolderState, WatchState

#: What findings are called that others look for.
SPACE, WATCHER, STANDING, TOKEN_END = "free space", "watcher", "standing", "token's end"
#: Bytes below which no disk is well: the next video may not fit.
TOO_LITTLE = 256 << 20
#: Seconds without progress, while posts are ready, after which that is overdue.
STALLED_AFTER = 300.0
DAY = 86_400.0
NEW_TOKEN = (
    "Make a new token in the dashboard of your Meta app, and put it where the old one lies: "
    "`mediawatch config show` tells."
)
_STUCK = "Restart mediawatch: nothing is lost by that. If it comes back, report it with the log."
_FOLDER_REMEDY = {
    FolderState.MISSING: "Make the folder again, or mount its disk; it is then watched by itself.",
    FolderState.UNREADABLE: "Give the user that runs mediawatch the right to read and write it.",
    FolderState.LED_AWAY: "Put the folder back, or name its new place in the settings.",
    FolderState.SILENT: "Its disk or share does not answer: look at the network and the server.",
}


def folder(watch: WatchState, settings: WatchSettings, now: float) -> Finding:
    """Whether the inbox was looked at lately; ``now`` as ``watch.last_scan``."""
    if watch.folder not in {FolderState.OK, FolderState.UNKNOWN}:
        what = f"The folder {settings.folder} is {watch.folder.value}."
        return Finding("folder", False, what, _FOLDER_REMEDY[watch.folder])
    if watch.last_scan is None:
        wait = "Wait some seconds: mediawatch has just started."
        return Finding("folder", False, "The folder was not looked at yet.", wait)
    age = now - watch.last_scan
    overdue = age > settings.rescan * 3 + 10
    told = f"Looked at {max(0.0, age):.0f} s ago."
    return Finding("folder", not overdue, told, _STUCK if overdue else "")


def watcher(mode: str, reason: str, rescan: float) -> Finding:
    """How new files are noticed. ``mode``, ``reason``: of WatchState; ``rescan`` in seconds."""
    if mode == "events":
        return Finding(WATCHER, True, "New files are noticed when they come.")
    why = f" ({reason})" if reason else ""
    return Finding(WATCHER, True, f"The folder is listed every {rescan:.0f} s{why}.")


def workers(ready: int, still: float) -> Finding:
    """``ready`` posts could be worked on, and none moved for ``still`` seconds."""
    stalled = ready > 0 and still > STALLED_AFTER
    moving = f"{ready} posts are ready; the last one moved {still:.0f} s ago."
    return Finding("workers", not stalled, moving, _STUCK if stalled else "")


def space(ground: Path, free: int, min_free: int) -> Finding:
    """What so many free bytes on the disk of ``ground`` mean. ``min_free``: bytes below which it is
    told, 0 is never."""
    told = f"{free / 1e9:.1f} GB" if free >= 1e9 else f"{free / 1e6:.0f} MB"
    remedy = (
        "Make room there: originals and converted files need it, and so does the journal. "
        "[alerts] min_free says from where on this is told."
    )
    return Finding(
        SPACE,
        free >= min(TOO_LITTLE, min_free),
        f"{told} are free on the disk of {ground}.",
        remedy if free < min_free else "",
    )


def standing(told: dict[str, Any]) -> Finding:
    """How the account stands with Meta, from what journal/standing.py tells of it."""
    if told["state"] == "ok":
        return Finding(STANDING, True, "Meta lets the account publish, as far as is known.")
    until = f" until {told['until']}" if told["until"] else ""
    waiting = f"{told['waiting']} posts wait{until}: {told['detail']}"
    if told["state"] == "none":
        return Finding(STANDING, False, told["detail"], told["remedy"])
    if told["state"] == "stopped":
        return Finding(STANDING, False, f"The account is stopped, {waiting}", told["remedy"])
    return Finding(STANDING, True, f"{told['state'].capitalize()}, {waiting}")


def standings(states: Mapping[AccountState, int]) -> Finding:
    """How several accounts stand; ``states``: how many how."""
    told = ", ".join(f"{count} {state.value.replace('_', ' ')}" for state, count in states.items())
    well = states.get(AccountState.CONNECTED, 0)
    ill = sum(states.values()) - well - states.get(AccountState.DISCONNECTED, 0)
    look = "`mediawatch accounts list` tells what to do about each."
    return Finding(STANDING, well > 0, f"Of the accounts {told}.", look if ill else "")


def token_end(ends: float | None, now: float, unknown: str) -> Finding:
    """``ends``: seconds since the epoch; ``unknown`` says why it is None."""
    if ends is None:
        return Finding(TOKEN_END, True, unknown)
    if ends <= now:
        return Finding(TOKEN_END, False, f"The token has ended, on {iso(ends)}.", NEW_TOKEN)
    days = (ends - now) / DAY
    soon = f"{NEW_TOKEN} Until then all goes on." if days < TOKEN_DAYS[0] else ""
    what = f"The token is good for {days:.0f} days, until {iso(ends)}."
    return Finding(TOKEN_END, True, what, soon)


def upload_target(settings: Settings, problem: HostProblem | None) -> Finding:
    """``problem``: why uploads go nowhere now, None if nothing is known to be wrong."""
    if problem is None:
        host = settings.ftp.host
        return Finding("upload target", True, f"Nothing is known to be wrong with {host}.")
    if problem.handling is Handling.HOLD:  # it would say the same again, of each file
        return failed("upload target", problem)
    return Finding("upload target", True, f"No uploads for now: {problem.message}", problem.remedy)
