"""The values of a sidecar's keys: each parser takes whatever stands there, and gives what is meant.

What cannot be meant raises an error of pydantic that tells what is wrong and what to write.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import date, datetime, tzinfo
from datetime import time as time_of_day
from typing import Any

from pydantic_core import PydanticCustomError

from mediawatch.errors import Rejected
from mediawatch.model import captions, moments
from mediawatch.model.kinds import PostKind
from mediawatch.model.moments import FORM
from mediawatch.model.wishes import Cover, UserTag

_USERNAME = re.compile(r"@?([A-Za-z0-9._]{1,30})")
_LENGTH = re.compile(r"(\d{1,6}(?:\.\d{1,6})?) ?(s|ms)?", re.ASCII)
_CLOCK = re.compile(r"(\d{1,3}):([0-5]\d(?:\.\d{1,6})?)", re.ASCII)


def shown(text: str, longest: int = 80) -> str:
    """Foreign text as it can stand in a sentence: printable, and not too long."""
    text = text[:longest].encode("utf-8", "replace").decode()
    return "".join(c if c.isprintable() else "?" for c in text)


def _wrong(message: str, remedy: str) -> PydanticCustomError:
    return PydanticCustomError("sidecar", "{message}", {"message": message, "remedy": remedy})


def plain_text(value: Any) -> str:
    """A text that can be sent and shown, with the line ends of Unix, without blanks around it."""
    if not isinstance(value, str):
        raise _wrong("is no text.", "Write it in quotes.")
    if bad := next((c for c in value if "\ud800" <= c <= "\udfff"), None):
        raise _wrong(f"holds half a character (U+{ord(bad):04X}).", "Write the character itself.")
    if bad := next((c for c in value if ord(c) < 32 and c not in "\n\r\t"), None):
        raise _wrong(f"holds a control character (U+{ord(bad):04X}).", "Take it out.")
    return value.replace("\r\n", "\n").strip()


def caption(value: Any) -> str:
    """A text within the limits of a caption."""
    return _checked(value, captions.check)


def first_comment(value: Any) -> str:
    """A text within the limits of a comment."""
    return _checked(value, captions.check_first_comment)


def _checked(value: Any, check: Callable[[str], None]) -> str:
    text = plain_text(value)
    try:
        check(text)
    except Rejected as refused:
        raise _wrong(f"cannot be sent: {refused.message}", "Shorten it.") from None
    return text


def alt_text(value: Any) -> Any:
    """One text for all pictures, or a table of file names and their texts."""
    if not isinstance(value, dict):
        return _checked(value, captions.check_alt_text)
    return {
        file_name_beside(name): _checked(text, captions.check_alt_text)
        for name, text in value.items()
    }


def zone(value: Any) -> tzinfo:
    """The zone of a name of the tz database."""
    try:
        return moments.zone_named(plain_text(value))
    except Rejected as refused:
        raise _wrong(f"is no time zone: {refused.message}", refused.remedy) from None


def publish_at(value: Any) -> Any:
    """A date and time of TOML, or a text that ``moments.moment`` reads later, with its zone."""
    if isinstance(value, datetime):
        return value
    if isinstance(value, (date, time_of_day)):
        raise _wrong("needs a date and a time of day.", FORM)
    return plain_text(value)


def kind(value: Any) -> PostKind:
    """A kind of post, in either case."""
    known = ", ".join(f'"{kind}"' for kind in PostKind)
    try:
        return PostKind(plain_text(value).lower())
    except ValueError:
        raise _wrong("is no kind of post.", f"Write one of {known}.") from None


def location(value: Any) -> str:
    """Digits, also written as a number."""
    # Not str() first: a number may have more digits than it takes.
    if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 10**20:
        return str(value)
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,20}", value.strip()):
        return value.strip()
    raise _wrong("is no id of a place.", "Give the number of a Facebook Page with an address.")


def username(value: Any) -> str:
    """A user name, with or without its ``@``."""
    match = _USERNAME.fullmatch(plain_text(value))
    if match is None:
        raise _wrong("is no user name.", 'Write it as Instagram shows it, like "some.one".')
    return match[1]


def user_tag(value: Any) -> UserTag:
    """A user name alone, or a table with where the person is."""
    if isinstance(value, str):
        return UserTag(username(value))
    if not isinstance(value, dict) or not {"username"} <= value.keys() <= {"username", "x", "y"}:
        raise _wrong("is no tag.", 'Write {username = "some.one", x = 0.5, y = 0.5}, or a name.')
    if ("x" in value) != ("y" in value):
        raise _wrong("has only one of x and y.", "Give both, or none.")
    x, y = (_share(value[axis]) if axis in value else None for axis in ("x", "y"))
    return UserTag(username(value["username"]), x, y)


def _share(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1:
        raise _wrong("is not where a picture is.", "x and y go from 0 (left, top) to 1.")
    return float(value)


def usernames(value: Any) -> tuple[str, ...]:
    """A list of user names, each once."""
    if not isinstance(value, list):
        raise _wrong("is no list.", 'Write it in brackets, like ["some.one"].')
    return tuple(dict.fromkeys(username(each) for each in value))


def cover(value: Any) -> Cover:
    """Seconds, a text with its unit (``12.5s``, ``12500ms``, ``0:12``), or the name of a file."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        if 0 <= value < 1_000_000 and math.isfinite(value):
            return Cover(offset_ms=round(value * 1000))
        raise _wrong("is no moment of a video.", 'Write seconds, like 12.5, or "12500ms".')
    text = plain_text(value)
    if match := _LENGTH.fullmatch(text):
        return Cover(offset_ms=round(float(match[1]) * (1 if match[2] == "ms" else 1000)))
    if match := _CLOCK.fullmatch(text):
        return Cover(offset_ms=round((int(match[1]) * 60 + float(match[2])) * 1000))
    return Cover(file=file_name_beside(text))


def file_name_beside(value: Any) -> str:
    """The name of a file in the same folder: it leads nowhere else, on no system."""
    name = plain_text(value)
    if not name or name.startswith(".") or re.search(r'[/\\:\x00-\x1f"<>|?*]', name):
        raise _wrong(
            f'"{shown(name)}" is no name of a file beside it.', "Write the name without a folder."
        )
    return name


def nonce(value: Any) -> str:
    """Any word or number, but no mere yes: it must be another one for another repetition."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**20:
        return str(value)
    text = plain_text(value) if isinstance(value, str) else ""
    if not 0 < len(text) <= 64 or not text.isprintable():
        raise _wrong(
            "is no word of your own.",
            "Write another word for each repetition, such as the date: it lets the same bytes be "
            "published once more, and once only.",
        )
    return text
