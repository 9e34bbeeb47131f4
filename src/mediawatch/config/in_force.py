"""The settings as they are in force, each with where it comes from. Secrets are hidden."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, SecretStr

from mediawatch.config.inboxes import Inbox
from mediawatch.config.sources import Loaded

HIDDEN = "(hidden)"
DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class InForce:
    """``value``: JSON-safe; None where there is none. ``origin``: for people."""

    table: str
    key: str
    value: Any
    origin: str


def in_force(loaded: Loaded) -> list[InForce]:
    """Every key of every table, in the order of the settings."""
    return list(_of(loaded, loaded.settings, ()))


def _of(loaded: Loaded, model: BaseModel, above: tuple[str, ...]) -> Iterator[InForce]:
    tables: list[tuple[str, BaseModel]] = []
    for key in type(model).model_fields:
        value = getattr(model, key)
        if key == "folder" and getattr(model, "inboxes", None):
            continue  # it is that of the first inbox
        if isinstance(value, BaseModel):
            tables.append((key, value))
        elif value and isinstance(value, tuple) and isinstance(value[0], BaseModel):
            tables += [(f"{key} {number}", table) for number, table in enumerate(value, start=1)]
        else:
            shown = _effective(loaded, ".".join(above), key, value)
            origin = _origin(loaded, (*above, key)) if key in model.model_fields_set else DEFAULT
            yield InForce(".".join(above), key, shown, origin)
    for key, table in tables:  # a table in a table comes behind it, as TOML wants it
        yield from _of(loaded, table, (*above, key))


def _origin(loaded: Loaded, place: tuple[str, ...]) -> str:
    *above, key = place
    file = (*above, f"{key}_file")
    if place in loaded.secret_files:
        return f"{loaded.secret_files[place[0], key]}, which {loaded.origins[file]} names"
    for number, name in enumerate(above):
        table, _, which = name.partition(" ")
        if which:  # one of several is told with all of them
            return loaded.origins.get((*above[:number], table), DEFAULT)
    return loaded.origins.get(place, DEFAULT)


def _effective(loaded: Loaded, table: str, key: str, value: Any) -> Any:
    """What a value means, where it does not say so itself."""
    watch = loaded.settings.watch
    if isinstance(value, SecretStr):
        return HIDDEN
    if value is None:
        name, _, number = table.partition(" ")
        if number:
            return _of_inbox(list(loaded.settings.inboxes)[int(number) - 1], key)
        if (table, key) == ("ftp", "retention"):
            return "forever"
        if name == "watch" and not watch.inboxes:
            return _of_inbox(loaded.settings.inboxes.first, key)
        return None
    if isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, tuple):
        return [HIDDEN if isinstance(each, SecretStr) else each for each in value]
    return str(value)


def _of_inbox(inbox: Inbox, key: str) -> Any:
    """What holds for an inbox that does not say so itself."""
    if key in inbox.written:
        return str(inbox.written[key])
    said = getattr(inbox.publish, key, getattr(inbox.watch, key, None))
    return list(said) if isinstance(said, tuple) else said
