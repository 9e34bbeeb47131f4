"""The bytes of a candidate and the caption beside it, read once. Everything here blocks."""

from __future__ import annotations

import codecs
import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from mediawatch.media.probe import Family, sniff_file
from mediawatch.pipeline.archive import SIDECAR
from mediawatch.watch.candidates import Candidate

#: Longest caption file that is read, in bytes.
MAX_SIDECAR = 64 * 1024


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """The bytes of a candidate, as they were read in one go, and which file they were in."""

    sha256: str
    size: int
    family: Family
    caption: str | None
    identity: tuple[int, int, int]


def take_fingerprint(candidate: Candidate, young: tuple[float, float]) -> Fingerprint | None:
    """Read the whole file once; None if it is not what settled, or changed while it was read.

    Also if its caption was written within ``young`` (from, to; seconds since the epoch): it may
    not be whole yet.
    """
    beside = sidecar(candidate.path)
    if beside is not None and young[0] < beside.stat().st_mtime <= young[1]:
        return None
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    flags |= getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
    with os.fdopen(os.open(candidate.path, flags), "rb") as file:
        before = os.fstat(file.fileno())
        if not stat.S_ISREG(before.st_mode) or before.st_size != candidate.size:
            return None
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        after = os.fstat(file.fileno())
    if identity(before) != identity(after):
        return None
    family = sniff_file(candidate.path).family
    caption = _caption_beside(candidate.path)
    return Fingerprint(digest, before.st_size, family, caption, identity(after))


def identity(found: os.stat_result) -> tuple[int, int, int]:
    """What a rename leaves as it is, and a writer does not."""
    return found.st_ino, found.st_size, found.st_mtime_ns


def sidecar(path: Path) -> Path | None:
    """The caption file beside a picture, however its suffix is written; None if there is none."""
    for suffix in (SIDECAR, SIDECAR.upper(), SIDECAR.title()):
        beside = path.with_suffix(suffix)
        # Not through a link: it could lead to any file that this user may read.
        if beside.is_file() and not beside.is_symlink():
            return beside
    return None


def _caption_beside(path: Path) -> str | None:
    """The text of ``name.txt`` beside ``name.jpg``, or None if there is none.

    UTF-8, or UTF-16 with its mark, or what an old Windows program wrote.
    """
    beside = sidecar(path)
    if beside is None:
        return None
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    try:
        with os.fdopen(os.open(beside, flags | getattr(os, "O_NONBLOCK", 0)), "rb") as file:
            # A longer one is cut here, and refused for its length later, by a sentence.
            data = file.read(MAX_SIDECAR)
    except FileNotFoundError:
        return None
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", "replace").strip()
    try:
        return data.decode("utf-8-sig").strip()
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace").strip()
