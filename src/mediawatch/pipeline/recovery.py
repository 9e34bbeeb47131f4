"""At the start, before anything is looked at: put right what a kill left half done."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from mediawatch import crash
from mediawatch.clock import Clock, iso
from mediawatch.config import Inboxes, WatchSettings
from mediawatch.errors import JournalError, MediawatchError, SourceProblem
from mediawatch.journal import accounts, post_items, posts
from mediawatch.journal.database import Journal, Statement
from mediawatch.journal.witness import Witness
from mediawatch.log import Log
from mediawatch.model.kinds import PostKind
from mediawatch.model.lifecycle import Event, Publication, Stage, State
from mediawatch.model.names import SIDECARS
from mediawatch.model.posts import JOURNAL_RESTORED, Item, Post
from mediawatch.pipeline import album, filing
from mediawatch.pipeline.album import note_beside
from mediawatch.pipeline.archive import (
    Archive,
    finish_moves,
    free_name,
    lacks_note,
    name_begun,
)
from mediawatch.pipeline.outcomes import Reason
from mediawatch.pipeline.work import Work


class Recovery:
    """The only daemon of a journal may assume that whatever was running is nobody's."""

    def __init__(
        self,
        inboxes: Inboxes,
        journal: Journal,
        clock: Clock,
        log: Log,
        archive: Archive,
        witness: Witness,
    ) -> None:
        self._inboxes = inboxes
        self._journal = journal
        self._clock = clock
        self._log = log
        self._archive = archive
        self._witness = witness

    async def run_once(self) -> None:
        """Rescue what was running, unpark, finish moves, and look after strays."""
        now = self._clock.now()
        await self._distrust_an_older_journal(now)
        moving = await posts.unfinished_moves(self._journal)
        for post in moving:
            if not self._is_set_aside(post):  # that goes with its note, see below
                with self._told(post.name):
                    await self._finish_moves(post)
        rescued, unparked = await self._journal.apply(
            [posts.rescue_all(now), posts.unpark_all(now)]
        )
        crash.at("recovery.rescued")
        if rescued or unparked:
            self._log.info(
                f"Going on with {len(rescued) + len(unparked)} posts of the last time.",
                action="recover",
            )
        await self._set_aside_leftovers()
        for inbox in self._inboxes:
            await self._hold_strays(inbox.watch)

    def _of(self, post: Post) -> WatchSettings:
        return self._inboxes.of(post.inbox).watch

    async def _distrust_an_older_journal(self, now: float) -> None:
        """More was asked of Meta than the journal knows, or nobody can tell: hold what it takes
        for unpublished."""
        since = await asyncio.to_thread(self._witness.unseen_since)
        if since is not None:
            await self._hold_unfinished(
                f"The journal was put back from a backup of {iso(since)}: requests to publish that "
                "were made since are not in it",
                [],
                now,
            )
            await asyncio.to_thread(self._witness.seen)
            crash.at("recovery.seen")
        asked = await asyncio.to_thread(self._witness.asks)
        if asked is None:
            self._log.warning(
                "The record of what was asked of Meta cannot be read; it is begun anew.",
                action="recover",
            )
        for account_id, asks in (asked or {}).items():
            missing = asks - (await accounts.find(self._journal, account_id)).asks
            if missing > 0:
                known = [accounts.ensure(account_id), accounts.count_asks(account_id, asks)]
                await self._hold_unfinished(
                    f"The journal is older than what was done: {missing} requests to publish are "
                    "not in it",
                    known,
                    now,
                    account_id,
                )

    async def _hold_unfinished(
        self, why: str, known: list[Statement], now: float, account_id: str | None = None
    ) -> None:
        """``known`` is written with it. ``account_id``: None for every account."""
        under_way = [State.READY, State.WAITING, State.RUNNING]
        unfinished = [
            post
            for post in await posts.listed(self._journal, states=under_way, limit=100_000)
            if account_id in {None, post.account_id} and post.publication is not Publication.LIVE
        ]
        held = [
            posts.move(
                post,
                Event.HOLD,
                now=now,
                reason=JOURNAL_RESTORED,
                detail=f"{why}, and {post.name} may be one of them.",
                remedy="Open the account in Instagram and look for it. If it is there: "
                f"`mediawatch posts confirm {post.id}`. If it is not: "
                f"`mediawatch posts retry {post.id}`.",
            )[1]
            for post in unfinished
        ]
        # The copy may be of a moment when one of them had the account: new posts need it.
        free = [accounts.unlock(post.account_id, post.id) for post in unfinished]
        await self._journal.apply([*known, *held, *free])
        crash.at("recovery.distrusted")
        self._log.warning(
            f"{why}. {len(held)} unfinished posts are held, for they may be published already.",
            action="recover",
            remedy="Compare them with the account: `mediawatch posts list --state held`.",
        )

    def _is_set_aside(self, post: Post) -> bool:
        """Whether an original is on its way to where it waits for its owner."""
        watch = self._of(post)
        folders = {watch.held_folder, watch.failed_folder}
        deep = 1 if post.kind is PostKind.CAROUSEL else 0
        targets = [item.moving_to for item in post.items if item.moving_to is not None]
        return any(target.parents[deep] in folders for target in targets)

    async def _finish_moves(self, post: Post) -> None:
        watch = self._of(post)
        before = await asyncio.to_thread(_identity, watch.folder)
        begun = post.stage is Stage.CONVERT and post.state is State.RUNNING
        if begun and await asyncio.to_thread(album.is_in_inbox, post):
            # Who knows what came to it meanwhile: it is looked at anew, as it is.
            await self._journal.apply([posts.forget(post.id)])
            crash.at("recovery.forgotten")
            return
        try:
            await asyncio.to_thread(album.finish_claim, post)
            items, lost = await asyncio.to_thread(finish_moves, post)
        except FileExistsError:
            # The name was taken meanwhile: ours is where it was, and gets another name later.
            own = len(post.items) if post.kind is PostKind.CAROUSEL else 1
            stay = [replace(item, moving_to=None) for item in post.items[:own]]
            if not await asyncio.to_thread(_all_there, stay):
                raise
            items, lost = [*stay, *post.items[own:]], []
        except SourceProblem as error:
            after = await asyncio.to_thread(_identity, watch.folder)
            if before is None or before != after:
                # With the inbox its work folder was away: nothing can be said of what lay in it.
                # The stage that needs the file ends the move, once the inbox is back.
                return
            await self._vanished(post, error)
            return
        statements: list[Statement] = [post_items.record_item(item) for item in items]
        statements += [post_items.forget_item(item.post_id, item.position) for item in lost]
        claimed_again = items[0].source.parent.parent == watch.work_folder
        if post.state is State.HELD and claimed_again:
            # It had been put back into the inbox: the owner wants it tried again.
            statements.append(posts.move(post, Event.RELEASE, now=self._clock.now())[1])
        await self._journal.apply(statements)
        crash.at("recovery.moved")

    async def _vanished(self, post: Post, error: SourceProblem) -> None:
        self._log.warning(
            f"{post.name}: {error.message}",
            action="recover",
            post=post.id,
            remedy="If it was not taken away on purpose, put it into the inbox again.",
        )
        if post.stage is Stage.CONVERT and post.state is State.RUNNING:
            # Taken away between the intent and the rename: the post never came to be.
            await self._journal.apply([posts.forget(post.id)])
            crash.at("recovery.forgotten")
            return
        stay = [replace(item, moving_to=None) for item in post.items]
        await self._journal.apply([post_items.record_item(item) for item in stay])
        crash.at("recovery.left-behind")

    async def _set_aside_leftovers(self) -> None:
        """Posts that were held or failed just before the end, their originals not yet filed."""
        stopped = await posts.listed(self._journal, states=[State.HELD, State.FAILED], limit=1000)
        for post in stopped:
            work_folder = self._of(post).work_folder
            in_work = any(item.source.parent.parent == work_folder for item in post.items)
            # What lay with the originals of a carousel follows when all of them are recorded.
            in_work |= post.kind is PostKind.CAROUSEL and (work_folder / post.id).is_dir()
            if in_work or self._is_set_aside(post) or await asyncio.to_thread(lacks_note, post):
                work = Work(self._journal, self._clock, self._log, post)
                where = "held" if post.state is State.HELD else "failed"
                reason = Reason(post.reason or "", post.detail or "", post.remedy or "")
                with self._told(post.name):
                    await self._archive.set_aside(work, where, reason)

    async def _hold_strays(self, watch: WatchSettings) -> None:
        """Claimed files that no post knows: the journal was lost or is an older copy.

        They may be on Instagram already, so a person decides.
        """
        known = await posts.lying_in(self._journal, watch.work_folder)
        for post in known:
            if post.state is State.DONE:
                with self._told(post.name):
                    work = Work(self._journal, self._clock, self._log, post)
                    await self._archive.late(work)
        ours = {path for post in known for item in post.items for path in _places(item)}
        with self._told("The work folder"):
            for folder in await asyncio.to_thread(_folders_in, watch.work_folder):
                if await self._is_of_carousel(folder):
                    continue
                with self._told(folder.name):
                    await self._hold_stray(folder, ours, watch.held_folder)

    async def _is_of_carousel(self, folder: Path) -> bool:
        """Whether it is the folder of a carousel: what lies there goes with its originals, which
        may have gone ahead."""
        post = await posts.find(self._journal, folder.name)
        if post is None or post.kind is not PostKind.CAROUSEL:
            return False
        if post.state is State.DONE:
            with self._told(post.name):
                work = Work(self._journal, self._clock, self._log, post)
                await self._archive.late(work)
        return True

    async def _hold_stray(self, folder: Path, ours: set[Path], to: Path) -> None:
        held = await asyncio.to_thread(_hold, folder, ours, to, iso(self._clock.now()))
        for name in held:
            self._log.warning(
                f"{name} was claimed, but the journal does not know it; it is held.",
                action="recover",
                remedy="If it is not on Instagram yet, put it back into the inbox.",
            )

    @contextlib.contextmanager
    def _told(self, name: str) -> Iterator[None]:
        """One leftover that cannot be put right must not keep the others from being published."""
        try:
            yield
        except (JournalError, OSError, MediawatchError) as error:
            if isinstance(error, JournalError):
                raise
            self._log.warning(
                f"{name} could not be put right: {error}",
                action="recover",
                remedy="It is tried again at the next start.",
            )


