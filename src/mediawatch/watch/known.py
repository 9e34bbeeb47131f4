"""A file whose bytes are a post already: its own file, put back, copied back, or again."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from mediawatch import crash
from mediawatch.clock import Clock, iso
from mediawatch.config import Inbox
from mediawatch.config.inboxes import place
from mediawatch.engine.base import JobEngine
from mediawatch.journal import post_items, posts
from mediawatch.journal.database import Journal, Statement
from mediawatch.log import Log
from mediawatch.model.lifecycle import PRIORITY, Event, Stage, State
from mediawatch.model.posts import Post, shown_as
from mediawatch.pipeline.archive import finish_moves
from mediawatch.watch import claiming, put_back, sidecar
from mediawatch.watch.candidates import Candidate, Taken, Told
from mediawatch.watch.claiming import Claim
from mediawatch.watch.fingerprint import Fingerprint, kind_of
from mediawatch.watch.timetable import Timetable
from mediawatch.watch.words import Words

_WORDS_ARE_OPEN = {Stage.CONVERT, Stage.UPLOAD, Stage.CONTAINER}


class KnownContent:
    """Deals with candidates that need no new post."""

    def __init__(
        self,
        inbox: Inbox,
        words: Words,
        timetable: Timetable,
        *,
        journal: Journal,
        engine: JobEngine,
        clock: Clock,
        log: Log,
        taken: Told,
    ) -> None:
        self._inbox, self._watch = inbox, inbox.watch
        self._words, self._timetable = words, timetable
        self._journal = journal
        self._engine = engine
        self._clock = clock
        self._log = log
        self._taken = taken

    async def take(self, known: Post, candidate: Candidate, fingerprint: Fingerprint) -> Taken:
        """Bring it to its post. Raises OSError and MediawatchError."""
        if known.items[0].source == candidate.path:
            # An earlier claim of this very file was cut off.
            return await self._finish_claim(known, candidate)
        if known.state is not State.HELD:
            return await self._duplicate(known, candidate)
        if not await asyncio.to_thread(claiming.has_source, known):
            return await self._put_back(known, candidate, fingerprint)
        # A copy of a held file was put into the inbox: whoever does that wants it tried again, and
        # as it is said now.
        if known.stage in _WORDS_ARE_OPEN and put_back.has_another_cover(known, fingerprint):
            await self._make_room(known, fingerprint)
            return await self._put_back(known, candidate, fingerprint)
        said = known
        if known.stage in _WORDS_ARE_OPEN and fingerprint.beside:
            target = self._watch.work_folder / known.id / candidate.path.name
            said = await self._said_anew(known, Claim(candidate, fingerprint, target), [])
        await self._journal.apply([posts.record_words(said), self._release(known)])
        crash.at("duplicate.released")
        self._engine.wake(known.id, PRIORITY[known.stage])
        return await self._duplicate(known, candidate)

    async def _finish_claim(self, post: Post, candidate: Candidate) -> Taken:
        items, lost = await asyncio.to_thread(finish_moves, post)
        # Nothing but what changed: the post may be worked on by now.
        before = {item.position: item for item in post.items}
        statements = [post_items.record_item(item, before[item.position]) for item in items]
        statements += [post_items.forget_item(item.post_id, item.position) for item in lost]
        if post.state is State.HELD:
            statements.append(self._release(post))
        await self._journal.apply(statements)
        crash.at("claim.finished")
        self._engine.wake(post.id, PRIORITY[post.stage])
        self._taken(candidate.name, post.id, False)
        return Taken.TAKEN

    def _release(self, post: Post) -> Statement:
        now = self._clock.now()
        return posts.move(post, Event.RELEASE, now=now, attempts=0, rebuilds=0)[1]

    async def _put_back(self, post: Post, candidate: Candidate, fingerprint: Fingerprint) -> Taken:
        """The original of a held post was put back into the inbox: try it again."""
        target = self._watch.work_folder / post.id / candidate.path.name
        claim = Claim(candidate, fingerprint, target)
        items = await asyncio.to_thread(put_back.items_of, post, claim)
        left = await asyncio.to_thread(sidecar.find, post.items[0].source)
        # First, while it is known where that lies: what it says is no longer so.
        await asyncio.to_thread(claiming.forget_note, post.items[0].source)
        said = post
        # Once Meta has made a container its words stand.
        if post.stage in _WORDS_ARE_OPEN:
            said = await self._said_anew(post, claim, [] if fingerprint.beside else left)
        said = replace(said, inbox=place(self._watch.folder))
        # With the intent: after a kill only the journal knows that it came with these words.
        intended = post_items.exchange_items(post.items, items)
        await self._journal.apply([*intended, posts.record_words(said)])
        crash.at("put-back.intended")
        if not await asyncio.to_thread(claiming.rename, claim):
            await asyncio.to_thread(claiming.undo, claim)
            before = post_items.exchange_items(items, post.items)
            await self._journal.apply([*before, posts.record_words(post)])
            crash.at("put-back.forgotten")
            return Taken.CHANGED
        arrived = await asyncio.to_thread(put_back.arrived, items)
        await self._journal.apply([self._release(post), *post_items.exchange_items(items, arrived)])
        crash.at("put-back.recorded")
        self._engine.wake(post.id, PRIORITY[post.stage])
        self._log.info(
            f"{post.name} was put back and is tried again.", action="claim", post=post.id
        )
        self._taken(candidate.name, post.id, False)
        return Taken.TAKEN

    async def _said_anew(self, post: Post, claim: Claim, left: Sequence[Path]) -> Post:
        """What is said with it now. ``left``: sidecars that were forgotten where it lay; what they
        said, good or bad, counts still. Who took one away wants it without."""
        wishes, refusal = claim.fingerprint.wishes, claim.fingerprint.refusal
        if left:
            wishes = post.wishes.merge(wishes)
            if refusal is None and post.refusal is not None and post.refusal[0] == "sidecar":
                refusal = post.refusal
            self._log.warning(
                f"{post.name} came back without {left[0].name}; what that says is kept.",
                action="claim",
                post=post.id,
                remedy=f"It lies in {left[0].parent}: delete it, or put both back to change it.",
            )
        when = datetime.fromtimestamp(self._clock.now()).astimezone()
        kind = kind_of(claim.candidate, claim.fingerprint.family, wishes)
        async with self._timetable.plan(self._inbox, post.account_id, but=post.id) as plan:
            wishes = plan(wishes)
        planned_anew = wishes.publish_at != post.wishes.publish_at
        return replace(
            post,
            # Later the prepared file is of that kind already.
            kind=kind if post.stage is Stage.CONVERT else post.kind,
            caption=self._words.caption(post.name, wishes, when),
            wishes=wishes,
            refusal=refusal,
            # Whoever said yes said it to other words, perhaps.
            awaits=claim.candidate.awaits,
            moved_to=None if planned_anew else post.moved_to,
        )

    async def _make_room(self, known: Post, fingerprint: Fingerprint) -> None:
        """What is held is the copy from now on, since what lies in the inbox has the right cover.
        After a kill in between, that is a file that was put back."""
        target = await asyncio.to_thread(
            claiming.file_duplicate,
            known.items[0].source,
            await asyncio.to_thread(put_back.beside, known),
            self._watch.duplicate_folder,
            known.id,
            self._note(known, known.items[0].source.name),
            # Words that come without others count still, and are told of where they lie.
            bring_sidecars=bool(fingerprint.beside),
        )
        crash.at("duplicate.filed")
        self._log.info(
            f"{known.name} came with another cover; what was held is filed as {target}.",
            action="duplicate",
            post=known.id,
        )

    async def _duplicate(self, known: Post, candidate: Candidate) -> Taken:
        target = await asyncio.to_thread(
            claiming.file_duplicate,
            candidate.path,
            candidate.companions,
            self._watch.duplicate_folder,
            known.id,
            self._note(known, candidate.name),
            bring_sidecars=not candidate.leaves_sidecars,
        )
        crash.at("duplicate.filed")
        self._log.info(
            f"{candidate.name} holds the same bytes as {known.name}; filed as {target}.",
            action="duplicate",
            post=known.id,
        )
        self._taken(candidate.name, known.id, True)
        return Taken.TAKEN

    def _note(self, known: Post, name: str) -> dict[str, str]:
        where = known.permalink or (f"media {known.media_id}" if known.media_id else "")
        return {
            "file": name.encode("utf-8", "replace").decode(),
            "what": "duplicate: the same bytes are one post of this account already",
            "why": f"{known.name} is post {known.id}, {shown_as(known)}"
            + (f" since {iso(known.published_at)}" if known.published_at else "")
            + (f": {where}" if where else ""),
            "what_to_do": "Nothing. To have it there twice, once the first is published: "
            f"mediawatch posts publish {known.id} --again",
            "post": known.id,
            "when": iso(self._clock.now()),
        }
