"""Whether a prepared file is still what it was made as. Blocks on the disk."""

from __future__ import annotations

import hashlib

from mediawatch.model.posts import Item


def is_intact(item: Item) -> bool:
    """It may lie for weeks, under another name in the cache too: whoever writes to either, and a
    disk that fails, changes both. What cannot be read is as good as gone, and is prepared anew.
    """
    path = item.prepared
    try:
        if path is None or path.stat().st_size != item.prepared_size:
            return False
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == item.prepared_sha256
    except OSError:
        return False
