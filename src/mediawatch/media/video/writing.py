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
    "movflags": "+negative_cts_offsets",
    "use_editlist": "0",
    "fflags": "+bitexact",
    "protocol_whitelist": "file",
}


# Bytes of the index for one packet at the most: its time, offset, size, place and chunk take 44.
_INDEX_OF_PACKET = 64
_INDEX_BESIDES = 64 << 10


@contextmanager
def writing(path: Path, *, packets: int | None = None) -> Iterator[OutputContainer]:
    """A new MP4 at ``path``, complete when the block ends. Raises FFmpegError.

    ``packets``: how many will be written at the most. Room for their index is then left at the
    front; else the muxer writes all of the content a second time, to make room for it.
    """
    if packets is None:
        index = {"movflags": _MUXER["movflags"] + "+faststart"}
    else:
        index = {"moov_size": str(_INDEX_BESIDES + packets * _INDEX_OF_PACKET)}
    with av.open(str(path.absolute()), "w", format="mp4", options=_MUXER | index) as container:
        yield container
