"""Files that are one shot: a Live Photo with its clip, a RAW with the picture made of it.

Told by names alone: the same stem, to the letter, and suffixes that a camera writes together.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from mediawatch.model.names import natural_key, split_name

#: The clip of a Live Photo, at the longest, in seconds. Apple records 3; some frames more are
#: allowed for, since a clip that is taken for a video would be published, and cannot be taken back.
LIVE_CLIP = 3.5

#: Best to publish first: what every camera and every decoder means by a picture.
PICTURES = (".jpg", ".jpeg", ".heic", ".heif")
CLIP = ".mov"
RAWS = frozenset({".cr2", ".cr3", ".nef", ".arw", ".dng", ".orf", ".rw2", ".raf", ".pef", ".srw"})


class Together(StrEnum):
    """Why files are one post."""

    ALONE = "alone"
    LIVE_PHOTO = "live photo"
    RAW = "raw and picture"


@dataclass(frozen=True, slots=True)
class Group:
    """One post: the file that is published, and those that are filed with it.

    ``clip``: which of them is the clip of a Live Photo. Names do not tell how long it is: one that
    runs longer than ``LIVE_CLIP`` is a video of its own.
    """

    published: str
    along: tuple[str, ...] = ()
    together: Together = Together.ALONE
    clip: str | None = None

    def apart(self) -> tuple[Group, ...]:
        """The same files where the clip has proved to be a video of its own."""
        if self.clip is None:
            return (self,)
        along = tuple(name for name in self.along if name != self.clip)
        together = Together.RAW if along else Together.ALONE
        return Group(self.published, along, together), Group(self.clip)


def pairs(names: Iterable[str]) -> list[Group]:
    """The names as posts, in natural order of what is published. Each name is in exactly one."""
    stems: dict[str, list[tuple[str, str]]] = {}
    for name in sorted(set(names), key=natural_key):
        stem, suffix = split_name(name)
        stems.setdefault(stem, []).append((suffix.lower(), name))
    groups = [group for files in stems.values() for group in _of_one_stem(files)]
    return sorted(groups, key=lambda group: natural_key(group.published))


def _of_one_stem(files: list[tuple[str, str]]) -> list[Group]:
    """``files``: suffix in lower case, and name."""
    pictures = sorted(
        (found for found in files if found[0] in PICTURES),
        key=lambda found: PICTURES.index(found[0]),
    )
    raws = [name for suffix, name in files if suffix in RAWS]
    clips = [name for suffix, name in files if suffix == CLIP]
    if not pictures or not (raws or clips):
        return [Group(name) for _, name in files]
    clip = clips[0] if len(clips) == 1 else None  # of two, neither is known to be the one
    if raws:  # every picture of the stem was made of it
        published = pictures[0][1]
        others = [name for _, name in pictures[1:]]
    else:  # a Live Photo is HEIC on the phone; a JPEG beside it is somebody's copy or another shot
        published = next((name for suffix, name in pictures if "hei" in suffix), pictures[0][1])
        others = []
    along = [*others, *raws, *([clip] if clip else [])]
    if not along:
        return [Group(name) for _, name in files]
    together = Together.RAW if raws else Together.LIVE_PHOTO
    taken = {published, *along}
    return [
        Group(published, tuple(along), together, clip),
        *(Group(name) for _, name in files if name not in taken),
    ]
