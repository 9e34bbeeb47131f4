"""Which files are one shot, and which of them is published."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediawatch.model.pairs import CLIP, PICTURES, RAWS, Group, Together, pairs

LIVE, RAW = Together.LIVE_PHOTO, Together.RAW


def live(picture: str, clip: str) -> Group:
    return Group(picture, (clip,), LIVE, clip)


@pytest.mark.parametrize(
    ("names", "groups"),
    [
        ([], []),
        (["IMG_1.HEIC", "IMG_1.MOV"], [live("IMG_1.HEIC", "IMG_1.MOV")]),
        (["IMG_1.MOV", "IMG_1.JPG"], [live("IMG_1.JPG", "IMG_1.MOV")]),
        (["img_1.heif", "img_1.mov"], [live("img_1.heif", "img_1.mov")]),
        (["a.jpeg", "a.MoV"], [live("a.jpeg", "a.MoV")]),
        # Another stem, another case of it, another kind of video: no pair.
        (["IMG_1.HEIC", "IMG_2.MOV"], [Group("IMG_1.HEIC"), Group("IMG_2.MOV")]),
        (["IMG_1.HEIC", "img_1.MOV"], [Group("IMG_1.HEIC"), Group("img_1.MOV")]),
        (["IMG_1.jpg", "IMG_1.mp4"], [Group("IMG_1.jpg"), Group("IMG_1.mp4")]),
        (["IMG_1.png", "IMG_1.mov"], [Group("IMG_1.mov"), Group("IMG_1.png")]),
        (["IMG_E1.HEIC", "IMG_1.MOV"], [Group("IMG_1.MOV"), Group("IMG_E1.HEIC")]),
        (["IMG_1.MOV"], [Group("IMG_1.MOV")]),
        # The phone's own picture has the clip; one beside it stands alone.
        (
            ["IMG_1.JPG", "IMG_1.HEIC", "IMG_1.MOV"],
            [live("IMG_1.HEIC", "IMG_1.MOV"), Group("IMG_1.JPG")],
        ),
        (["IMG_1.JPG", "IMG_1.HEIC"], [Group("IMG_1.HEIC"), Group("IMG_1.JPG")]),
        (["a.jpg", "a.mov", "a.MOV"], [Group("a.jpg"), Group("a.MOV"), Group("a.mov")]),
        *(
            ([f"DSC_1{raw}", "DSC_1.JPG"], [Group("DSC_1.JPG", (f"DSC_1{raw}",), RAW)])
            for raw in sorted(RAWS)
        ),
        (["DSC_1.CR3", "DSC_1.HEIC"], [Group("DSC_1.HEIC", ("DSC_1.CR3",), RAW)]),
        (["a.NEF", "a.dng", "a.jpg"], [Group("a.jpg", ("a.dng", "a.NEF"), RAW)]),
        (["a.ARW", "a.HEIC", "a.JPG"], [Group("a.JPG", ("a.HEIC", "a.ARW"), RAW)]),
        (["a.DNG", "a.HEIC", "a.MOV"], [Group("a.HEIC", ("a.DNG", "a.MOV"), RAW, "a.MOV")]),
        (["a.DNG"], [Group("a.DNG")]),
        (["a.DNG", "a.MOV"], [Group("a.DNG"), Group("a.MOV")]),
        (["a.CR2", "b.JPG"], [Group("a.CR2"), Group("b.JPG")]),
        (["b10.jpg", "b2.jpg", "b2.CR2"], [Group("b2.jpg", ("b2.CR2",), RAW), Group("b10.jpg")]),
        (
            ["jpg", "mov", ".jpg", ".mov"],
            [Group(".jpg"), Group(".mov"), Group("jpg"), Group("mov")],
        ),
    ],
)
def test_files_of_one_shot_are_one_post(names: list[str], groups: list[Group]) -> None:
    """The finished picture is published; its clip and its RAW go with it."""
    assert groups == pairs(names)


def test_a_clip_that_is_a_video_is_parted_again() -> None:
    """A long clip of the same name is a post of its own; a RAW stays with its picture."""
    with_raw = Group("a.HEIC", ("a.DNG", "a.MOV"), RAW, "a.MOV")

    assert (Group("a.HEIC"), Group("a.MOV")) == live("a.HEIC", "a.MOV").apart()
    assert (Group("a.HEIC", ("a.DNG",), RAW), Group("a.MOV")) == with_raw.apart()
    assert (Group("a.jpg"),) == Group("a.jpg").apart()


NAMES = st.builds(
    lambda stem, suffix: stem + suffix,
    st.sampled_from(["a", "A", "b", "IMG_1", ""]),
    st.sampled_from([*PICTURES, CLIP, ".MOV", *RAWS, ".JPG", ".png", ".mp4", "", ".txt"]),
)


@given(st.lists(NAMES | st.text(max_size=6), max_size=12))
def test_no_name_is_lost_and_none_is_in_two_posts(names: list[str]) -> None:
    """Whatever lies beside whatever: each file is published or goes along, exactly once."""
    for groups in (pairs(names), [part for group in pairs(names) for part in group.apart()]):
        found = [name for group in groups for name in (group.published, *group.along)]
        assert sorted(set(names)) == sorted(found)
