"""The renames of a claim. Everything here blocks, and runs in threads."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mediawatch import crash
from mediawatch.errors import MediawatchError, StorageProblem
from mediawatch.model.pairs import is_cover, tail_of
from mediawatch.model.posts import Post
from mediawatch.pipeline import filing
from mediawatch.pipeline.album import note_beside
from mediawatch.pipeline.archive import free_name, name_begun
from mediawatch.watch import sidecar
from mediawatch.watch.candidates import Candidate
from mediawatch.watch.fingerprint import Companion, Fingerprint
from mediawatch.watch.reading import identity


@dataclass(frozen=True, slots=True)
class Claim:
    """A file that is to be taken to ``target``, as it was when it was read; what goes with it is
    taken to the same folder."""

    candidate: Candidate
    fingerprint: Fingerprint
    target: Path

    def target_of(self, companion: Companion) -> Path:
        """Where a companion is taken."""
        return self.target.with_name(companion.path.name)

    def left_behind(self) -> list[Companion]:
        """Those that did not come along: another program has them just now. Blocks."""
        return [each for each in self.fingerprint.companions if not self.target_of(each).is_file()]


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
    for companion in claim.fingerprint.companions:
        if claim.target_of(companion).is_file():
            filing.move(claim.target_of(companion), companion.path, sha256=None)
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


def has_source(post: Post) -> bool:
    """Whether the original of a post of one file is where the journal says."""
    return post.items[0].source.is_file()


def file_duplicate(
    source: Path,
    companions: Sequence[Path],
    folder: Path,
    post_id: str,
    note: dict[str, str],
    *,
    bring_sidecars: bool,
) -> Path:
    """File a duplicate with its caption, what goes with it and a note; where it lies then."""
    filing.make_folder(folder)
    tails = [tail_of(each.name) for each in companions]
    target = name_begun(source, folder, post_id, tails) or free_name(
        folder, source.name, post_id, tails, note=True
    )
    # The file goes last: until it has gone, all of this is done again after a kill.
    filing.write_note(note_beside(target), note | {"seal": filing.seal(source)})
    for beside in sidecar.find(source) if bring_sidecars else ():
        with contextlib.suppress(FileExistsError):
            filing.settle_move(beside, target.with_suffix(beside.suffix.lower()), None)
    for each, tail in zip(companions, tails, strict=True):
        with contextlib.suppress(FileExistsError):
            filing.settle_move(each, target.with_suffix(tail), None)
    filing.settle_move(source, target, None)
    return target


def _rename(claim: Claim) -> bool:
    covers = [each for each in claim.fingerprint.companions if is_cover(each.path.name)]
    for cover in covers:
        # Before its reel, which is nothing without it: what hinders it hinders both.
        filing.claim_rename(cover.path, claim.target_of(cover))
        crash.at("claim.cover-renamed")
    try:
        filing.claim_rename(claim.candidate.path, claim.target)
    except (OSError, MediawatchError):
        for cover in covers:
            with contextlib.suppress(OSError, MediawatchError):
                filing.move(claim.target_of(cover), cover.path, sha256=None)
        raise
    crash.at("claim.renamed")
    for each in claim.fingerprint.companions:
        # It is no part of the post: a program that has it just now hinders nothing.
        if each not in covers:
            with contextlib.suppress(OSError, MediawatchError):
                filing.claim_rename(each.path, claim.target_of(each))
                crash.at("claim.companion-renamed")
    for beside in () if claim.candidate.leaves_sidecars else claim.fingerprint.beside:
        # It is in the post already: an editor that has its file just now hinders nothing.
        with contextlib.suppress(OSError, MediawatchError):
            filing.claim_rename(beside, claim.target.with_suffix(beside.suffix.lower()))
            crash.at("claim.caption-renamed")
    return identity(claim.target.lstat()) == claim.fingerprint.identity and all(
        identity(claim.target_of(each).lstat()) == each.identity
        for each in claim.fingerprint.companions
        if claim.target_of(each).is_file()
    )
