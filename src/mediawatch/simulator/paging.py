"""Lists as Graph gives them: a page at a time, with cursors and a link to the next page."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, TypeVar
from urllib.parse import urlencode

from .refusals import invalid

#: Parameters that a link to the next page repeats; Graph puts the token there too.
_KEPT = ("access_token", "fields", "limit", "since", "until")


class Entry(Protocol):
    """Something in a list."""

    @property
    def id(self) -> str:
        """Its id."""


_T = TypeVar("_T", bound=Entry)


def paged(
    entries: Sequence[_T],
    params: Mapping[str, str],
    describe: Callable[[_T], dict[str, Any]],
    *,
    here: str,
    most: int = 100,
) -> dict[str, Any]:
    """The page that is asked for: 25 entries unless ``limit`` says otherwise, ``most`` at most.

    ``here`` is the address of the list itself, without a query. Raises Refusal 100 for a limit
    or a cursor that makes no sense.
    """
    size = min(number(params, "limit", 25), most)
    start = 0
    if after := params.get("after"):
        start = _position(entries, after) + 1
    elif before := params.get("before"):
        start = max(0, _position(entries, before) - size)
    page = entries[start : start + size]
    answer: dict[str, Any] = {"data": [describe(entry) for entry in page]}
    if page:
        cursors = {"before": _cursor(page[0]), "after": _cursor(page[-1])}
        answer["paging"] = {"cursors": cursors}
        if start + size < len(entries):
            kept = {k: params[k] for k in _KEPT if k in params}
            answer["paging"]["next"] = f"{here}?{urlencode(kept | {'after': cursors['after']})}"
    return answer


def number(params: Mapping[str, str], name: str, default: int) -> int:
    """A parameter that is a whole number, above 0 for ``limit``. Raises Refusal 100."""
    text = params.get(name, "")
    if not text:
        return default
    if not text.isascii() or not text.isdecimal() or (name == "limit" and int(text) < 1):
        raise invalid(f"Param {name} must be a positive number")
    return int(text)


def _cursor(entry: Entry) -> str:
    return base64.urlsafe_b64encode(entry.id.encode()).decode()


def _position(entries: Sequence[Entry], cursor: str) -> int:
    for index, entry in enumerate(entries):
        if _cursor(entry) == cursor:
            return index
    raise invalid("Invalid cursors values for 'before' or 'after'")
