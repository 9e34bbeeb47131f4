"""Filing: nothing is ever overwritten, and a cut-off move can always be brought to its end."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mediawatch.errors import SourceProblem, StorageProblem
from mediawatch.pipeline import filing, filing_names, filing_rename

BYTES = b"picture" * 1000
SHA = hashlib.sha256(BYTES).hexdigest()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "work" / "photo.jpg"
    path.parent.mkdir()
    path.write_bytes(BYTES)
    return path


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def _refuse(number: int) -> Callable[..., Any]:
    def call(*_args: Any, **_kwargs: Any) -> Any:
        raise OSError(number, os.strerror(number))

    return call


def _no_links(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "link", _refuse(errno.EPERM))


def _no_renameat2(monkeypatch: pytest.MonkeyPatch) -> None:
    _no_links(monkeypatch)
    monkeypatch.setattr(filing_rename, "_renameat2", _refuse(errno.ENOSYS))


def _other_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    def across(source: Path, target: Path, *, links: bool) -> None:
        if source.parent != target.parent:
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
        filing_rename.rename_no_replace(source, target, links=links)

    monkeypatch.setattr(filing, "rename_no_replace", across)


def _as_it_is(_monkeypatch: pytest.MonkeyPatch) -> None:
    pass


WAYS = pytest.mark.parametrize("way", [_as_it_is, _no_links, _no_renameat2, _other_disk])


@WAYS
def test_a_move_puts_the_bytes_there_and_takes_them_here(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: Callable[..., None]
) -> None:
    """Whatever the file system can do, the file ends at the target only, with its times."""
    way(monkeypatch)
    os.utime(source, (1e9, 1e9))
    target = tmp_path / "processed" / "2026" / "photo.jpg"

    filing.move(source, target, sha256=SHA)

    assert BYTES == target.read_bytes()
    assert 1e9 == target.stat().st_mtime
    assert not source.exists()
    assert ["photo.jpg"] == _names(target.parent)


@WAYS
def test_a_taken_name_is_never_overwritten(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: Callable[..., None]
) -> None:
    """A file that lies at the target is kept as it is, and so is the source."""
    way(monkeypatch)
    target = tmp_path / "photo.jpg"
    target.write_bytes(b"older")

    with pytest.raises(FileExistsError):
        filing.move(source, target, sha256=SHA)

    assert b"older" == target.read_bytes()
    assert BYTES == source.read_bytes()
    assert ["photo.jpg", "work"] == _names(tmp_path)


SHM = Path("/dev/shm")  # noqa: S108 - only as a second file system


@pytest.mark.skipif(not SHM.is_dir(), reason="needs a second file system")
def test_a_move_to_a_real_other_disk(source: Path) -> None:
    """Across file systems the bytes are copied, compared, and only then let go here."""
    target = SHM / f"mediawatch-filing-{os.getpid()}" / "photo.jpg"
    try:
        filing.move(source, target, sha256=SHA)
        assert BYTES == target.read_bytes()
        assert not source.exists()
    finally:
        target.unlink(missing_ok=True)
        target.parent.rmdir()


def test_a_copy_with_other_bytes_is_refused(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bytes that are not those of the job are not filed under its name."""
    _other_disk(monkeypatch)

    with pytest.raises(SourceProblem) as caught:
        filing.move(source, tmp_path / "out" / "photo.jpg", sha256="0" * 64)

    assert "changed-after-claim" == caught.value.code
    assert BYTES == source.read_bytes()
    assert [] == _names(tmp_path / "out")


def test_a_source_that_is_gone_is_said_to_be_gone(tmp_path: Path) -> None:
    """A missing original is a problem of the source, with a remedy."""
    with pytest.raises(SourceProblem) as caught:
        filing.move(tmp_path / "none.jpg", tmp_path / "out" / "none.jpg", sha256=None)

    assert "source-gone" == caught.value.code
    assert caught.value.remedy


