"""What Windows does to names and moves: claims, filing, sharing violations."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mediawatch.errors import StorageProblem
from mediawatch.pipeline import filing
from mediawatch.pipeline.filing_names import candidate_names
from mediawatch.pipeline.filing_rename import reachable, rename_no_replace
from mediawatch.watch.writers import Writer, key_of, writer_of
from tests.windows.inside.handles import DELETE, GENERIC_READ, GENERIC_WRITE, READ, WRITE, opened

JOB = "0123456789abcdef0123456789abcdef"


def made(path: Path, content: bytes = b"picture") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("links", [True, False])
def test_a_rename_never_replaces(tmp_path: Path, links: bool) -> None:
    """A taken name is refused, and both files stay as they were."""
    source, taken = made(tmp_path / "a.jpg", b"new"), made(tmp_path / "b.jpg", b"old")
    with pytest.raises(FileExistsError):
        rename_no_replace(source, taken, links=links)
    assert (b"new", b"old") == (source.read_bytes(), taken.read_bytes())
    rename_no_replace(source, tmp_path / "c.jpg", links=links)
    assert ["b.jpg", "c.jpg"] == names(tmp_path)


def test_a_claim_works_once(tmp_path: Path) -> None:
    """Of two claims of one file, one is told that it is gone; the folder is made where it lacks."""
    source, work = made(tmp_path / "in" / "a.jpg"), tmp_path / "in" / ".mediawatch" / "work"
    filing.claim_rename(source, work / "1.jpg")
    with pytest.raises(FileNotFoundError):
        filing.claim_rename(source, work / "2.jpg")
    assert ["1.jpg"] == names(work)


@pytest.mark.parametrize("share", [0, READ, READ | WRITE])
def test_a_file_that_is_held_open_is_not_moved(tmp_path: Path, share: int) -> None:
    """A sharing violation is trouble that passes, never a lost file: the message says that a
    program has it open, and the same claim works when it is let go."""
    source, target = made(tmp_path / "a.jpg"), tmp_path / "work" / "1.jpg"
    with opened(source, GENERIC_READ, share):
        with pytest.raises(StorageProblem, match="another program") as caught:
            filing.claim_rename(source, target)
        assert "in-use" == caught.value.code
        assert source.exists()
        assert not target.exists()
    filing.claim_rename(source, target)
    assert b"picture" == target.read_bytes()


def test_filing_waits_for_a_viewer(tmp_path: Path) -> None:
    """An original that somebody looks at just now is filed later: code, and nothing changed."""
    source, target = made(tmp_path / "1.jpg"), tmp_path / "processed" / "a.jpg"
    with opened(source, GENERIC_READ, READ), pytest.raises(StorageProblem) as caught:
        filing.move(source, target, sha256=None)
    assert "in-use" == caught.value.code
    filing.settle_move(source, target, None)
    assert b"picture" == target.read_bytes()


@pytest.mark.parametrize(
    ("access", "share", "expected"),
    [
        (GENERIC_WRITE, READ | WRITE | DELETE, Writer.SOME),  # browsers, copies by Explorer
        (GENERIC_WRITE, 0, Writer.SOME),
        (GENERIC_READ, 0, Writer.SOME),  # nobody may look: as good as written
        (GENERIC_READ, READ | WRITE | DELETE, Writer.NONE),
    ],
)
def test_who_writes_is_known(tmp_path: Path, access: int, share: int, expected: Writer) -> None:
    """A file is "not yet" while any program has it open for writing, however it shares it."""
    path = made(tmp_path / "a.jpg")
    key = key_of(os.lstat(path))
    with opened(path, access, share):
        assert expected is writer_of(str(path), key)
    assert Writer.NONE is writer_of(str(path), key)


def test_gone_and_changed_are_known(tmp_path: Path) -> None:
    """What is no longer there, or is another file by now, is never taken for the one asked."""
    path = made(tmp_path / "a.jpg")
    key = key_of(os.lstat(path))
    made(path, b"another")
    path.write_bytes(b"longer than before")
    assert Writer.CHANGED is writer_of(str(path), key)
    path.unlink()
    assert Writer.GONE is writer_of(str(path), key)


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("CON.jpg", "_CON.jpg"),
        ("nul", "_nul"),
        ("com1.txt.jpg", "_com1.txt.jpg"),
        ("LPT9 .jpg", "_LPT9 .jpg"),
        ("a:b?.jpg", "a_b_.jpg"),
        ("ends in a dot.", "ends in a dot"),
        ("ends in spaces  ", "ends in spaces"),
        ("console.jpg", "console.jpg"),
    ],
)
def test_names_that_windows_cannot_have(tmp_path: Path, name: str, kept: str) -> None:
    """An original gets a name that can be written, listed and read again: no device, no stream."""
    chosen = filing.choose_name(tmp_path, name, JOB)
    assert kept == chosen
    filing.move(made(tmp_path / "work" / "1"), tmp_path / "processed" / chosen, sha256=None)
    assert [kept] == names(tmp_path / "processed")


@pytest.mark.parametrize("letter", ["x", "é", "😀"])
def test_long_names_fit(tmp_path: Path, letter: str) -> None:
    """255 UTF-16 units are the limit: every candidate keeps to it, and can be made."""
    for name in candidate_names(letter * 260 + ".jpg", JOB, (filing.NOTE_SUFFIX,)):
        long = tmp_path / (name + filing.NOTE_SUFFIX)
        assert len(long.name.encode("utf-16-le")) // 2 <= 255
    assert name.endswith(".jpg")


def test_long_paths_are_filed(tmp_path: Path) -> None:
    """A path of 400 characters is claimed, filed, noted and read like any other."""
    folder = tmp_path / ("d" * 120) / ("e" * 120)
    source = made(tmp_path / "a.jpg")
    work, target = folder / "work" / "1.jpg", folder / "processed" / ("n" * 90 + ".jpg")
    filing.claim_rename(source, work)
    filing.move(work, target, sha256=None)
    filing.write_note(target.with_name(target.name + filing.NOTE_SUFFIX), {"caption": "é"})
    assert 64 == len(filing.hash_file(target))
    assert not work.exists()


@pytest.mark.parametrize(
    ("path", "reached"),
    [
        ("C:/in/a.jpg", r"C:\in\a.jpg"),
        ("C:/" + "d" * 250, "\\\\?\\C:\\" + "d" * 250),
        ("//nas/share/" + "d" * 250, "\\\\?\\UNC\\nas\\share\\" + "d" * 250),
        ("\\\\?\\C:\\" + "d" * 250, "\\\\?\\C:\\" + "d" * 250),
    ],
)
def test_the_form_of_long_paths(path: str, reached: str) -> None:
    """Windows takes more than 260 characters in one form only; a share has its own. (Wine takes
    any.)"""
    assert reached == str(reachable(Path(path)))


def test_a_cut_off_move_is_brought_to_its_end(tmp_path: Path) -> None:
    """Killed after the move: the next start sees it, and a stranger at the target is left alone."""
    source, target = tmp_path / "1.jpg", made(tmp_path / "processed" / "a.jpg")
    filing.settle_move(source, target, filing.hash_file(target))
    made(source, b"other")
    with pytest.raises(FileExistsError):
        filing.settle_move(source, target, filing.hash_file(source))
    assert (b"other", b"picture") == (source.read_bytes(), target.read_bytes())


def test_folders_are_not_synced(tmp_path: Path) -> None:
    """A folder cannot be opened here: what is made safe is the file, and nothing is raised."""
    filing.sync_folder(tmp_path)
    filing.write_note(tmp_path / "a.jpg.mediawatch.json", {"caption": "one"})
    filing.write_note(tmp_path / "a.jpg.mediawatch.json", {"caption": "two"})
    assert ["a.jpg.mediawatch.json"] == names(tmp_path)
