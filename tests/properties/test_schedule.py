"""Plans through summer time, sleep and clocks that are set: nothing twice, nothing in a burst."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from mediawatch.clock import MACHINE_ZONE
from mediawatch.model.moments import at_wall
from mediawatch.model.schedule import Held, NextSlot, PublishNow, Wait, due, next_slot

ZONES = st.sampled_from(
    [
        *map(ZoneInfo, ("Europe/Paris", "America/Sao_Paulo", "Australia/Lord_Howe", "Asia/Tehran")),
        *map(ZoneInfo, ("America/New_York", "Pacific/Apia", "Africa/Casablanca")),
        UTC,
        MACHINE_ZONE,
    ]
)
WALLS = st.datetimes(datetime(2005, 1, 1), datetime(2060, 1, 1))  # noqa: DTZ001 - zones are drawn
SECONDS = st.floats(0, 40 * 86400.0)


@st.composite
def slots(draw: Any) -> datetime:
    return at_wall(draw(WALLS), draw(ZONES)).at


@given(slots(), SECONDS, st.lists(SECONDS, max_size=6))
def test_no_slot_is_given_twice(slot: datetime, slept: float, more: list[float]) -> None:
    """Each move leads to a later slot, ahead of the clock, at most two days on, at the same time of
    day unless clocks skip it."""
    now, at = slot.timestamp() + slept, slot
    for sleep in [0.0, *more]:
        found = next_slot(slot, now)
        assert now < found.timestamp() <= now + 2 * 86400 + 7200
        assert found.timestamp() > at.timestamp() or found == slot
        wall = at_wall(datetime.combine(found.date(), slot.time().replace(fold=0)), found.tzinfo)  # type: ignore[arg-type]
        assert wall.note or found.time() == slot.time()
        now, at = found.timestamp() + sleep, found


@given(slots(), SECONDS, st.floats(0, 86400), st.sampled_from(["publish", "next", "hold"]))
def test_time_only_brings_a_post_nearer(
    slot: datetime, ahead: float, step: float, late: Any
) -> None:
    """Before its time a post waits for exactly that; at it, it goes out; no later look takes it
    back to waiting for the same slot."""
    at = slot.timestamp()
    for now in (at - ahead - 1, at - 1):
        assert Wait(at) == due(slot, now, late=late)
    assert PublishNow() == due(slot, at, late=late)
    assert not isinstance(due(slot, at + step, late=late), Wait)


@given(
    st.lists(slots(), min_size=1, max_size=5),
    st.lists(st.floats(-7200, 90000), max_size=12),
    st.floats(60, 7200),
    st.sampled_from(["publish", "next", "hold"]),
)
def test_no_burst_however_the_clock_is_set(
    plan: list[datetime], jumps: list[float], gap: float, late: Any
) -> None:
    """Sleep, or set the clock, between any two looks: each post goes out once at the most, never
    before its time, and two of them a gap apart by the clock of the moment."""
    now = min(slot.timestamp() for slot in plan) - 10
    last: float | None = None
    moved: dict[int, datetime] = {}
    waiting = dict(enumerate(plan))
    for jump in [*jumps, 0.0]:
        now += jump
        for number, slot in list(waiting.items()):
            found = due(
                slot,
                now,
                late=late,
                min_gap=gap,
                last_published_at=last,
                moved_to=moved.get(number),
            )
            if isinstance(found, NextSlot):
                assert late == "next"
                assert found.at.timestamp() > now
                moved[number] = found.at
            elif isinstance(found, Held):
                assert late == "hold"
                del waiting[number]
            elif isinstance(found, Wait):
                assert found.until > now
            else:
                assert now >= moved.get(number, slot).timestamp()
                assert last is None or now >= last + gap or last > now + 300
                last = now
                del waiting[number]


@given(WALLS, ZONES)
def test_every_time_of_day_is_some_moment(wall: datetime, zone: Any) -> None:
    """The moment shows the time that was written, or says why not; it is real: there and back."""
    found = at_wall(wall, zone)

    assert found.at.timestamp() == found.at.astimezone(UTC).timestamp()
    shown = found.at.replace(tzinfo=None, fold=0)
    assert shown == wall or (found.note and wall < shown <= wall + timedelta(days=1))
    assert found.at.astimezone(UTC).astimezone(zone).replace(tzinfo=None) == found.at.replace(
        tzinfo=None
    )