def test_a_full_disk_is_a_storage_problem(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the disk refuses is translated, and the original stays."""
    monkeypatch.setattr(filing, "rename_no_replace", _refuse(errno.ENOSPC))

    with pytest.raises(StorageProblem) as caught:
        filing.move(source, tmp_path / "out" / "photo.jpg", sha256=SHA)

    assert "disk-full" == caught.value.code
    assert source.exists()


@pytest.mark.parametrize("digest", [SHA, None])
def test_every_state_that_a_crash_leaves_is_finished(
    source: Path, tmp_path: Path, digest: str | None
) -> None:
    """Not begun, copy cut off, linked, copied, placeholder, done: all end at the target alone."""
    target = tmp_path / "photo.jpg"

    def not_begun() -> None:
        pass

    def part_left() -> None:
        filing._part_of(source, target).write_bytes(BYTES[:10])

    def linked() -> None:
        os.link(source, target)

    def copied() -> None:
        target.write_bytes(BYTES)

    def placeholder() -> None:
        target.write_bytes(filing_rename.stand_in_text(source))

    def done() -> None:
        source.rename(target)

    for state in (not_begun, part_left, linked, copied, placeholder, done):
        source.write_bytes(BYTES)
        state()
        filing.settle_move(source, target, digest)
        assert BYTES == target.read_bytes(), state
        assert not source.exists(), state
        assert ["photo.jpg", "work"] == _names(tmp_path), state
        target.unlink()


def test_a_stranger_at_the_target_is_no_finished_move(source: Path, tmp_path: Path) -> None:
    """Another file under the name is kept, whether or not the source is still there."""
    target = tmp_path / "photo.jpg"
    target.write_bytes(b"stranger")

    with pytest.raises(FileExistsError):
        filing.settle_move(source, target, SHA)
    assert BYTES == source.read_bytes()
    source.unlink()
    with pytest.raises(FileExistsError):
        filing.settle_move(source, target, SHA)

    assert b"stranger" == target.read_bytes()


def test_another_file_under_the_old_name_is_never_let_go_of(source: Path, tmp_path: Path) -> None:
    """The move was ended, and then another file came where the original had been: it stays."""
    target = tmp_path / "photo.jpg"
    source.rename(target)
    source.write_bytes(b"another picture")

    filing.settle_move(source, target, SHA)

    assert b"another picture" == source.read_bytes()
    assert BYTES == target.read_bytes()


def test_a_move_of_changed_bytes_is_not_finished(source: Path, tmp_path: Path) -> None:
    """Bytes that were changed while we were down are not taken for those of the job."""
    source.write_bytes(b"other")

    with pytest.raises(SourceProblem) as caught:
        filing.settle_move(source, tmp_path / "photo.jpg", SHA)

    assert "changed-after-claim" == caught.value.code
    assert b"other" == source.read_bytes()


def test_a_file_that_is_nowhere_is_told(tmp_path: Path) -> None:
    """Neither here nor there is a problem for a person, not a silent success."""
    with pytest.raises(SourceProblem) as caught:
        filing.settle_move(tmp_path / "a.jpg", tmp_path / "b.jpg", SHA)

    assert "source-gone" == caught.value.code


def test_a_claim_works_once_only(source: Path, tmp_path: Path) -> None:
    """Of two claims the second finds nothing, and no claim replaces a file."""
    filing.claim_rename(source, tmp_path / "job1" / "photo.jpg")
    with pytest.raises(FileNotFoundError):
        filing.claim_rename(source, tmp_path / "job2" / "photo.jpg")
    source.write_bytes(b"next")
    with pytest.raises(FileExistsError):
        filing.claim_rename(source, tmp_path / "job1" / "photo.jpg")

    assert BYTES == (tmp_path / "job1" / "photo.jpg").read_bytes()


def test_a_claim_across_disks_is_explained(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A work folder on another disk cannot be claimed into; the sentence says so."""
    monkeypatch.setattr(filing, "rename_no_replace", _refuse(errno.EXDEV))

    with pytest.raises(StorageProblem) as caught:
        filing.claim_rename(source, tmp_path / "w" / "photo.jpg")

    assert "other-disk" == caught.value.code


def test_a_free_name_is_kept_and_a_taken_one_gets_the_job(tmp_path: Path) -> None:
    """The name that people gave, else with eight letters of the job, else with the whole id."""
    job = "0123456789abcdef"
    assert "a.jpg" == filing.choose_name(tmp_path, "a.jpg", job)
    (tmp_path / "a.jpg").touch()
    assert "a.01234567.jpg" == filing.choose_name(tmp_path, "a.jpg", job)
    (tmp_path / "a.01234567.jpg").touch()
    assert "a.0123456789abcdef.jpg" == filing.choose_name(tmp_path, "a.jpg", job)
    (tmp_path / "a.0123456789abcdef.jpg").touch()
    with pytest.raises(FileExistsError):
        filing.choose_name(tmp_path, "a.jpg", job)


@pytest.mark.parametrize("taken", ["a.txt", "a.jpg.mediawatch.json"])
def test_the_companions_names_must_be_free_too(tmp_path: Path, taken: str) -> None:
    """A sidecar or note of another post is not mixed up with ours."""
    (tmp_path / taken).touch()
    also = (".txt", filing.NOTE_SUFFIX)
    assert "a.01234567.jpg" == filing.choose_name(tmp_path, "a.jpg", "0123456789", also)


def test_a_dangling_link_is_a_taken_name(tmp_path: Path) -> None:
    """A link to nowhere occupies its name."""
    (tmp_path / "a.jpg").symlink_to("nowhere")
    assert "a.01234567.jpg" == filing.choose_name(tmp_path, "a.jpg", "0123456789")


@pytest.mark.parametrize(
    "name",
    ["é" * 125 + ".jpg", "x" * 251 + ".jpg", "x" * 255, "\udcff" * 251 + ".jpg"],
)
def test_long_names_are_cut_between_characters(tmp_path: Path, name: str) -> None:
    """With suffix and companions every name fits into 255 bytes and can be written."""
    (tmp_path / name).touch()
    chosen = filing.choose_name(tmp_path, name, "0123456789", (".txt", filing.NOTE_SUFFIX))
    for each in (chosen, chosen + filing.NOTE_SUFFIX, filing.beside(chosen, ".txt")):
        assert len(os.fsencode(each)) <= 255
        (tmp_path / each).touch()
    assert chosen.startswith(name[:50])
    assert "01234567" in chosen


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("con.jpg", "_con.jpg"),
        ("LPT1", "_LPT1"),
        ("a:b?.jpg", "a_b_.jpg"),
        ("photo. ", "photo"),
        ("console.jpg", "console.jpg"),
    ],
)
def test_windows_names_are_made_allowable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, expected: str
) -> None:
    """Devices, forbidden signs and trailing dots are changed on Windows, and only there."""
    assert name == filing.choose_name(tmp_path, name, "0123456789")
    monkeypatch.setattr(sys, "platform", "win32")
    assert expected == filing.choose_name(tmp_path, name, "0123456789")


