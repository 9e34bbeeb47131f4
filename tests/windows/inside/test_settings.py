"""Where things lie on Windows, and how its paths are written."""

from __future__ import annotations

from pathlib import Path

import pytest

from mediawatch import config
from mediawatch.errors import ConfigError

NEEDED = {
    "FTP_HOST": "ftp.example.org",
    "FTP_USER": "u",
    "FTP_PASS": "p4ssword",
    "MEDIAWATCH_FTP__PUBLIC_URL": "https://example.org/upload",
    "ACCESS_TOKEN": "IGAA-a-token-for-tests",
    "IG_USER_ID": "17841400000000001",
}


def loaded(folder: Path, text: str = "") -> config.Settings:
    file = folder / "config.toml"
    file.write_text(text, encoding="utf-8")
    return config.load(file, NEEDED)


def test_the_default_folders(tmp_path: Path) -> None:
    """The inbox is C:/gizmobbs/download, its neighbours lie beside it, and the journal lies where
    Windows programs keep their data."""
    settings = loaded(tmp_path)
    assert Path("C:/gizmobbs/download") == settings.watch.folder
    assert Path("C:/gizmobbs/processed") == settings.watch.processed_folder
    assert Path("C:/gizmobbs/held") == settings.watch.held_folder
    assert "AppData" in settings.storage.data_dir.parts
    assert "mediawatch" == settings.storage.data_dir.name
    assert settings.storage.data_dir.is_absolute()


@pytest.mark.parametrize(
    "written", ['"C:/Pictures/in"', r"'C:\Pictures\in'", r'"C:\\Pictures\\in"', "'c:/pictures/IN/'"]
)
def test_ways_to_write_a_path(tmp_path: Path, written: str) -> None:
    """With slashes, in single quotes, or doubled: the same folder, whatever its letters."""
    settings = loaded(tmp_path, f"[watch]\nfolder = {written}\n")
    assert Path("C:/Pictures/in") == settings.watch.folder


def test_a_single_backslash_in_double_quotes_is_told(tmp_path: Path) -> None:
    """The usual mistake gets the usual remedy, not a folder with a tab in its name."""
    with pytest.raises(ConfigError, match="not valid TOML") as caught:
        loaded(tmp_path, '[watch]\nfolder = "C:\\Pictures\\download"\n')
    assert "single quotes" in caught.value.problems[0].remedy


def test_what_notepad_writes_is_read(tmp_path: Path) -> None:
    """A byte-order mark and line ends of Windows are no part of a value."""
    file = tmp_path / "config.toml"
    file.write_bytes("\ufeff[watch]\r\nfolder = 'C:/Bilder/Eingang'\r\n".encode())
    (tmp_path / ".env").write_bytes(b"MEDIAWATCH_WATCH__WORKERS=3\r\n")
    settings = config.load(file, NEEDED)
    assert (Path("C:/Bilder/Eingang"), 3) == (settings.watch.folder, settings.watch.workers)


def test_folders_that_differ_in_case_only_are_the_same(tmp_path: Path) -> None:
    """Windows takes both for one folder: filing into the inbox would publish for ever."""
    text = f"[watch]\nfolder = '{tmp_path}/In'\nprocessed = '{tmp_path}/IN'\n"
    with pytest.raises(ConfigError):
        loaded(tmp_path, text)
