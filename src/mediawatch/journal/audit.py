"""Who changed what, on which, from where."""

from __future__ import annotations

from sqlalchemy import insert

from mediawatch.journal.database import Statement
from mediawatch.journal.schema import audit
from mediawatch.model.people import Actor


def record(
    actor: Actor,
    action: str,
    subject: str,
    *,
    account_id: str | None = None,
    detail: str = "",
    now: float,
) -> Statement:
    """A row of it, to be written in the same transaction as the change."""
    return Statement(
        insert(audit).values(
            at=now,
            user_id=actor.user_id,
            who=actor.name,
            door=actor.door.value,
            address=actor.address,
            action=action,
            subject=subject,
            account_id=account_id,
            detail=detail,
        ),
        rows=1,
    )
