"""Door 1: watches the inbox and hands on what is whole.

The listing of the folder is the truth; an event only wakes the scan. Four loops work side by
side: scan (names only), look (at what settles), take (one file at a time; waits for as long as
the river is full) and, in ``run`` only, health.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from mediawatch.clock import Clock
from mediawatch.config import WatchSettings
from mediawatch.errors import MediawatchError
from mediawatch.watch import listing
from mediawatch.watch.candidates import (
    Accounts,
    Candidate,
    FolderState,
    Inspect,
    Seen,
    Taken,
    Waiting,
    WatchState,
)
from mediawatch.watch.guard import Guard
from mediawatch.watch.inbox import Inbox
from mediawatch.watch.passes import Passes, wait_for
from mediawatch.watch.settle import SettleRule
from mediawatch.watch.taker import Taker
from mediawatch.watch.tracker import Tracker
from mediawatch.watch.withheld import Withheld

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Limits:
    """Figures that people need not set. Times in seconds."""

    track_max: int = 10_000  # names that settle at a time; the rest wait in the folder
    scan_gap: float = 0.05  # between two scans at least, and
    scan_share: float = 20.0  # this many times what the last one cost
    poll: float = 5.0  # between scans without a working watch, or on a share
    health: float = 5.0
    hint_gap: float = 0.02  # between two looks that hints caused
    batch: int = 256  # looks and rechecks in one go
    pass_patience: float = 15.0  # one pass waits so long for files that are still written
    patience: float = 30.0  # a call on the folder that takes longer is reported


class Watcher:
    """Watches one folder.

    ``inspect(name, file)`` looks into an open file and runs in a thread. ``room()`` waits until
    files may be taken, and says how many; ``take(candidates)`` claims them. Both must be safe to
    cancel.
    ``standstill()`` says why there will be no room for long, if so. ``on_settling()`` is called
    when new files begin to settle. ``report(action, message, **fields)`` is told what people
    should know. ``withheld``: what is passed over though it lies there; an order (``pass_once``)
    lets it go. ``on_scan(seconds)`` is told what each listing of the folder took. ``accounts``:
    which folders in it are those of accounts.
    """

    def __init__(
        self,
        settings: WatchSettings,
        *,
        clock: Clock,
        inspect: Inspect,
        take: Callable[[Sequence[Candidate]], Awaitable[Sequence[Taken]]],
        room: Callable[[], Awaitable[int]],
        standstill: Callable[[], str] = lambda: "",
        on_settling: Callable[[], None] | None = None,
        report: Callable[..., None] | None = None,
        rule: SettleRule | None = None,
        limits: Limits | None = None,
        withheld: Withheld | None = None,
        on_scan: Callable[[float], None] = lambda _seconds: None,
        accounts: Accounts | None = None,
    ) -> None:
        self._accounts = accounts or Accounts()
        self._on_scan = on_scan
        self._withheld = withheld
        self._clock = clock
        self._on_settling = on_settling or (lambda: None)
        self._report = report or (lambda *_args, **_fields: None)
        self._rule = rule or SettleRule(settings.settle)
        self._limits = limits or Limits()
        self._inbox = Inbox(str(settings.folder), self._limits.patience, self._report)
        self._passes = Passes(
            self._inbox,
            clock,
            standstill=standstill,
            patience=self._limits.pass_patience,
            wake=self._wake_all,
        )
        self._tracker = Tracker(self._rule, self._limits.track_max, self._passes.decide, self._held)
        self._guard = Guard(
            settings,
            poll=self._limits.poll,
            in_folder=self._inbox,
            woken=self._woken,
            clock=clock,
            report=self._report,
            accounts=lambda: self._accounts.folders,
        )
        self._taker = Taker(
            self._tracker,
            self._rule,
            self._inbox.root,
            clock=clock,
            inspect=inspect,
            room=room,
            take=take,
            look_again=self._look_again,
            report=self._report,
        )
        #: Set when the first look at the folder has come back, whatever it found.
        self.looked = asyncio.Event()
        self._dirty, self._look, self._ready = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._hinted = self._more = False
        self._overlaid: set[str] = set()  # listed while they were being taken
        self._scans = 0
        self._last_scan: float | None = None
        self._scan_began = self._scan_ended = float("-inf")
        self._scan_cost = 0.0
        self._running, self._users = False, 0
        self._engine: asyncio.Task[None] | None = None

    # --- what others call -----------------------------------------------------------------

    async def run(self) -> None:
        """Watch until cancelled."""
        self._running = True
        try:
            await self._with_engine(self._keep_healthy())
        finally:
            self._running = False

    async def pass_once(self, limit: float) -> list[Seen]:
        """Hand on what lies in the folder now, and say of each file what became of it.

        Files settle as always; what is not decided after ``limit`` seconds is unfinished. Works
        beside a running ``run`` and alone. Sidecars are no files of their own here. Raises
        StorageProblem if the folder cannot be listed.
        """
        return await self._with_engine(self._pass(limit))

    async def release(self) -> int:
        """Let go of what is withheld since the first start; how many files that were.

        Raises JournalError.
        """
        if self._withheld is None:
            return 0
        released = await self._withheld.release(for_good=self._running)
        self.wake()
        return released

    def wake(self) -> None:
        """Scan soon."""
        self._dirty.set()

    @property
    def trouble(self) -> str | None:
        """Why files that come are not seen, in a sentence; empty if they are, None if that cannot
        be told yet."""
        if self._inbox.state is not FolderState.OK:
            return self._inbox.told
        age = self._clock.now() - (self._last_scan or self._clock.now())
        if age > self._guard.rescan * 3 + self._limits.patience:
            return f"The folder {self._inbox.root} was not looked at for {age:.0f} s."
        return ""

    @property
    def state(self) -> WatchState:
        """A copy of what is going on now."""
        wall, ignored = self._clock.now(), self._tracker.ignored
        return WatchState(
            folder=self._inbox.state,
            mode="events" if self._guard.armed else "polling",
            mode_reason=self._guard.reason,
            last_scan=self._last_scan,
            scan_ended=self._scan_ended if self.looked.is_set() else None,
            scans=self._scans,
            hints=self._guard.hints,
            overflows=self._guard.overflows,
            hints_missed=self._guard.missed,
            more=self._more,
            settling={
                name: Waiting(entry.found or wall, entry.reason)
                for name, entry in self._tracker.settling.items()
            },
            ignored={name: entry.reason for name, entry in ignored.items()},
            problems=tuple(
                f"{name}: {entry.reason}"
                for name, entry in ignored.items()
                if entry.retry is not None
            ),
            withheld=self._withheld.count if self._withheld is not None else 0,
        )

    async def _pass(self, limit: float) -> list[Seen]:
        await self._accounts.refresh()
        names = await self._passes.names(self._accounts.folders)
        await self.release()
        return await self._passes.run(names, self._tracker, limit)

    def _wake_all(self) -> None:
        self._look.set()
        self.wake()

    # --- the engine: shared by run and passes ---------------------------------------------

    async def _with_engine(self, work: Coroutine[Any, Any, T]) -> T:
        self._users += 1
        if self._engine is None:
            self._engine = asyncio.create_task(self._work())
        engine, main = self._engine, asyncio.create_task(work)
        try:
            await asyncio.wait({main, engine}, return_when=asyncio.FIRST_COMPLETED)
            if not main.done():
                await engine  # it broke: say what broke it
            return await main
        finally:
            self._users -= 1
            await _stop(main)
            if self._users == 0:
                self._engine = None
                await _stop(engine)
                await self._guard.disarm("the folder is not watched")
                self._inbox.close()

    async def _work(self) -> None:
        self._tracker.requeue(self._clock.monotonic())
        self._dirty.set()
        async with asyncio.TaskGroup() as loops:
            loops.create_task(self._scan_loop())
            loops.create_task(self._look_loop())
            loops.create_task(self._take_loop())

    async def _keep_healthy(self) -> None:
        while True:
            await self._guard.check()
            if self._inbox.state is not FolderState.OK:
                self.wake()
            await asyncio.sleep(self._limits.health)

    # --- scanning -------------------------------------------------------------------------

    async def _scan_loop(self) -> None:
        while True:
            await self._until_scan_is_due()
            await self._scan()

    async def _until_scan_is_due(self) -> None:
        while True:
            now = self._clock.monotonic()
            if self._dirty.is_set():
                gap = max(self._limits.scan_gap, self._limits.scan_share * self._scan_cost)
                left = self._scan_ended + gap - now
                if left <= 0:
                    return
                await asyncio.sleep(left)
            else:
                left = self._scan_began + self._guard.rescan - now
                if left <= 0:
                    return
                await wait_for(self._dirty, left)

    async def _scan(self) -> None:
        self._dirty.clear()
        tracker = self._tracker
        unannounced = self._guard.scan_begins() and not self._more
        self._scan_began = self._clock.monotonic()
        taking = set(tracker.taking)
        try:
            await self._accounts.refresh()
            withheld = await self._passed_over()
            found = await self._inbox.in_place(
                listing.scan,
                self._inbox.root,
                tracker.known(),
                tracker.room(),
                None if self._running else self._passes,
                tracker.rechecks(self._limits.batch),
                withheld,
                self._accounts.folders,
            )
            if self._withheld is not None:
                await self._withheld.forget(found.let_go)
        except OSError as error:
            self._inbox.failed(error)
            self._scan_is_over()
            return
        except MediawatchError as error:
            self._report("problem", error.message, remedy=error.remedy)
            self._scan_is_over()
            return
        now = self._scan_is_over()
        self._scan_cost = now - self._scan_began
        self._on_scan(self._scan_cost)
        self._scans += 1
        self._last_scan = wall = self._clock.now()
        if self._inbox.worked():
            tracker.requeue(now)
        self._more = found.more
        self._overlaid |= (taking | tracker.taking) - found.gone
        tracker.drop(found.gone)
        for name in found.changed:
            tracker.reconsider(name, now, wall)
        settling = tracker.adopt(found.fresh, now, wall)
        self._guard.scan_found(settling, unannounced=unannounced)
        if settling:
            self._on_settling()
        self._look.set()
        await self._look_for_successors()

    def _scan_is_over(self) -> float:
        self._scan_ended = self._clock.monotonic()
        self.looked.set()
        return self._scan_ended

    async def _look_for_successors(self) -> None:
        """A name that was listed while its file was being taken may be that of another file by
        now, which no hint will tell of any more: then another scan is due."""
        done = self._overlaid - self._tracker.taking
        self._overlaid -= done
        forgotten = done - self._tracker.settling.keys()
        if forgotten:
            with contextlib.suppress(OSError):  # the next scan tells of the folder's state
                if await self._inbox.in_place(listing.any_there, self._inbox.root, forgotten):
                    self.wake()

    async def _passed_over(self) -> listing.Withheld:
        if self._withheld is None:
            return listing.NOTHING_WITHHELD
        if self._running:  # a pass alone is an order, and decides nothing
            await self._withheld.look(self._inbox)
        return await self._withheld.known()

    # --- looking --------------------------------------------------------------------------

    def _woken(self) -> None:
        self._dirty.set()
        self._hinted = True
        self._look.set()

    async def _look_loop(self) -> None:
        tracker, hinted_look = self._tracker, float("-inf")
        while True:
            now = self._clock.monotonic()
            due = tracker.next_due()
            hint_due = hinted_look + self._limits.hint_gap if self._hinted else None
            if due is not None and due <= now:
                await self._look_at(tracker.questions(now, self._limits.batch), now)
            elif hint_due is not None and hint_due <= now:
                self._hinted, hinted_look = False, now
                await self._look_at(tracker.latest(now, self._limits.batch), now)
            else:
                times = [time for time in (due, hint_due) if time is not None]
                self._look.clear()
                await wait_for(self._look, min(times) - now if times else None)

    async def _look_at(
        self, questions: list[listing.Question], now: float, peek: listing.Peek | None = None
    ) -> None:
        if questions:
            try:
                looks = await self._inbox.in_place(
                    listing.look_at, self._inbox.root, questions, peek
                )
            except OSError as error:
                self._inbox.failed(error)
                looks = [listing.Look(asked.name, listing.Sight.AWAY) for asked in questions]
            self._tracker.judge(looks, now)
            self._tell_unreadable(looks)
            self._ready.set()

    def _tell_unreadable(self, looks: list[listing.Look]) -> None:
        remedy = "Give the user that runs mediawatch read access to it."
        for name, reason in [
            (o.name, o.reason) for o in looks if o.sight is listing.Sight.UNREADABLE
        ]:
            failed = self._tracker.ignored.get(name)
            if failed is not None and failed.failures == 1:
                self._report("unreadable", f"{name}: {reason}.", name=name, remedy=remedy)

    async def _look_again(self, names: Sequence[str], peek: listing.Peek) -> None:
        now = self._clock.monotonic()
        await self._look_at([self._tracker.question(name, now) for name in names], now, peek)
        self._look.set()

    # --- taking ---------------------------------------------------------------------------

    async def _take_loop(self) -> None:
        while True:
            self._ready.clear()
            if not await self._taker.offer_next():
                await self._ready.wait()
                continue
            self._look.set()
            await self._look_for_successors()
            if self._more and self._tracker.room() * 2 >= self._limits.track_max:
                self.wake()

    def _held(self, name: str) -> None:
        minutes = round(self._rule.hold_max / 60)
        self._report(
            "still-written",
            f"{name} has not changed for {minutes} minutes, but another program keeps it open.",
            name=name,
            remedy="Close the program that writes it. If the file is whole, it is taken anyway.",
        )


async def _stop(task: asyncio.Task[Any]) -> None:
    task.cancel()
    await asyncio.wait({task})
    if not task.cancelled():
        task.exception()  # seen: it was raised where the task was awaited, if anywhere
