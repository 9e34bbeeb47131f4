"""A folder that is full already when mediawatch first starts is not fired off.

What lies there then is withheld, all of it, until a person releases it; what comes later flows.
The decision is made once in the life of a journal, and is durable before any file is touched.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Container, Iterable, Iterator
from pathlib import Path

from mediawatch import crash
from mediawatch.clock import Clock
from mediawatch.journal import withheld
from mediawatch.journal.database import Journal
from mediawatch.watch import listing, seals
from mediawatch.watch.filters import may_be_post
from mediawatch.watch.inbox import Inbox

#: Names that are sealed, written or compared in one go.
_PAGE = 500
_REMEDY = "`mediawatch posts release --all` publishes them. New files are published as they come."


class Withheld:
    """The withheld names of one inbox, ``folder``. ``above``: so many pictures may lie there; 0:
    any number. ``accounts``: names of folders in it that are accounts.

    A name costs some 200 bytes here, and in a scan one look into a dictionary; whether a file was
    replaced is told by its inode, which the listing gives for nothing, and by its seal, which
    is compared in turn, and where the inode is another one.
    """

    def __init__(
        self,
        journal: Journal,
        clock: Clock,
        folder: Path,
        above: int,
        report: Callable[..., None],
        accounts: Callable[[], Container[str]] = frozenset,
    ) -> None:
        self._folder, self._accounts = folder, accounts
        self._journal, self._clock = journal, clock
        self._above, self._report = above, report
        self._seals: dict[str, str] = {}
        self._turn: str | None = None
        self._looked = False
        self._one_at_a_time = asyncio.Lock()

    @property
    def count(self) -> int:
        """How many names are withheld, as far as is known."""
        return len(self._seals)

    async def look(self, inbox: Inbox) -> None:
        """Decide at the very first look at the inbox; later on only read what was decided.

        Raises OSError if the inbox cannot be listed, JournalError if nothing can be written.
        """
        if self._looked:
            return
        async with self._one_at_a_time:
            if not await withheld.was_looked(self._journal, self._folder):
                await self._decide(inbox)
            await self._load()
            self._looked = True
        if self._seals:
            self._report(
                "withheld",
                f"{len(self._seals)} files that were in {inbox.root} at the first start are held "
                f"back, since they are more than hold_above ({self._above}).",
                remedy=_REMEDY,
            )

    async def known(self) -> listing.Withheld:
        """What the next scan passes over, and the seals whose turn it is."""
        if not self._seals:
            return listing.NOTHING_WITHHELD
        turn = await withheld.page(self._journal, self._folder, self._turn, _PAGE)
        self._turn = turn[-1][0] if len(turn) == _PAGE else None
        return listing.Withheld(self._seals, turn)

    async def forget(self, names: Iterable[str]) -> None:
        """These are gone, or are other files now. Raises JournalError."""
        names = list(names)
        if names:
            await self._journal.apply(withheld.forget(self._folder, names))
            crash.at("withheld.let-go")
            for name in names:
                self._seals.pop(name, None)

    async def release(self, *, for_good: bool) -> int:
        """Let everything go; how many files that were. Raises JournalError.

        ``for_good``: the first look is over with that, if it has not been yet.
        """
        async with self._one_at_a_time:
            count = await withheld.count(self._journal, self._folder)
            mark = [withheld.looked(self._folder, self._clock.now())] if for_good else []
            await self._journal.apply([withheld.forget_all(self._folder), *mark])
            crash.at("withheld.let-go")
            # A new one: a scan may be reading the old one in its thread.
            self._seals = {}
            return count

    async def _decide(self, inbox: Inbox) -> None:
        found = await inbox(seals.files_in, inbox.root, self._accounts())
        # What a kill left of an earlier attempt.
        await self._journal.apply([withheld.forget_all(self._folder)])
        crash.at("withheld.cleared")
        if 0 < self._above < sum(may_be_post(name) for name in found):
            for names in _pages(found):
                sealed = await inbox(seals.seals_of, inbox.root, names, self._clock.now())
                await self._journal.apply(withheld.add(self._folder, sealed))
                crash.at("withheld.recorded")
        await self._journal.apply([withheld.looked(self._folder, self._clock.now())])
        crash.at("withheld.looked")

    async def _load(self) -> None:
        found: dict[str, str] = {}
        page = await withheld.page(self._journal, self._folder, None, _PAGE)
        while page:
            found.update(page)
            page = await withheld.page(self._journal, self._folder, page[-1][0], _PAGE)
        self._seals = found


def _pages(names: Iterable[str]) -> Iterator[list[str]]:
    rest = iter(names)
    while page := list(itertools.islice(rest, _PAGE)):
        yield page
