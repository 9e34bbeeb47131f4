"""When a planned post goes out: on time, late, and never in a burst."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from mediawatch.errors import Handling
from mediawatch.model.moments import zone_named
from mediawatch.model.schedule import (
    CONTAINER_LIFE,
    Held,
    NextSlot,
    PublishNow,
    Wait,
    WeeklySlots,
    container_is_stale,
    containers_from,
    due,
    free_slots,
    next_slot,
    weekly_slot,
)

PARIS = ZoneInfo("Europe/Paris")
SLOT = datetime(2026, 11, 20, 9, tzinfo=PARIS)
AT = SLOT.timestamp()
HOUR = 3600.0


def test_a_post_without_a_time_goes_out_at_once() -> None:
    """Unless the account published a moment ago."""
    assert PublishNow() == due(None, AT)
    assert PublishNow() == due(None, AT, min_gap=60, last_published_at=AT - 60)
    assert Wait(AT + 50, gap=True) == due(None, AT, min_gap=60, last_published_at=AT - 10)


def test_a_post_waits_for_its_time() -> None:
    """To the second, and then goes out."""
    assert Wait(AT) == due(SLOT, AT - 0.5)
    assert PublishNow() == due(SLOT, AT)


@pytest.mark.parametrize("late", ["publish", "next", "hold"])
def test_within_the_grace_nobody_is_late(late: str) -> None:
    """A minute or ten after its time a post is published, whatever the policy."""
    assert PublishNow() == due(SLOT, AT + 600, late=late, late_after=600)  # type: ignore[arg-type]


def test_late_posts_are_published_by_default() -> None:
    """A laptop that slept for a day publishes when it wakes."""
    assert PublishNow() == due(SLOT, AT + 24 * HOUR)


def test_a_late_post_is_moved_to_its_time_on_the_next_day() -> None:
    """The same time of day, in its own zone, and that is said."""
    found = due(SLOT, AT + 3 * HOUR, late="next")

    assert isinstance(found, NextSlot)
    assert datetime(2026, 11, 21, 9, tzinfo=PARIS) == found.at
    assert "2026-11-20 09:00 Europe/Paris and is 3 hours late" in found.message
    assert Wait(found.at.timestamp()) == due(SLOT, AT + 3 * HOUR, late="next", moved_to=found.at)
    assert PublishNow() == due(SLOT, found.at.timestamp(), late="next", moved_to=found.at)


def test_a_late_post_is_held_with_a_sentence() -> None:
    """A person is told how late it is, and what there is to do."""
    found = due(SLOT, AT + 26 * 60, late="hold")

    assert isinstance(found, Held)
    assert Handling.HOLD is found.why.handling
    assert "is 26 minutes late" in found.why.message
    assert "posts retry" in found.why.remedy


def test_three_slots_that_were_slept_through_are_no_burst() -> None:
    """Each goes out a gap after the one before."""
    slots = [SLOT.replace(hour=hour) for hour in (9, 10, 11)]
    now, last, out = AT + 5 * HOUR, AT - HOUR, []
    for slot in slots:
        while (found := due(slot, now, min_gap=900, last_published_at=last)) != PublishNow():
            assert isinstance(found, Wait)
            now = found.until
        out.append(now)
        last = now

    assert [AT + 5 * HOUR + 900 * turn for turn in range(3)] == out


def test_who_waits_for_the_gap_is_not_late() -> None:
    """Three posts of one time of day, an hour apart: none is moved or held for that."""
    for late in ("next", "hold"):
        assert Wait(AT + HOUR, gap=True) == due(
            SLOT, AT + 1, late=late, min_gap=HOUR, last_published_at=AT
        )
        assert PublishNow() == due(SLOT, AT + HOUR, late=late, min_gap=HOUR, last_published_at=AT)
        assert not isinstance(
            due(SLOT, AT + 3 * HOUR, late=late, min_gap=HOUR, last_published_at=AT), PublishNow
        )


def test_a_publication_in_the_future_holds_nobody_up() -> None:
    """The clock was a year ahead when it was written down, and is right again."""
    assert PublishNow() == due(SLOT, AT, min_gap=HOUR, last_published_at=AT + 365 * 24 * HOUR)


@pytest.mark.parametrize(
    ("wished", "now", "following"),
    [
        # Summer time begins, ends: nine o'clock stays nine o'clock.
        ("2026-03-28T09:00", "2026-03-28T12:00", "2026-03-29T09:00+02:00"),
        ("2026-10-24T09:00", "2026-10-24T12:00", "2026-10-25T09:00+01:00"),
        # A time that the next day skips, and the day after: no drift.
        ("2026-03-28T02:30", "2026-03-28T12:00", "2026-03-29T03:30+02:00"),
        ("2026-03-28T02:30", "2026-03-29T12:00", "2026-03-30T02:30+02:00"),
        # A time that the next day has twice: the first.
        ("2026-10-24T02:30", "2026-10-24T12:00", "2026-10-25T02:30+02:00"),
        # Days later, before and after its time of day.
        ("2026-11-20T09:00", "2026-11-23T08:00", "2026-11-23T09:00+01:00"),
        ("2026-11-20T09:00", "2026-11-23T09:00", "2026-11-24T09:00+01:00"),
        ("2026-11-20T23:55", "2026-11-21T00:30", "2026-11-21T23:55+01:00"),
    ],
)
def test_the_next_slot(wished: str, now: str, following: str) -> None:
    """The first moment after now that shows the same time of day."""
    at = datetime.fromisoformat(wished).replace(tzinfo=PARIS)
    moment = datetime.fromisoformat(now).replace(tzinfo=PARIS).timestamp()
    found = next_slot(at, moment)

    assert datetime.fromisoformat(following).astimezone(UTC) == found.astimezone(UTC)


def test_containers_are_made_shortly_before() -> None:
    """Ten minutes for pictures, an hour for videos."""
    assert AT - 600 == containers_from(SLOT, video=False)
    assert AT - 3600 == containers_from(SLOT, video=True)


@pytest.mark.parametrize(
    ("age", "stale"),
    [(0, False), (CONTAINER_LIFE - 1, False), (CONTAINER_LIFE, True), (-10, False), (-1e6, True)],
)
def test_an_old_container_is_made_anew(age: float, stale: bool) -> None:
    """Meta drops one after a day; what a wrong clock wrote down is not relied on."""
    assert stale is container_is_stale(AT - age, AT)


def slots(*texts: str, zone: str = "UTC") -> WeeklySlots:
    return WeeklySlots(tuple(weekly_slot(text) for text in texts), zone_named(zone))


def test_the_next_free_slot_of_the_week_is_taken() -> None:
    """In the order of time, whatever that of the settings; a slot that has passed, or is now, or
    that somebody has, is left."""
    week = slots("Thu 18:30", "mon 09:00", zone="Europe/Paris")
    sunday = datetime(2026, 11, 29, 12, tzinfo=UTC).timestamp()

    first = next(free_slots(week, sunday, ()))
    second = next(free_slots(week, sunday, {first.timestamp()}))
    third = next(free_slots(week, first.timestamp(), {second.timestamp()}))

    assert [
        "2026-11-30T09:00:00+01:00",
        "2026-12-03T18:30:00+01:00",
        "2026-12-07T09:00:00+01:00",
    ] == [each.isoformat() for each in (first, second, third)]


def test_a_slot_that_clocks_skip_is_no_second_one() -> None:
    """02:30 and 03:30 are one moment on the day on which clocks are put forward."""
    night = slots("Sun 02:30", "Sun 03:30", zone="Europe/Paris")
    before = datetime(2027, 3, 27, 12, tzinfo=UTC).timestamp()

    found = list(itertools.islice(night.after(before), 3))

    assert ["2027-03-28T03:30:00+02:00", "2027-04-04T02:30:00+02:00"] == [
        each.isoformat() for each in found[:2]
    ]


@pytest.mark.parametrize("text", ["", "Mon", "9:00 Mon", "Mon 24:00", "Mon 9:60", "Xyz 09:00"])
def test_what_is_no_slot_is_refused(text: str) -> None:
    """A day and a time of day, and nothing else."""
    with pytest.raises(ValueError, match="is no"):
        weekly_slot(text)
