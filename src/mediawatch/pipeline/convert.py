"""Stage convert: every item becomes a file that Instagram takes."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

from mediawatch import crash
from mediawatch.errors import Handling, Rejected, SourceProblem, from_os_error
from mediawatch.hosts.base import new_key
from mediawatch.log import size
from mediawatch.media import framing
from mediawatch.media.order import ImageOptions, Purpose
from mediawatch.media.pool import Preparer
from mediawatch.model import captions
from mediawatch.model.kinds import PICTURE, VIDEO, PostKind
from mediawatch.model.lifecycle import Event
from mediawatch.model.posts import Item, Post
from mediawatch.pipeline.archive import away_for_a_moment, finish_move, require_inbox
from mediawatch.pipeline.outcomes import Done, Outcome
from mediawatch.pipeline.work import Work

#: Seconds between two lines about a conversion that is under way.
TELL_EVERY = 5.0
_SUFFIXES = {PICTURE: ".jpg", VIDEO: ".mp4"}
_PURPOSES = {
    PostKind.IMAGE: Purpose.FEED,
    PostKind.REEL: Purpose.REEL,
    PostKind.STORY: Purpose.STORY,
    PostKind.CAROUSEL: Purpose.CAROUSEL,
}


class Convert:
    """Prepared files lie in ``folder``, named after their post: a repetition overwrites itself."""

    def __init__(
        self, preparer: Preparer, options: ImageOptions, folder: Path, *, inbox: Path
    ) -> None:
        self._inbox = inbox
        self._preparer = preparer
        self._options = options
        self._folder = folder

    async def __call__(self, work: Work) -> Outcome:
        """Prepare all items and record them, with the name that each will have on the host."""
        _require_understood(work.post)
        cover = work.post.cover
        # The cover first: it takes no time, and may be what is wrong.
        first = [await self.prepare(work, cover)] if cover is not None else []
        parts = [item for item in work.post.parts if item != cover]
        prepared = [*[await self.prepare(work, item) for item in parts], *first]
        kind = work.post.kind
        if kind is PostKind.IMAGE and prepared[0].is_video:
            kind = PostKind.REEL  # an animation: in the feed Meta takes videos as reels only
        if kind is PostKind.REEL and not prepared[0].is_video:
            raise _no_reel(work.post.name)
        await work.write(Event.ADVANCE, items=prepared, kind=kind)
        return Done()

    def _look_at(self, item: Item) -> Item:
        try:
            item = _at_hand(item)
        except SourceProblem:
            require_inbox(self._inbox)
            item = _at_hand(item)  # it may have come back just now
        self._folder.mkdir(parents=True, exist_ok=True)
        return item

    async def prepare(self, work: Work, item: Item) -> Item:
        """The item with its prepared file, and the name that it will have on the host."""
        item = await asyncio.to_thread(self._look_at, item)
        target = self._folder / f"{item.post_id}-{item.position}"
        cover = work.post.cover
        is_cover = cover is not None and cover.position == item.position
        purpose = Purpose.COVER if is_cover else _PURPOSES[work.post.kind]
        options = self._options
        if purpose is Purpose.STORY:
            options = replace(options, aspects=framing.STORY)
        elif purpose is Purpose.COVER:
            # Instagram crops it as it likes: nothing of it is cut or padded before.
            options = replace(options, aspects=framing.STORY, gif="still")
        try:
            done = await self._preparer.prepare(
                item.source, target, options, purpose=purpose, on_progress=Progress(work, item)
            )
        except Rejected as error:
            if purpose is not Purpose.COVER:
                raise
            raise _no_cover(work.post.name, item.name, error) from error
        except SourceProblem as error:
            if error.code == "source-gone":
                await asyncio.to_thread(self._look_at, item)
                raise away_for_a_moment(error) from error
            raise
        crash.at("convert.prepared")
        how = "; ".join(done.changes) or "as it is"
        work.tell("converted", f"{done.width}x{done.height}, {size(done.size)} ({how}).")
        work.log.info(
            f"{item.name} is ready: {done.width}x{done.height}, {size(done.size)} ({how}).",
            action="convert",
            file=item.name,
            changes=list(done.changes),
        )
        return replace(
            item,
            prepared=target,
            prepared_sha256=done.sha256,
            prepared_size=done.size,
            width=done.width,
            height=done.height,
            media_type=done.media_type,
            duration=done.duration,
            changes=done.changes,
            remote_key=_key(item, _SUFFIXES[done.media_type]),
        )


class Progress:
    """Tells of a conversion that takes long, every few seconds, what share of it is done."""

    def __init__(self, work: Work, item: Item) -> None:
        self._work = work
        self._name = item.name
        self._told = work.clock.monotonic()

    def __call__(self, share: float) -> None:
        """``share``: 0 to 1."""
        now = self._work.clock.monotonic()
        if now - self._told < TELL_EVERY:
            return
        self._told = now
        self._work.log.info(
            f"{self._name} is being converted: {share:.0%}.",
            action="convert",
            file=self._name,
            percent=round(share * 100),
        )


def _key(item: Item, suffix: str) -> str:
    """The name on the host: the known one, unless the file is of another type by now."""
    known = item.remote_key
    return known if known and known.endswith(suffix) else new_key(suffix)


def _require_understood(post: Post) -> None:
    """Raises Rejected for wishes that are not understood, and words that Meta would refuse."""
    if post.refusal is not None:
        code, message, remedy = post.refusal
        raise Rejected(message, code=code, handling=Handling.HOLD, remedy=remedy)
    captions.check(post.caption)


def _no_reel(name: str) -> Rejected:
    return Rejected(
        f"{name} is a picture, and a reel is a video.",
        code="kind",
        handling=Handling.HOLD,
        remedy="Put it into the inbox itself, or into stories/, to have it published there.",
    )


def _no_cover(name: str, cover: str, why: Rejected) -> Rejected:
    return Rejected(
        f"{cover} cannot be the cover of {name}: {why.message}",
        code="cover",
        handling=Handling.HOLD,
        remedy=f"{why.remedy} Then put all files back. To have the reel without a cover, delete "
        f"{cover} and put the others back.",
    )


def _at_hand(item: Item) -> Item:
    # A claim whose end could not be written down, the disk being full, is ended here.
    item = finish_move(item)
    _require_source(item)
    return item


def _require_source(item: Item) -> None:
    """Raises SourceProblem when the original is gone or is not what was claimed."""
    try:
        found = item.source.stat().st_size
    except FileNotFoundError:
        raise SourceProblem(
            f"{item.name} is no longer at {item.source}.",
            code="source-gone",
            remedy="Put the file into the inbox again.",
        ) from None
    except OSError as error:
        raise from_os_error(error, f"read {item.name}") from error
    if found != item.size:
        raise SourceProblem(
            f"{item.name} had {item.size} bytes when it was claimed and has {found} now.",
            code="source-changed",
            remedy="Let the program that writes it finish, then put the file into the inbox again.",
        )
