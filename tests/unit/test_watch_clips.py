"""What is the clip of a Live Photo, and what only shares a name with a picture."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from mediawatch.watch.clips import LONGEST, is_clip
from tests.support.clips import clip
from tests.support.pictures import jpeg

MARK = b"com.apple.quicktime.content.identifier"


@pytest.mark.parametrize(
    ("seconds", "expected"), [(1, True), (2, True), (3, True), (3.5, False), (8, False)]
)
@pytest.mark.parametrize("faststart", [True, False])
def test_a_clip_is_short(
    tmp_path: Path, seconds: float, *, expected: bool, faststart: bool
) -> None:
    """Up to about three seconds, wherever its index lies."""
    file = tmp_path / "a.mov"
    file.write_bytes(clip(seconds=seconds, form="mov", faststart=faststart))
    assert expected is is_clip(file)


def test_a_long_one_may_say_that_it_is_a_clip(tmp_path: Path) -> None:
    """Apple's mark counts, whatever the length."""
    file = tmp_path / "a.mov"
    long = clip(seconds=LONGEST + 5, form="mov")
    file.write_bytes(long + struct.pack(">I4s", 8 + len(MARK), b"free") + MARK)
    assert is_clip(file)


ODD = {
    "empty": b"",
    "a picture": jpeg(64, 64),
    "nonsense": bytes(1000),
    "no index": clip(seconds=2, form="mov", faststart=False)[:2000],
    "a box that lies": struct.pack(">I4s4sI", 16, b"ftyp", b"qt  ", 0) + b"\xff\xff\xff\xffmoov",
    "a box without end": struct.pack(">I4s4sI", 16, b"ftyp", b"qt  ", 0) + bytes(8),
    "a header without ticks": struct.pack(">I4s4sI", 16, b"ftyp", b"qt  ", 0)
    + struct.pack(">I4sI4s", 108, b"moov", 100, b"mvhd")
    + bytes(92),
}


@pytest.mark.parametrize("kind", ODD)
def test_what_is_odd_is_no_clip(tmp_path: Path, kind: str) -> None:
    """It is taken as what it is, and told so there."""
    file = tmp_path / "a.mov"
    file.write_bytes(ODD[kind])
    assert not is_clip(file)
    assert not is_clip(tmp_path / "gone.mov")
