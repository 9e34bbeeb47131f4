"""A folder that people need not see, in a folder that they look at."""

from __future__ import annotations

import sys
from pathlib import Path

if sys.platform == "win32":
    import ctypes

    _HIDDEN = 0x2  # FILE_ATTRIBUTE_HIDDEN
    _UNKNOWN = 0xFFFF_FFFF  # INVALID_FILE_ATTRIBUTES

    def hide(folder: Path) -> None:
        """Explorer shows names with a dot in front: mark the folder. Raises nothing."""
        found = ctypes.windll.kernel32.GetFileAttributesW(str(folder)) & _UNKNOWN
        if found != _UNKNOWN and not found & _HIDDEN:
            ctypes.windll.kernel32.SetFileAttributesW(str(folder), found | _HIDDEN)

else:

    def hide(folder: Path) -> None:
        """The dot in front of its name does it."""
