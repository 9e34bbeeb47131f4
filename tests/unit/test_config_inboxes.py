"""Several inboxes: what holds for each, and what is refused."""

from __future__ import annotations

import json
from datetime import time
from pathlib import Path
from typing import Any

import pytest

from mediawatch.config import Inboxes, Settings, load
from mediawatch.errors import ConfigError
from mediawatch.model.kinds import PostKind

BASE = """
[ftp]
host = "ftp.example.org"
user = "me"
password = "a-password"
public_url = "https://www.example.org/upload/"
[instagram]
user_id = "17841400000000001"
access_token = "a-long-access-token"
[storage]
data_dir = "ROOT/data"
"""


def loaded(root: Path, text: str) -> Settings:
    file = root / "config.toml"
    file.write_text((BASE + text).replace("ROOT", str(root)), encoding="utf-8")
    return load(file, {}, root / ".env")


def refused(root: Path, text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        loaded(root, text)
    return [str(problem) for problem in caught.value.problems]


def table(**keys: Any) -> str:
    lines = [f"{key} = {json.dumps(value)}" for key, value in keys.items()]
    return "\n".join(["[[watch.inboxes]]", *lines, ""])


def test_without_any_the_folder_of_watch_is_the_one_inbox(tmp_path: Path) -> None:
    """The settings of the guides are settings with one inbox, for the one account."""
    settings = loaded(tmp_path, '[watch]\nfolder = "ROOT/in"\narchive_by = "day"\n')

    (inbox,) = settings.inboxes
    assert (tmp_path / "in", "", None, None) == (
        inbox.folder,
        inbox.account,
        inbox.kind,
        inbox.slots,
    )
    assert settings.watch == inbox.watch
    assert settings.publish == inbox.publish


def test_what_an_inbox_says_goes_before_what_is_said_for_all(tmp_path: Path) -> None:
    """What is left out is as in [watch] and [publish]; folders lie beside each inbox."""
    first = table(folder="ROOT/a/in", account="@Alice", caption="A: {stem}", approval=True)
    second = table(
        folder="ROOT/b/in",
        account=17841400000000002,
        kind="story",
        slots=["Thu 18:30", "Mon 09:00"],
        zone="Europe/Paris",
        min_gap="30m",
        archive_by="month",
        processed="ROOT/kept",
    )
    settings = loaded(
        tmp_path,
        f'[watch]\nrescan = 7\n[publish]\ncaption = "{{title}}"\nhashtags = ["x"]\n{first}{second}',
    )

    alice, other = settings.inboxes
    assert tmp_path / "a/in" == settings.watch.folder
    assert ("Alice", "A: {stem}", ("x",), True, 0.0) == (
        alice.account,
        alice.publish.caption,
        alice.publish.hashtags,
        alice.publish.approval,
        alice.publish.min_gap,
    )
    assert ("17841400000000002", "{title}", False, 1800.0, PostKind.STORY) == (
        other.account,
        other.publish.caption,
        other.publish.approval,
        other.publish.min_gap,
        other.kind,
    )
    assert other.slots is not None
    assert ((3, time(18, 30)), (0, time(9))) == other.slots.times
    assert (7.0, "month") == (other.watch.rescan, other.watch.archive_by)
    assert tmp_path / "a/processed" == alice.written["processed"]
    assert (tmp_path / "kept", tmp_path / "b/held") == (
        other.written["processed"],
        other.written["held"],
    )


def test_inboxes_side_by_side_may_share_where_their_files_go(tmp_path: Path) -> None:
    """Two folders beside each other have one processed, one held, one failed."""
    settings = loaded(tmp_path, table(folder="ROOT/a") + table(folder="ROOT/b"))

    assert 1 == len({each.written["processed"] for each in settings.inboxes})


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            '[watch]\nfolder = "ROOT/in"\n' + table(folder="ROOT/a"),
            "does not go with [[watch.inboxes]]",
        ),
        (table(folder="ROOT/a") + table(folder="ROOT/./a"), "are the same folder"),
        (
            table(folder="ROOT/a") + table(folder="ROOT/a/b"),
            "[watch.inboxes 2] folder = ROOT/a/b lies inside [watch.inboxes 1] folder = ROOT/a",
        ),
        (
            table(folder="ROOT/a/b") + table(folder="ROOT/a"),
            "[watch.inboxes 1] folder = ROOT/a/b lies inside [watch.inboxes 2] folder = ROOT/a",
        ),
        (
            table(folder="ROOT/a") + table(folder="ROOT/b", processed="ROOT/a/done"),
            "[watch.inboxes 2] processed = ROOT/a/done lies inside [watch.inboxes 1] folder",
        ),
        (
            table(folder="ROOT/a", processed="ROOT/x") + table(folder="ROOT/b", failed="ROOT/x"),
            "[watch.inboxes 2] failed and [watch.inboxes 1] processed are the same folder",
        ),
        (
            table(folder="ROOT/data", processed="ROOT/p", failed="ROOT/f"),
            "[storage] data_dir = ROOT/data lies inside",
        ),
        (table(account="a"), "[watch.inboxes 1] folder: is missing"),
        (table(folder="ROOT/a", slots=["Mon 9"]), "[watch.inboxes 1] slots"),
        (table(folder="ROOT/a", slots=["Mon 24:00"]), "is no time of day"),
        (table(folder="ROOT/a", zone="Europe/Pariss"), 'Did you mean "Europe/Paris"'),
        (table(folder="ROOT/a", kind="carousel"), "[watch.inboxes 1] kind"),
        (table(folder="ROOT/a", caption="{nobody}"), "cannot be filled: {nobody}"),
        (table(folder="ROOT/a", captoin="x"), "[watch.inboxes 1] captoin"),
    ],
)
def test_what_cannot_be_is_refused_by_name(tmp_path: Path, text: str, told: str) -> None:
    """The table of the inbox, counted from 1, and the key stand in the problem."""
    problems = refused(tmp_path, text)

    assert any(told.replace("ROOT", str(tmp_path)) in problem for problem in problems), problems


def test_an_inbox_that_is_gone_is_as_the_first_but_for_its_folder(tmp_path: Path) -> None:
    """What is under way from there is filed where the files of the first inbox are."""
    inboxes: Inboxes = loaded(tmp_path, table(folder="ROOT/a/in", caption="A")).inboxes

    gone = inboxes.of(tmp_path / "gone")
    assert inboxes.first is inboxes.of(None)
    assert inboxes.first is inboxes.of(tmp_path / "x/../a/in")
    assert tmp_path / "gone/.mediawatch/work" == gone.watch.work_folder
    assert inboxes.first.written == gone.written
