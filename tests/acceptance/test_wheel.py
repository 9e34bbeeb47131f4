"""The wheel is whole: what lies in the sources lies in it, and it runs where nothing else lies."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel of this checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (made,) = folder.glob("*.whl")
    return made


def test_everything_in_the_sources_is_in_it(wheel: Path) -> None:
    """Migrations, pages, pictures: whatever the program reads at run time is installed with it."""
    tracked = subprocess.run(
        ["git", "ls-files", "src/mediawatch"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.split()
    if not tracked:
        pytest.skip("no checkout of git")
    inside = set(zipfile.ZipFile(wheel).namelist())

    assert [] == [name for name in tracked if name.removeprefix("src/") not in inside]
    assert any(name.endswith("share/man/man1/mediawatch.1") for name in inside)


def test_it_runs_from_the_wheel_alone(wheel: Path, tmp_path: Path) -> None:
    """Unpacked elsewhere, the command answers; the checkout is not needed."""
    zipfile.ZipFile(wheel).extractall(tmp_path / "unpacked")
    ended = subprocess.run(
        [sys.executable, "-m", "mediawatch", "check", "--config", "none.toml"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path / "unpacked"), "PYTHONUTF8": "1"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert 78 == ended.returncode, ended.stderr
    assert "none.toml" in ended.stderr
