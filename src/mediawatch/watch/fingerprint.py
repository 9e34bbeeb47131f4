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
from mediawatch.media.probe import Family
from mediawatch.model import covers, pairs, wish_rules
from mediawatch.model.dated_names import dated, moment_of
from mediawatch.model.kinds import PostKind
from mediawatch.model.names import split_name
from mediawatch.model.wishes import NOTHING, Wishes
from mediawatch.watch import sidecar
from mediawatch.watch.candidates import Candidate, Contents, Identity
from mediawatch.watch.clips import is_marked_clip
from mediawatch.watch.reading import identity, read

_FLAGS = (
    os.O_RDONLY
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_BINARY", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_CLOEXEC", 0)
)


Refusal = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Companion:
    """A file that goes with another one, as it was when it was read: where it lay, sha256 in hex,
    size in bytes, which file it was."""

    path: Path
    sha256: str
    size: int
    identity: Identity


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """The bytes of a candidate, as they were read in one go, and which file they were in.

    ``beside``: its sidecars; ``companions``: what else goes with it; ``wishes``: what they, its
    name and the picture itself wish for; ``refusal``: code, sentence and remedy of what is wrong
    with them, so that the post must wait for a person.
    """

    sha256: str
    size: int
    family: Family
    beside: tuple[Path, ...]
    wishes: Wishes
    refusal: Refusal | None
    identity: Identity
    companions: tuple[Companion, ...] = ()


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
    companions = [_read_companion(path) for path in candidate.companions]
    if None in companions:
        return None
    wishes, refusal = _wishes(candidate, found, beside)
    return Fingerprint(
        found.sha256,
        found.size,
        found.family,
        tuple(beside),
        wishes,
        refusal,
        found.identity,
        tuple(each for each in companions if each is not None),
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
        covers.check(
            candidate.path.name,
            [each.name for each in candidate.companions if pairs.is_cover(each.name)],
            wishes,
            kind_of(candidate, found.family, wishes),
        )
        if wishes.kind is None and candidate.kind is None and _is_live_clip(candidate, found):
            raise _no_clip(candidate.path.name)
    except Rejected as refusal:
        return wishes, (refusal.code, refusal.message, refusal.remedy)
    return wishes, None


def _is_live_clip(candidate: Candidate, found: Contents) -> bool:
    """Whether it says itself that it is the clip of a Live Photo; its picture is not there, or it
    would go with that."""
    suffix = split_name(candidate.path.name)[1].lower()
    if found.family is not Family.VIDEO or suffix != pairs.CLIP:
        return False
    return is_marked_clip(candidate.path)


def _no_clip(name: str) -> Rejected:
    return Rejected(
        f"{name} is the clip of a Live Photo, and its picture does not lie beside it.",
        code="live-photo",
        handling=Handling.HOLD,
        remedy="Nothing, if it is not to be published. To publish it too, put it into reels/.",
    )


def kind_of(candidate: Candidate, family: Family, wishes: Wishes) -> PostKind:
    """What a file is to become: by its wish, its folder, or what it is.

    Never a carousel, whatever is wished: that is filed as a folder, with all that lies in it, and a
    file shares its folder with what was claimed together with it.
    """
    wished = wishes.kind or candidate.kind or PostKind.IMAGE
    if wished is PostKind.CAROUSEL:
        wished = candidate.kind or PostKind.IMAGE
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


def _read_companion(path: Path) -> Companion | None:
    """None if it is gone, changed while it was read, or is no regular file. Raises OSError."""
    try:
        descriptor = os.open(path, _FLAGS)
    except FileNotFoundError:
        return None
    with os.fdopen(descriptor, "rb") as file:
        before = os.fstat(descriptor)
        if not stat.S_ISREG(before.st_mode):
            return None
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        if identity(os.fstat(descriptor)) != identity(before):
            return None
    return Companion(path, sha256, before.st_size, identity(before))


def _read(candidate: Candidate) -> Contents | None:
    descriptor = os.open(candidate.path, _FLAGS)
    try:
        before = os.fstat(descriptor)
        if not stat.S_ISREG(before.st_mode) or before.st_size != candidate.size:
            return None
        return read(descriptor)
    finally:
        os.close(descriptor)