def _identity(folder: Path) -> tuple[int, int] | None:
    """Which folder it is; None if it is away. Blocks."""
    try:
        found = folder.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _all_there(items: list[Item]) -> bool:
    return all(item.source.is_file() for item in items)


def _folders_in(folder: Path) -> list[Path]:
    try:
        if folder.is_symlink():  # not ours: it leads out of the inbox
            return []
        return sorted(
            entry for entry in folder.iterdir() if entry.is_dir() and not entry.is_symlink()
        )
    except (FileNotFoundError, NotADirectoryError):
        return []


def _places(item: Item) -> list[Path]:
    """Where an original may be, and what is said beside it."""
    places = [item.source, *([item.moving_to] if item.moving_to is not None else [])]
    return [*places, *(place.with_suffix(suffix) for place in places for suffix in SIDECARS)]


def _hold(folder: Path, ours: set[Path], held: Path, when: str) -> list[str]:
    names = []
    for file in sorted(set(folder.iterdir()) - ours):
        filing.make_folder(held)
        target = name_begun(file, held, folder.name) or free_name(
            held, file.name, folder.name, note=True
        )
        note = {
            "file": target.name,
            "what": "held: it needs you",
            "why": "It was claimed, but the journal does not know it. It may be published already.",
            "what_to_do": "Look at the account; if it is not there, put the file into the inbox.",
            "when": when,
            "claim": folder.name,
            "seal": filing.seal(file),
        }
        # The note first: an original is never seen there without its reason.
        filing.write_note(note_beside(target), note)
        filing.settle_move(file, target, None)
        names.append(target.name)
    with contextlib.suppress(OSError):  # what is known lies there still
        folder.rmdir()
        crash.at("work.folder-removed")
    return names
