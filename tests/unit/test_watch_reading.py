"""One opening of a settled file: who writes to it, what it is, and which bytes it holds."""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path
from typing import BinaryIO

import pytest

from mediawatch.media.probe import Family
from mediawatch.watch import listing
from mediawatch.watch.candidates import Inspection
from mediawatch.watch.reading import AT_ONCE, Readings
from mediawatch.watch.writers import Writer, key_of
from tests.support.pictures import jpeg

ON_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="leases")


def inspect(name: str, file: BinaryIO) -> Inspection:
    if name == "broken.jpg":
        raise ValueError("broken")
    return Inspection(wanted=file.read(2) == b"\xff\xd8")


def asked(path: Path) -> listing.Question:
    return listing.Question(path.name, key_of(path.lstat()), ask=True)


def peeked(path: Path, question: listing.Question) -> tuple[Readings, listing.Look]:
    readings = Readings(inspect)
    (look,) = listing.look_at(str(path.parent), [question], readings.peek)
    return readings, look


@ON_LINUX
def test_a_file_is_read_while_it_is_asked_who_writes(tmp_path: Path) -> None:
    """What is known of it then is known of one and the same state."""
    path = tmp_path / "a.jpg"
    path.write_bytes(jpeg(64, 64))

    readings, look = peeked(path, asked(path))

    reading, found = readings.by_name["a.jpg"], path.lstat()
    assert Writer.NONE is look.writer
    assert Inspection(wanted=True) == reading.seen
    assert reading.contents is not None
    assert hashlib.sha256(jpeg(64, 64)).hexdigest() == reading.contents.sha256
    assert Family.IMAGE is reading.contents.family
    assert (found.st_ino, found.st_size, found.st_mtime_ns) == reading.contents.identity


@ON_LINUX
def test_what_is_written_or_changed_is_not_read(tmp_path: Path) -> None:
    """Nobody may believe bytes that another program is still writing, or of another file."""
    path = tmp_path / "a.jpg"
    path.write_bytes(jpeg(64, 64))
    question = asked(path)
    with path.open("ab") as writing:
        readings, look = peeked(path, question)
        assert ({}, Writer.SOME) == (readings.by_name, look.writer)
        writing.write(b"more")

    readings, look = peeked(path, question)
    assert ({}, key_of(path.lstat()), None) == (readings.by_name, look.key, look.writer)

    path.unlink()
    path.symlink_to(__file__)
    readings, look = peeked(path, question)
    assert ({}, listing.Sight.OTHER) == (readings.by_name, look.sight)


@ON_LINUX
def test_one_broken_file_does_not_stop_the_looks(tmp_path: Path) -> None:
    """Whatever the inspector makes of it is the file's own trouble."""
    path = tmp_path / "broken.jpg"
    path.write_bytes(b"x")

    readings, look = peeked(path, asked(path))

    assert Writer.NONE is look.writer
    assert isinstance(readings.by_name["broken.jpg"].seen, ValueError)


@ON_LINUX
def test_a_large_file_is_read_later(tmp_path: Path) -> None:
    """The folder is looked at by one thread: no file may keep it for long."""
    path = tmp_path / "a.jpg"
    path.touch()
    os.truncate(path, AT_ONCE + 1)

    readings, look = peeked(path, asked(path))

    assert ({}, Writer.NONE) == (readings.by_name, look.writer)
