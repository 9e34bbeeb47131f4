"""Whether the inbox is still the same folder, asked without listing it each time."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path

import pytest

from mediawatch.watch import same_folder
from mediawatch.watch.same_folder import LISTED_EVERY, SameFolder


@pytest.fixture
def listings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every listing of a folder."""
    found: list[str] = []
    listed = same_folder._kinds_in

    def counted(root: str, accounts: Collection[str]) -> dict[str, tuple[int, int]]:
        found.append(root)
        return listed(root, accounts)

    monkeypatch.setattr(same_folder, "_kinds_in", counted)
    return found


def test_a_folder_that_did_not_change_is_listed_once_in_a_while(
    tmp_path: Path, listings: list[str]
) -> None:
    """An idle daemon does not read 10,000 names every few seconds to learn nothing."""
    folder = SameFolder(str(tmp_path))
    found = [folder.identities() for _ in range(LISTED_EVERY)]

    assert 1 == len(listings)
    assert all(each == found[0] for each in found)
    folder.identities()
    assert 2 == len(listings)


def test_a_folder_of_a_kind_is_seen_when_it_comes(tmp_path: Path) -> None:
    """Making it changes the time of the folder that it lies in."""
    folder = SameFolder(str(tmp_path))
    assert {str(tmp_path)} == set(folder.identities())
    os.utime(tmp_path, ns=(1, 1))  # so that no coarse clock hides the change
    folder.identities()
    (tmp_path / "Stories").mkdir()

    assert {str(tmp_path), str(tmp_path / "Stories")} == set(folder.identities())


def test_another_folder_in_its_place_is_another(tmp_path: Path) -> None:
    """Also if its time is the same to the nanosecond."""
    inbox, other = tmp_path / "inbox", tmp_path / "other"
    for each in (inbox, other):
        each.mkdir()
        os.utime(each, ns=(5, 5))
    folder = SameFolder(str(inbox))
    before = folder.identities()
    inbox.rename(tmp_path / "away")
    other.rename(inbox)
    os.utime(inbox, ns=(5, 5))

    assert before != folder.identities()
