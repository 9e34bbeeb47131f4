"""The renames of a claim. Everything here blocks, and runs in threads."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mediawatch import crash
from mediawatch.errors import MediawatchError, StorageProblem
from mediawatch.model.posts import Post
from mediawatch.pipeline import filing
from mediawatch.pipeline.album import note_beside
from mediawatch.pipeline.archive import free_name, name_begun
from mediawatch.watch import sidecar
from mediawatch.watch.candidates import Candidate
from mediawatch.watch.fingerprint import Fingerprint
from mediawatch.watch.reading import identity


@dataclass(frozen=True, slots=True)
class Claim:
    """A file that is to be taken to ``target``, as it was when it was read."""

    candidate: Candidate
    fingerprint: Fingerprint
    target: Path


def rename(claim: Claim) -> bool:
    """Take the file and its caption, and have that safe on disk.

    False if the file is not the one that was read. Raises as ``filing.claim_rename`` does.
    """
    (done,) = rename_all([claim])
    if not isinstance(done, bool):
        raise done
    return done


def rename_all(claims: Sequence[Claim]) -> list[bool | OSError | MediawatchError]:
    """``rename`` of each, into one folder that is made; what was in its way, where it failed."""
    folder = claims[0].target.parent
    try:
        filing.make_own(folder)
    except StorageProblem as problem:
        return [problem] * len(claims)
    done: list[bool | OSError | MediawatchError] = []
    for claim in claims:
        try:
            done.append(_rename(claim))
        except (OSError, MediawatchError) as error:
            done.append(error)
    # The journal will say that they are here: so they are, before it says so.
    with contextlib.suppress(OSError):
        filing.sync_folder(folder)
        filing.sync_folder(folder.parent)
    return done


def undo(claim: Claim) -> None:
    """Put the file back where it was. Raises FileExistsError if another one lies there by now."""
    candidate, target = claim.candidate, claim.target
    filing.move(target, candidate.path, sha256=None)
    for before in claim.fingerprint.beside:
        beside = target.with_suffix(before.suffix.lower())
        if beside.is_file():
            filing.move(beside, before, sha256=None)
    remove_empty(target.parent)


def remove_empty(folder: Path) -> None:
    """Remove a folder unless something is in it."""
    with contextlib.suppress(OSError):
        folder.rmdir()
        crash.at("work.folder-removed")


def forget_note(source: Path) -> None:
    """What the note says is no longer so; that it cannot be deleted stops nothing."""
    with contextlib.suppress(OSError):
        note_beside(source).unlink(missing_ok=True)
        crash.at("note.removed")


def has_sources(post: Post) -> bool:
    """Whether every original of the post is where the journal says."""
    return all(item.source.is_file() for item in post.items)


def file_duplicate(source: Path, folder: Path, post_id: str, note: dict[str, str]) -> Path:
    """File a duplicate with its caption and a note; where it lies then."""
    filing.make_folder(folder)
    target = name_begun(source, folder, post_id) or free_name(
        folder, source.name, post_id, note=True
    )
    # The file goes last: until it has gone, all of this is done again after a kill.
    filing.write_note(note_beside(target), note | {"seal": filing.seal(source)})
    for beside in sidecar.find(source):
        with contextlib.suppress(FileExistsError):
            filing.settle_move(beside, target.with_suffix(beside.suffix.lower()), None)
    filing.settle_move(source, target, None)
    return target


def _rename(claim: Claim) -> bool:
    filing.claim_rename(claim.candidate.path, claim.target)
    crash.at("claim.renamed")
    for beside in claim.fingerprint.beside:
        # It is in the post already: an editor that has its file just now hinders nothing.
        with contextlib.suppress(OSError, MediawatchError):
            filing.claim_rename(beside, claim.target.with_suffix(beside.suffix.lower()))
            crash.at("claim.caption-renamed")
    return identity(claim.target.lstat()) == claim.fingerprint.identity
