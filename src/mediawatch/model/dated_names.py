"""Names that begin with a date and a time of day: ``2026-12-24 18.00 tree.jpg``.

They say when to publish. Cameras and phones put dates into names as well, but of the past, and
with the second: a name that tells seconds is a camera's and plans nothing. Nor does a date
without a time, or a name that begins with anything else.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, tzinfo

from mediawatch.errors import Handling, Rejected
from mediawatch.model.moments import Moment, at_wall

_DATE = r"(?P<year>20\d\d)(?P<dash>[-._]?)(?P<month>\d\d)(?P=dash)(?P<day>\d\d)"
_TIME = r"(?P<hour>\d\d)(?P<colon>[-._:]|h|)(?P<minute>\d\d)"
_HALF = r"(?:[ ]?(?P<half>[ap])m(?![a-z0-9]))?"
_BEGINS = re.compile(
    rf"{_DATE}(?P<gap>[ _T-])[ ]?{_TIME}{_HALF}",
    re.ASCII | re.IGNORECASE,
)
#: Two digits behind the minute, as a camera writes the second.
_SECONDS = re.compile(r"(?P<again>[-._:])\d\d(?!\d)", re.ASCII)
_SUFFIX = re.compile(r"\.(?=[A-Za-z0-9]*[A-Za-z])[A-Za-z0-9]{1,5}$", re.ASCII)
_BETWEEN = " _-.,;"


@dataclass(frozen=True, slots=True)
class DatedName:
    """What a name says. ``written``: the digits of year, month, day, hour, minute, which may be no
    day of the calendar; ``rest``: the name without them and without its suffix."""

    name: str
    written: tuple[int, int, int, int, int]
    rest: str


def dated(name: str, *, folder: bool = False) -> DatedName | None:
    """The date and time at the beginning of the name of a file or a folder; None if it has none.

    ``folder``: it is a folder's, which has no suffix, whatever dots it has.
    """
    stem = name if folder else _SUFFIX.sub("", name)
    match = _BEGINS.match(stem)
    if match is None:
        return None
    behind = stem[match.end() :]
    if behind and (behind[0].isalnum() or _is_seconds(behind, match["colon"])):
        return None
    year, month, day, hour, minute = (
        int(match[part]) for part in ("year", "month", "day", "hour", "minute")
    )
    if match["half"] and 1 <= hour <= 12:
        hour = hour % 12 + (12 if match["half"] in "pP" else 0)
    if not match["dash"] and not (1 <= month <= 12 and 1 <= day <= 31):
        return None  # eight digits that are no date are a number of something
    if not match["colon"] and not (hour < 24 and minute < 60 and match["gap"] in _gaps(match)):
        return None  # so are four that are no time
    return DatedName(name, (year, month, day, hour, minute), behind.strip(_BETWEEN))


def moment_of(found: DatedName, zone: tzinfo) -> Moment:
    """When the name wants its file published, on clocks of that zone.

    Raises Rejected, to be held, if there is no such day or time: the name is a slip of the hand.
    """
    try:
        wall = datetime(*found.written)  # noqa: DTZ001 - its zone follows
    except ValueError:
        year, month, day, hour, minute = found.written
        raise Rejected(
            f"The name begins with {year}-{month:02}-{day:02} {hour:02}:{minute:02}, which is not "
            "in the calendar.",
            remedy="Correct the date or the time in the name, and put the file back.",
            code="publish-at",
            handling=Handling.HOLD,
        ) from None
    return at_wall(wall, zone)


def _gaps(match: re.Match[str]) -> str:
    """What may stand between the date and a time without a colon.

    Cameras and editors number the pictures of a day ``20261224_0012`` and ``2026-12-24-0012``.
    """
    return " Tt" if match["dash"] else " Tt-"


def _is_seconds(behind: str, colon: str) -> bool:
    match = _SECONDS.match(behind)
    return match is not None and (match["again"] == colon or not colon)
