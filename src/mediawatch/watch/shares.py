"""Does a folder lie on a network share? There, change events cannot be relied on."""

from __future__ import annotations

import os
import sys
from pathlib import Path

_SHARE_TYPES = ("nfs", "cifs", "smb", "fuse.", "9p", "virtiofs", "vboxsf", "afs", "ceph")


def share_in_mountinfo(folder: str, mountinfo: str) -> str | None:
    """The file system type if the mount that holds ``folder`` is a share, else None.

    ``mountinfo`` is the text of /proc/self/mountinfo (proc(5)): the mount point is its fifth
    field, with octal escapes; the type is the first after the lone hyphen. Later lines cover
    earlier ones.
    """
    best, kind = -1, ""
    for line in mountinfo.splitlines():
        left, _, right = line.partition(" - ")
        fields = left.split(" ")
        if len(fields) < 5 or not right:
            continue
        point = fields[4].encode().decode("unicode_escape") if "\\" in fields[4] else fields[4]
        covers = folder == point or folder.startswith(point.rstrip("/") + "/")
        if covers and len(point) >= best:
            best, kind = len(point), right.split(" ")[0]
    return kind if kind.startswith(_SHARE_TYPES) else None


if sys.platform == "win32":
    import ctypes

    _DRIVE_REMOTE = 4

    def share_type(folder: Path) -> str | None:
        """What kind of share the folder lies on; None if it is local. Blocks."""
        anchor = folder.absolute().anchor
        if anchor.startswith("\\\\"):
            return "a network share"
        remote = ctypes.windll.kernel32.GetDriveTypeW(anchor) == _DRIVE_REMOTE
        return "a network drive" if remote else None

else:

    def share_type(folder: Path) -> str | None:
        """What kind of share the folder lies on; None if it is local or unknown. Blocks."""
        try:
            mountinfo = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return None
        return share_in_mountinfo(os.path.realpath(folder), mountinfo)
