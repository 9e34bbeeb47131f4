"""The MP4 that is published: index first, no edit list, nothing personal in it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av
from av.container import OutputContainer

# The muxer writes an edit list for frames in another order and for the priming of sound, unless
# composition offsets may be negative. Its own name and version would be metadata.
_MUXER = {
    "movflags": "+faststart+negative_cts_offsets",
    "use_editlist": "0",
    "fflags": "+bitexact",
    "protocol_whitelist": "file",
}


@contextmanager
def writing(path: Path) -> Iterator[OutputContainer]:
    """A new MP4 at ``path``, complete when the block ends. Raises FFmpegError."""
    with av.open(str(path.absolute()), "w", format="mp4", options=_MUXER) as container:
        yield container
