"""What a name says of the file that it belongs to."""

from __future__ import annotations

import pytest

from mediawatch.model.pairs import Kin, cover_for, kin_of, may_own, stem_of_owner, tail_of

NAMES = [
    ("IMG_1.CR2", Kin.RAW, "IMG_1", ".CR2"),
    ("IMG_1.edit.dng", Kin.RAW, "IMG_1.edit", ".dng"),
    ("IMG_1.MOV", Kin.CLIP, "IMG_1", ".MOV"),
    ("a.cover.jpg", Kin.COVER, "a", ".cover.jpg"),
    ("a.b.Cover.HEIC", Kin.COVER, "a.b", ".Cover.HEIC"),
    ("stories/a.cover.png", Kin.COVER, "stories/a", ".cover.png"),
]


@pytest.mark.parametrize(("name", "kin", "stem", "tail"), NAMES)
def test_a_companion_is_told_by_its_name(name: str, kin: Kin, stem: str, tail: str) -> None:
    """Its kind, the stem that it shares, and what stands behind that, in any case of letters."""
    assert (kin, stem) == kin_of(name)
    assert (stem, tail) == (stem_of_owner(name), tail_of(name))


@pytest.mark.parametrize(
    "name",
    [
        *("a.jpg", "a.mp4", "a.txt", "cover.jpg", ".cover.jpg", "reels/.cover.jpg", "a.cover", ""),
        *("a.cover.txt", "a.cover.mp4", "acover.jpg", "a.cr2.jpg", ".CR2", "raw"),
    ],
)
def test_other_names_belong_to_nothing(name: str) -> None:
    """They are posts of their own, or nothing at all."""
    assert kin_of(name) is None


def test_what_a_file_may_own_is_told_by_its_suffix() -> None:
    """A picture has a RAW and a clip, a video has a cover; in any case of letters."""
    for kin in (Kin.RAW, Kin.CLIP):
        assert may_own("a.HEIC", kin)
        assert may_own("a.webp", kin)
        assert not may_own("a.mp4", kin)
        assert not may_own("a.CR2", kin)
    assert may_own("a.MP4", Kin.COVER)
    assert may_own("a.mov", Kin.COVER)
    assert not may_own("a.jpg", Kin.COVER)


def test_the_name_of_a_cover_is_told() -> None:
    """What a remedy says is a name that is taken for a cover."""
    assert "my.clip.cover.png" == cover_for("my.clip.mp4", ".PNG")
    assert (Kin.COVER, "my.clip") == kin_of(cover_for("my.clip.mp4", ".jpg"))
