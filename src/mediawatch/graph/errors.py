"""Meta's refusals as errors of ours: read from any answer, judged by the table of verdicts.

Judged by code, then subcode, then ``is_transient``, then the HTTP class: the HTTP status alone
says little (reference: Instagram Platform, "Error Codes"; Graph API, "Handling Errors").
"""

from __future__ import annotations

import contextlib
import json
import re
from typing import Any

from mediawatch.errors import GraphProblem
from mediawatch.graph.verdicts import (
    BUSY,
    PERMISSION,
    RATE,
    REFUSED,
    TABLE,
    UNKNOWN_SUBCODE,
    Verdict,
)

#: Characters of Meta's own words that are kept.
LONGEST = 500
#: Codes that stand for anything: beside them an unknown subcode says more.
_SAYS_LITTLE = {-2, -1, 1, 2, 100}
_INSTAGRAM_SUBCODES = range(2207000, 2208000)
#: Subcodes of Instagram mean the same beside whatever code, and without one.
_BY_SUBCODE = {
    subcode: verdict
    for (_, subcode), verdict in TABLE.items()
    if subcode is not None and subcode in _INSTAGRAM_SUBCODES
}
_CHALLENGE = re.compile(r'"invalid_token"(?:\s+"([^"]*)")?')


class GraphError(GraphProblem):
    """Meta answered with an error. ``number`` and ``subcode`` are Meta's own. ``verdict``: where
    an endpoint gives numbers a meaning of its own."""

    def __init__(
        self,
        message: str,
        *,
        number: int | None,
        subcode: int | None,
        http_status: int,
        is_transient: bool = False,
        trace: str = "",
        verdict: Verdict | None = None,
    ) -> None:
        verdict = verdict or classify(number, subcode, http_status, is_transient=is_transient)
        shown = f"{number}/{subcode}" if subcode else str(number or f"HTTP {http_status}")
        super().__init__(
            f"Meta refused ({shown}): {message}",
            code=verdict.code,
            handling=verdict.handling,
            remedy=verdict.remedy,
            retry_after=verdict.retry_after,
            meta_code=number,
            meta_subcode=subcode,
            http_status=http_status,
            fbtrace_id=trace,
        )
        self.said = message
        self.verdict = verdict
        self.number = number
        self.subcode = subcode
        self.http_status = http_status


class GraphUnreachable(GraphProblem):
    """No answer that can be read: the connection failed, broke off, or took too long."""

    code = "graph-unreachable"


def classify(
    number: int | None, subcode: int | None, http_status: int, *, is_transient: bool = False
) -> Verdict:
    """The verdict on an error. Unknown ones are held, unless Meta says that they pass."""
    known = TABLE.get((number, subcode)) if number is not None else None
    if known is None and subcode is not None:
        known = _BY_SUBCODE.get(subcode)
    if known is not None:
        return known
    general = _of_code(number)
    if general is None or number in _SAYS_LITTLE:
        if is_transient:
            return BUSY
        if subcode in _INSTAGRAM_SUBCODES:
            return UNKNOWN_SUBCODE
    return general or _of_http(http_status)


def of_container(subcode: int | None) -> Verdict:
    """The verdict on a container that ended in ERROR, by the subcode in its ``status``.

    Without a subcode nothing is known, so that a new container may do.
    """
    if subcode is None:
        return BUSY
    return _BY_SUBCODE.get(subcode, UNKNOWN_SUBCODE)


def _of_code(number: int | None) -> Verdict | None:
    if number is None:
        return None
    return PERMISSION if 200 <= number <= 299 else TABLE.get((number, None))


def _of_http(status: int) -> Verdict:
    if status == 429:
        return RATE
    return BUSY if status >= 500 else REFUSED


def from_answer(http_status: int, body: Any, challenge: str = "") -> GraphProblem:
    """The error in an answer that is no success; also where the body is no envelope at all.

    ``body``: the JSON of the answer, None if it is none. ``challenge``: its ``WWW-Authenticate``.
    """
    told = _told(body) if isinstance(body, dict) else None
    if told is None:
        return _unsaid(http_status, challenge)
    text = told.get("error_user_msg") or told.get("message") or "no message"
    return GraphError(
        str(text)[:LONGEST],
        number=_number(told.get("code")),
        subcode=_number(told.get("error_subcode")),
        http_status=http_status,
        is_transient=told.get("is_transient") is True,
        trace=str(told.get("fbtrace_id") or "")[:100],
    )


def _told(body: dict[str, Any]) -> dict[str, Any] | None:
    """The envelope, from each of the shapes that Meta's hosts are known to use."""
    error = body.get("error")
    if isinstance(error, dict):
        return error
    if isinstance(error, str):  # as OAuth writes it (RFC 6749)
        return {"message": body.get("error_description") or error}
    if "error_message" in body:  # api.instagram.com, whose code is the HTTP status
        return {"message": body["error_message"]}
    debug = body.get("debug_info")
    if isinstance(debug, dict):  # rupload.facebook.com
        return {"message": _inner(debug.get("message")), "is_transient": debug.get("retriable")}
    return None


def _inner(text: Any) -> Any:
    """rupload puts an answer, as JSON text, into the message of its own."""
    with contextlib.suppress(ValueError, TypeError, KeyError, RecursionError):
        return json.loads(text)["error"]["message"]
    return text


def _unsaid(http_status: int, challenge: str) -> GraphProblem:
    if found := _CHALLENGE.search(challenge):
        text = found[1] or "the access token is not valid."
        return GraphError(text[:LONGEST], number=190, subcode=None, http_status=http_status)
    if http_status == 429 or (400 <= http_status < 500 and http_status not in {407, 408}):
        return GraphError(
            "the answer could not be read.", number=None, subcode=None, http_status=http_status
        )
    # A proxy's page, the page of a hotel's network, or Meta itself in trouble.
    return GraphUnreachable(
        f"The answer (HTTP {http_status}) is not one of Meta's.",
        remedy="Check the internet connection; mediawatch tries again by itself.",
        http_status=http_status,
    )


def _number(value: Any) -> int | None:
    try:
        return int(value)
    except (TypeError, ValueError, OverflowError):
        return None
