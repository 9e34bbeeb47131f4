"""Dates and times as people write them, and what is decided where clocks are changed."""

from __future__ import annotations

import copy
import pickle
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from mediawatch.clock import MACHINE_ZONE
from mediawatch.errors import Handling, Rejected
from mediawatch.model import moments

PARIS, NEW_YORK = ZoneInfo("Europe/Paris"), ZoneInfo("America/New_York")
LORD_HOWE = ZoneInfo("Australia/Lord_Howe")


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-12-24 18:00", "2026-12-24T17:00+00:00"),
        ("2026-12-24T18:00", "2026-12-24T17:00+00:00"),
        ("2026-12-24 18:00:30", "2026-12-24T17:00:30+00:00"),
        ("2026-12-24 18:00:30.5", "2026-12-24T17:00:30+00:00"),
        ("2026-12-24 18:00Z", "2026-12-24T18:00+00:00"),
        ("2026-12-24 18:00+02:00", "2026-12-24T16:00+00:00"),
        ("2026-12-24 18:00 -0530", "2026-12-24T23:30+00:00"),
        ("2026-12-24T18:00+02", "2026-12-24T16:00+00:00"),
        ("2026-12-24 18:00 UTC", "2026-12-24T18:00+00:00"),
        ("2026-12-24 18:00 America/New_York", "2026-12-24T23:00+00:00"),
        ("2026-07-24 18:00 America/New_York", "2026-07-24T22:00+00:00"),
        ("2026-12-24T18:00-05:00[America/New_York]", "2026-12-24T23:00+00:00"),
        ("2026-12-24T18:00Z[America/New_York]", "2026-12-24T18:00+00:00"),
        ("  2026-12-24   18:00  ", "2026-12-24T17:00+00:00"),
    ],
)
def test_a_text_names_a_moment(text: str, instant: str) -> None:
    """With an offset, a zone, both, or in the zone that is meant where nothing is said."""
    found = moments.moment(text, None, PARIS)

    assert datetime.fromisoformat(instant) == found.at.astimezone(UTC)
    assert not found.note


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("tomorrow", "no date with a time"),
        ("2026-12-24", "no date with a time"),
        ("24.12.2026 18:00", "no date with a time"),
        ("2026-12-24 18:00 at home", "no date with a time"),
        ("2026-12-24 18:00 [Europe/Paris", "no date with a time"),
        ("2026-02-30 18:00", "not in the calendar"),
        ("2026-12-24 24:00", "not in the calendar"),
        ("2026-12-24 18:00:60", "not in the calendar"),
        ("2026-12-24 18:00+99:00", "no zone is a day away from UTC"),
        ("2026-12-24 18:00+01:75", "not in the calendar"),
        ("1926-12-24 18:00", "year 1926"),
        ("2206-12-24 18:00Z", "year 2206"),
        ("2026-12-24 18:00 Europe/Pariss", "no time zone"),
        ("2026-12-24 18:00 Europe", "no time zone"),
        ("2026-12-24 18:00+02:00 Europe/Paris", r"written with \+0200"),
    ],
)
def test_what_is_no_moment_is_held(text: str, what: str) -> None:
    """With what is wrong, and how it is written."""
    with pytest.raises(Rejected, match=what) as caught:
        moments.moment(text, None, PARIS)

    assert Handling.HOLD is caught.value.handling
    assert caught.value.remedy


def test_two_names_of_zones_must_agree() -> None:
    """A zone in the text and another beside it: nobody knows which is meant."""
    with pytest.raises(Rejected, match="another zone"):
        moments.moment("2026-12-24 18:00 Europe/Paris", NEW_YORK, PARIS)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("Europe/Pariss", "Europe/Paris"),
        ("europe/paris", "Europe/Paris"),
        ("America/New York", "America/New_York"),
        ("../etc/passwd", ""),
        ("Europe", ""),
        ("", ""),
        ("\0", ""),
        ("x" * 5000, ""),
        ("\ud800", ""),
    ],
)
def test_a_zone_that_is_none_is_told_with_the_nearest(name: str, hint: str) -> None:
    """No name leads anywhere but into the database of zones."""
    if name == "europe/paris" and Path("/usr/share/zoneinfo/EUROPE").exists():
        pytest.skip("this disk knows no case")
    with pytest.raises(Rejected, match="is no time zone") as caught:
        moments.zone_named(name)

    assert hint in caught.value.remedy
    caught.value.message.encode()


@pytest.mark.parametrize(
    ("zone", "wall", "shown", "instant", "note"),
    [
        (PARIS, "2026-03-29T02:30", "03:30", "2026-03-29T01:30+00:00", "does not exist"),
        (PARIS, "2026-03-29T03:00", "03:00", "2026-03-29T01:00+00:00", ""),
        (PARIS, "2026-10-25T02:30", "02:30", "2026-10-25T00:30+00:00", "comes twice"),
        (PARIS, "2026-10-25T03:00", "03:00", "2026-10-25T02:00+00:00", ""),
        (NEW_YORK, "2026-03-08T02:00", "03:00", "2026-03-08T07:00+00:00", "does not exist"),
        (LORD_HOWE, "2026-10-04T02:15", "02:45", "2026-10-03T15:45+00:00", "does not exist"),
    ],
)
def test_where_clocks_are_put_forward_or_back(
    zone: ZoneInfo, wall: str, shown: str, instant: str, note: str
) -> None:
    """A time that is skipped is as much later; of one that comes twice the first is meant."""
    found = moments.at_wall(datetime.fromisoformat(wall), zone)

    assert datetime.fromisoformat(instant) == found.at.astimezone(UTC)
    assert shown == f"{found.at:%H:%M}"
    assert note in found.note
    assert bool(note) == bool(found.note)


@pytest.fixture
def machine_in_paris(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    if not hasattr(time, "tzset"):
        pytest.skip("the zone of this system cannot be set by a test")
    monkeypatch.setenv("TZ", "Europe/Paris")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("machine_in_paris")
@pytest.mark.parametrize(
    "wall",
    ["2026-03-29T02:30", "2026-03-29T03:30", "2026-10-25T02:30", "2026-12-24T18:00", "2026-07-01"],
)
def test_the_zone_of_the_machine_is_like_any_other(wall: str) -> None:
    """The machine's zone decides as the same zone by its name does."""
    naive = datetime.fromisoformat(wall)
    mine, named = moments.at_wall(naive, MACHINE_ZONE), moments.at_wall(naive, PARIS)

    assert named.at.timestamp() == mine.at.timestamp()
    assert f"{named.at:%c %z %Z}" == f"{mine.at:%c %z %Z}"
    assert bool(named.note) == bool(mine.note)


@pytest.mark.usefixtures("machine_in_paris")
def test_every_instant_comes_back_from_the_machines_zone() -> None:
    """Also the two hours that clocks show twice."""
    start = int(datetime(2026, 10, 24, 23, tzinfo=UTC).timestamp())
    for second in range(start, start + 5 * 3600, 900):
        assert second == datetime.fromtimestamp(second, MACHINE_ZONE).timestamp()


def test_the_machines_zone_is_one() -> None:
    """A copy of a time is in the same zone, and its name leads back to it."""
    assert MACHINE_ZONE is pickle.loads(pickle.dumps(MACHINE_ZONE))  # noqa: S301 - our own
    assert MACHINE_ZONE is copy.deepcopy(MACHINE_ZONE)
    assert MACHINE_ZONE is moments.zone_named(moments.zone_name(MACHINE_ZONE) or "")
