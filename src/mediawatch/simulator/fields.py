"""The ``fields`` parameter: ``id,caption,children{id,media_url}``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .refusals import invalid


def split_fields(text: str) -> dict[str, str]:
    """The names at the top, each with the text between its braces, or ``""``."""
    found: dict[str, str] = {}
    depth, name, inner = 0, "", ""
    for character in text + ",":
        if character == "}":
            depth -= 1
        if depth > 0:
            inner += character
        elif character == ",":
            if name.strip():
                found[name.strip()] = inner
            name, inner = "", ""
        elif character not in "{}":
            name += character
        if character == "{":
            depth += 1
    if depth != 0:
        raise invalid("Syntax error in the fields parameter: a brace is not closed")
    return found


def requested(fields: str, known: Mapping[str, Any]) -> dict[str, Any]:
    """The asked fields out of those that are known, and the id if there is one; None is absent.

    Raises Refusal 100 for a field that the object does not have: one such field fails the call.
    """
    answer: dict[str, Any] = {}
    for name, inner in split_fields(fields).items():
        if name not in known:
            raise invalid(f"Tried accessing nonexisting field ({name})")
        value = known[name]
        if inner:
            value = _expanded(value, inner)
        if value is not None:
            answer[name] = value
    if "id" in known:
        answer["id"] = known["id"]
    return answer


def _expanded(value: Any, inner: str) -> Any:
    if isinstance(value, dict) and isinstance(value.get("data"), list):
        return {"data": [requested(inner, item) for item in value["data"]]}
    return requested(inner, value) if isinstance(value, dict) else value
