"""All inboxes at work: each with a watcher and a way into the river of its own, so that neither the
trouble of one nor its backlog holds up another."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from mediawatch.clock import Clock
from mediawatch.config import Inbox, Inboxes
from mediawatch.config.inboxes import place
from mediawatch.engine.base import JobEngine
from mediawatch.errors import StorageProblem
from mediawatch.journal.database import Journal
from mediawatch.log import Log
from mediawatch.watch.accounts import KnownAccounts
from mediawatch.watch.candidates import Inspect, Seen, WatchState
from mediawatch.watch.intake import Intake
from mediawatch.watch.sorter import Sorter
from mediawatch.watch.timetable import Timetable
from mediawatch.watch.watcher import Watcher
from mediawatch.watch.withheld import Withheld

#: Is told the folder of the inbox, the name of a file, the id of its post, and whether it is a
#: duplicate of that.
TakenFrom = Callable[[Path, str, str, bool], None]


@dataclass(frozen=True, slots=True)
class Watched:
    """One inbox, with who looks after it."""

    inbox: Inbox
    watcher: Watcher
    sorter: Sorter

    @property
    def trouble(self) -> str | None:
        """Why files that come are not taken, in a sentence; empty if they are, None if that cannot
        be told yet."""
        of_folder = self.watcher.trouble
        return of_folder or self.sorter.trouble if of_folder is not None else None


class WatchedInboxes:
    """All of them, in the order of the settings. ``accounts``: who can be posted to."""

    def __init__(self, watched: Sequence[Watched], accounts: KnownAccounts) -> None:
        self._all = tuple(watched)
        self.accounts = accounts

    def __iter__(self) -> Iterator[Watched]:
        return iter(self._all)

    @property
    def first(self) -> Watched:
        """The one that is meant where nothing tells which."""
        return self._all[0]

    @property
    def states(self) -> list[WatchState]:
        """What each watcher is doing."""
        return [each.watcher.state for each in self._all]

    async def run(self) -> None:
        """Watch all until cancelled."""
        async with asyncio.TaskGroup() as watchers:
            for each in self._all:
                watchers.create_task(each.watcher.run())

    async def looked(self) -> None:
        """Until the first look at each has come back, whatever it found."""
        for each in self._all:
            await each.watcher.looked.wait()

    async def pass_once(self, limit: float) -> list[tuple[Inbox, list[Seen] | StorageProblem]]:
        """Hand on what lies in each now (``Watcher.pass_once``); what is the matter with one does
        not keep the others from it."""

        async def one(each: Watched) -> tuple[Inbox, list[Seen] | StorageProblem]:
            try:
                return each.inbox, await each.watcher.pass_once(limit)
            except StorageProblem as problem:
                return each.inbox, problem

        return list(await asyncio.gather(*(one(each) for each in self._all)))

    async def release(self) -> int:
        """Let go of what is withheld since the first start; how many files that were.

        Raises JournalError.
        """
        return sum([await each.watcher.release() for each in self._all])


def watched_inboxes(
    inboxes: Inboxes,
    accounts: KnownAccounts,
    *,
    journal: Journal,
    engine: JobEngine,
    clock: Clock,
    log: Log,
    inspect: Inspect,
    own: Callable[[Path], None],
    taken: TakenFrom,
    on_settling: Callable[[], None],
    on_scan: Callable[[float], None],
) -> WatchedInboxes:
    """Put them together. ``own(folder)`` makes sure that the inbox is ours alone; the rest as in
    ``Watcher`` and ``Intake``."""
    timetable = Timetable(journal, clock)
    report = _reporter(log)

    def one(inbox: Inbox) -> Watched:
        def make(account_id: str) -> Intake:
            return Intake(
                inbox,
                account_id,
                journal=journal,
                engine=engine,
                clock=clock,
                log=log,
                timetable=timetable,
                own=partial(own, inbox.folder),
                taken=partial(taken, inbox.folder),
            )

        def waiting() -> list[str]:
            return list(watcher.state.settling)

        sorter = Sorter(inbox, accounts, make, engine=engine, log=log, waiting=waiting)
        withheld = Withheld(
            journal,
            clock,
            place(inbox.folder),
            inbox.watch.hold_above,
            report,
            lambda: accounts.folders,
        )
        watcher = Watcher(
            inbox.watch,
            clock=clock,
            inspect=inspect,
            take=sorter.take,
            room=sorter.room,
            standstill=lambda: sorter.standstill,
            on_settling=on_settling,
            report=report,
            withheld=withheld,
            on_scan=on_scan,
            accounts=accounts,
        )
        return Watched(inbox, watcher, sorter)

    return WatchedInboxes([one(inbox) for inbox in inboxes], accounts)


def _reporter(log: Log) -> Callable[..., None]:
    quiet = {"watching", "ignored", "folder-ok"}

    def report(action: str, message: str, **fields: Any) -> None:
        tell = log.info if action in quiet else log.warning
        tell(message, action=action, **fields)

    return report
