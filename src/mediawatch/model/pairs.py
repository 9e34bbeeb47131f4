"""Files of one shot that are not published by themselves, told by their names.

A Live Photo has a clip beside it, and a RAW a picture that was made of it.
"""

from __future__ import annotations

#: Suffixes of the pictures that cameras and phones write beside a clip.
PICTURES = (".jpg", ".jpeg", ".heic", ".heif")
CLIP = ".mov"
RAWS = frozenset({".cr2", ".cr3", ".nef", ".arw", ".dng", ".orf", ".rw2", ".raf", ".pef", ".srw"})
