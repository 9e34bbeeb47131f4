"""The folders and disks: what mediawatch must be able to do there is done, and undone."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from pathlib import Path

from mediawatch.config import Settings
from mediawatch.doctor import known
from mediawatch.errors import from_os_error
from mediawatch.journal.ownership import HIDDEN
from mediawatch.model.findings import Finding, failed

#: Hidden, so that no watcher takes it for a file of somebody's.
PROBE = ".mediawatch-probe-"


def examine(settings: Settings) -> list[Finding]:
    """Rights, free space, and whether originals can be moved at once. Blocks."""
    findings, told = list[Finding](), set[Path]()
    for each in settings.inboxes:
        findings.append(inbox(each.folder))
        for name, folder in each.written.items():
            if folder not in told:  # inboxes may share it
                findings.append(_written(name, folder))
        told |= set(each.written.values())
    findings.append(_written("data", settings.storage.data_dir))
    findings += _free_space(settings)
    for each in settings.inboxes:
        findings.append(_same_disk(each.folder, each.written["processed"]))
    return findings


def _free_space(settings: Settings) -> list[Finding]:
    """One finding for each disk that may run full. Blocks."""
    findings, seen = [], set()
    processed = [each.written["processed"] for each in settings.inboxes]
    for folder in (*settings.inboxes.folders, *processed, settings.storage.data_dir):
        ground = _ground(folder)
        try:
            disk = ground.stat().st_dev
            free = shutil.disk_usage(ground).free
        except OSError as error:
            findings.append(failed(known.SPACE, from_os_error(error, f"measure {ground}")))
            continue
        if disk not in seen:
            seen.add(disk)
            findings.append(known.space(ground, free, settings.alerts.min_free))
    return findings


def inbox(folder: Path) -> Finding:
    """Whether files can be taken from there: listed, claimed by a rename. Blocks."""
    if not os.path.isdir(folder):  # noqa: PTH112 - "no" where pathlib raises
        make = f'mkdir -p "{folder}"'
        if os.path.lexists(folder):
            remedy = f"Name a folder that can be made, or move that file away and make one: {make}"
            return Finding("inbox", False, f"{folder} is no folder.", remedy)
        return Finding("inbox", False, f"{folder} does not exist.", f"Make it: {make}")
    hidden = folder / HIDDEN
    probe = folder / f"{PROBE}{secrets.token_hex(4)}"
    moved = hidden / probe.name
    made = False
    try:
        os.listdir(folder)  # noqa: PTH208 - as the watcher does
        made = not os.path.lexists(hidden)
        hidden.mkdir(exist_ok=True)
        probe.write_bytes(b"")
        probe.rename(moved)
        moved.unlink()
    except OSError as error:
        return failed("inbox", from_os_error(error, f"work in {folder}"))
    finally:
        for left in (probe, moved):
            with contextlib.suppress(OSError):
                left.unlink(missing_ok=True)
        if made:  # it would be whoever asks' own, and perhaps shut to the service
            with contextlib.suppress(OSError):
                hidden.rmdir()
    return Finding("inbox", True, f"Files can be taken from {folder}.")


def _written(name: str, folder: Path) -> Finding:
    ground = _ground(folder)
    if not os.path.isdir(ground):  # noqa: PTH112 - as above
        return Finding(
            name,
            False,
            f"{folder} cannot be made, because {ground} is no folder.",
            "Move that file away, or name another folder in the settings.",
        )
    probe = ground / f"{PROBE}{secrets.token_hex(4)}"
    try:
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        with contextlib.suppress(OSError):
            probe.unlink(missing_ok=True)
        return failed(name, from_os_error(error, f"write to {ground}"))
    there = "can be written to" if ground == folder else "can be made"
    return Finding(name, True, f"{folder} {there}.")


def _same_disk(inbox: Path, processed: Path) -> Finding:
    try:
        same = _ground(inbox).stat().st_dev == _ground(processed).stat().st_dev
    except OSError as error:
        return failed("same disk", from_os_error(error, f"look at {inbox}"))
    if same:
        return Finding("same disk", True, "Originals are filed by a rename, at once.")
    return Finding(
        "same disk",
        True,
        f"{processed} lies on another disk than {inbox}: each original is copied there.",
        "For large videos, let both lie on one disk.",
    )


def _ground(folder: Path) -> Path:
    """The folder, or the nearest one above it that is there."""
    return next(place for place in (folder, *folder.parents) if os.path.lexists(place))
