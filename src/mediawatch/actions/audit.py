"""Who changed what: for those who administer all that is about people and keys, and of the accounts
what one may see anyway."""

from __future__ import annotations

from typing import Any

from mediawatch.actions.permission import require, visible_accounts
from mediawatch.journal import audit
from mediawatch.journal.database import Journal
from mediawatch.model.people import Actor, Right


async def listed(journal: Journal, actor: Actor, limit: int) -> list[dict[str, Any]]:
    """The newest first. Raises NotAllowed."""
    require(actor, Right.READ)
    seen = await visible_accounts(journal, actor)
    found = await audit.listed(
        journal,
        accounts=seen,
        user_id=actor.user_id,
        about_people=actor.may(Right.ADMIN),
        limit=limit,
    )
    return [dict(row) for row in found]
