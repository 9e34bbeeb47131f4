"""What the service's own account may: it begins with no rights on anybody's folders."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import mediawatch
from mediawatch.config import Settings
from mediawatch.config.for_services import ForService
from mediawatch.service.windows_drives import is_share
from mediawatch.service.windows_host import NAME
from mediawatch.service.windows_log import log_folder

#: Made by Windows with the service, without a password, and gone with it.
ACCOUNT = rf"NT SERVICE\{NAME}"
_READ, _CHANGE = "RX", "M"


def give_rights(told_to: ForService) -> tuple[list[str], list[Path]]:
    """Make the folders of the service, and let its account use them: read the program and the
    settings, change what it works on. Blocks for some seconds.

    What was done, a sentence each; what could not be done is one too, with its remedy. And the
    paths that it has rights on now. Raises OSError if a folder cannot be made.
    """
    base = Path(getattr(sys, "_base_executable", sys.executable)).parent
    programs = dict.fromkeys([Path(sys.prefix), base, Path(mediawatch.__file__).parent])
    told: list[str] = []
    granted: list[Path] = []
    for path in [*programs, *setting_files(told_to)]:
        _grant(path, _READ, told, granted)
    for folder in work_folders(told_to.settings):
        if not is_share(folder):
            folder.mkdir(parents=True, exist_ok=True)
        _grant(folder, _CHANGE, told, granted)
    return told, granted


def take_rights_back(paths: Iterable[Path]) -> None:
    """The account goes; so do its entries on these. What is gone by now is no trouble."""
    for path in paths:
        _icacls([str(path), "/remove", ACCOUNT, "/Q"])


def work_folders(settings: Settings) -> list[Path]:
    """What the service must be able to change."""
    inboxes, log = settings.inboxes, settings.log
    folders = [*inboxes.folders, *inboxes.written, settings.storage.data_dir]
    folders.append(log.file.parent if log.file else log_folder())
    return list(dict.fromkeys(folders))


def setting_files(told_to: ForService) -> list[Path]:
    """The settings file, and what it leads to: ``.env`` and ``credentials`` beside it, files that
    hold a secret, the certificates of a host."""
    files = [*told_to.files.values()]
    if told_to.settings.ftp.tls_ca_file is not None:
        files.append(told_to.settings.ftp.tls_ca_file)
    return [file for file in files if file.is_file()]


def _grant(path: Path, right: str, told: list[str], granted: list[Path]) -> None:
    if is_share(path):
        told.append(
            f"{path} is on another machine: give the account of this computer rights there, or "
            f"have the service run as a user of your domain (sc.exe config {NAME} obj= …)."
        )
        return
    does = "change" if right == _CHANGE else "read"
    inherited = "(OI)(CI)" if path.is_dir() else ""
    trouble = _icacls([str(path), "/grant", f"{ACCOUNT}:{inherited}{right}", "/Q"])
    if trouble:
        told.append(f"{ACCOUNT} may perhaps not {does} {path}: give it that right. ({trouble})")
    else:
        told.append(f"{ACCOUNT} may {does} {path}.")
        granted.append(path)


def _icacls(arguments: list[str]) -> str:
    """What went wrong; empty if nothing did."""
    try:
        ended = subprocess.run(  # noqa: S603 - paths of our own settings
            ["icacls.exe", *arguments],  # noqa: S607 - it lies in System32
            capture_output=True,
            text=True,
            errors="replace",
            timeout=120,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return "" if ended.returncode == 0 else (ended.stderr or ended.stdout).strip()
