"""A folder is one file to the watcher: nothing that comes to it late is taken unseen."""

from __future__ import annotations

from pathlib import Path

from mediawatch.watch import folders
from mediawatch.watch.candidates import Candidate
from mediawatch.watch.carousels import _is_what_was_read
from mediawatch.watch.fingerprint import Fingerprint, take_fingerprint
from mediawatch.watch.writers import Writer
from tests.support.pictures import jpeg


def album(root: Path) -> Path:
    folder = root / "trip"
    folder.mkdir()
    for name in ("1.jpg", "2.jpg"):
        (folder / name).write_bytes(jpeg(320, 320))
    return folder


def prints(folder: Path) -> dict[str, Fingerprint]:
    found = {}
    for name in ("1.jpg", "2.jpg"):
        path = folder / name
        taken = take_fingerprint(Candidate(path, name, (), path.stat().st_size), (0.0, 0.0))
        assert taken is not None
        found[name] = taken
    return found


def key(folder: Path) -> folders.Key:
    return folders.key_and_size(str(folder), folders.listed(str(folder)))[0]


def test_a_file_that_comes_while_the_folder_is_read_is_seen(tmp_path: Path) -> None:
    """A third picture, a caption, a hidden file of an FTP server: it settles once more."""
    folder = album(tmp_path)
    known, before = prints(folder), key(folder)
    moved = folder.rename(tmp_path / "claimed")
    assert _is_what_was_read(moved, known, before)

    for name in ("3.jpg", "caption.txt", ".in.4.jpg."):
        (moved / name).write_bytes(b"late")
        assert not _is_what_was_read(moved, known, before)
        (moved / name).unlink()
        assert _is_what_was_read(moved, known, before)

    (moved / "2.jpg").write_bytes(jpeg(320, 320, seed=2))
    assert not _is_what_was_read(moved, known, before)


def test_a_hidden_file_that_is_written_keeps_a_folder_from_settling(tmp_path: Path) -> None:
    """rsync and FTP servers write under a hidden name and rename at the end: it is no file of the
    post, and still it is waited for."""
    folder = album(tmp_path)
    before = key(folder)
    with (folder / ".3.jpg.Xy12Zk").open("wb") as growing:
        growing.write(b"half")
        growing.flush()
        found = folders.listed(str(folder))
        assert key(folder) != before
        assert folders.writer(str(folder), found) in {Writer.SOME, Writer.UNKNOWN}
    assert ["1.jpg", "2.jpg"] == [name for name, _ in found.files]
