"""Apprise addresses in the settings: each holds passwords, so each is a secret as a whole."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote

from pydantic import SecretStr

from mediawatch.config.values import refusal

_ADDRESS = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*://\S+")
#: Where a text of several is cut: a comma may be part of an address.
_BETWEEN = re.compile(r"[\s,]+(?=[a-zA-Z][a-zA-Z0-9+.-]*://)")
_PARTS = re.compile(r"[/?&=@:#]+")
_PASSWORD = re.compile(r"[^/@]*?:([^/@]+)@")
#: Parts of an address that are shorter, or words of letters alone that are not very long, are such
#: as anybody uses, and no secrets.
_SHORTEST, _LONG = 8, 20


def parse_addresses(value: Any) -> Any:
    """A list as it is; a text with one address a line, or with commas. Lines that begin with "#"
    are remarks."""
    if isinstance(value, str):
        lines = [line for line in value.splitlines() if not line.lstrip().startswith("#")]
        value = [part for part in _BETWEEN.split("\n".join(lines).strip()) if part]
    if not isinstance(value, list | tuple):
        raise refusal("is no list of addresses.", 'Write ["mailto://…", "tgram://…"].')
    found = []
    for number, part in enumerate(value, 1):
        text = part.get_secret_value() if isinstance(part, SecretStr) else part
        if not isinstance(text, str) or not _ADDRESS.fullmatch(text.strip()):
            raise refusal(
                f"has an address that cannot be one: number {number}.",
                'Write it as Apprise does, with "://" in it; docs/how-to/alerts.md has examples.',
            )
        found.append(text.strip())
    return found


def secret_parts(address: str) -> list[str]:
    """The address and whatever in it could be a secret by itself, for the log to mask.

    Where a secret stands differs from service to service, so every part is looked at.
    """
    rest = address.partition("://")[2]
    found = [address, rest]
    for part in _PARTS.split(rest):
        if len(part) >= _LONG or (len(part) >= _SHORTEST and not part.isalpha()):
            found += {part, unquote(part)}
    if password := _PASSWORD.match(rest):
        found += {password[1], unquote(password[1])}
    return found
