"""The files of a conversion: an original that must not change under it, and a result that
appears whole or not at all."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from av.error import ExternalError

from mediawatch.errors import Handling, MediawatchError, SourceProblem, from_os_error
from mediawatch.media import wholeness
from mediawatch.media.order import part_file
from mediawatch.media.probe import HEAD, Family, Sniffed, open_regular, sniff
from mediawatch.media.rules import Reason, reject
from mediawatch.media.video.reading import FFmpegError

_DISK = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO, errno.EMFILE}
)


@contextmanager
def unchanged(source: Path) -> Iterator[BinaryIO]:
    """The open file. Raises SourceProblem if it cannot be read, or is another one at the end.

    A verdict about a file that was still being written says nothing: it is not passed on.
    """
    try:
        with open_regular(source) as file:
            before = _fingerprint(os.fstat(file.fileno()))
            try:
                yield file
            except MediawatchError:
                _require_same(source, before)
                raise
            _require_same(source, before)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise SourceProblem(
            f"Could not read {source.name!r}: {reason}.",
            remedy="Check that the file is still there and that mediawatch may read it.",
            code="source-gone" if isinstance(error, FileNotFoundError) else None,
        ) from error


def _fingerprint(status: os.stat_result) -> tuple[int, int, int]:
    return status.st_ino, status.st_size, status.st_mtime_ns


def _require_same(source: Path, before: tuple[int, int, int]) -> None:
    # By its name, since FFmpeg opened it by its name.
    if _fingerprint(os.lstat(source)) != before:
        raise SourceProblem(
            f"{source.name!r} was still being written while it was read.",
            remedy="Nothing to do: mediawatch reads it again.",
            code="source-changed",
            handling=Handling.RETRY,
        )


def require_whole(file: BinaryIO, max_bytes: int) -> Sniffed:
    """What the file is. Raises Rejected: empty, too-big, unsupported, truncated."""
    size = os.fstat(file.fileno()).st_size
    if size == 0:
        raise reject(Reason.EMPTY)
    if size > max_bytes:
        raise reject(Reason.TOO_BIG, video=True, size=size, limit=max_bytes)
    kind = sniff(file.read(HEAD))
    if kind.family is Family.UNSUPPORTED:
        raise reject(Reason.UNSUPPORTED, label=kind.label)
    if wholeness.has_end(file, kind.format) is False:
        raise reject(Reason.TRUNCATED, handling=Handling.HOLD)
    return kind


def require_video(file: BinaryIO, max_bytes: int) -> Sniffed:
    """As ``require_whole``, and nothing but a video is let through."""
    kind = require_whole(file, max_bytes)
    if kind.family is not Family.VIDEO:
        raise reject(Reason.UNSUPPORTED, label=kind.label)
    return kind


@contextmanager
def finishing(target: Path) -> Iterator[Path]:
    """Where to write; when the block ends well, the file is on the disk and takes its name."""
    part = part_file(target)
    try:
        yield part
        with part.open("rb+") as file:
            os.fsync(file.fileno())
        part.replace(target)
    except BaseException as error:
        with suppress(OSError):
            part.unlink()
        if isinstance(error, OSError) and not isinstance(error, FFmpegError):
            raise from_os_error(error, "write the prepared video") from error
        raise


@contextmanager
def translated() -> Iterator[None]:
    """What FFmpeg raises, in our own words."""
    try:
        yield
    except FFmpegError as error:
        # x264 has one error for everything; with the settings that we give it, it lacks memory.
        if isinstance(error, MemoryError | ExternalError) or error.errno == errno.ENOMEM:
            raise reject(Reason.MEMORY) from error
        if error.errno in _DISK:
            shown = OSError(error.errno, os.strerror(error.errno))
            raise from_os_error(shown, "read or write the video") from error
        raise reject(Reason.CORRUPT) from error
