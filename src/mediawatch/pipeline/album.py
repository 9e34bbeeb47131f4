"""The folder of a carousel, which is filed as a folder: file by file, so that a kill at any moment
leaves a state from which it can be finished. Everything here blocks.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
from collections.abc import Container, Iterable
from pathlib import Path
from typing import Any

from mediawatch import crash
from mediawatch.model.kinds import PostKind
from mediawatch.model.posts import Post
from mediawatch.pipeline import filing
from mediawatch.pipeline.filing_names import NOTE_SUFFIX, candidate_names


def note_beside(path: Path) -> Path:
    """Where the note of a filed original lies, or of the folder of a carousel."""
    return path.with_name(path.name + NOTE_SUFFIX)


def shown(post: Post) -> Path:
    """What people see of a post's originals: the file, or the folder of a carousel."""
    source = post.items[0].source
    return source.parent if post.kind is PostKind.CAROUSEL else source


def place(
    folder: Path, post: Post, note: dict[str, Any] | None, reserved: Container[Path] = ()
) -> Path:
    """The folder below ``folder`` for the originals of a carousel, and the note beside it, if
    there is one: an original is never seen there without its reason.

    ``reserved``: those that other posts are about to be filed in. After a kill the same one is
    found: by what lies there or is on its way there, or by its note.
    Raises FileExistsError if all names are taken, StorageProblem.
    """
    filing.make_folder(folder)
    names = candidate_names(post.name, post.id, (NOTE_SUFFIX,) if note else ())
    targets = [folder / name for name in names]
    ours = next((target for target in targets if _is_ours(target, post)), None)
    free = (target for target in targets if target not in reserved and _is_free(target))
    target = ours or next(free, None)
    if target is None:
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(folder / post.name))
    if note is not None:
        filing.write_note(note_beside(target), note)
    return target


def follow(before: Post, target: Path, work_folder: Path, aside: Iterable[Path]) -> None:
    """Whatever else lay with the originals of a carousel goes with them: captions, and what is no
    picture. Where they lay, nothing stays; they may have gone ahead before a kill.

    ``aside``: folders in which the post may have been held, with a note that names it.
    """
    left = {item.source.parent for item in before.items} | {work_folder / before.id}
    for folder in aside:
        names = candidate_names(before.name, before.id, (NOTE_SUFFIX,))
        left |= {folder / name for name in names if _has_note(folder / name, before.id, None)}
    for folder in left - {target}:
        with contextlib.suppress(OSError):
            for path in sorted(folder.iterdir()):
                with contextlib.suppress(FileExistsError):
                    _bring(path, target / path.name)
        with contextlib.suppress(OSError):
            folder.rmdir()
            crash.at("work.folder-removed")
        forget_note(folder)


def claim(source: Path, target: Path) -> None:
    """Take the whole folder out of the inbox, by one rename to a name that is nobody else's.
    Raises OSError: FileNotFoundError if somebody was quicker."""
    source.rename(target)
    crash.at("claim.renamed")


def _bring(path: Path, target: Path) -> None:
    if path.is_file() and not path.is_symlink():
        filing.settle_move(path, target, None)
    elif not os.path.lexists(target):
        path.rename(target)  # a link is moved itself, and a folder with all that is in it
        crash.at("file.moved")


def forget_note(folder: Path) -> None:
    """What the note of a folder says is no longer so; that it cannot be deleted stops nothing."""
    with contextlib.suppress(OSError):
        note_beside(folder).unlink(missing_ok=True)
        crash.at("note.removed")


def file_duplicate(source: Path, folder: Path, post_id: str, note: dict[str, Any]) -> Path:
    """File a folder that is a post already, with a note; where it lies then. Raises OSError, and
    StorageProblem."""
    filing.make_folder(folder)
    seal = filing.seal(source)
    # A mark of its own for each: a sync tool may bring the same folder time and again.
    names = candidate_names(source.name, f"{post_id}-{seal}", (NOTE_SUFFIX,))
    targets = [folder / name for name in names]
    begun = next((target for target in targets if _has_note(target, post_id, seal)), None)
    target = begun or next((target for target in targets if _is_free(target)), None)
    if target is None:
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(folder / source.name))
    filing.write_note(note_beside(target), note | {"seal": seal})
    try:
        source.rename(target)
        crash.at("file.moved")
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        for path in sorted(source.iterdir()):
            filing.settle_move(path, target / path.name, None)
        source.rmdir()
        crash.at("work.folder-removed")
    return target


def is_in_inbox(post: Post) -> bool:
    """Whether it is a carousel whose folder was about to be claimed, and was not."""
    moving_to = post.items[0].moving_to
    if post.kind is not PostKind.CAROUSEL or moving_to is None:
        return False
    source, target = post.items[0].source.parent, moving_to.parent
    return source.is_dir() and not source.is_symlink() and not os.path.lexists(target)


def finish_claim(post: Post) -> None:
    """A claim that was cut off before its rename is made now. Raises OSError."""
    moving_to = post.items[0].moving_to
    if moving_to is not None and is_in_inbox(post):
        claim(post.items[0].source.parent, moving_to.parent)


def _is_free(target: Path) -> bool:
    return not os.path.lexists(target) and not os.path.lexists(note_beside(target))


def _is_ours(target: Path, post: Post) -> bool:
    for item in post.items:
        if target in {item.source.parent, *([item.moving_to.parent] if item.moving_to else [])}:
            return True
    return _has_note(target, post.id, None)


def _has_note(target: Path, post_id: str, seal: str | None) -> bool:
    try:
        note = json.loads(note_beside(target).read_text(encoding="utf-8"))
        return bool(note.get("post") == post_id and seal in {None, note.get("seal")})
    except (OSError, ValueError, AttributeError):
        return False
