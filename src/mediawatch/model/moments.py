"""Moments as people write them: a date and a time of day, somewhere.

A clock that is set for summer skips an hour in spring and shows one twice in autumn. One rule
decides, and is said in a note: a time that was skipped is as much later as the clock was put
forward (02:30 is 03:30); of a time that comes twice the first is meant. This is what PEP 495
calls ``fold=0``.
"""

from __future__ import annotations

import difflib
import re
import zoneinfo
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo

from mediawatch.clock import MACHINE_ZONE
from mediawatch.errors import Handling, Rejected

#: Years that a post may be planned for; another one is a slip of the hand.
FIRST_YEAR, LAST_YEAR = 2000, 2099
#: How the machine's own zone is written down; no zone of the tz database is called so.
MACHINE = "machine"
FORM = 'Write it like "2026-12-24 18:00", with a zone behind it if need be: "Europe/Paris".'

_ZONE_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_+\-/]{0,63}")
_MOMENT = re.compile(
    r"(?P<year>\d{4})-(?P<month>\d\d)-(?P<day>\d\d)(?:[Tt]|[ ]+)"
    r"(?P<hour>\d\d):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:[.,]\d{1,9})?)?"
    r"[ ]*(?P<offset>[Zz]|[+-]\d\d(?::?\d\d)?)?"
    r"[ ]*(?P<bracket>\[)?(?P<zone>[A-Za-z][A-Za-z0-9_+\-/]*)?(?(bracket)\])",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Moment:
    """When: an aware time in the zone in which it was meant, and what had to be decided about it
    (a sentence, or empty)."""

    at: datetime
    note: str = ""


def zone_named(name: str) -> tzinfo:
    """The zone of that name in the tz database, or ``MACHINE``.

    Raises Rejected, with the nearest name as a hint.
    """
    if name == MACHINE:
        return MACHINE_ZONE
    if name.upper() in {"UTC", "Z"}:
        return UTC
    if _ZONE_NAME.fullmatch(name):
        try:
            return zoneinfo.ZoneInfo(name)
        # A folder of the database, a file of it that is no zone, a letter that is missing.
        except (zoneinfo.ZoneInfoNotFoundError, OSError, ValueError):
            pass
    known = {zone.lower(): zone for zone in zoneinfo.available_timezones()}
    near = difflib.get_close_matches(name[:64].lower(), known, n=1, cutoff=0.6)
    hint = f'Did you mean "{known[near[0]]}"? ' if near else ""
    raise _refused(
        f'"{_shown(name)}" is no time zone.',
        f'{hint}Zones are written like "Europe/Paris" or "America/Sao_Paulo".',
    )


def zone_name(zone: tzinfo | None) -> str | None:
    """What ``zone_named`` makes that zone of; None for a mere offset from UTC."""
    if zone is MACHINE_ZONE:
        return MACHINE
    return zone.key if isinstance(zone, zoneinfo.ZoneInfo) else None


def at_wall(wall: datetime, zone: tzinfo) -> Moment:
    """The moment at which clocks of the zone show that time (naive). Raises Rejected."""
    aware = wall.replace(tzinfo=zone, fold=0)
    first, second = _instant(aware), _instant(aware.replace(fold=1))
    at = first.astimezone(zone)
    if first == second:
        return Moment(at)
    shown = f"{wall:%Y-%m-%d %H:%M}"
    if first > second:  # skipped: the offset of winter still holds for the first reading
        note = f"{shown} does not exist{_where(zone)}: clocks are put forward. {at:%H:%M} is meant."
    else:
        note = f"{shown} comes twice{_where(zone)}: clocks are put back. The first is meant."
    return Moment(at, note)


def at_instant(aware: datetime, zone: tzinfo | None) -> Moment:
    """An instant as clocks of the zone show it; in its own offset if that is None.

    Raises Rejected if it names an offset that the zone does not have then. UTC fits every zone:
    it names the instant, and says nothing of the place.
    """
    if zone is None:
        return Moment(aware)
    at = _instant(aware).astimezone(zone)
    offset = aware.utcoffset()
    if offset and offset != at.utcoffset():
        raise _refused(
            f"The time is written with {aware:%z}, but clocks{_where(zone)} are at {at:%z} then.",
            "Leave one of the two out.",
        )
    return Moment(at)


def moment(text: str, zone: tzinfo | None, default: tzinfo) -> Moment:
    """A time that is written as a text: ISO 8601, or with a name of a zone behind it.

    ``zone``: named beside the text, or None; ``default``: where nothing names one. Raises Rejected.
    """
    match = _MOMENT.fullmatch(text.strip())
    if match is None:
        raise _refused(f'"{_shown(text)}" is no date with a time of day.', FORM)
    try:
        wall = datetime(*(int(match[part] or 0) for part in _PARTS))  # type: ignore[arg-type]  # noqa: DTZ001 - its zone follows
        offset = _offset(match["offset"])
    except ValueError as error:
        raise _refused(f'"{_shown(text)}" is not in the calendar: {error}.', FORM) from None
    if match["zone"]:
        named = zone_named(match["zone"])
        if zone is not None and zone_name(named) != zone_name(zone):
            raise _refused(f'"{_shown(text)}" names another zone than zone does.', "Name one.")
        zone = named
    return meant(wall if offset is None else wall.replace(tzinfo=offset), zone, default)


def meant(written: datetime, zone: tzinfo | None, default: tzinfo) -> Moment:
    """A time that is written as a date and time, naive or with an offset; else as ``moment``."""
    if not FIRST_YEAR <= written.year <= LAST_YEAR:
        raise _refused(
            f"The year {written.year} is not between {FIRST_YEAR} and {LAST_YEAR}.",
            "Correct the date.",
        )
    if written.tzinfo is None:
        return at_wall(written, zone or default)
    return at_instant(written, zone)


_PARTS = ("year", "month", "day", "hour", "minute", "second")


def _offset(text: str | None) -> tzinfo | None:
    if text is None:
        return None
    if text in "Zz":
        return UTC
    hours, minutes = int(text[1:3]), int(text[3:].lstrip(":") or 0)
    if minutes > 59:
        raise ValueError("an hour has 60 minutes")
    if hours > 23:
        raise ValueError("no zone is a day away from UTC")
    distance = timedelta(hours=hours, minutes=minutes)
    return timezone(-distance if text[0] == "-" else distance)


def _instant(aware: datetime) -> datetime:
    try:
        return aware.astimezone(UTC)
    except (OverflowError, OSError, ValueError):  # what this system cannot count
        raise _refused(f"{aware:%Y-%m-%d} is beyond this machine's calendar.", FORM) from None


def _where(zone: tzinfo) -> str:
    name = zone_name(zone)
    return " on this machine" if name == MACHINE else f" in {name or zone}"


def _shown(text: str) -> str:
    text = text.encode("utf-8", "replace").decode()
    return "".join(c if c.isprintable() else "?" for c in text[:60])


def _refused(message: str, remedy: str) -> Rejected:
    return Rejected(message, remedy=remedy, code="publish-at", handling=Handling.HOLD)
