"""Every key of the settings, explained: the one text behind config.example.toml, behind the file
that ``mediawatch init`` writes, and behind the descriptions of the schema."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files

#: Tables of values to write, by table and key. ``media.limits`` is a table of its own.
Values = Mapping[str, Mapping[str, str | int | float | bool]]

_TABLE = re.compile(r"^\[([a-z_.]+)\]$")
#: A table that may stand there several times; in the example it is off.
_ONE_OF_SEVERAL = re.compile(r"^# \[\[([a-z_.]+)\]\]$")
_KEY = re.compile(r"^(?:# )?([a-z_0-9]+) = (.+)$")
_YOURS = re.compile(r"^# Yours: (.)")


@dataclass(frozen=True, slots=True)
class _Line:
    table: str
    key: str  # empty if the line is no setting
    text: str


def text() -> str:
    """The example, as it is copied to ``config.toml`` by hand."""
    return (files("mediawatch.config") / "example.toml").read_text(encoding="utf-8")


def explanations() -> dict[tuple[str, str], str]:
    """What the example says of each table and key."""
    found: dict[tuple[str, str], str] = {}
    said: list[str] = []
    for line in _lines():
        if line.key:
            if said:
                found[line.table, line.key] = " ".join(said)
            said = []
        elif line.text.startswith("# "):
            said.append(_of_nobody(line.text)[2:])
        else:
            said = []
    return found


def filled_in(values: Values, head: str) -> str:
    """A settings file: ``values`` are on; every other key stands there with its explanation,
    switched off, so that its default may change with mediawatch.

    ``head``: the comment at the top, without "#".
    """
    lines = [f"# {line}".rstrip() for line in head.splitlines()]
    for line in _lines():
        if not line.table:
            continue  # what the example says of itself
        if not line.key:
            lines.append(_of_nobody(line.text))
            continue
        given = values.get(line.table, {})
        if line.key in given:
            lines.append(f"{line.key} = {_written(given[line.key])}")
        elif f"{line.key}_file" not in given:
            lines.append(f"# {line.text.removeprefix('# ')}")
    return "\n".join(lines) + "\n"


def _lines() -> Iterator[_Line]:
    table = ""
    for line in text().splitlines():
        if found := _TABLE.match(line):
            table = found[1]
            yield _Line(table, "", f"\n\n{line}")
        elif found := _ONE_OF_SEVERAL.match(line):
            table = found[1]
            yield _Line(table, "", line)
        elif line or not table:
            key = _KEY.match(line)
            yield _Line(table, key[1] if key and table else "", line)


def _of_nobody(line: str) -> str:
    return _YOURS.sub(lambda found: f"# {found[1].upper()}", line)


def _written(value: str | float) -> str:
    # What JSON writes is TOML too, but for the one control character that JSON leaves as it is.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")
