"""Drive letters that a service does not have: whoever logs in maps them, for themselves alone."""

from __future__ import annotations

import sys
from pathlib import Path, PureWindowsPath

from mediawatch.config import Settings
from mediawatch.service.base import ServiceProblem

if sys.platform != "win32":
    raise ImportError("only Windows has drive letters")

import pywintypes
import win32file
import win32wnet


def require_own_drives(settings: Settings) -> None:
    """See that every folder of the settings is on a disk that services have too.

    Raises ServiceProblem, with the network path to write in place of a mapped drive.
    """
    log = settings.log
    folders = [
        (f"{inbox.where.strip('[]')}.{key}", folder)
        for inbox in settings.inboxes
        for key, folder in (("folder", inbox.folder), *inbox.written.items())
        if key in {"folder", "processed", "failed"}
    ]
    folders.append(("storage.data_dir", settings.storage.data_dir))
    folders += [("log.file", log.file)] if log.file else []
    for setting, folder in folders:
        _require_own_drive(setting, folder)


def is_share(folder: Path) -> bool:
    r"""Whether the path begins with ``\\server\share``."""
    return PureWindowsPath(folder).drive.startswith("\\\\")


def _require_own_drive(setting: str, folder: Path) -> None:
    drive = PureWindowsPath(folder).drive
    if is_share(folder):
        return
    kind = win32file.GetDriveType(drive + "\\")
    if kind == win32file.DRIVE_REMOTE:
        raise ServiceProblem(
            f"{setting} = {folder} lies on the mapped drive {drive}, which a service does not see.",
            remedy=f"Write in the settings: {setting} = '{_network_path(drive, folder)}'.",
            code="mapped-drive",
        )
    if kind == win32file.DRIVE_NO_ROOT_DIR:
        raise ServiceProblem(
            f"{setting} = {folder}: there is no drive {drive} for services and administrators.",
            remedy="If it is a mapped drive, write its network path in the settings, like "
            r"'\\server\share\folder'; else connect the disk.",
            code="mapped-drive",
        )


def _network_path(drive: str, folder: Path) -> str:
    try:
        share = win32wnet.WNetGetConnection(drive)
    except pywintypes.error:
        share = r"\\server\share"
    return share.rstrip("\\") + str(folder)[len(drive) :]
