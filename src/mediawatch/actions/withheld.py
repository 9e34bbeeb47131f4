"""What may be asked of the files that are held back since the first start."""

from __future__ import annotations

from mediawatch import crash
from mediawatch.journal import withheld
from mediawatch.journal.database import Journal


async def release_all(journal: Journal) -> int:
    """Let them all go, for a daemon that is to start; how many they are. Raises JournalError."""
    count = await withheld.count(journal)
    await journal.apply([withheld.forget_all()])
    crash.at("withheld.let-go")
    return count
