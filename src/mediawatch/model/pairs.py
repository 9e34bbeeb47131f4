"""Files that belong to another one, told by their names: what travels with a file, and why.

A RAW belongs to the picture that was made of it, the clip of a Live Photo to its picture, and
``clip.cover.jpg`` to the reel ``clip.mp4``. All of them share their stem with the file that they
belong to; what stands behind it is their tail.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum

from mediawatch.model.names import split_name

PICTURES = frozenset(
    {
        *(".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".heic", ".heif", ".hif", ".avif"),
        *(".png", ".webp", ".tif", ".tiff", ".bmp", ".gif"),
    }
)
VIDEOS = frozenset(
    {
        *(".mp4", ".m4v", ".mov", ".qt", ".webm", ".mkv", ".avi", ".mpg", ".mpeg", ".mts"),
        *(".m2ts", ".ts", ".3gp", ".3g2", ".wmv", ".flv", ".ogv"),
    }
)
RAWS = frozenset({".cr2", ".cr3", ".nef", ".arw", ".dng", ".orf", ".rw2", ".raf", ".pef", ".srw"})
CLIP = ".mov"
#: What stands between the stem of a video and the suffix of its cover.
COVER = ".cover"

#: What a name ends in that may belong to another one: a first, quick look.
TAILS = (*sorted(RAWS), CLIP, *sorted(COVER + suffix for suffix in PICTURES))


class Kin(Enum):
    """What a file is to the one that it belongs to."""

    RAW = "raw"
    CLIP = "clip"  # if it is one: that is not told by its name
    COVER = "cover"


def kin_of(name: str) -> tuple[Kin, str] | None:
    """What a file of this name could be to another one, and the stem of that; else None.

    Whether there is such a file, and whether a clip is one, the name does not tell.
    """
    stem, suffix = split_name(name)
    suffix = suffix.lower()
    if suffix in RAWS:
        return Kin.RAW, stem
    if suffix == CLIP:
        return Kin.CLIP, stem
    if suffix in PICTURES and stem[-len(COVER) :].lower() == COVER:
        of = stem[: -len(COVER)]
        return (Kin.COVER, of) if of.rpartition("/")[2] else None
    return None


def stem_of_owner(name: str) -> str | None:
    """The stem of the file to which this one could belong."""
    found = kin_of(name)
    return found[1] if found is not None else None


def may_own(name: str, kin: Kin) -> bool:
    """Whether files of that kind can belong to a file of this name."""
    return split_name(name)[1].lower() in (VIDEOS if kin is Kin.COVER else PICTURES)


def belongs_to_any(name: str, names: Iterable[str]) -> bool:
    """Whether a file of this name could belong to one of these in the same folder."""
    found = kin_of(name)
    if found is None:
        return False
    kin, stem = found
    return any(
        each != name and split_name(each)[0] == stem and may_own(each, kin) for each in names
    )


def may_be_clip_of_any(name: str, names: Iterable[str]) -> bool:
    """Whether a file of this name could be the clip of a picture among these."""
    found = kin_of(name)
    return found is not None and found[0] is Kin.CLIP and belongs_to_any(name, names)


def is_cover(name: str) -> bool:
    """Whether a file of this name is the cover of a reel, and never a post."""
    found = kin_of(name)
    return found is not None and found[0] is Kin.COVER


def tail_of(name: str) -> str:
    """What stands behind the stem that a companion shares with its file: ``.CR2``,
    ``.cover.jpg``."""
    found = kin_of(name)
    return name[len(found[1]) :] if found is not None else split_name(name)[1]


def cover_for(name: str, suffix: str) -> str:
    """What the cover of this video is to be called."""
    return f"{split_name(name)[0]}{COVER}{suffix.lower()}"
