"""Kinds of values in the settings: durations, folders, lists, and refusals with a remedy."""

from __future__ import annotations

import base64
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


def _account(value: Any) -> Any:
    """TOML may hold an id as a number; an empty text leaves it out."""
    return str(value) if isinstance(value, int) else (value or None)


OptionalAccount = Annotated[
    Annotated[str, Field(pattern=r"^[0-9]{5,20}$")] | None,
    BeforeValidator(_account, json_schema_input_type=str | int),
]
AppId = Annotated[
    str,
    BeforeValidator(
        lambda value: str(value) if isinstance(value, int) else value,
        json_schema_input_type=str | int,
    ),
    Field(pattern=r"^[0-9]{0,20}$"),
]

#: Bytes of a key of AES-256.
KEY_SIZE = 32


def parse_keys(text: str) -> tuple[bytes, ...]:
    """Keys of 32 bytes each, the one in use first: as base64 (also that of URLs) or as hexadecimal
    digits, with commas or white space between, and remarks from "#" to the end of a line."""
    lines = [line.partition("#")[0] for line in text.splitlines()]
    words = " ".join(lines).replace(",", " ").split()
    keys = tuple(_key(word) for word in words)
    if not keys or None in keys:
        raise refusal(
            "holds no key of 32 bytes.",
            "Make one with `openssl rand -base64 32`; several stand with commas between, the one "
            "to use first.",
        )
    return tuple(key for key in keys if key is not None)


def _key(word: str) -> bytes | None:
    try:
        if len(word) == 2 * KEY_SIZE:
            return bytes.fromhex(word)
        plain = word.replace("-", "+").replace("_", "/").rstrip("=")
        key = base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except ValueError:
        return None
    return key if len(key) == KEY_SIZE else None
