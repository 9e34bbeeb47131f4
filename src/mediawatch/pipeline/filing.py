"""Moves an original without ever overwriting anything, and in such a way that a crash at any
moment leaves a state from which the move can be finished.

Every function here blocks on the disk: call it with ``asyncio.to_thread``.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import shutil
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from mediawatch import crash
from mediawatch.errors import SourceProblem, StorageProblem, from_os_error
from mediawatch.pipeline.filing_names import NOTE_SUFFIX, beside, choose_name
from mediawatch.pipeline.filing_rename import reachable, rename_no_replace, stand_in_text

__all__ = [
    "NOTE_SUFFIX",
    "beside",
    "choose_name",
    "claim_rename",
    "dated",
    "hash_file",
    "make_folder",
    "make_own",
    "move",
    "same_bytes",
    "seal",
    "settle_move",
    "sync_folder",
    "write_note",
]

_CHUNK = 1 << 20
_OTHER_DISK = 17  # Windows: ERROR_NOT_SAME_DEVICE
_GONE_REMEDY = "Look for it in the folders beside the inbox; put it into the inbox to try again."


def dated(folder: Path, archive_by: Literal["none", "month", "day"], when: float) -> Path:
    """Where a file of that moment (seconds since the epoch) is filed: the folder itself, or
    ``YYYY/MM`` or ``YYYY/MM/DD`` below it, by the machine's own calendar."""
    day = datetime.fromtimestamp(when, UTC).astimezone()
    if archive_by == "month":
        return folder / f"{day:%Y}" / f"{day:%m}"
    if archive_by == "day":
        return folder / f"{day:%Y}" / f"{day:%m}" / f"{day:%d}"
    return folder


def claim_rename(source: Path, target: Path) -> None:
    """Take a file out of the inbox: one atomic rename, which works once only.

    Raises FileNotFoundError if somebody was quicker, FileExistsError if the target is taken,
    StorageProblem for everything else.
    """
    try:
        try:
            rename_no_replace(reachable(source), reachable(target), links=False)
        except FileNotFoundError:
            if target.parent.is_dir():
                raise
            target.parent.mkdir(parents=True, exist_ok=True)
            rename_no_replace(reachable(source), reachable(target), links=False)
    except (FileNotFoundError, FileExistsError):
        raise
    except OSError as error:
        if _on_other_disk(error):
            raise StorageProblem(
                f"The inbox {source.parent} and its work folder lie on different disks.",
                code="other-disk",
                remedy="Unmount what is mounted below the inbox, or choose another inbox.",
            ) from error
        raise from_os_error(error, f"take {source.name} out of the inbox") from error


def make_own(folder: Path) -> None:
    """Make a folder below the work folder, and see that neither of them is a link.

    Raises StorageProblem.
    """
    make_folder(folder)
    for part in (folder.parent, folder):
        if part.is_symlink():
            raise StorageProblem(
                f"{part} is a link, and would lead out of the inbox.",
                code="work-folder-link",
                remedy="Remove the link; mediawatch makes a folder of its own there.",
            )


