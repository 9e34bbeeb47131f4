"""Who changed what, on which, from where. A row goes with the change, in its transaction."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import insert, or_, select

from mediawatch.journal.database import Journal, Row, Statement
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
    """One line: ``action`` is a stable word such as "post.retry", ``subject`` an id or a name."""
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
        )
    )


async def listed(
    journal: Journal,
    *,
    accounts: Collection[str] | None,
    user_id: str | None,
    about_people: bool,
    limit: int,
) -> list[Row]:
    """The newest first. ``accounts``: only lines about these, and what ``user_id`` did itself; with
    ``about_people`` also those about no account. None: all."""
    wanted = select(audit).order_by(audit.c.id.desc()).limit(limit)
    if accounts is not None:
        theirs = or_(audit.c.account_id.in_(list(accounts)), audit.c.user_id == user_id)
        wanted = wanted.where(or_(theirs, audit.c.account_id.is_(None)) if about_people else theirs)
    return await journal.read(wanted)