def test_windows_counts_utf16_units(monkeypatch: pytest.MonkeyPatch) -> None:
    """An emoji is two units there, and is not cut in half."""
    monkeypatch.setattr(sys, "platform", "win32")
    first, second = filing_names.candidate_names("😀" * 130 + ".jpg", "0123456789", ())
    assert "😀" * 121 + ".01234567.jpg" == first
    assert "😀" * 120 + ".0123456789.jpg" == second


def test_names_that_are_not_utf8_are_moved(tmp_path: Path) -> None:
    """A name of arbitrary bytes is a name like any other."""
    name = os.fsdecode(b"caf\xe9\n.jpg")
    source = tmp_path / name
    source.write_bytes(BYTES)

    filing.move(source, tmp_path / "out" / name, sha256=SHA)

    assert [b"caf\xe9\n.jpg"] == [os.fsencode(each) for each in _names(tmp_path / "out")]


def test_a_note_is_readable_json_even_for_odd_names(tmp_path: Path) -> None:
    """The note is whole, replaces an earlier one, and leaves nothing else behind."""
    path = tmp_path / "x" / "a.jpg.mediawatch.json"
    filing.write_note(path, {"why": "older"})
    odd = os.fsdecode(b"caf\xe9.jpg")

    filing.write_note(path, {"why": "Größe", "name": odd})

    text = path.read_text(encoding="utf-8")
    assert "Größe" in text
    assert odd == json.loads(text)["name"]
    assert [path.name] == _names(path.parent)


def test_a_note_that_cannot_be_written_is_a_storage_problem(tmp_path: Path) -> None:
    """A file in place of the folder is said, not raised raw."""
    (tmp_path / "x").touch()
    with pytest.raises(StorageProblem):
        filing.write_note(tmp_path / "x" / "note.json", {})


def test_the_archive_can_be_kept_by_month_or_day(tmp_path: Path) -> None:
    """The folder follows the setting and the calendar of the machine."""
    noon = 1_785_931_200.0  # 2026-08-05 12:00 UTC: the fifth almost everywhere
    assert tmp_path == filing.dated(tmp_path, "none", noon)
    assert tmp_path / "2026" / "08" == filing.dated(tmp_path, "month", noon)
    assert tmp_path / "2026" / "08" == filing.dated(tmp_path, "day", noon).parent
