"""A file held open as another program may hold it, with what it shares (CreateFileW)."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

GENERIC_READ, GENERIC_WRITE = 0x8000_0000, 0x4000_0000
#: What others may do meanwhile.
READ, WRITE, DELETE = 1, 2, 4
_OPEN_EXISTING = 3

if sys.platform == "win32":
    import win32file

    @contextmanager
    def opened(path: Path, access: int, share: int) -> Iterator[None]:
        """The file is open, with that access, and shared for that."""
        handle = win32file.CreateFile(str(path), access, share, None, _OPEN_EXISTING, 0, None)
        try:
            yield
        finally:
            handle.Close()