def make_folder(folder: Path) -> None:
    """Make a folder for originals, with those above it. Raises StorageProblem."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise from_os_error(error, f"make the folder {folder}") from error


def move(source: Path, target: Path, *, sha256: str | None) -> None:
    """File ``source`` as ``target``, on this disk or another one; the folder is made if missing.

    ``sha256`` (hex) is what the bytes must be, where it is known; it is checked when they have
    to be copied. When this returns, the target's folder entry is safe on disk. After a crash call
    ``settle_move`` instead. Raises FileExistsError if the target is taken (nothing was changed),
    SourceProblem if the source is gone or has other bytes, StorageProblem if the disk refuses.
    """
    source, target = reachable(source), reachable(target)
    with _translated(source, target):
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            rename_no_replace(source, target, links=True)
        except OSError as error:
            if not _on_other_disk(error):
                raise
            _copy_across(source, target, sha256)
        crash.at("file.moved")


def settle_move(source: Path, target: Path, sha256: str | None) -> None:
    """Bring a move that a crash may have cut off to its end, from whatever state it was in.

    Raises FileExistsError if something else lies at the target, SourceProblem if the file is
    nowhere, or has other bytes than ``sha256`` says; StorageProblem if the disk refuses.
    """
    source, target = reachable(source), reachable(target)
    with _translated(source, target):
        _part_of(source, target).unlink(missing_ok=True)
        if os.path.lexists(target):
            _finish(source, target, sha256)
            crash.at("file.settled")
            return
        if sha256 is not None:
            _compare(source, hash_file(source), sha256)
    move(source, target, sha256=sha256)


def write_note(path: Path, data: dict[str, Any]) -> None:
    """Write ``data`` as readable JSON beside a filed original, whole or not at all; an earlier
    note of the same name is replaced. Raises StorageProblem."""
    # Names that are not UTF-8 hold lone surrogates: they become \\udcXX, which JSON understands.
    text = json.dumps(data, indent=2, ensure_ascii=False, default=str) + "\n"
    path = reachable(path)
    temporary = half_note(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            file.write(text.encode("utf-8", "backslashreplace"))
            file.flush()
            os.fsync(file.fileno())
        crash.at("note.written")
        temporary.replace(path)
        sync_folder(path.parent)
        crash.at("note.placed")
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise from_os_error(error, f"write the note {path.name}") from error


def half_note(path: Path) -> Path:
    """Where the note ``path`` lies while it is written; after a kill it may have stayed there."""
    return path.with_name(f".{_short_hash(path.name)}.tmp")


def seal(path: Path) -> str:
    """Which file it is, and in which state: a move on the same disk leaves that as it is. Raises
    OSError."""
    found = reachable(path).lstat()
    return f"{found.st_ino}-{found.st_size}-{found.st_mtime_ns}"


def same_bytes(one: Path, other: Path) -> bool:
    """Whether both hold the same. Raises OSError."""
    if one.samefile(other):
        return True
    return one.stat().st_size == other.stat().st_size and hash_file(one) == hash_file(other)


def hash_file(path: Path) -> str:
    """The sha256 of a file's bytes, in hex. Raises OSError."""
    with reachable(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _finish(source: Path, target: Path, sha256: str | None) -> None:
    """Something lies at the target: if it is ours, let go of the source."""
    if not os.path.lexists(source):
        if sha256 is not None and hash_file(target) != sha256:
            raise _taken(target)
    elif source.samefile(target):
        _let_go(source, target)
    elif _is_stand_in(source, target):
        source.replace(target)
        sync_folder(target.parent)
    elif (found := hash_file(target)) == hash_file(source):
        _let_go(source, target)
    elif found != sha256:
        raise _taken(target)
    # Else the move was ended before, and another file came to the old name since: it stays.


def _let_go(source: Path, target: Path) -> None:
    sync_folder(target.parent)
    source.unlink()


def _is_stand_in(source: Path, target: Path) -> bool:
    expected = stand_in_text(source)
    return target.stat().st_size == len(expected) and target.read_bytes() == expected


def _copy_across(source: Path, target: Path, sha256: str | None) -> None:
    part = _part_of(source, target)
    try:
        digest = _copy(source, part)
        _compare(source, digest, sha256)
        with contextlib.suppress(OSError):  # some file systems keep no times or permissions
            shutil.copystat(source, part)
        crash.at("copy.written")
        rename_no_replace(part, target, links=True)
        sync_folder(target.parent)
        crash.at("copy.placed")
    except BaseException:
        with contextlib.suppress(OSError):
            part.unlink()
        raise
    source.unlink()


def _compare(source: Path, digest: str, sha256: str | None) -> None:
    if sha256 is not None and digest != sha256:
        raise SourceProblem(
            f"{source.name} has other bytes than those that were claimed.",
            code="changed-after-claim",
            remedy="Compare it with the post; it stays where it is.",
        )


def _copy(source: Path, part: Path) -> str:
    digest = hashlib.sha256()
    with source.open("rb") as reader, part.open("wb") as writer:
        while chunk := reader.read(_CHUNK):
            digest.update(chunk)
            writer.write(chunk)
        writer.flush()
        os.fsync(writer.fileno())
    return digest.hexdigest()


def _part_of(source: Path, target: Path) -> Path:
    # The same move always gets the same name, so that what a crash left is found again.
    return target.with_name(f".{_short_hash(str(source) + target.name)}.part")


def _short_hash(text: str) -> str:
    return hashlib.sha256(os.fsencode(text)).hexdigest()[:16]


def sync_folder(folder: Path) -> None:
    """Have the entries of a folder safe on disk, where the system can. Raises OSError."""
    if sys.platform == "win32":
        return  # folders cannot be opened there; NTFS journals its entries
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in {errno.EINVAL, errno.ENOTSUP}:  # some shares cannot
            raise
    finally:
        os.close(descriptor)


def _on_other_disk(error: OSError) -> bool:
    return error.errno == errno.EXDEV or getattr(error, "winerror", None) == _OTHER_DISK


def _taken(target: Path) -> FileExistsError:
    return FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target))


@contextlib.contextmanager
def _translated(source: Path, target: Path) -> Iterator[None]:
    """Say what the operating system said in our own words; a taken name passes through."""
    try:
        yield
    except FileExistsError:
        raise
    except OSError as error:
        if isinstance(error, FileNotFoundError) and not os.path.lexists(source):
            raise SourceProblem(
                f"{source.name} is gone from {source.parent}.",
                code="source-gone",
                remedy=_GONE_REMEDY,
            ) from error
        raise from_os_error(error, f"file {source.name} into {target.parent}") from error
