"""What a robots.txt says to one fetcher about one path (RFC 9309)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote

#: Bytes of a robots.txt that are read: as many as RFC 9309 (2.5) asks a fetcher to parse.
MOST = 500 << 10

_TOKEN = re.compile(r"[A-Za-z_-]+|\*")


@dataclass(frozen=True, slots=True)
class Ruling:
    """Whether the path may be fetched; ``line`` decided that, if any did.

    ``named``: the group is meant for this very fetcher, not for all of them (``*``).
    """

    allowed: bool
    line: str = ""
    named: bool = False


def ruling(text: str, fetcher: str, path: str) -> Ruling:
    """What ``text`` says to ``fetcher`` (its bare name, as ``facebookexternalhit``) about
    ``path``, which may be percent-encoded. The longest rule that fits decides; allow wins a tie.
    """
    groups = _groups(text)
    named = fetcher.lower() in groups
    best = (-1, True, "")
    for allowed, pattern, line in groups.get(fetcher.lower() if named else "*", []):
        if _fits(unquote(pattern), unquote(path)):
            best = max(best, (len(pattern), allowed, line))
    return Ruling(best[1], best[2], named)


def _groups(text: str) -> dict[str, list[tuple[bool, str, str]]]:
    """The rules for each fetcher named, in lower case: allowed or not, pattern, the line."""
    groups: dict[str, list[tuple[bool, str, str]]] = {}
    current: list[list[tuple[bool, str, str]]] = []
    naming = False
    for raw in text.removeprefix("\ufeff").splitlines():
        line = raw.partition("#")[0].strip()
        key, _, value = (part.strip() for part in line.partition(":"))
        match key.lower():
            case "user-agent":
                if not naming:
                    current = []
                naming = True
                token = _TOKEN.match(value)
                if token:
                    current.append(groups.setdefault(token[0].lower(), []))
            case "allow" | "disallow":
                naming = False
                if value:  # an empty rule says nothing
                    for rules in current:
                        rules.append((key.lower() == "allow", value, line))
    return groups


def _fits(pattern: str, path: str) -> bool:
    """Whether ``pattern`` is a beginning of ``path``; ``*`` is anything, ``$`` at the end the
    end."""
    to_the_end = pattern.endswith("$")
    first, *rest = pattern.removesuffix("$").split("*")
    if not path.startswith(first):
        return False
    at = len(first)
    for piece in rest[:-1]:
        found = path.find(piece, at)
        if found < 0:
            return False
        at = found + len(piece)
    if not rest:
        return not to_the_end or at == len(path)
    if to_the_end:
        return len(path) - len(rest[-1]) >= at and path.endswith(rest[-1])
    return path.find(rest[-1], at) >= 0
