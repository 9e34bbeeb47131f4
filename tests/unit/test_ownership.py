"""One daemon a data folder, and one an inbox."""

from __future__ import annotations

from pathlib import Path

import pytest

from mediawatch.errors import AlreadyRunning
from mediawatch.journal.ownership import Ownership, running


def owner(root: Path, data: str) -> Ownership:
    return Ownership(root / data, root / "in", now=1.0)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    return tmp_path


def test_a_data_folder_has_one_owner(root: Path) -> None:
    """The second one is refused, and told who the first one is."""
    with owner(root, "data") as first:
        first.announce("http://127.0.0.1:1")
        found = running(root / "data")
        assert found is not None
        assert "http://127.0.0.1:1" == found.url
        with pytest.raises(AlreadyRunning, match=str(found.pid)), owner(root, "data"):
            pass

    assert running(root / "data") is None


def test_an_inbox_has_one_owner(root: Path) -> None:
    """Two data folders do not make two daemons of one inbox."""
    with owner(root, "data"), pytest.raises(AlreadyRunning, match="inbox"), owner(root, "other"):
        pass

    with owner(root, "other"):
        pass


def test_an_inbox_that_is_made_anew_is_owned_anew(root: Path) -> None:
    """The lock went away with the old folder: the new one is locked before a file is claimed."""
    with owner(root, "data") as first:
        (root / "in").rename(root / "old")
        (root / "in").mkdir()
        first.require_inbox()
        first.require_inbox()

        with pytest.raises(AlreadyRunning), owner(root, "other"):
            pass


def test_an_inbox_that_was_taken_over_is_left_alone(root: Path) -> None:
    """Somebody else owns the folder that is there now: nothing is claimed in it."""
    with owner(root, "data") as first:
        (root / "in").rename(root / "old")
        (root / "in").mkdir()
        with owner(root, "other"), pytest.raises(AlreadyRunning):
            first.require_inbox()
