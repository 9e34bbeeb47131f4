"""The boxes of an MP4: where its index lies, and whether an edit list hides something."""

from __future__ import annotations

from pathlib import Path

import pytest

from mediawatch.media.video.boxes import Index, read_index
from mediawatch.media.video.check import Chains
from tests.support import videos


def index_of(data: bytes, folder: Path) -> Index | None:
    file = folder / "video.mp4"
    file.write_bytes(data)
    with file.open("rb") as opened:
        return read_index(opened)


@pytest.mark.parametrize(("movflags", "first"), [("", False), ("faststart", True)])
def test_where_the_index_is(tmp_path: Path, movflags: str, first: bool) -> None:
    """A player that streams needs it in front of the content."""
    index = index_of(videos.video(movflags=movflags), tmp_path)
    assert index is not None
    assert first == index.first


@pytest.mark.parametrize("fps", [4, 30])
def test_what_every_encoder_writes_is_no_edit(tmp_path: Path, fps: int) -> None:
    """Frames in another order and the priming of sound have edit lists that hide nothing."""
    data = videos.video(fps=fps, options=(("bf", "3"),))
    index = index_of(data, tmp_path)
    assert index is not None
    assert index.edit_lists == 2
    assert index.edited == frozenset()


@pytest.mark.parametrize(("begin", "seconds"), [(1.0, 2.0), (1.0, 1.0), (0.0, 1.5)])
def test_a_trimmed_clip_is_told(tmp_path: Path, begin: float, seconds: float) -> None:
    """Something is cut off at the start, at the end, or at both."""
    index = index_of(videos.edited(videos.video(), begin, seconds), tmp_path)
    assert index is not None
    assert index.edited == {"vide"}


def test_late_sound_is_told_of_the_sound(tmp_path: Path) -> None:
    """A pause before the sound leaves the picture as it is."""
    index = index_of(videos.video(late_sound=1.0), tmp_path)
    assert index is not None
    assert index.edited == {"soun"}


def test_garbage_has_no_index(tmp_path: Path) -> None:
    """Lengths that lie end the walk, nothing is raised."""
    data = videos.video()
    for harm in (
        b"",
        b"\0" * 100,
        videos.without_index(data),
        videos.promising(data),
        data[: data.rindex(b"moov") + 20],
        videos.video(container="matroska"),
    ):
        index = index_of(harm, tmp_path)
        assert index is None or not index.edited


def test_packets_are_told_from_garbage() -> None:
    """The parts of a packet fill it exactly, or it is not whole."""
    chains = Chains(b"\1\x64\0\x1f\xff")
    whole = b"\0\0\0\2ab" + b"\0\0\0\1c"
    assert chains.holds(memoryview(whole))
    assert not chains.holds(memoryview(whole[:-1]))
    assert not chains.holds(memoryview(b"\xa5" * 40))
    assert not chains.holds(memoryview(bytes(40)))
    assert Chains(None).holds(memoryview(b"\0\0\1\x65anything"))
