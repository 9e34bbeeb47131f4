"""When a planned post goes out: now, later, on another day, or only when a person says so.

Pure. Posts are compared as seconds since the epoch, so that neither summer time nor a journey can
move one; the zone matters only for "the same time on the next day". Nothing here remembers: who
asks again after the clock was put back gets the answer for that time, and what was published stays
published by the state machine.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Container, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Literal

from mediawatch.errors import Handling, Rejected
from mediawatch.model.moments import at_wall, zone_name

#: What is done with a post whose time has passed: publish it, on the next day, or hold it.
Late = Literal["publish", "next", "hold"]

#: Seconds before its time that a post's containers are made: Meta works on a video for a while.
PICTURE_LEAD = 10 * 60.0
VIDEO_LEAD = 60 * 60.0
#: Seconds that a container is relied on. Meta drops it 24 hours after it was made.
CONTAINER_LIFE = 23 * 3600.0
#: Seconds ahead of the clock up to which the last publication is believed (see ``turn``).
_SKEW = 300.0


@dataclass(frozen=True, slots=True)
class PublishNow:
    """It is time."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing to do before ``until`` (seconds since the epoch). ``gap``: its time has come, but the
    account published a moment ago."""

    until: float
    gap: bool = False


@dataclass(frozen=True, slots=True)
class NextSlot:
    """It is late, and moved to ``at`` (aware): the same time of day on a later day."""

    at: datetime
    message: str


@dataclass(frozen=True, slots=True)
class Held:
    """It is late, and a person decides. ``why`` is to be held with."""

    why: Rejected


Decision = PublishNow | Wait | NextSlot | Held


def due(
    publish_at: datetime | None,
    now: float,
    *,
    late: Late = "publish",
    late_after: float = 600.0,
    min_gap: float = 0.0,
    last_published_at: float | None = None,
    moved_to: datetime | None = None,
) -> Decision:
    """What is to be done with a post now.

    ``publish_at``: as it was wished for, None if at once; ``moved_to``: the slot that an earlier
    NextSlot gave it. ``now`` and ``last_published_at`` (the account's publication that
    was recorded last, not the one with the greatest time: clocks are put back) are seconds since
    the epoch, ``late_after`` and ``min_gap`` seconds.

    A post whose turn has not come because of ``min_gap`` alone is not late: its lateness counts
    from the end of the gap. So three posts that a laptop slept through are published one by one,
    a gap apart (``publish``), each on its next day (``next``), or all held (``hold``).
    """
    slot = moved_to or publish_at
    from_then = turn(now, min_gap, last_published_at)
    if slot is None:
        return PublishNow() if from_then <= now else Wait(from_then, gap=True)
    at = slot.timestamp()
    if now < at:
        return Wait(at)
    behind = now - max(at, from_then)
    if late != "publish" and behind > late_after:
        if late == "hold":
            return Held(_too_late(slot, now - at))
        following = next_slot(publish_at or slot, now)
        return NextSlot(
            following,
            f"It was planned for {_shown(slot)} and is {_span(now - at)} late: it is published on "
            f"{_shown(following)} instead.",
        )
    return PublishNow() if from_then <= now else Wait(from_then, gap=True)


def next_slot(publish_at: datetime, now: float) -> datetime:
    """The first moment after ``now`` that has the time of day of ``publish_at``, in its zone.

    On a day whose clocks skip that time, as much later as they are put forward.
    """
    zone = publish_at.tzinfo or UTC
    today = datetime.fromtimestamp(now, UTC).astimezone(zone).date()
    return next(
        at
        for days in itertools.count()
        if (at := _on(today + timedelta(days=days), publish_at)).timestamp() > now
    )


_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_SLOT = re.compile(r"([a-z]{3}) +(\d{1,2}):(\d\d)", re.ASCII)


def weekly_slot(text: str) -> tuple[int, time]:
    """``Mon 09:00``: the day, counted from Monday as 0, and the time. Raises ValueError."""
    match = _SLOT.fullmatch(text.strip().lower())
    if match is None or match[1] not in _WEEKDAYS:
        raise ValueError("is no day of the week with a time of day.")
    try:
        return _WEEKDAYS.index(match[1]), time(int(match[2]), int(match[3]))
    except ValueError:
        raise ValueError("is no time of day.") from None


@dataclass(frozen=True, slots=True)
class WeeklySlots:
    """When posts go out every week: days (Monday is 0) with a time each, as clocks of the zone
    show it."""

    times: tuple[tuple[int, time], ...]
    zone: tzinfo

    def after(self, now: float) -> Iterator[datetime]:
        """Every one of them from then on, in order, without an end."""
        today, last = datetime.fromtimestamp(now, UTC).astimezone(self.zone).date(), now
        for days in itertools.count():
            day = today + timedelta(days=days)
            slots = [
                at_wall(datetime.combine(day, at), self.zone).at
                for weekday, at in self.times
                if weekday == day.weekday()
            ]
            for slot in sorted(slots):
                if slot.timestamp() > last:  # clocks that are put forward make one of two
                    last = slot.timestamp()
                    yield slot


def free_slots(slots: WeeklySlots, now: float, taken: Container[float]) -> Iterator[datetime]:
    """The slots after ``now`` that nobody has, in order, without an end. ``taken``: seconds since
    the epoch."""
    return (slot for slot in slots.after(now) if slot.timestamp() not in taken)


def containers_from(slot: datetime, *, video: bool) -> float:
    """Seconds since the epoch from which a post's containers may be made: shortly before."""
    return slot.timestamp() - (VIDEO_LEAD if video else PICTURE_LEAD)


def container_is_stale(made_at: float, now: float) -> bool:
    """Whether a container must be made anew before anything is published of it.

    One that seems to be of the future was made before the clock was put back: nobody knows when.
    """
    return not -_SKEW <= now - made_at < CONTAINER_LIFE


def turn(now: float, min_gap: float, last: float | None) -> float:
    """From when the account may publish again, in seconds since the epoch.

    A publication that lies ahead of the clock was written down when the clock was wrong, and says
    nothing: waiting for it could take years.
    """
    if last is None or last > now + _SKEW:
        return 0.0
    return last + min_gap


def _on(day: date, publish_at: datetime) -> datetime:
    wall = datetime.combine(day, publish_at.time().replace(fold=0))
    return at_wall(wall, publish_at.tzinfo or UTC).at


def _too_late(slot: datetime, behind: float) -> Rejected:
    return Rejected(
        f"It was planned for {_shown(slot)} and is {_span(behind)} late.",
        remedy="Publish it now with `mediawatch posts retry`, or put it back with another time. "
        '[publish] late = "publish" publishes late posts by itself.',
        code="late",
        handling=Handling.HOLD,
    )


def _shown(at: datetime) -> str:
    zone = zone_name(at.tzinfo)
    where = f"{at:%z}" if zone in {None, "machine"} else zone
    return f"{at:%Y-%m-%d %H:%M} {where}"


def _span(seconds: float) -> str:
    """About how long, in words: ``12 minutes``, ``3 hours``, ``2 days``."""
    for unit, length in (("day", 86400), ("hour", 3600)):
        if seconds >= 2 * length:
            return f"{seconds // length:.0f} {unit}s"
    minutes = max(1, int(seconds // 60))
    return f"{minutes} minute{'s' if minutes > 1 else ''}"
