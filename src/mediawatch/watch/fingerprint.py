"""The bytes of a candidate and the caption beside it, read once. Everything here blocks."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mediawatch.media.probe import Family
from mediawatch.model.names import split_name
from mediawatch.pipeline.archive import SIDECAR
from mediawatch.watch.candidates import Candidate, Contents, Identity
from mediawatch.watch.reading import read
from mediawatch.watch.sidecar import MAX_BYTES, text_of

_SUFFIXES = (SIDECAR, SIDECAR.upper(), SIDECAR.title())
_FLAGS = (
    os.O_RDONLY
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_BINARY", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_CLOEXEC", 0)
)


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """The bytes of a candidate, as they were read in one go, and which file they were in.

    ``beside``: the caption file, None if there is none; ``caption``: what is in it.
    """

    sha256: str
    size: int
    family: Family
    beside: Path | None
    caption: str | None
    identity: Identity


def take_fingerprints(
    candidates: Sequence[Candidate], young: tuple[float, float]
) -> list[Fingerprint | OSError | None]:
    """``take_fingerprint`` of each, or what was in its way."""
    taken: list[Fingerprint | OSError | None] = []
    for candidate in candidates:
        try:
            taken.append(take_fingerprint(candidate, young))
        except OSError as error:
            taken.append(error)
    return taken


def take_fingerprint(candidate: Candidate, young: tuple[float, float]) -> Fingerprint | None:
    """Read the whole file, unless it was read already; None if it is not what settled, or changed
    while it was read.

    Also if its caption was written within ``young`` (from, to; seconds since the epoch): it may
    not be whole yet. Raises OSError.
    """
    beside = sidecar(candidate.path)
    if beside is not None and young[0] < beside.stat().st_mtime <= young[1]:
        return None
    found = candidate.contents or _read(candidate)
    if found is None:
        return None
    caption = _caption_in(beside) if beside is not None else None
    return Fingerprint(found.sha256, found.size, found.family, beside, caption, found.identity)


def sidecar(path: Path) -> Path | None:
    """The caption file beside a picture, however its suffix is written; None if there is none."""
    stem = os.fspath(path)
    stem = stem[: len(stem) - len(split_name(path.name)[1])]
    for suffix in _SUFFIXES:
        beside = stem + suffix
        try:
            # Not through a link: it could lead to any file that this user may read.
            found = os.lstat(beside)
        except OSError:
            continue
        if stat.S_ISREG(found.st_mode):
            return Path(beside)
    return None


def _read(candidate: Candidate) -> Contents | None:
    descriptor = os.open(candidate.path, _FLAGS)
    try:
        before = os.fstat(descriptor)
        if not stat.S_ISREG(before.st_mode) or before.st_size != candidate.size:
            return None
        return read(descriptor)
    finally:
        os.close(descriptor)


def _caption_in(beside: Path) -> str | None:
    """The text of a caption file, or None if it is gone."""
    try:
        with os.fdopen(os.open(beside, _FLAGS), "rb") as file:
            # A longer one is cut here, and refused for its length later, by a sentence.
            return text_of(file.read(MAX_BYTES))
    except FileNotFoundError:
        return None
