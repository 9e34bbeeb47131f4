"""What may be asked of an inbox as a whole, which concerns every account that it feeds."""

from __future__ import annotations

from collections.abc import Iterable

from mediawatch import crash
from mediawatch.actions.permission import require, require_account
from mediawatch.clock import Clock
from mediawatch.journal import audit
from mediawatch.journal.database import Journal
from mediawatch.model.people import Actor, Right


async def require_fed(
    journal: Journal, actor: Actor, account_ids: Iterable[str], right: Right
) -> None:
    """Raises NotAllowed and NoSuchAccount, unless they have the right to all these accounts."""
    require(actor, right)
    for account_id in account_ids:
        await require_account(journal, actor, account_id, right)


async def note(journal: Journal, clock: Clock, actor: Actor, action: str, detail: str = "") -> None:
    """Write down that the inboxes were published or released, and by whom. Raises JournalError."""
    said = audit.record(actor, action, "inbox", detail=detail, now=clock.now())
    await journal.apply([said])
    crash.at("order.recorded")
