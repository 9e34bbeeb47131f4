"""The publishing log: every step of a post, every request to Meta, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import insert, select

from mediawatch.journal.database import Journal, Row, Statement
from mediawatch.journal.schema import attempts
from mediawatch.model.posts import Post

#: What the history of a repetition begins with.
WANTED_AGAIN = "again"
#: The original was changed after it was claimed: it is not what was published any more.
CHANGED = "changed"

_ADD = insert(attempts)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One line of the publishing log. ``request`` never holds a token.

    ``status``: of a request to Meta started, container_created, processing, success or error;
    of a step the word of what happened (retry, waiting, held, converted, uploaded, filed, …),
    told for people in ``detail``.
    """

    stage: str
    status: str
    endpoint: str
    at: float
    request: Mapping[str, Any] | None = None
    response: Mapping[str, Any] | None = None
    error: str | None = None
    duration_ms: int | None = None
    detail: str | None = None


def add(post: Post, attempt: Attempt) -> Statement:
    """One line of the publishing log."""
    return Statement(
        _ADD,
        rows=1,
        values={
            "post_id": post.id,
            "number": post.attempts + 1,
            "at": attempt.at,
            "stage": attempt.stage,
            "status": attempt.status,
            "endpoint": attempt.endpoint,
            "request": dict(attempt.request) if attempt.request is not None else None,
            "response": dict(attempt.response) if attempt.response is not None else None,
            "error": attempt.error,
            "duration_ms": attempt.duration_ms,
            "detail": attempt.detail,
        },
    )


async def history(journal: Journal, post_id: str) -> list[Row]:
    """The publishing log of one post, oldest first."""
    return await journal.read(
        select(attempts).where(attempts.c.post_id == post_id).order_by(attempts.c.id)
    )


async def told(journal: Journal, post_id: str, status: str) -> bool:
    """Whether the history of that post has a line of this status."""
    rows = await journal.read(
        select(attempts.c.id)
        .where(attempts.c.post_id == post_id, attempts.c.status == status)
        .limit(1)
    )
    return bool(rows)
