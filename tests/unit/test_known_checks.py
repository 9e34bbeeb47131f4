"""What is known without trying: what fails, what is advice, and where the limits are."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mediawatch.config import load_with_origins
from mediawatch.doctor import account, known

DAY = 86_400.0
NOW = 1_800_000_000.0


@pytest.mark.parametrize(
    ("free", "min_free", "ok", "advised"),
    [
        (2_000_000_000, 1_000_000_000, True, False),
        (900_000_000, 1_000_000_000, True, True),
        (200_000_000, 1_000_000_000, False, True),
        (200_000_000, 100_000_000, True, False),
        (90_000_000, 100_000_000, False, True),
        (30_000_000_000, 40_000_000_000, True, True),
        (0, 0, True, False),
    ],
)
def test_one_setting_says_when_a_disk_is_told(
    free: int, min_free: int, ok: bool, advised: bool
) -> None:
    """Below ``min_free`` it is advice; below 256 MB, or below ``min_free`` if that is less, it is
    a failure; 0 is never."""
    found = known.space(Path("disk"), free, min_free)
    assert (ok, advised) == (found.ok, bool(found.remedy))


@pytest.mark.parametrize(
    ("days", "ok", "advised"), [(60.0, True, False), (6.9, True, True), (-0.1, False, True)]
)
def test_a_token_fails_when_it_has_ended(days: float, ok: bool, advised: bool) -> None:
    """Before that it is advice, from seven days on."""
    found = known.token_end(NOW + days * DAY, NOW, "")
    assert (ok, advised) == (found.ok, bool(found.remedy))


def test_an_account_that_goes_on_by_itself_is_no_failure() -> None:
    """A used up quota is told with how many wait and until when; a stop is a failure."""
    told = {"detail": "Used up.", "remedy": "Nothing to do.", "until": "noon", "waiting": 3}
    passing = known.standing(told | {"state": "quota"})
    assert passing.ok
    assert "Quota, 3 posts wait until noon: Used up." == passing.detail
    assert not known.standing(told | {"state": "stopped"}).ok
    assert known.standing({"state": "ok"}).ok


def test_when_a_token_was_put_there_is_told_where_its_end_is_not(tmp_path: Path) -> None:
    """Meta tells nothing for Instagram's own login: the day of the file is what is known, and a
    new token is advised when it may end within a week. From nowhere: note it yourself."""
    file = tmp_path / "token"
    file.write_text("IGAA-for-tests")
    os.utime(file, (NOW - 10 * DAY,) * 2)
    young = account.pasted(file, NOW)
    assert (True, "") == (young.ok, young.remedy)
    assert f"{file}, which holds it, was last written 10 days ago" in young.detail
    old = account.pasted(file, NOW + 44 * DAY)
    assert old.ok
    assert "new token" in old.remedy
    unknown = account.pasted(None, NOW)
    assert "Note the day" in unknown.remedy
    assert unknown == account.pasted(tmp_path / "gone", NOW)


def test_which_file_holds_a_value(tmp_path: Path) -> None:
    """A file of its own, else the settings file; nothing for a variable or a default."""
    file, token = tmp_path / "config.toml", tmp_path / "token"
    token.write_text("IGAA-for-tests")
    own = f'[instagram]\nuser_id = "17841400000000001"\naccess_token_file = "{token.as_posix()}"\n'
    ftp = (
        '[ftp]\nhost = "ftp.example.org"\nuser = "u"\npassword = "p4ss"\n'
        'public_url = "https://example.org/upload"\n'
    )
    file.write_text(own + ftp)
    found = load_with_origins(file, {})
    assert token == found.holder("instagram", "access_token")
    assert file == found.holder("ftp", "password")
    assert found.holder("ftp", "port") is None
    changed = load_with_origins(file, {"FTP_PASS": "another", "ACCESS_TOKEN": "IGAA-other"})
    assert changed.holder("ftp", "password") is None
    assert changed.holder("instagram", "access_token") is None
