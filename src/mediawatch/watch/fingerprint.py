"""The bytes of a candidate and what is wished for it, read once. Everything here blocks."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Container, Sequence
from dataclasses import dataclass
from pathlib import Path

from mediawatch.clock import MACHINE_ZONE
from mediawatch.errors import Handling, Rejected
from mediawatch.media.probe import Family, open_regular
from mediawatch.model import wish_rules
from mediawatch.model.dated_names import dated, moment_of
from mediawatch.model.kinds import PostKind
from mediawatch.model.names import split_name
from mediawatch.model.pairs import CLIP, PICTURES
from mediawatch.model.wishes import NOTHING, Wishes
from mediawatch.watch import sidecar
from mediawatch.watch.candidates import Candidate, Contents, Identity
from mediawatch.watch.reading import read

_FLAGS = (
    os.O_RDONLY
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_BINARY", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_CLOEXEC", 0)
)


#: What the clip of a Live Photo calls the name that it shares with its picture (Apple).
_LIVE = b"com.apple.quicktime.content.identifier"
#: Bytes at either end of a video among which its index is looked for.
_INDEX = 256 << 10

Refusal = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """The bytes of a candidate, as they were read in one go, and which file they were in.

    ``beside``: its sidecars; ``wishes``: what they, its name and the picture itself wish for;
    ``refusal``: code, sentence and remedy of what is wrong with them, so that the post must wait
    for a person.
    """

    sha256: str
    size: int
    family: Family
    beside: tuple[Path, ...]
    wishes: Wishes
    refusal: Refusal | None
    identity: Identity


def take_fingerprints(
    candidates: Sequence[Candidate], young: tuple[float, float]
) -> list[Fingerprint | OSError | None]:
    """``take_fingerprint`` of each, or what was in its way. They lie in one folder."""
    stems = sidecar.stems_in(candidates[0].path.parent, len(candidates)) if candidates else None
    taken: list[Fingerprint | OSError | None] = []
    for candidate in candidates:
        try:
            taken.append(take_fingerprint(candidate, young, stems))
        except OSError as error:
            taken.append(error)
    return taken


def take_fingerprint(
    candidate: Candidate, young: tuple[float, float], stems: Container[str] | None = None
) -> Fingerprint | None:
    """Read the whole file, unless it was read already; None if it is not what settled, or changed
    while it was read. ``stems``: of the sidecars in its folder, if they are known.

    Also if one of its sidecars was written within ``young`` (from, to; seconds since the epoch):
    it may not be whole yet. Raises OSError.
    """
    beside = sidecar.find(candidate.path, stems)
    if any(young[0] < each.stat().st_mtime <= young[1] for each in beside):
        return None
    found = candidate.contents or _read(candidate)
    if found is None:
        return None
    wishes, refusal = _wishes(candidate, found, beside)
    return Fingerprint(
        found.sha256, found.size, found.family, tuple(beside), wishes, refusal, found.identity
    )


def _wishes(
    candidate: Candidate, found: Contents, beside: Sequence[Path]
) -> tuple[Wishes, Refusal | None]:
    """From far to near: what the picture holds itself, its name, its sidecars."""
    title, words = found.told
    wishes = Wishes(title=title or None, caption=words or None) if title or words else NOTHING
    try:
        named = dated(candidate.path.name)
        if named is not None:
            at = moment_of(named, MACHINE_ZONE)
            wishes = wishes.merge(Wishes(publish_at=at.at, publish_note=at.note))
        if beside:
            said = sidecar.read(beside)
            wishes = wishes.merge(said)
            if said.kind is PostKind.CAROUSEL:
                raise _no_carousel(candidate.path.name)
            wish_rules.check(said, kind_of(candidate, found.family, wishes))
        if wishes.cover is not None and wishes.cover.file is not None:
            raise _no_cover(wishes.cover.file)
        if wishes.kind is None and candidate.kind is None and _is_live_clip(candidate, found):
            raise _no_clip(candidate.path.name)
    except Rejected as refusal:
        return wishes, (refusal.code, refusal.message, refusal.remedy)
    return wishes, None


def _is_live_clip(candidate: Candidate, found: Contents) -> bool:
    """Whether it is the clip of a Live Photo: its picture lies beside it, or it says so itself."""
    stem, suffix = split_name(candidate.path.name)
    if found.family is not Family.VIDEO or suffix.lower() != CLIP:
        return False
    beside = (stem + written for each in PICTURES for written in (each, each.upper()))
    if any(os.path.lexists(candidate.path.with_name(name)) for name in beside):
        return True
    with open_regular(candidate.path) as file:
        ends = file.read(_INDEX)
        file.seek(max(0, found.size - _INDEX))
        return _LIVE in ends or _LIVE in file.read(_INDEX)


def _no_clip(name: str) -> Rejected:
    return Rejected(
        f"{name} is the clip of a Live Photo, whose picture is a post of its own.",
        code="live-photo",
        handling=Handling.HOLD,
        remedy="Nothing, if it is not to be published. To publish it too, put it into reels/.",
    )


def kind_of(candidate: Candidate, family: Family, wishes: Wishes) -> PostKind:
    """What a file is to become: by its wish, its folder, or what it is."""
    wished = wishes.kind or candidate.kind or PostKind.IMAGE
    if wished is PostKind.IMAGE and family is Family.VIDEO:
        return PostKind.REEL  # in the feed Meta takes videos as reels only
    return wished


def content_key(kind: PostKind, *files: Fingerprint, again: str | None = None) -> str:
    """What makes two posts of an account the same: their bytes, in order, and whether they are a
    story; a picture may be in the feed and in a story. ``again``: a word of the owner's that makes
    it another post."""
    what = kind.value if kind in {PostKind.STORY, PostKind.CAROUSEL} else "image"
    parts = [what, *(each.sha256 for each in files), *([f"again {again}"] if again else [])]
    return hashlib.sha256(" ".join(parts).encode()).hexdigest()


def _no_carousel(name: str) -> Rejected:
    return Rejected(
        f"{name} is one file, and a carousel is made of two to ten.",
        code="sidecar",
        handling=Handling.HOLD,
        remedy="Put them into a folder of their own, and that into the inbox.",
    )


def _no_cover(name: str) -> Rejected:
    return Rejected(
        f"A file cannot be the cover of a reel yet ({name}).",
        code="sidecar",
        handling=Handling.HOLD,
        remedy='Name the moment of the video that is shown instead, like cover = "2.5s".',
    )


def _read(candidate: Candidate) -> Contents | None:
    descriptor = os.open(candidate.path, _FLAGS)
    try:
        before = os.fstat(descriptor)
        if not stat.S_ISREG(before.st_mode) or before.st_size != candidate.size:
            return None
        return read(descriptor)
    finally:
        os.close(descriptor)
