"""Is anybody still writing to a file? The kernel knows, where it can be asked.

Linux: a read lease is refused (EAGAIN) while any process has the file open for writing; it needs
the file's owner or CAP_LEASE, and a local file system (fcntl(2), "Leases"). Windows: a handle
that does not share writing is refused (sharing violation) while anybody writes. Elsewhere nobody
can say. All calls block on the disk: run them in a thread.
"""

from __future__ import annotations

import errno
import os
import signal
import sys
from collections.abc import Callable
from enum import Enum

#: What identifies one state of one file; any change of content changes it.
Key = tuple[int, ...]


#: Is handed the descriptor of a file that is open just now; raises nothing.
Peek = Callable[[int], None]


class Writer(Enum):
    """What the system says about other programs that hold the file."""

    NONE = "none"
    SOME = "some"
    UNKNOWN = "unknown"
    CHANGED = "changed"  # it is no longer the file that was asked about
    UNREADABLE = "unreadable"
    GONE = "gone"


def key_of(stat: os.stat_result) -> Key:
    """The key of a file. Times are only ever compared for equality, so that clocks of file
    servers do not matter. Windows has no change time: st_ctime is the creation time there."""
    if sys.platform == "win32":
        return (stat.st_ino, stat.st_size, stat.st_mtime_ns)
    return (stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)


def size_in(key: Key) -> int:
    """The size of the file, in bytes, when it had this key; 0 if it was no file."""
    return key[1] if len(key) > 2 else 0


def is_of_a_file(key: Key) -> bool:
    """Whether it is the key of a file that is not empty; not that of a folder, or of a device."""
    return 2 < len(key) < 5 and size_in(key) > 0


_OPEN_ERRORS = {
    errno.ENOENT: Writer.GONE,
    errno.ENOTDIR: Writer.GONE,
    errno.ELOOP: Writer.CHANGED,  # a symbolic link took its place
    errno.EBUSY: Writer.SOME,
    errno.ETXTBSY: Writer.SOME,
    errno.EAGAIN: Writer.SOME,
}

if sys.platform == "win32":
    import ctypes
    from ctypes import wintypes

    _GENERIC_READ = 0x8000_0000
    _SHARE_READ_DELETE = 0x1 | 0x4
    _OPEN_EXISTING = 3
    _OPEN_REPARSE_POINT = 0x0020_0000
    _ERRORS = {
        2: Writer.GONE,  # file not found
        3: Writer.GONE,  # path not found
        5: Writer.UNREADABLE,  # access denied
        32: Writer.SOME,  # sharing violation
        33: Writer.SOME,  # lock violation
    }
    _kernel32 = ctypes.WinDLL("kernel32", use_last_error=True)
    _kernel32.CreateFileW.restype = wintypes.HANDLE
    _kernel32.CreateFileW.argtypes = [
        wintypes.LPCWSTR,
        wintypes.DWORD,
        wintypes.DWORD,
        wintypes.LPVOID,
        wintypes.DWORD,
        wintypes.DWORD,
        wintypes.HANDLE,
    ]
    _kernel32.CloseHandle.argtypes = [wintypes.HANDLE]

    def writer_of(path: str, key: Key, peek: Peek | None = None) -> Writer:
        """Ask the kernel whether anybody has the file open for writing; there is no peeking."""
        handle = _kernel32.CreateFileW(
            path, _GENERIC_READ, _SHARE_READ_DELETE, None, _OPEN_EXISTING, _OPEN_REPARSE_POINT, None
        )
        if handle is None or handle == wintypes.HANDLE(-1).value:
            return _ERRORS.get(ctypes.get_last_error(), Writer.UNKNOWN)
        try:
            return Writer.NONE if key_of(os.lstat(path)) == key else Writer.CHANGED
        except OSError:
            return Writer.CHANGED
        finally:
            _kernel32.CloseHandle(handle)

else:

    def writer_of(path: str, key: Key, peek: Peek | None = None) -> Writer:
        """Ask the kernel whether anybody has the file open for writing; if not, ``peek``.

        The file is opened without following a link and without waiting for a fifo, and its key
        is compared again: on a share, opening is what brings the attributes up to date.
        """
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        try:
            descriptor = os.open(path, flags)
        except OSError as error:
            return _OPEN_ERRORS.get(error.errno or 0, Writer.UNREADABLE)
        try:
            if key_of(os.fstat(descriptor)) != key:
                return Writer.CHANGED
            writer = _ask_for_lease(descriptor)
            if peek is not None and writer is not Writer.SOME:
                peek(descriptor)
            return writer
        finally:
            os.close(descriptor)


if sys.platform == "linux":
    import fcntl

    def _ask_for_lease(descriptor: int) -> Writer:
        try:
            # A lease that is broken while we hold it sends SIGIO, which ends the process;
            # SIGURG is ignored unless asked for, and can be chosen from any thread.
            fcntl.fcntl(descriptor, fcntl.F_SETSIG, signal.SIGURG)
            fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
            fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
        except OSError as error:
            return Writer.SOME if error.errno == errno.EAGAIN else Writer.UNKNOWN
        return Writer.NONE

elif sys.platform != "win32":

    def _ask_for_lease(descriptor: int) -> Writer:
        return Writer.UNKNOWN
