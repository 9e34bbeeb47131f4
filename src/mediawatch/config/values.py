"""Kinds of values in the settings: durations, folders, lists, and refusals with a remedy."""

from __future__ import annotations

import ipaddress
import re
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION = re.compile(r"^\s*(\d+(?:\.\d+)?)\s*([smhd]?)\s*$")


def refusal(message: str, remedy: str) -> PydanticCustomError:
    """An error to raise in a validator; it becomes a Problem with this message and remedy."""
    return PydanticCustomError("setting", "{message}", {"message": message, "remedy": remedy})


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this machine, and can be nothing else."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def check_web_address(value: str) -> str:
    """The address as it is, if one can be built upon it: a host, a port that may be, no query."""
    try:
        address = urlsplit(value)
        usable = bool(address.hostname) and address.port != 0
    except ValueError:  # brackets that hold no IPv6 address, a port that is none
        usable = False
    if not usable or address.query or address.fragment:
        raise refusal("is no web address.", 'Write it like "https://www.example.org/upload".')
    return value


def parse_duration(value: Any) -> Any:
    """Seconds as a number, or text with a unit: ``"90"``, ``"10m"``, ``"24h"``, ``"7d"``."""
    if isinstance(value, str):
        match = _DURATION.match(value)
        if match is None:
            raise refusal(
                "is not a duration.", 'Write seconds, or a text like "30s", "10m", "24h".'
            )
        return float(match[1]) * _UNITS[match[2] or "s"]
    return value


def parse_retention(value: Any) -> Any:
    """A duration, or None for ``"forever"``."""
    return None if value == "forever" else parse_duration(value)


def parse_items(value: Any) -> Any:
    """A list as it is, or a text with commas, as an environment variable holds it."""
    return [part.strip() for part in value.split(",")] if isinstance(value, str) else value


def parse_folder(value: Any) -> Any:
    """A path out of text, with ``~`` for the home folder."""
    if not isinstance(value, str):
        return value
    if not value:
        raise refusal("is empty.", "Write a path, or leave the line out.")
    if "\0" in value:
        raise refusal("is no path.", "Remove the control character from it.")
    try:
        return Path(value).expanduser()
    except RuntimeError as error:
        raise refusal(f"cannot be found: {error}", "Write the whole path.") from error


#: Ten years: whoever writes more has made a mistake.
LONGEST = 10 * 366 * 86400.0
Duration = Annotated[
    float,
    BeforeValidator(parse_duration, json_schema_input_type=float | str),
    Field(ge=0, le=LONGEST, allow_inf_nan=False),
]
Durations = Annotated[
    tuple[Duration, ...],
    BeforeValidator(parse_items, json_schema_input_type=list[float | str] | str),
]
Folder = Annotated[Path, BeforeValidator(parse_folder, json_schema_input_type=str)]
#: A path that may be left out; an empty text leaves it out too.
OptionalFolder = Annotated[
    Path | None,
    BeforeValidator(
        lambda value: None if value == "" else parse_folder(value), json_schema_input_type=str
    ),
]
