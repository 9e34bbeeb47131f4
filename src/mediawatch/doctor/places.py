"""The folders and disks: what mediawatch must be able to do there is done, and undone."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from pathlib import Path

from mediawatch.config import Settings
from mediawatch.errors import from_os_error
from mediawatch.journal.ownership import HIDDEN
from mediawatch.model.findings import Finding, failed

#: Hidden, so that no watcher takes it for a file of somebody's.
PROBE = ".mediawatch-probe-"
#: What the finding about a disk is called.
SPACE = "free space"
#: Bytes on a disk below which work stops soon, and below which it is time to look.
TOO_LITTLE, LITTLE = 256 << 20, 1 << 30


def examine(settings: Settings) -> list[Finding]:
    """Rights, free space, and whether originals can be moved at once. Blocks."""
    findings, told = list[Finding](), set[Path]()
    for inbox in settings.inboxes:
        findings.append(_inbox(inbox.folder))
        for name, folder in inbox.written.items():
            if folder not in told:  # inboxes may share it
                findings.append(_written(name, folder))
        told |= set(inbox.written.values())
    data = settings.storage.data_dir
    findings.append(_written("data", data))
    processed = [inbox.written["processed"] for inbox in settings.inboxes]
    findings += _free_space([*settings.inboxes.folders, *processed, data])
    for inbox, folder in zip(settings.inboxes, processed, strict=True):
        findings.append(_same_disk(inbox.folder, folder))
    return findings


def _free_space(folders: list[Path]) -> list[Finding]:
    """One finding for each disk that these lie on. Blocks."""
    findings, seen = [], set()
    for folder in folders:
        ground = _ground(folder)
        try:
            disk = ground.stat().st_dev
            free = shutil.disk_usage(ground).free
        except OSError as error:
            findings.append(failed(SPACE, from_os_error(error, f"measure {ground}")))
            continue
        if disk not in seen:
            seen.add(disk)
            findings.append(space(ground, free))
    return findings


def space(ground: Path, free: int) -> Finding:
    """What so many free bytes on the disk of ``ground`` mean."""
    told = f"{free / 1e9:.1f} GB" if free >= LITTLE else f"{free / 1e6:.0f} MB"
    remedy = "Make room there: originals and converted files need it, and so does the journal."
    return Finding(
        SPACE,
        free >= TOO_LITTLE,
        f"{told} are free on the disk of {ground}.",
        remedy if free < LITTLE else "",
    )


def _inbox(folder: Path) -> Finding:
    if not os.path.isdir(folder):  # noqa: PTH112 - "no" where pathlib raises
        what = "is no folder" if os.path.lexists(folder) else "does not exist"
        return Finding("inbox", False, f"{folder} {what}.", f'Make it: mkdir -p "{folder}"')
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
