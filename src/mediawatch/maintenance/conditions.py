"""What lasts and should be known to the owner: as alerts, each with what to do about it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from mediawatch.clock import Clock, iso
from mediawatch.journal import accounts, standing, tokens
from mediawatch.journal.accounts import Account
from mediawatch.journal.database import Journal
from mediawatch.log import size
from mediawatch.maintenance.disks import Room
from mediawatch.model.accounts import DISCONNECTED
from mediawatch.model.alerts import Alert, AlertKind

#: Days before the end of a token at which it is told of.
TOKEN_DAYS = (7, 3, 1)
#: A disk that was nearly full is well again with so much more than it takes to be.
_WELL_AGAIN = 1.1
_DAY = 86_400.0


class Conditions:
    """``folders``: what is wrong with each inbox, the first one first: nothing if all is well, None
    if that cannot be told yet. ``rooms``: of the disks, None before the first look. ``ends``: when
    the token of the settings ends, by its account (maintenance/refresher.py); ``min_free``: bytes,
    0 is never too few."""

    def __init__(
        self,
        journal: Journal,
        clock: Clock,
        *,
        folders: Callable[[], Mapping[Path, str | None]],
        rooms: Callable[[], Mapping[str, Room] | None],
        ends: Callable[[], Mapping[str, float | None]],
        min_free: int,
    ) -> None:
        self._journal = journal
        self._clock = clock
        self._folders = folders
        self._rooms = rooms
        self._ends = ends
        self._min_free = min_free
        self._low: set[int] = set()

    async def __call__(self) -> dict[AlertKind, Sequence[Alert] | None]:
        """What lasts now, by kind; None for what cannot be told. Raises JournalError."""
        now = self._clock.now()
        return {
            AlertKind.ACCOUNT: await self._of_accounts(now),
            AlertKind.QUOTA: await self._of_quotas(now),
            AlertKind.FOLDER: self._of_folders(now),
            AlertKind.DISK: self._of_disks(now),
            AlertKind.TOKEN: await self._of_tokens(now),
        }

    async def _of_accounts(self, now: float) -> list[Alert]:
        stopped = await standing.stopped(self._journal)
        return [_stopped(each, now) for each in stopped if each.stopped_code != DISCONNECTED]

    async def _of_quotas(self, now: float) -> list[Alert]:
        waiting = await standing.waiting_by_account(self._journal, ["quota"])
        return [
            _of_quota(account_id, count, until, now)
            for (account_id, _), (count, until) in waiting.items()
        ]

    def _of_folders(self, now: float) -> list[Alert] | None:
        troubles = self._folders()
        if None in troubles.values():
            return None
        return [
            Alert(
                key="folder" if number == 0 else f"folder:{folder}",
                kind=AlertKind.FOLDER,
                at=now,
                subject="The folder is not watched",
                detail=f"{trouble} New files are not seen meanwhile.",
                remedy="Create or mount it, and let the user that runs mediawatch read and write "
                "in it; mediawatch goes on by itself.",
            )
            for number, (folder, trouble) in enumerate(troubles.items())
            if trouble
        ]

    def _of_disks(self, now: float) -> list[Alert] | None:
        rooms = self._rooms()
        if rooms is None:
            return None
        by_device = {room.device: room for room in reversed(list(rooms.values()))}
        self._low = {
            room.device for room in by_device.values() if room.free < self._least(room.device)
        }
        return [self._of_disk(by_device[device], now) for device in sorted(self._low)]

    def _least(self, device: int) -> float:
        return self._min_free * (_WELL_AGAIN if device in self._low else 1.0)

    def _of_disk(self, room: Room, now: float) -> Alert:
        return Alert(
            key=f"disk:{room.folder}",
            kind=AlertKind.DISK,
            at=now,
            subject=f"The disk of {room.folder} is nearly full",
            detail=f"{size(room.free)} of {size(room.size)} are free.",
            remedy="Free some space. Old originals in processed may go to another disk; "
            "[alerts] min_free says from where on this is told.",
        )

    async def _of_tokens(self, now: float) -> list[Alert] | None:
        stored = await tokens.listed(self._journal)
        told = self._ends()
        if not stored and not told:
            return None
        named = {account.id: account for account in await accounts.listed(self._journal)}
        found = [
            alert
            for account_id, ends in told.items()
            for alert in _ending(account_id, ends, now, "", _IN_SETTINGS)
        ]
        for token in stored:
            account = named[token.account_id]
            why = f" It was not refreshed: {token.refresh_problem}" if token.refresh_problem else ""
            told_of = f" of {account.username or account.id}"
            remedy = _CONNECTED if token.kind == "page" else _REFRESHED
            found += _ending(account.id, token.ends_at, now, told_of, remedy, why)
        return found


def _of_quota(account_id: str, count: int, until: float | None, now: float) -> Alert:
    goes_on = f" until {iso(until)} at least" if until else ""
    return Alert(
        key=f"quota:{account_id}",
        kind=AlertKind.QUOTA,
        at=now,
        subject="Instagram's number of posts in 24 hours is used up",
        detail=f"{count} posts of the account {account_id} wait{goes_on}.",
        remedy="Nothing to do: mediawatch goes on when the first of them is old enough.",
    )


#: What to do about a token that ends: one of the settings, of a page, and others.
_IN_SETTINGS = (
    "Make a new one, put it where the old one lies (`mediawatch config show` tells), and restart "
    "mediawatch; posts that wait go on then."
)
_CONNECTED = (
    "Connect the account again (`mediawatch accounts connect`); posts that wait go on then."
)
_REFRESHED = (
    "mediawatch goes on trying to refresh it. To be safe, connect the account again (`mediawatch "
    "accounts connect`)."
)


def _stopped(account: Account, now: float) -> Alert:
    until = f" Until {iso(account.stopped_until)}." if account.stopped_until else ""
    return Alert(
        key=f"account:{account.id}:{account.stopped_code}",
        kind=AlertKind.ACCOUNT,
        at=now,
        subject=f"The account {account.username or account.id} is stopped",
        detail=f"{account.stopped_detail}{until} Its posts wait.",
        remedy=account.stopped_remedy or "",
    )


def _ending(
    account_id: str, expires: float | None, now: float, whose: str, remedy: str, why: str = ""
) -> Iterable[Alert]:
    if expires is None:
        return
    left = (expires - now) / _DAY
    passed = [days for days in (*TOKEN_DAYS, 0) if left <= days]
    if not passed:
        return
    days = min(passed)
    ends = "has ended" if days == 0 else f"ends in {days} day{'s' if days > 1 else ''} or less"
    yield Alert(
        key=f"token:{account_id}:{expires:.0f}:{days}",
        kind=AlertKind.TOKEN,
        at=now,
        subject=f"The access token{whose} {ends}",
        detail=f"Nothing can be published with it after {iso(expires)}.{why}",
        remedy=remedy,
    )
