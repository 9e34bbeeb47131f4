"""What Meta's refusals mean, in one table: code and subcode, in that order of weight.

Classified by code, then subcode, then ``is_transient``, then the HTTP class: the HTTP status
alone says little (reference: Instagram Platform, "Error Codes"; Graph API, "Handling Errors").
None of this decides about ``media_publish``: after that call only 200 with an id is a success,
and everything else is asked after, never concluded (pipeline/reconcile.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mediawatch.errors import GraphProblem, Handling


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a post that met this error. ``retry_after`` in seconds."""

    code: str
    handling: Handling
    remedy: str
    retry_after: float | None = None


_RECONNECT = Verdict(
    "token",
    Handling.PARK,
    "Make a new access token for the account, put it into the settings and restart mediawatch; "
    "it goes on with what waits.",
)
_PERMISSION = Verdict(
    "permission",
    Handling.PARK,
    "Give the app the permission instagram_content_publish for this account and "
    "restart mediawatch; it goes on with what waits.",
)
_BUSY = Verdict("meta-busy", Handling.RETRY, "Meta is unwell; mediawatch tries again by itself.")
_RATE = Verdict(
    "rate-limit",
    Handling.WAIT,
    "Too many calls; mediawatch goes on by itself when Meta allows it.",
    900.0,
)
_RESTRICTED = Verdict(
    "account-restricted",
    Handling.PARK,
    "Open Instagram with this account and do what it asks; then restart mediawatch.",
)
_HOSTING = Verdict(
    "not-fetchable",
    Handling.RETRY,
    "Check that ftp.public_url is open to the world (robots.txt and bot rules too).",
)
_PICTURE = Verdict(
    "picture-refused",
    Handling.HOLD,
    "Open the picture, save it as a plain JPEG, and put it back into the folder.",
)
_CAPTION = Verdict("caption", Handling.HOLD, "Shorten the caption and put the file back.")
_QUOTA = Verdict(
    "quota", Handling.WAIT, "Meta's daily limit is reached; mediawatch goes on by itself.", 3600.0
)
_ANEW = Verdict(
    "container-lost", Handling.RETRY, "A new container is made; mediawatch goes on by itself."
)
_BUG = Verdict(
    "refused", Handling.HOLD, "Look at `mediawatch posts show`; then `mediawatch posts retry`."
)

#: (code, subcode or None) -> verdict.
TABLE: dict[tuple[int, int | None], Verdict] = {
    (1, None): _BUSY,
    (2, None): _BUSY,
    (-1, None): _BUSY,
    (-2, None): _BUSY,
    (4, None): _RATE,
    (4, 2207051): _RESTRICTED,
    (9, 2207042): _QUOTA,
    (10, None): _PERMISSION,
    (17, None): _RATE,
    (24, None): _ANEW,
    (25, None): _RESTRICTED,
    (32, None): _RATE,
    (100, None): _BUG,
    (100, 33): _BUSY,
    (100, 2207040): _CAPTION,
    (102, None): _RECONNECT,
    (104, None): _RECONNECT,
    (190, None): _RECONNECT,
    (190, 459): _RESTRICTED,
    (190, 464): _RESTRICTED,
    (341, None): _RATE,
    (368, None): _RESTRICTED,
    (613, None): _RATE,
    (9004, None): _HOSTING,
    (-2, 2207003): _HOSTING,
    (-2, 2207020): _ANEW,
    (9007, None): Verdict(
        "container-not-ready", Handling.WAIT, "mediawatch goes on by itself.", 5.0
    ),
    (36000, None): _PICTURE,
    (36001, None): _PICTURE,
    (36003, None): _PICTURE,
    (36004, None): _CAPTION,
    (80001, None): _RATE,
    (80002, None): _RATE,
    (80006, None): _RATE,
}


class GraphError(GraphProblem):
    """Meta answered with an error envelope. ``number`` and ``subcode`` are Meta's own."""

    def __init__(
        self,
        message: str,
        *,
        number: int | None,
        subcode: int | None,
        http_status: int,
        is_transient: bool = False,
        trace: str = "",
    ) -> None:
        verdict = classify(number, subcode, http_status, is_transient=is_transient)
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
    if number is not None:
        if 200 <= number <= 299:
            return _PERMISSION
        found = TABLE.get((number, subcode)) or TABLE.get((number, None))
        if found is not None:
            return found
    if is_transient or http_status >= 500 or http_status == 429:
        return _BUSY
    return _BUG


def from_answer(http_status: int, body: Any) -> GraphProblem:
    """The error in an answer that is no success; also where the body is no envelope at all."""
    envelope = body.get("error") if isinstance(body, dict) else None
    if not isinstance(envelope, dict):
        if http_status >= 500 or http_status == 429:
            return GraphUnreachable(
                f"Meta answered HTTP {http_status} without saying why.",
                remedy="mediawatch tries again by itself.",
                http_status=http_status,
            )
        return GraphError(
            "the answer could not be read.", number=None, subcode=None, http_status=http_status
        )
    text = str(envelope.get("error_user_msg") or envelope.get("message") or "no message")
    return GraphError(
        text,
        number=_number(envelope.get("code")),
        subcode=_number(envelope.get("error_subcode")),
        http_status=http_status,
        is_transient=bool(envelope.get("is_transient")),
        trace=str(envelope.get("fbtrace_id") or ""),
    )


def _number(value: Any) -> int | None:
    try:
        return int(value)
    except (TypeError, ValueError):
        return None
