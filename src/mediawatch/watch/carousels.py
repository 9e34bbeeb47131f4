"""From a settled folder to a carousel: fingerprints, intent, one rename, ready.

As with single files the post is written down before the rename, so that no kill can lose or
double one. What is wrong with a folder is told with the post, which is held as a whole.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from mediawatch import crash
from mediawatch.clock import Clock, iso
from mediawatch.config import Inbox
from mediawatch.config.inboxes import place
from mediawatch.engine.base import JobEngine
from mediawatch.errors import (
    Conflict,
    JournalError,
    MediawatchError,
    Rejected,
    from_os_error,
)
from mediawatch.journal import accounts, post_items, posts
from mediawatch.journal.database import Journal, Statement
from mediawatch.log import Log
from mediawatch.model.kinds import PostKind
from mediawatch.model.lifecycle import PRIORITY, Event, Stage, State
from mediawatch.model.pairs import may_be_clip_of_any
from mediawatch.model.posts import Item, Post, new_post_id, shown_as
from mediawatch.model.wishes import Wishes
from mediawatch.pipeline import album, filing
from mediawatch.pipeline.archive import finish_move
from mediawatch.pipeline.work import LEASE
from mediawatch.watch import folders
from mediawatch.watch.candidates import Candidate, Taken, Told
from mediawatch.watch.carousel_rules import wishes_of
from mediawatch.watch.clips import is_clip
from mediawatch.watch.filters import is_sidecar
from mediawatch.watch.fingerprint import Fingerprint, content_key, take_fingerprint
from mediawatch.watch.reading import identity
from mediawatch.watch.superseded import Superseded
from mediawatch.watch.timetable import Timetable
from mediawatch.watch.words import Words
from mediawatch.watch.writers import Key

_WORDS_ARE_OPEN = {Stage.CONVERT, Stage.UPLOAD, Stage.CONTAINER}


class CarouselIntake:
    """Makes a post of a folder. The parameters are those of ``Intake``, and its ``superseded``."""

    def __init__(
        self,
        inbox: Inbox,
        words: Words,
        timetable: Timetable,
        account_id: str,
        *,
        journal: Journal,
        engine: JobEngine,
        clock: Clock,
        log: Log,
        own: Callable[[], None],
        taken: Told,
        superseded: Superseded,
    ) -> None:
        self._inbox, self._watch, self._timetable = inbox, inbox.watch, timetable
        self._words, self._account_id = words, account_id
        self._journal, self._engine = journal, engine
        self._clock, self._log = clock, log
        self._own, self._taken = own, taken
        self._superseded = superseded

    async def take(self, candidate: Candidate) -> Taken:
        """Claim the folder; what became of it. Raises nothing but cancellation."""
        try:
            return await self._take(candidate)
        except FileNotFoundError:
            return Taken.GONE
        except (OSError, MediawatchError) as error:
            problem = error
        if isinstance(problem, OSError):
            problem = from_os_error(problem, f"claim {candidate.name}")
        self._log.warning(
            problem.message, action="unreadable", file=candidate.name, remedy=problem.remedy
        )
        return Taken.PROBLEM

    async def _take(self, candidate: Candidate) -> Taken:
        now = self._clock.now()
        young = (now - self._watch.settle / 2, now + 60.0)
        prints = await asyncio.to_thread(self._read, candidate, young)
        if prints is None:
            return Taken.CHANGED
        wishes, refusal = wishes_of(candidate.path, prints)
        try:
            async with self._timetable.plan(self._inbox, self._account_id) as plan:
                post = self._post(candidate, prints, plan(wishes), refusal)
                await self._forget_notes(post.content_key)
                intended = [accounts.ensure(self._account_id), *posts.add(post)]
                await self._journal.apply(intended)
        except Conflict:
            known = await posts.find_by_content(self._journal, self._account_id, [post.content_key])
            if post.content_key not in known:
                return Taken.CHANGED
            return await self._take_known(known[post.content_key], candidate, post)
        crash.at("claim.intended")
        return await self._claim(post, candidate, prints)

    def _read(
        self, candidate: Candidate, young: tuple[float, float]
    ) -> dict[str, Fingerprint] | None:
        """The files of the post in their order; None if one of them is not as it settled."""
        self._own()
        found = folders.listed(str(candidate.path))
        if folders.key_and_size(str(candidate.path), found)[0] != candidate.key:
            return None
        prints = {}
        names = [name for name, _ in found.files]
        for name, status in found.files:
            if is_sidecar(name):
                continue
            if may_be_clip_of_any(name, names) and is_clip(candidate.path / name):
                continue  # it goes with the folder, as its picture does
            file = Candidate(candidate.path / name, name, (), status.st_size)
            taken = take_fingerprint(file, young)
            if taken is None:
                return None
            prints[name] = taken
        return prints

    def _post(
        self,
        candidate: Candidate,
        prints: dict[str, Fingerprint],
        wishes: Wishes,
        refusal: Rejected | None,
    ) -> Post:
        now, post_id = self._clock.now(), new_post_id()
        name = candidate.path.name.encode("utf-8", "replace").decode()
        key = content_key(PostKind.CAROUSEL, *prints.values(), again=wishes.again)
        when = datetime.fromtimestamp(now).astimezone()
        folder = self._watch.work_folder / post_id
        items = tuple(
            Item(
                post_id=post_id,
                position=position,
                name=file.encode("utf-8", "replace").decode(),
                source=candidate.path / file,
                moving_to=folder / file,
                sha256=each.sha256,
                size=each.size,
            )
            for position, (file, each) in enumerate(prints.items())
        )
        return Post(
            id=post_id,
            account_id=self._account_id,
            kind=PostKind.CAROUSEL,
            name=name,
            caption=self._words.caption(name, wishes, when, folder=True, count=len(items)),
            content_key=key,
            stage=Stage.CONVERT,
            state=State.RUNNING,
            created_at=now,
            updated_at=now,
            fence=1,
            lease_until=now + LEASE,
            wishes=wishes,
            refusal=(refusal.code, refusal.message, refusal.remedy) if refusal else None,
            inbox=place(self._watch.folder),
            awaits=candidate.awaits,
            items=items,
        )

    # A new post.

    async def _claim(
        self, post: Post, candidate: Candidate, prints: dict[str, Fingerprint]
    ) -> Taken:
        target = self._watch.work_folder / post.id
        try:
            await asyncio.to_thread(self._rename, candidate.path, target)
        except (OSError, MediawatchError):
            await self._forget(post)
            raise
        if not await asyncio.to_thread(_is_what_was_read, target, prints, candidate.key):
            await asyncio.to_thread(target.rename, candidate.path)
            crash.at("claim.undone")
            await self._forget(post)
            return Taken.CHANGED
        try:
            await self._journal.apply(self._arrived(post))
        except JournalError:
            # Back to where everybody sees it: the next take finishes what was begun.
            with contextlib.suppress(OSError):
                await asyncio.to_thread(target.rename, candidate.path)
            raise
        crash.at("claim.recorded")
        together = f"{len(post.items)} files"
        self._log.info(f"{post.name} is taken ({together}).", action="claim", post=post.id)
        taken = self._under_way(post, candidate)
        made = {post.id: [each.sha256 for each in prints.values()]}
        await self._superseded.end(self._account_id, made)
        return taken

    def _rename(self, source: Path, target: Path) -> None:
        filing.make_own(target.parent)
        album.claim(source, target)
        with contextlib.suppress(OSError):
            filing.sync_folder(target.parent)

    def _arrived(self, post: Post) -> list[Statement]:
        _, ready = posts.move(post, Event.INTERRUPT, now=self._clock.now(), lease_until=None)
        return [ready, *_in_place(post)]

    async def _forget(self, post: Post) -> None:
        await self._journal.apply([posts.forget(post.id)])
        crash.at("claim.forgotten")

    async def _forget_notes(self, content_key: str) -> None:
        """A folder that failed before and was put back is tried again: its note is not true any
        more."""
        for failed in await posts.find_failed(self._journal, [content_key]):
            if not await asyncio.to_thread(album.shown(failed).exists):
                await asyncio.to_thread(album.forget_note, album.shown(failed))

    def _under_way(self, post: Post, candidate: Candidate) -> Taken:
        self._engine.wake(post.id, PRIORITY[post.stage])
        self._taken(candidate.name, post.id, False)
        return Taken.TAKEN

    # Content that is a post already.

    async def _take_known(self, known: Post, candidate: Candidate, fresh: Post) -> Taken:
        if known.items[0].source.parent == candidate.path:
            return await self._finish_claim(known, candidate)
        there = await asyncio.to_thread(_all_there, known)
        if known.state is not State.HELD or known.kind is not PostKind.CAROUSEL:
            return await self._duplicate(known, candidate)
        if not there:
            return await self._put_back(known, candidate, fresh)
        # A copy of it: whoever does that wants it tried again, and as it is said now.
        said = _said_anew(known, fresh)
        await self._journal.apply([posts.record_words(said), self._release(known)])
        crash.at("duplicate.released")
        self._engine.wake(known.id, PRIORITY[known.stage])
        return await self._duplicate(known, candidate)

    async def _finish_claim(self, post: Post, candidate: Candidate) -> Taken:
        """An earlier claim of this very folder was cut off."""
        await asyncio.to_thread(album.finish_claim, post)
        items = [await asyncio.to_thread(finish_move, item) for item in post.items]
        statements = [
            post_items.record_item(item, before)
            for item, before in zip(items, post.items, strict=True)
        ]
        if post.state is State.HELD:
            statements.append(self._release(post))
        await self._journal.apply(statements)
        crash.at("claim.finished")
        return self._under_way(post, candidate)

    async def _put_back(self, post: Post, candidate: Candidate, fresh: Post) -> Taken:
        """The folder of a held post was put back into the inbox: it is tried again."""
        target = self._watch.work_folder / post.id
        # The key says that these are the same bytes in the same order, whatever they are called.
        items = [
            replace(
                item,
                name=new.name,
                source=new.source,
                moving_to=target / new.source.name,
            )
            for item, new in zip(post.items, fresh.items, strict=True)
        ]
        said = replace(_said_anew(post, fresh), inbox=fresh.inbox)
        before = album.shown(post)
        await asyncio.to_thread(album.forget_note, before)
        recorded = [
            post_items.record_item(item, old) for item, old in zip(items, post.items, strict=True)
        ]
        await self._journal.apply([*recorded, posts.record_words(said)])
        crash.at("put-back.intended")
        moved = replace(said, items=tuple(items))
        await asyncio.to_thread(self._rename, candidate.path, target)
        await self._journal.apply([self._release(moved), *_in_place(moved)])
        crash.at("put-back.recorded")
        self._log.info(
            f"{post.name} was put back and is tried again.", action="claim", post=post.id
        )
        return self._under_way(post, candidate)

    def _release(self, post: Post) -> Statement:
        now = self._clock.now()
        return posts.move(post, Event.RELEASE, now=now, attempts=0, rebuilds=0)[1]

    async def _duplicate(self, known: Post, candidate: Candidate) -> Taken:
        note = {
            "file": candidate.name.encode("utf-8", "replace").decode(),
            "what": "duplicate: the same files are one post of this account already",
            "why": f"{known.name} is post {known.id}, {shown_as(known)}"
            + (f" since {iso(known.published_at)}" if known.published_at else "")
            + (f": {known.permalink}" if known.permalink else ""),
            "what_to_do": "Nothing. To have it there twice, once the first is published: "
            f"mediawatch posts publish {known.id} --again",
            "post": known.id,
            "when": iso(self._clock.now()),
        }
        target = await asyncio.to_thread(
            album.file_duplicate, candidate.path, self._watch.duplicate_folder, known.id, note
        )
        crash.at("duplicate.filed")
        self._log.info(
            f"{candidate.name} holds the same files as {known.name}; filed as {target}.",
            action="duplicate",
            post=known.id,
        )
        self._taken(candidate.name, known.id, True)
        return Taken.TAKEN


def _said_anew(post: Post, fresh: Post) -> Post:
    """The post with what is said in the folder now. Once Meta has made a container its words
    stand."""
    if post.stage not in _WORDS_ARE_OPEN:
        return post
    planned_anew = fresh.wishes.publish_at != post.wishes.publish_at
    return replace(
        post,
        caption=fresh.caption,
        wishes=fresh.wishes,
        refusal=fresh.refusal,
        awaits=fresh.awaits,
        moved_to=None if planned_anew else post.moved_to,
    )


def _in_place(post: Post) -> list[Statement]:
    return [
        post_items.record_item(
            replace(item, source=item.moving_to or item.source, moving_to=None), item
        )
        for item in post.items
    ]


def _all_there(post: Post) -> bool:
    return all(item.source.is_file() for item in post.items)


def _is_what_was_read(folder: Path, prints: dict[str, Fingerprint], key: Key) -> bool:
    """Whether nothing changed in the folder, and nothing came to it, since it settled."""
    try:
        if folders.key_and_size(str(folder), folders.listed(str(folder)))[0] != key:
            return False
        return all(
            identity((folder / name).lstat()) == each.identity for name, each in prints.items()
        )
    except OSError:
        return False
