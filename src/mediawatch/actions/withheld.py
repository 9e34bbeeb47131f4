"""What may be asked of the files that are held back since the first start."""

from __future__ import annotations

from mediawatch import crash
from mediawatch.actions.permission import require
from mediawatch.clock import Clock
from mediawatch.journal import audit, withheld
from mediawatch.journal.database import Journal
from mediawatch.model.people import Actor, Right


async def release_all(journal: Journal, clock: Clock, actor: Actor) -> int:
    """Let them all go, for a daemon that is to start; how many they are.

    Raises NotAllowed and JournalError.
    """
    require(actor, Right.POST)
    count = await withheld.count(journal)
    said = audit.record(actor, "withheld.release", "inbox", detail=f"{count}", now=clock.now())
    await journal.apply([withheld.forget_all(), said])
    crash.at("withheld.let-go")
    return count
