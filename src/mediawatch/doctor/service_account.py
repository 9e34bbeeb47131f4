"""The folders as the service's own user sees them: root, who asks, may do everything."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from mediawatch.config import Settings
from mediawatch.journal.ownership import HIDDEN
from mediawatch.model.findings import Finding

_UNIT = "mediawatch.service"


def installed_account() -> str | None:
    """The user of the installed service; None if there is none, or none that is told. Blocks."""
    systemctl = shutil.which("systemctl")
    if systemctl is None:
        return None
    told = subprocess.run(  # noqa: S603 - a fixed command
        [systemctl, "show", _UNIT, "--property=LoadState,User"],
        capture_output=True,
        text=True,
        check=False,
        timeout=10,
    )
    facts = dict(line.partition("=")[::2] for line in told.stdout.splitlines())
    return facts.get("User") or None if facts.get("LoadState") == "loaded" else None


def examine(settings: Settings, account: str | None, brought: Iterable[Path] = ()) -> list[Finding]:
    """Whether that user may reach and write every folder, by owner and mode. ``brought``: folders
    that the service is given without the way to them, such as those of a shut home. Blocks."""
    if sys.platform == "win32" or account is None:  # service/windows_account.py knows that one
        return []
    import pwd

    try:
        person = pwd.getpwnam(account)
    except KeyError:
        return [
            Finding(
                "service account",
                False,
                f"The service runs as {account}, but there is no such user.",
                "Install it again: mediawatch service install",
            )
        ]
    groups = set(os.getgrouplist(account, person.pw_gid))
    for folder in _worked_in(settings):
        start = next((given for given in brought if folder.is_relative_to(given)), Path("/"))
        barred = _barred(folder, start, person.pw_uid, groups)
        if barred is not None:
            return [
                Finding(
                    "service account",
                    False,
                    f"The service runs as {account}, who may not use {folder}: {barred} bars it.",
                    f'Give it the right: setfacl -m u:{account}:rwX "{barred}"',
                )
            ]
    reach = Finding("service account", True, f"{account}, the service's user, may use them all.")
    return [reach, *_own_eyes(settings)]


def _own_eyes(settings: Settings) -> list[Finding]:
    """Whoever is not root has a data folder of his own, and sees nothing of the service's."""
    if sys.platform == "win32" or os.geteuid() == 0:
        return []
    if "data_dir" in settings.storage.model_fields_set:
        return []
    return [
        Finding(
            "service",
            True,
            "One is installed; what follows of the daemon and the journal is not about it.",
            "As root you see what it does: sudo mediawatch doctor --config FILE",
        )
    ]


def _worked_in(settings: Settings) -> list[Path]:
    inboxes = settings.inboxes
    folders = [place for inbox in inboxes.folders for place in (inbox, inbox / HIDDEN)]
    folders += inboxes.written
    if "data_dir" in settings.storage.model_fields_set:  # else it is not whoever asks' own
        folders.append(settings.storage.data_dir)
    return folders


def _barred(folder: Path, start: Path, uid: int, groups: set[int]) -> Path | None:
    """The first folder on the way from ``start`` that keeps the user out."""
    there = next(place for place in (folder, *folder.parents) if os.path.lexists(place))
    for place in reversed(there.parents):
        if place.is_relative_to(start) and not _may(place, uid, groups, 0o1):
            return place
    return None if _may(there, uid, groups, 0o7) else there


def _may(place: Path, uid: int, groups: set[int], wanted: int) -> bool:
    if uid == 0 or _has_access_list(place):
        return True  # an access list says more than the mode; only a try would tell
    found = place.stat()
    if found.st_uid == uid:
        mode = stat.S_IMODE(found.st_mode) >> 6
    elif found.st_gid in groups:
        mode = stat.S_IMODE(found.st_mode) >> 3
    else:
        mode = stat.S_IMODE(found.st_mode)
    return mode & wanted == wanted


def _has_access_list(place: Path) -> bool:
    if sys.platform != "linux":
        return False
    try:
        return "system.posix_acl_access" in os.listxattr(place)
    except OSError:
        return False
