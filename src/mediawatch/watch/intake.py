"""From settled files to posts: fingerprint, intent, rename, ready.

Files are claimed late, when there is room for them, each by one atomic rename into the work folder.
The posts are written down before the renames, so that no kill can lose or double one. What has
settled together is claimed together: two commits for all of it instead of two for each file.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from mediawatch import crash
from mediawatch.clock import Clock
from mediawatch.config import Inbox
from mediawatch.config.inboxes import place
from mediawatch.engine.base import JobEngine
from mediawatch.errors import Conflict, JournalError, MediawatchError, from_os_error
from mediawatch.journal import accounts, post_items, posts
from mediawatch.journal.claims import ARRIVED, NewCompanion, NewPost, arrive, intend
from mediawatch.journal.database import Journal
from mediawatch.log import Log, size
from mediawatch.model.lifecycle import PRIORITY, State
from mediawatch.model.posts import new_post_id
from mediawatch.pipeline.work import LEASE
from mediawatch.watch import claiming
from mediawatch.watch.candidates import Candidate, Taken, Told
from mediawatch.watch.carousels import CarouselIntake
from mediawatch.watch.claiming import Claim
from mediawatch.watch.fingerprint import Fingerprint, content_key, kind_of, take_fingerprints
from mediawatch.watch.known import KnownContent
from mediawatch.watch.superseded import Superseded
from mediawatch.watch.timetable import Plan, Timetable
from mediawatch.watch.words import Words

#: Posts under way above which the folder is held back: the folder itself is the queue.
BACKLOG = 200
#: Seconds between looks whether the backlog has shrunk.
LOOK_AGAIN = 1.0
#: A wait that ends within so many seconds is no standstill.
SOON = 5.0
#: Of a larger group, one line is logged; of each of its files one for the level debug.
TOLD_SINGLY = 16


@dataclass(frozen=True, slots=True)
class _Read:
    """A candidate that was read, and the key of what is in it."""

    candidate: Candidate
    fingerprint: Fingerprint
    content_key: str


class Intake:
    """Makes posts of the candidates of one inbox that are for one account.

    ``own`` makes sure that the inbox is still ours alone; it blocks, and raises if it is not.
    ``taken`` is told the name of each file, the id of its post, and whether it was a duplicate of
    that. ``backlog``: posts that may be under way; None: any number.
    """

    def __init__(
        self,
        inbox: Inbox,
        account_id: str,
        *,
        journal: Journal,
        engine: JobEngine,
        clock: Clock,
        log: Log,
        timetable: Timetable | None = None,
        own: Callable[[], None] = lambda: None,
        taken: Told = lambda name, post_id, again: None,
        backlog: int | None = BACKLOG,
    ) -> None:
        self._inbox = inbox
        self._watch = inbox.watch
        self._words = Words(inbox.publish)
        self._timetable = timetable or Timetable(journal, clock)
        self.account_id = account_id
        self._journal = journal
        self._engine = engine
        self._clock = clock
        self._log = log
        self._own = own
        self._taken = taken
        self._backlog = backlog
        self._known = KnownContent(
            inbox,
            self._words,
            self._timetable,
            journal=journal,
            engine=engine,
            clock=clock,
            log=log,
            taken=taken,
        )
        self._superseded = Superseded(journal, clock, log)
        self._carousels = CarouselIntake(
            inbox,
            self._words,
            self._timetable,
            account_id,
            journal=journal,
            engine=engine,
            clock=clock,
            log=log,
            own=own,
            taken=taken,
            superseded=self._superseded,
        )
        #: Why no file can be taken for a long while; completes "…, because …". Else empty.
        self.standstill = ""

    async def is_full(self) -> bool:
        """Whether the account has as many posts under way as it may. Raises JournalError."""
        if self._backlog is None:
            return False
        return await posts.count_under_way(self._journal, self.account_id) >= self._backlog

    async def room(self, or_else: Callable[[], bool] = lambda: False) -> int:
        """How many files may be claimed now, one at least. Waits while the river is full, or the
        account has posts enough; then the files stay in the folder. ``or_else``: whether there is
        something for another account, which must not wait for this one."""
        free = await self._engine.room()
        if self._backlog is None:
            return free
        told, count = False, posts.count_under_way
        try:
            while (under_way := await count(self._journal, self.account_id)) >= self._backlog:
                if or_else():
                    return free
                if not told:
                    told = True
                    self._log.warning(
                        f"{under_way} posts are under way or waiting; new files stay in the "
                        "folder.",
                        action="wait",
                        remedy="`mediawatch posts list` tells what they wait for.",
                    )
                soon = self._clock.now() + SOON
                if not await posts.any_moving(self._journal, self.account_id, until=soon):
                    self.standstill = (
                        f"{under_way} posts wait already, and none of them can go on now"
                    )
                await asyncio.sleep(LOOK_AGAIN)
        finally:
            self.standstill = ""
        return max(1, min(free, self._backlog - under_way))

    async def take(self, candidates: Sequence[Candidate]) -> list[Taken]:
        """Claim files; what became of each, in their order. Raises nothing but cancellation."""
        outcomes: dict[str, Taken] = {}
        files: dict[Path, list[Candidate]] = {}  # two folders may hold the same name
        for candidate in candidates:
            if candidate.is_folder:
                outcomes[candidate.name] = await self._carousels.take(candidate)
            else:
                files.setdefault(candidate.path.parent, []).append(candidate)
        for together in files.values():
            try:
                await self._take(together, outcomes)
            except (OSError, MediawatchError) as error:
                for candidate in together:
                    if candidate.name not in outcomes:
                        outcomes[candidate.name] = self._trouble(candidate, error)
        return [outcomes[candidate.name] for candidate in candidates]

    async def _take(self, candidates: Sequence[Candidate], outcomes: dict[str, Taken]) -> None:
        read = await self._read(candidates, outcomes)
        fresh = {each.content_key: each for each in reversed(read)}
        try:
            await self._claim(list(fresh.values()), outcomes)
        except Conflict:
            # The journal itself knows best what is a post already; it is asked only then.
            known = await posts.find_by_content(self._journal, self.account_id, fresh)
            fresh = {key: each for key, each in fresh.items() if key not in known}
            await self._claim(list(fresh.values()), outcomes)
        for each in read:
            name = each.candidate.name
            if name not in outcomes:
                try:
                    outcomes[name] = await self._take_known(each)
                except (OSError, MediawatchError) as error:
                    outcomes[name] = self._trouble(each.candidate, error)

    async def _read(
        self, candidates: Sequence[Candidate], outcomes: dict[str, Taken]
    ) -> list[_Read]:
        now = self._clock.now()
        # A time of change far ahead is a clock that is wrong, not a file that is young.
        young = (now - self._watch.settle / 2, now + 60.0)
        read = []
        found = await asyncio.to_thread(self._look, candidates, young)
        for candidate, fingerprint in zip(candidates, found, strict=True):
            if fingerprint is None:
                outcomes[candidate.name] = Taken.CHANGED
            elif isinstance(fingerprint, OSError):
                outcomes[candidate.name] = self._trouble(candidate, fingerprint)
            else:
                wishes = fingerprint.wishes
                kind = kind_of(candidate, fingerprint.family, wishes)
                key = content_key(kind, fingerprint, again=wishes.again)
                read.append(_Read(candidate, fingerprint, key))
        return read

    def _look(
        self, candidates: Sequence[Candidate], young: tuple[float, float]
    ) -> list[Fingerprint | OSError | None]:
        self._own()
        return take_fingerprints(candidates, young)

    def _trouble(self, candidate: Candidate, error: OSError | MediawatchError) -> Taken:
        if isinstance(error, FileNotFoundError):
            return Taken.GONE
        if isinstance(error, OSError):
            error = from_os_error(error, f"claim {candidate.name}")
        self._log.warning(
            error.message, action="unreadable", file=candidate.name, remedy=error.remedy
        )
        return Taken.PROBLEM

    async def _take_known(self, each: _Read) -> Taken:
        keys = [each.content_key]
        known = await posts.find_by_content(self._journal, self.account_id, keys)
        if each.content_key not in known:
            return Taken.CHANGED  # its post came to an end meanwhile: it is looked at anew
        return await self._known.take(known[each.content_key], each.candidate, each.fingerprint)

    # New posts.

    async def _claim(self, read: Sequence[_Read], outcomes: dict[str, Taken]) -> None:
        """Make a post of each. Raises Conflict, and takes none, if one is a post already."""
        if not read:
            return
        await self._forget_notes(read)
        now = self._clock.now()
        async with self._timetable.plan(self._inbox, self.account_id) as plan:
            claims = self._plan(read, plan)
            new, inbox = [post for post, _ in claims], place(self._watch.folder)
            intended = intend(new, self.account_id, inbox, now=now, lease_until=now + LEASE)
            await self._journal.apply([accounts.ensure(self.account_id), *intended])
        crash.at("claim.intended")
        renamed = await asyncio.to_thread(claiming.rename_all, [claim for _, claim in claims])
        ready = []
        for (post, claim), done in zip(claims, renamed, strict=True):
            if done is True:
                ready.append((post, claim))
            else:
                outcomes[claim.candidate.name] = await self._undo(post, claim, done)
        if ready:
            await self._ready(ready, outcomes)

    def _plan(self, read: Sequence[_Read], plan: Plan) -> list[tuple[NewPost, Claim]]:
        """A post for each, all with their files in one folder, which is named after the first."""
        when = datetime.fromtimestamp(self._clock.now()).astimezone()
        ids = [new_post_id() for _ in read]
        folder = self._watch.work_folder / ids[0]
        claims = []
        for post_id, each in zip(ids, read, strict=True):
            candidate, fingerprint = each.candidate, each.fingerprint
            target = folder / candidate.path.name
            name = candidate.path.name.encode("utf-8", "replace").decode()
            wishes = plan(fingerprint.wishes)
            post = NewPost(
                id=post_id,
                kind=kind_of(candidate, fingerprint.family, wishes),
                name=name,
                caption=self._words.caption(name, wishes, when),
                content_key=each.content_key,
                wishes=wishes or None,
                refusal=fingerprint.refusal,
                source=candidate.path,
                target=target,
                sha256=fingerprint.sha256,
                size=fingerprint.size,
                companions=tuple(
                    NewCompanion(
                        each.path.name.encode("utf-8", "replace").decode(),
                        each.path,
                        target.with_name(each.path.name),
                        each.sha256,
                        each.size,
                    )
                    for each in fingerprint.companions
                ),
                awaits=candidate.awaits,
            )
            claims.append((post, Claim(candidate, fingerprint, target)))
        return claims

    async def _undo(
        self, post: NewPost, claim: Claim, done: bool | OSError | MediawatchError
    ) -> Taken:
        """The rename failed, or took something else than what was read: let it settle again."""
        if not isinstance(done, bool):
            if not await asyncio.to_thread(claim.target.exists):
                await self._forget(post, claim)
            return self._trouble(claim.candidate, done)
        try:
            await asyncio.to_thread(claiming.undo, claim)
        except (OSError, MediawatchError) as error:
            return self._trouble(claim.candidate, error)
        crash.at("claim.undone")
        await self._forget(post, claim)
        return Taken.CHANGED

    async def _forget(self, post: NewPost, claim: Claim) -> None:
        await self._journal.apply([posts.forget(post.id)])
        crash.at("claim.forgotten")
        await asyncio.to_thread(claiming.remove_empty, claim.target.parent)

    async def _ready(
        self, claims: Sequence[tuple[NewPost, Claim]], outcomes: dict[str, Taken]
    ) -> None:
        ids = [post.id for post, _ in claims]
        count = sum(len(post.companions) for post, _ in claims)
        left = await asyncio.to_thread(_left_behind, claims) if count else []
        arrived = arrive(ids, self._clock.now(), companions=count - len(left))
        try:
            await self._journal.apply([*(post_items.forget_item(*each) for each in left), *arrived])
        except JournalError:
            # Nothing is taken that cannot be written down: back to where everybody sees it. The
            # posts wait for just these files, and the next take finishes what was begun.
            for _, claim in claims:
                # Where another file lies by now, ours waits for the next start.
                with contextlib.suppress(OSError, MediawatchError):
                    await asyncio.to_thread(claiming.undo, claim)
            raise
        crash.at("claim.recorded")
        tell = self._log.info
        if len(claims) > TOLD_SINGLY:
            together = size(sum(claim.fingerprint.size for _, claim in claims))
            self._log.info(f"{len(claims)} files are taken ({together}).", action="claim")
            tell = self._log.debug
        for post, claim in claims:
            self._engine.wake(post.id, PRIORITY[ARRIVED.stage])
            along = [each.path.name for each in claim.fingerprint.companions]
            tell(
                f"{post.name} is taken ({size(claim.fingerprint.size)})"
                f"{', with ' if along else ''}{', '.join(along)}.",
                action="claim",
                post=post.id,
                file=post.name,
            )
            self._taken(claim.candidate.name, post.id, False)
            outcomes[claim.candidate.name] = Taken.TAKEN
        made = {
            post.id: [post.sha256, *(each.sha256 for each in post.companions)] for post, _ in claims
        }
        await self._superseded.end(self.account_id, made)

    async def _forget_notes(self, read: Sequence[_Read]) -> None:
        """What failed before and was put back into the inbox is tried again: its note is not
        true any more."""
        if not await posts.count(self._journal, [State.FAILED]):
            return
        for failed in await posts.find_failed(self._journal, [each.content_key for each in read]):
            if not await asyncio.to_thread(claiming.has_source, failed):
                await asyncio.to_thread(claiming.forget_note, failed.items[0].source)


def _left_behind(claims: Sequence[tuple[NewPost, Claim]]) -> list[tuple[str, int]]:
    """Post and position of the companions that did not come along."""
    left = []
    for post, claim in claims:
        behind = claim.left_behind() if post.companions else ()
        companions = claim.fingerprint.companions
        left += [(post.id, companions.index(each) + 1) for each in behind]
    return left
