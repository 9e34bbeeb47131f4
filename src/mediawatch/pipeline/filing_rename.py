"""A rename that fails if the name is taken: every system has one, each another.

POSIX rename(2) silently replaces the target, so it is never used bare.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import hashlib
import os
import sys
from functools import cache
from pathlib import Path
from typing import Any

from mediawatch import crash

_CANNOT_LINK = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EMLINK, errno.ENOSYS}
_CANNOT_RENAME_SO = {errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP}
_LONG = 247  # from here on Windows wants the long form of a path


def reachable(path: Path) -> Path:
    """The path as the system takes it at any length."""
    if sys.platform == "win32" and len(str(path)) > _LONG:
        whole = str(path.absolute())
        if whole.startswith("\\\\?\\"):
            return path
        if whole.startswith("\\\\"):  # of a share
            return Path("\\\\?\\UNC" + whole[1:])
        return Path("\\\\?\\" + whole)
    return path


def rename_no_replace(source: Path, target: Path, *, links: bool) -> None:
    """Rename within one file system. Blocks. Raises OSError: FileExistsError if the target is
    taken, EXDEV (WinError 17 on Windows) if it lies on another disk.

    ``links``: go through a second link if that is possible: quick, safe everywhere, and the
    folder entry is on disk before the old name goes; a crash may leave both names. Without it the
    rename is one step wherever the system has one, so that of two claims only one can work.
    """
    if sys.platform == "win32":
        source.rename(target)
        return
    if links:
        try:
            _link_and_unlink(source, target)
            return
        except OSError as error:
            if error.errno not in _CANNOT_LINK:
                raise
    try:
        _renameat2(source, target)
    except OSError as error:
        if error.errno not in _CANNOT_RENAME_SO:
            raise
        _replace_stand_in(source, target)


def stand_in_text(source: Path) -> bytes:
    """What the placeholder of this move holds, so that it is known again after a crash."""
    return b"mediawatch " + hashlib.sha256(os.fsencode(source)).hexdigest().encode()


def _link_and_unlink(source: Path, target: Path) -> None:
    os.link(source, target, follow_symlinks=False)
    descriptor = os.open(target.parent, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):  # some shares cannot
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
    crash.at("rename.linked")
    source.unlink()


def _renameat2(source: Path, target: Path) -> None:
    """renameat2(2) with RENAME_NOREPLACE; ENOSYS where the C library has no such call."""
    at_cwd, no_replace = -100, 1
    call = _c_library_call("renameat2")
    if call is None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    if call(at_cwd, os.fsencode(source), at_cwd, os.fsencode(target), no_replace) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), str(source), None, str(target))


@cache
def _c_library_call(name: str) -> Any:
    return getattr(ctypes.CDLL(None, use_errno=True), name, None)


def _replace_stand_in(source: Path, target: Path) -> None:
    """Reserve the name with a placeholder of our own, then replace that."""
    source.lstat()
    descriptor = os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        try:
            os.write(descriptor, stand_in_text(source))
        finally:
            os.close(descriptor)
        crash.at("rename.reserved")
        source.replace(target)
    except BaseException:
        with contextlib.suppress(OSError):
            target.unlink()
        raise
