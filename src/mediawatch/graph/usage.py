"""How much of Meta's limits is used up, as every answer tells in its headers.

Source: Meta, "Rate Limits - Graph API" (v25.0). Percentages are whole numbers; calls are refused
at 100. Whatever cannot be understood is left out: a header never fails a call.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mediawatch.graph.verdicts import Scope

APP_USAGE = "X-App-Usage"
PAGE_USAGE = "X-Page-Usage"
BUSINESS_USAGE = "X-Business-Use-Case-Usage"

_PERCENTAGES = ("call_count", "total_cputime", "total_time")
#: Rows of the business header that limit what is called here, and whose calls they are about.
_BUSINESS_SCOPES = {"instagram": Scope.ACCOUNT, "pages": Scope.PAGE}
#: Minutes that Meta may send us away for; the windows that it counts in are a day at most.
_LONGEST = 1440.0


@dataclass(frozen=True, slots=True)
class Usage:
    """``percent`` of a limit; ``regain``: minutes until calls are allowed again, 0 if they are."""

    scope: Scope
    percent: float
    regain: float = 0.0


def read_usage(headers: Mapping[str, str], account_id: str) -> list[Usage]:
    """What one answer tells: at most one for each scope, the fullest."""
    found: dict[Scope, Usage] = {}
    for usage in _all(headers, account_id):
        before = found.get(usage.scope)
        if before is None or (usage.regain, usage.percent) > (before.regain, before.percent):
            found[usage.scope] = usage
    return list(found.values())


def _all(headers: Mapping[str, str], account_id: str) -> Iterator[Usage]:
    for name, scope in ((APP_USAGE, Scope.APP), (PAGE_USAGE, Scope.PAGE)):
        if name in headers and (percent := _percent(_parse(headers[name]))) is not None:
            yield Usage(scope, percent)
    by_business = _parse(headers.get(BUSINESS_USAGE, ""))
    if isinstance(by_business, dict):
        # Whether the account or its business is the key is not documented.
        yield from _rows(by_business.get(account_id, list(by_business.values())))


def _rows(value: Any) -> Iterator[Usage]:
    if isinstance(value, list):
        for part in value:
            yield from _rows(part)
    elif isinstance(value, dict):
        scope = _BUSINESS_SCOPES.get(str(value.get("type", "instagram")))
        percent = _percent(value)
        if scope is not None and percent is not None:
            minutes = _amount(value.get("estimated_time_to_regain_access")) or 0.0
            yield Usage(scope, percent, min(minutes, _LONGEST))


def _parse(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _percent(value: Any) -> float | None:
    """Of an object with percentages, or of the older form: ``"17%"``."""
    if isinstance(value, dict):
        amounts = [_amount(value.get(name)) for name in _PERCENTAGES]
        return max((amount for amount in amounts if amount is not None), default=None)
    return _amount(value)


def _amount(value: Any) -> float | None:
    if isinstance(value, str):
        value = value.strip().removesuffix("%")
    try:
        amount = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return amount if math.isfinite(amount) and amount >= 0 else None
