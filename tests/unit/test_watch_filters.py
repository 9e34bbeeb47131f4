"""Names: what is never looked into, and what may belong to a picture."""

from __future__ import annotations

import pytest

from mediawatch.watch import filters

LEFT_ALONE = {
    filters.HIDDEN: (".hidden.jpg", ".fuse_hidden0001", ".~lock.a.odt#", ".nfs0001"),
    filters.SYSTEM: ("Thumbs.db", "desktop.ini", ".DS_Store", "._photo.jpg", "@eaDir", "THUMBS.DB"),
    filters.OFFICE_LOCK: ("~$report.docx",),
    filters.SYNC_TEMPORARY: (".syncthing.a.jpg.tmp", "~syncthing~a.jpg.tmp", ".dropbox.cache"),
    filters.NOTE: ("a.jpg.mediawatch.json",),
}


@pytest.mark.parametrize(
    ("reason", "name"), [(reason, name) for reason, names in LEFT_ALONE.items() for name in names]
)
def test_other_programs_files_are_left_alone(reason: str, name: str) -> None:
    """Hidden files, lock files and what systems and sync tools leave behind are no posts."""
    assert reason == filters.ignored_by_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "a.jpg.part",
        "a.jpg.crdownload",
        "Unconfirmed 12.crdownload",
        "a.download",
        "A.TMP",
        "a.jpg.1f2e.partial",
        "a.jpg.filepart",
        "a.jpg.!ut",
        "a.opdownload",
        "a.jpg~",
        "a.swp",
    ],
)
def test_unfinished_downloads_are_left_alone(name: str) -> None:
    """Names of files that a browser, an FTP client or rclone has not finished."""
    reason = filters.ignored_by_name(name)
    assert reason is not None
    assert "not finished yet" in reason


@pytest.mark.parametrize("name", ["a.jpg", "part.jpg", "a.part.jpg", "tmp", "a~b.png", "ü\n.jpg"])
def test_pictures_are_looked_into(name: str) -> None:
    """A name that only resembles a temporary one is a picture's."""
    assert filters.ignored_by_name(name) is None


def test_a_sidecar_is_told_by_its_suffix() -> None:
    """A .txt, .toml or .json, in either case; others beside a picture are files like any."""
    assert [True, True, True, False, False] == [
        filters.is_sidecar(name) for name in ("a.txt", "a.TXT", "a.json", "a.jpg", "txt")
    ]
