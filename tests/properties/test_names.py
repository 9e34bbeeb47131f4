"""Names under which originals are filed: whatever they were called before."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from mediawatch.pipeline import filing_names
from mediawatch.pipeline.archive import free_name
from mediawatch.pipeline.filing_names import NOTE_SUFFIX, beside, choose_name
from tests.support.fuzzing import examples

JOB = "0123456789ab"
RESERVED = ["con", "NUL", "prn.jpg", "aux.tar.gz", "COM1.jpg", "lpt9", "com¹.png", "con .jpg"]

#: Names as a POSIX file system may give them: any bytes but the slash and NUL, up to 255.
BYTE_NAMES = (
    st.binary(min_size=1, max_size=255)
    .map(lambda name: name.replace(b"/", b"-").replace(b"\0", b"-"))
    .map(os.fsdecode)
)
STEMS = st.one_of(
    st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1),
    st.sampled_from([*RESERVED, "a" * 300, "é" * 200, "😀" * 90, " ", ".", "..", ".hidden", "-"]),
)
SUFFIXES = st.sampled_from([".jpg", ".JPEG", ".png", "", ".", ". ", ".jpg.", ".tar.gz", ".ünï"])


def _shortened(stem: str, suffix: str) -> str:
    """A name that a file could have had: no longer than the system allows."""
    while len(os.fsencode(stem + suffix)) > 255:
        stem = stem[:-1]
    return stem + suffix


NAMES = st.one_of(
    BYTE_NAMES,
    st.builds(_shortened, STEMS, SUFFIXES),
)


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with TemporaryDirectory() as made:
        yield Path(made)


def _exists(name: str) -> bool:
    return name not in {"", ".", ".."} and "/" not in name and "\0" not in name


@pytest.mark.skipif(sys.platform == "win32", reason="names are made as POSIX allows them")
@example(name="b" * 251 + ".jpg", also=[".txt", NOTE_SUFFIX], taken=0)
@example(name="." * 255, also=[NOTE_SUFFIX], taken=1)
@example(name="IMG_1234", also=[".txt"], taken=2)
@example(name="a sentence. with a dot in its midst", also=[".txt"], taken=2)
@given(
    name=NAMES,
    also=st.lists(st.sampled_from([".txt", NOTE_SUFFIX]), unique=True),
    taken=st.integers(0, 2),
)
def test_a_chosen_name_fits_is_free_and_stays_in_its_folder(
    folder: Path, name: str, also: list[str], taken: int
) -> None:
    """One to three files of one name: each gets a name that the disk takes, with room for its
    companions, in that folder, with its suffix; and the same job would get the same again."""
    assume(_exists(name))
    suffix = Path(name).suffix
    with TemporaryDirectory(dir=folder) as made:
        place = Path(made)
        for number in range(taken + 1):
            job = f"{number}{JOB[1:]}"
            chosen = choose_name(place, name, job, also)
            assert chosen == choose_name(place, name, job, also)
            names = [chosen, *(beside(chosen, companion) for companion in also)]
            for each in dict.fromkeys(names):
                target = place / each
                assert place == target.parent
                assert not os.path.lexists(target)
                target.touch(exist_ok=False)
            assert set(os.listdir(place)) >= set(names)  # noqa: PTH208 - as the system says
            if 0 < len(suffix) <= 16:
                assert suffix == Path(chosen).suffix


@pytest.mark.skipif(sys.platform == "win32", reason="the other platform's rules, tried here")
@example(name="con.jpg")
@example(name="aux .jpg")
@example(name="a:b.jpg ")
@example(name="...")
@given(name=NAMES)
def test_a_name_that_windows_would_refuse_is_changed_into_one_that_it_keeps(
    folder: Path, name: str
) -> None:
    """No device, no colon, no trailing dot or space, 255 UTF-16 units at the most."""
    assume(_exists(name))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(filing_names.sys, "platform", "win32")  # type: ignore[attr-defined]
        chosen = choose_name(folder / "nowhere", name, JOB, [NOTE_SUFFIX])
    assert len((chosen + NOTE_SUFFIX).encode("utf-16-le", "surrogatepass")) <= 2 * 255
    assert not set(chosen) & set('<>:"/\\|?*') and not any(ord(c) < 32 for c in chosen)  # noqa: PT018
    assert chosen == chosen.rstrip(". ")
    stem = chosen.split(".")[0].rstrip().lower()
    assert stem not in {"con", "prn", "aux", "nul"}
    assert not (stem[:3] in {"com", "lpt"} and len(stem) == 4 and stem[3] in "0123456789¹²³")


@pytest.mark.skipif(sys.platform == "win32", reason="names are made as POSIX allows them")
@examples(0.5)
@given(name=NAMES, note=st.booleans())
def test_a_free_name_has_room_for_the_caption_and_the_note(
    folder: Path, name: str, note: bool
) -> None:
    """What is filed beside the original can be called after it."""
    assume(_exists(name))
    with TemporaryDirectory(dir=folder) as made:
        target = free_name(Path(made), name, JOB, note=note)
        assert Path(made) == target.parent
        target.with_suffix(".txt").touch()
        if note:
            target.with_name(target.name + NOTE_SUFFIX).touch()
