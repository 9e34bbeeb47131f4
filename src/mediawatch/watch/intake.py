"""From a settled file to a post: fingerprint, intent, rename, ready.

A file is claimed late, when there is room for it, by one atomic rename into the work folder.
The post is written down before the rename, so that no kill can lose or double it.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from mediawatch import crash
from mediawatch.clock import Clock, iso
from mediawatch.config import PublishSettings, WatchSettings
from mediawatch.engine.base import JobEngine
from mediawatch.errors import MediawatchError, from_os_error
from mediawatch.journal import accounts, posts
from mediawatch.journal.database import Journal, Statement
from mediawatch.log import Log, size
from mediawatch.media.probe import Family
from mediawatch.model import captions
from mediawatch.model.lifecycle import PRIORITY, Event, Stage, State
from mediawatch.model.posts import Item, Post, PostKind, new_post_id, shown_as
from mediawatch.pipeline import filing
from mediawatch.pipeline.archive import SIDECAR, finish_move, free_name, note_beside
from mediawatch.pipeline.work import LEASE
from mediawatch.watch.candidates import Candidate, Taken
from mediawatch.watch.fingerprint import Fingerprint, identity, sidecar, take_fingerprint

#: Posts under way above which the folder is held back: the folder itself is the queue.
BACKLOG = 200
#: Seconds between looks whether the backlog has shrunk.
LOOK_AGAIN = 1.0

_CAPTION_IS_OPEN = {Stage.CONVERT, Stage.UPLOAD, Stage.CONTAINER}
_UNDER_WAY = (State.READY, State.RUNNING, State.WAITING)


class Intake:
    """Makes posts of candidates. ``take`` is what the watcher calls.

    ``own`` makes sure that the inbox is still ours alone; it blocks, and raises if it is not.
    ``taken`` is told the name of each file, its post, and whether it was a duplicate of that.
    """

    def __init__(
        self,
        watch: WatchSettings,
        publish: PublishSettings,
        account_id: str,
        *,
        journal: Journal,
        engine: JobEngine,
        clock: Clock,
        log: Log,
        own: Callable[[], None] = lambda: None,
        taken: Callable[[str, Post, bool], None] = lambda name, post, again: None,
    ) -> None:
        self._watch = watch
        self._publish = publish
        self._account_id = account_id
        self._journal = journal
        self._engine = engine
        self._clock = clock
        self._log = log
        self._own = own
        self._taken = taken

    async def take(self, candidate: Candidate) -> Taken:
        """Claim one file. Waits while the river is full; then the files stay in the folder."""
        await self._room()
        try:
            return await self._take(candidate)
        except FileNotFoundError:
            return Taken.GONE
        except OSError as error:
            return self._problem(candidate, from_os_error(error, f"claim {candidate.name}"))
        except MediawatchError as error:
            return self._problem(candidate, error)

    async def _room(self) -> None:
        await self._engine.room()
        told = False
        while True:
            if await posts.count(self._journal, _UNDER_WAY) < BACKLOG:
                return
            if not told:
                told = True
                self._log.warning(
                    f"{BACKLOG} posts are under way or waiting; new files stay in the folder.",
                    action="wait",
                    remedy="`mediawatch posts list` tells what they wait for.",
                )
            await asyncio.sleep(LOOK_AGAIN)

    def _problem(self, candidate: Candidate, error: MediawatchError) -> Taken:
        self._log.warning(
            error.message, action="unreadable", file=candidate.name, remedy=error.remedy
        )
        return Taken.PROBLEM

    async def _take(self, candidate: Candidate) -> Taken:
        now = self._clock.now()
        # A time of change far ahead is a clock that is wrong, not a file that is young.
        young = (now - self._watch.settle / 2, now + 60.0)
        fingerprint = await asyncio.to_thread(self._look, candidate, young)
        if fingerprint is None:
            return Taken.CHANGED
        content_key = hashlib.sha256(f"image {fingerprint.sha256}".encode()).hexdigest()
        known = await posts.find_by_content(self._journal, self._account_id, content_key)
        if known is not None:
            return await self._known(known, candidate, fingerprint)
        return await self._claim(candidate, fingerprint, content_key)

    async def _claim(
        self, candidate: Candidate, fingerprint: Fingerprint, content_key: str
    ) -> Taken:
        post = self._new_post(candidate, fingerprint, content_key)
        target = self._watch.work_folder / post.id / candidate.name
        item = Item(
            post_id=post.id,
            position=0,
            name=post.name,
            source=candidate.path,
            moving_to=target,
            sha256=fingerprint.sha256,
            size=fingerprint.size,
        )
        post = replace(post, items=(item,))
        await self._journal.apply([accounts.ensure(self._account_id), *posts.add(post)])
        crash.at("claim.intended")
        try:
            unchanged = await asyncio.to_thread(_rename, candidate, target, fingerprint)
        except (OSError, MediawatchError):
            if not await asyncio.to_thread(target.exists):
                await self._journal.apply([posts.forget(post.id)])
                crash.at("claim.forgotten")
                with contextlib.suppress(OSError):
                    await asyncio.to_thread(target.parent.rmdir)
            raise
        if not unchanged:
            return await self._give_back(post, candidate, target)
        await self._ready(post, replace(item, source=target, moving_to=None))
        self._log.info(
            f"{post.name} is taken ({size(fingerprint.size)}).",
            action="claim",
            post=post.id,
            file=post.name,
        )
        self._taken(candidate.name, post, False)
        return Taken.TAKEN

    def _look(self, candidate: Candidate, young: tuple[float, float]) -> Fingerprint | None:
        self._own()
        return take_fingerprint(candidate, young)

    async def _known(self, known: Post, candidate: Candidate, fingerprint: Fingerprint) -> Taken:
        """The same bytes are a post already: its own file, put back, copied back, or again."""
        if known.items[0].source == candidate.path:
            # An earlier claim of this very file was cut off.
            return await self._finish_claim(known, candidate)
        if known.state is not State.HELD:
            return await self._duplicate(known, candidate)
        if not await asyncio.to_thread(_has_sources, known):
            return await self._put_back(known, candidate, fingerprint)
        # A copy of a held file was put into the inbox: whoever does that wants it tried again.
        await self._journal.apply([self._release(known)])
        crash.at("duplicate.released")
        self._engine.wake(known.id, PRIORITY[known.stage])
        return await self._duplicate(known, candidate)

    async def _finish_claim(self, post: Post, candidate: Candidate) -> Taken:
        item = await asyncio.to_thread(finish_move, post.items[0])
        statements = [posts.record_item(item, post.items[0])]
        if post.state is State.HELD:
            statements.append(self._release(post))
        await self._journal.apply(statements)
        crash.at("claim.finished")
        self._engine.wake(post.id, PRIORITY[post.stage])
        self._taken(candidate.name, post, False)
        return Taken.TAKEN

    def _release(self, post: Post, **facts: str) -> Statement:
        now = self._clock.now()
        return posts.move(post, Event.RELEASE, now=now, attempts=0, rebuilds=0, **facts)[1]

    def _new_post(self, candidate: Candidate, fingerprint: Fingerprint, content_key: str) -> Post:
        now = self._clock.now()
        name = candidate.name.encode("utf-8", "replace").decode()
        caption = fingerprint.caption
        if caption is None:
            when = datetime.fromtimestamp(now).astimezone()
            caption = captions.render(self._publish.caption, name, when, self._publish.hashtags)
        return Post(
            id=new_post_id(),
            account_id=self._account_id,
            kind=PostKind.REEL if fingerprint.family is Family.VIDEO else PostKind.IMAGE,
            name=name,
            caption=caption,
            content_key=content_key,
            stage=Stage.CONVERT,
            state=State.RUNNING,
            created_at=now,
            updated_at=now,
            fence=1,
            lease_until=now + LEASE,
        )

    async def _ready(self, post: Post, item: Item) -> None:
        _, ready = posts.move(post, Event.INTERRUPT, now=self._clock.now(), lease_until=None)
        await self._journal.apply([ready, posts.record_item(item)])
        crash.at("claim.recorded")
        self._engine.wake(post.id, PRIORITY[post.stage])

    async def _give_back(self, post: Post, candidate: Candidate, target: Path) -> Taken:
        """Somebody wrote to it between the reading and the rename: let it settle again."""
        await asyncio.to_thread(_undo_rename, candidate, target)
        crash.at("claim.undone")
        await self._journal.apply([posts.forget(post.id)])
        crash.at("claim.forgotten")
        return Taken.CHANGED

    async def _put_back(self, post: Post, candidate: Candidate, fingerprint: Fingerprint) -> Taken:
        """The original of a held post was put back into the inbox: try it again."""
        before = post.items[0]
        target = self._watch.work_folder / post.id / candidate.name
        item = replace(before, source=candidate.path, moving_to=target)
        await self._journal.apply([posts.record_item(item, before)])
        crash.at("put-back.intended")
        if not await asyncio.to_thread(_rename, candidate, target, fingerprint):
            await asyncio.to_thread(_undo_rename, candidate, target)
            await self._journal.apply([posts.record_item(before, item)])
            crash.at("put-back.forgotten")
            return Taken.CHANGED
        await asyncio.to_thread(_forget_note, before.source)
        facts = {}
        # Once Meta has made a container its caption stands.
        if fingerprint.caption is not None and post.stage in _CAPTION_IS_OPEN:
            facts["caption"] = fingerprint.caption
        after = replace(item, source=target, moving_to=None)
        await self._journal.apply([self._release(post, **facts), posts.record_item(after, item)])
        crash.at("put-back.recorded")
        self._engine.wake(post.id, PRIORITY[post.stage])
        self._log.info(
            f"{post.name} was put back and is tried again.", action="claim", post=post.id
        )
        self._taken(candidate.name, post, False)
        return Taken.TAKEN

    async def _duplicate(self, known: Post, candidate: Candidate) -> Taken:
        folder = self._watch.duplicate_folder
        where = known.permalink or (f"media {known.media_id}" if known.media_id else "")
        note = {
            "file": candidate.name.encode("utf-8", "replace").decode(),
            "what": "duplicate: the same bytes are one post of this account already",
            "why": f"{known.name} is post {known.id}, {shown_as(known)}"
            + (f" since {iso(known.published_at)}" if known.published_at else "")
            + (f": {where}" if where else ""),
            "what_to_do": "Nothing. To have it there twice, once the first is published: "
            f"mediawatch posts publish {known.id} --again",
            "post": known.id,
            "when": iso(self._clock.now()),
        }
        target = await asyncio.to_thread(_file_duplicate, candidate.path, folder, known.id, note)
        crash.at("duplicate.filed")
        self._log.info(
            f"{candidate.name} holds the same bytes as {known.name}; filed as {target}.",
            action="duplicate",
            post=known.id,
        )
        self._taken(candidate.name, known, True)
        return Taken.TAKEN


# What follows blocks, and runs in threads.


def _rename(candidate: Candidate, target: Path, fingerprint: Fingerprint) -> bool:
    """Claim the file and its caption. False if the file is not the one that settled."""
    target.parent.mkdir(parents=True, exist_ok=True)
    filing.claim_rename(candidate.path, target)
    crash.at("claim.renamed")
    found = target.stat()
    beside = sidecar(candidate.path)
    # The caption is in the post already: an editor that has its file just now hinders nothing.
    with contextlib.suppress(OSError, MediawatchError):
        if beside is not None:
            filing.claim_rename(beside, target.with_suffix(SIDECAR))
            crash.at("claim.caption-renamed")
    return identity(found) == fingerprint.identity


def _undo_rename(candidate: Candidate, target: Path) -> None:
    filing.move(target, candidate.path, sha256=None)
    beside = target.with_suffix(SIDECAR)
    if beside.is_file():
        filing.move(beside, candidate.path.with_suffix(SIDECAR), sha256=None)
    target.parent.rmdir()


def _forget_note(source: Path) -> None:
    """What the note says is no longer so; that it cannot be deleted stops nothing."""
    with contextlib.suppress(OSError):
        note_beside(source).unlink(missing_ok=True)
        crash.at("note.removed")


def _has_sources(post: Post) -> bool:
    return all(item.source.is_file() for item in post.items)


def _file_duplicate(source: Path, folder: Path, post_id: str, note: dict[str, str]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    target = free_name(folder, source.name, post_id, note=True)
    filing.move(source, target, sha256=None)
    filing.write_note(note_beside(target), note)
    beside = sidecar(source)
    if beside is not None:
        filing.move(beside, target.with_suffix(SIDECAR), sha256=None)
    return target
