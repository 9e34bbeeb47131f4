"""Brings each file of an inbox to the intake of its account, with what the inbox says of it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from mediawatch.config import Inbox
from mediawatch.engine.base import JobEngine
from mediawatch.errors import JournalError, MediawatchError
from mediawatch.log import Log
from mediawatch.model.posts import ACCOUNT_FOLDER, APPROVAL
from mediawatch.tokens import NoAccount
from mediawatch.watch import folders
from mediawatch.watch.accounts import Addressee, KnownAccounts
from mediawatch.watch.candidates import Candidate, Taken
from mediawatch.watch.intake import LOOK_AGAIN, Intake

#: The post has no id yet: that is put in where it is told.
_RELEASE = "`mediawatch posts release {post}` publishes it."


class Sorter:
    """``room`` and ``take`` are what the watcher calls.

    ``make``: an intake for the account of that id. ``waiting``: names that the watcher knows and
    that are not taken yet.
    """

    def __init__(
        self,
        inbox: Inbox,
        accounts: KnownAccounts,
        make: Callable[[str], Intake],
        *,
        engine: JobEngine,
        log: Log,
        waiting: Callable[[], Iterable[str]],
    ) -> None:
        self._inbox, self._accounts, self._make = inbox, accounts, make
        self._engine, self._log, self._waiting = engine, log, waiting
        self._intakes: dict[str, Intake] = {}
        #: Why no file of this inbox can be taken for want of an account; else empty.
        self.trouble = ""
        self._standstill = ""

    @property
    def account(self) -> str | None:
        """The account to which the inbox posts; None while nothing tells which."""
        intake = self._usual()
        return intake.account_id if intake is not None else None

    @property
    def standstill(self) -> str:
        """Why no file can be taken for a long while; completes "…, because …". Else empty."""
        intake = self._usual()
        return intake.standstill if intake is not None else self._standstill

    async def room(self) -> int:
        """How many files may be claimed now, one at least. Waits while the account of the inbox
        has posts enough, or there is none, unless files of another one are there."""
        try:
            while (intake := self._usual()) is None:
                if self._others_wait():
                    return await self._engine.room()
                self._standstill = self.trouble.rstrip(".")
                await asyncio.sleep(LOOK_AGAIN)
                with contextlib.suppress(JournalError):  # its own check tells what is wrong
                    await self._accounts.refresh()
        finally:
            self._standstill = ""
        return await intake.room(or_else=self._others_wait)

    async def take(self, candidates: Sequence[Candidate]) -> list[Taken]:
        """Claim files; what became of each, in their order. Raises nothing but cancellation."""
        outcomes: dict[str, Taken] = {}
        addressed: list[tuple[Candidate, Addressee]] = []
        try:
            await self._accounts.refresh(at_once=True)
        except JournalError as error:
            return self._problem(error, candidates)
        for candidate in candidates:
            if candidate.is_folder and self._is_account(candidate.name):
                # Its account was connected a moment ago: the next scan looks into it.
                outcomes[candidate.name] = Taken.CHANGED
                continue
            try:
                addressed.append((candidate, self._addressee(candidate)))
            except NoAccount as problem:
                self._tell(problem)
                outcomes[candidate.name] = Taken.PROBLEM
        by_account: dict[str, list[Candidate]] = {}
        older = await _older(addressed)
        for candidate, addressee in addressed:
            said = self._said(candidate, addressee, older=candidate.name in older)
            by_account.setdefault(addressee.account_id, []).append(said)
        for account_id, its in by_account.items():
            taken = await self._take(account_id, its)
            outcomes |= zip((each.name for each in its), taken, strict=True)
        return [outcomes[candidate.name] for candidate in candidates]

    async def _take(self, account_id: str, its: list[Candidate]) -> list[Taken]:
        intake = self._of(account_id)
        try:
            # For the account of the inbox there was room, unless that was made for another one.
            doubtful = intake is not self._usual() or self._others_wait()
            if doubtful and await intake.is_full():
                return [Taken.NO_ROOM] * len(its)
        except JournalError as error:
            return self._problem(error, its)
        return await intake.take(its)

    def _problem(self, error: JournalError, candidates: Sequence[Candidate]) -> list[Taken]:
        self._log.warning(error.message, action="unreadable", remedy=error.remedy)
        return [Taken.PROBLEM] * len(candidates)

    def _of(self, account_id: str) -> Intake:
        intake = self._intakes.get(account_id)
        if intake is None:
            intake = self._intakes[account_id] = self._make(account_id)
        return intake

    def _usual(self) -> Intake | None:
        """The intake of the account of the inbox; None while nothing tells which that is."""
        try:
            account_id = self._accounts.of_inbox(self._inbox.where, self._inbox.account)
        except NoAccount as problem:
            self._tell(problem)
            return None
        self.trouble = ""
        return self._of(account_id)

    def _tell(self, problem: MediawatchError) -> None:
        """Once, for as long as it lasts."""
        if problem.message != self.trouble:
            self.trouble = problem.message
            self._log.warning(
                f"{problem.message} Files stay in {self._inbox.folder}.",
                action="account",
                remedy=problem.remedy,
            )

    def _is_account(self, name: str) -> bool:
        return "/" not in name and folders.is_account(name, self._accounts.folders)

    def _others_wait(self) -> bool:
        """Whether files are there for another account than that of the inbox."""
        return any(folders.account_in(name) is not None for name in self._waiting())

    def _addressee(self, candidate: Candidate) -> Addressee:
        folder = folders.account_in(candidate.name)
        if folder is None:
            return Addressee(self._accounts.of_inbox(self._inbox.where, self._inbox.account))
        found = self._accounts.of_folder(folder)
        if found is None:
            raise NoAccount(
                f"{folder}/ is the folder of no account that is known any more.",
                remedy="Connect it (`mediawatch accounts connect`), or move the files elsewhere.",
            )
        return found

    def _said(self, candidate: Candidate, to: Addressee, *, older: bool) -> Candidate:
        """The file with what the inbox says of it."""
        kind, awaits = candidate.kind or self._inbox.kind, self._awaits(candidate, to, older=older)
        if kind is candidate.kind and awaits is None:
            return candidate
        return replace(candidate, kind=kind, awaits=awaits)

    def _awaits(
        self, candidate: Candidate, to: Addressee, *, older: bool
    ) -> tuple[str, str, str] | None:
        name = candidate.path.name.encode("utf-8", "replace").decode()
        folder = folders.account_in(candidate.name)
        if folder is not None and self._inbox.account and to.account_id != self.account:
            # Who may write to the inbox of one account may not speak in the name of another.
            told = f"{name} lies in {folder}/, and this inbox is for another account."
            return ACCOUNT_FOLDER, told, _RELEASE
        if older:
            told = f"{name} lay in {folder}/ before that was the name of this account here."
            return ACCOUNT_FOLDER, f"{told} It may not be meant for it.", _RELEASE
        if self._inbox.publish.approval:
            return APPROVAL, f"{name} waits for your approval.", _RELEASE
        return None


async def _older(addressed: Sequence[tuple[Candidate, Addressee]]) -> set[str]:
    """The names of those that were last touched or renamed before the name of their folder was the
    account's."""
    named = [(candidate, to.since) for candidate, to in addressed if to.since]
    if not named:
        return set()  # nearly always: no thread is asked for nothing

    def look() -> set[str]:
        found = set()
        for candidate, since in named:
            with contextlib.suppress(OSError):  # it is gone, and will be found so
                if candidate.path.lstat().st_ctime < since:
                    found.add(candidate.name)
        return found

    return await asyncio.to_thread(look)
