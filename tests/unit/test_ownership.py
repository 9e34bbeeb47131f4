"""One daemon a data folder, and one an inbox."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mediawatch.errors import AlreadyRunning, StorageProblem
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


def test_who_is_refused_is_told_who_the_owner_is(root: Path) -> None:
    """Process, since when and address: also of an owner with another data folder."""
    with owner(root, "data") as first:
        first.announce("http://127.0.0.1:1")
        for second in ("data", "other"):
            with pytest.raises(AlreadyRunning) as caught, owner(root, second):
                pass
            told = f"(process {os.getpid()}, since 1970-01-01T00:00:01+00:00, http://127.0.0.1:1)"
            assert told in caught.value.message
            assert caught.value.remedy


def test_what_a_killed_owner_left_behind_hinders_nobody(root: Path) -> None:
    """Its lock died with it. Its card is not believed, even if its number is somebody's again."""
    code = (
        "import os; from pathlib import Path\n"
        "from mediawatch.journal.ownership import Ownership\n"
        f"Ownership(Path({str(root / 'data')!r}), Path({str(root / 'in')!r}), now=1).__enter__()\n"
        "os._exit(9)\n"
    )
    assert 9 == subprocess.run([sys.executable, "-c", code], check=False).returncode
    card = root / "data" / "daemon.json"
    card.write_text(json.dumps({**json.loads(card.read_text()), "pid": os.getpid()}))

    assert running(root / "data") is None
    with owner(root, "data"):
        found = running(root / "data")
        assert found is not None
        assert (os.getpid(), 1.0) == (found.pid, found.since)


@pytest.mark.skipif(sys.platform == "win32", reason="flock is POSIX")
def test_a_file_system_without_locks_is_refused(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without locks nobody would notice a second daemon: refused, with what to do."""

    def no_flock(*_: object) -> None:
        raise OSError(errno.ENOSYS, "Function not implemented")

    monkeypatch.setattr("fcntl.flock", no_flock)
    with pytest.raises(StorageProblem) as caught, owner(root, "data"):
        pass

    assert "no-locks" == caught.value.code
    assert str(root / "data") in caught.value.message
    assert caught.value.remedy
    assert running(root / "data") is None
