"""Stage convert: every item becomes a file that Instagram takes."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

from mediawatch import crash
from mediawatch.errors import (
    Handling,
    MediawatchError,
    PreparationProblem,
    Rejected,
    SourceProblem,
    from_os_error,
)
from mediawatch.hosts.base import new_key
from mediawatch.log import size
from mediawatch.media import framing
from mediawatch.media.order import ImageOptions, Purpose
from mediawatch.media.pool import Preparer
from mediawatch.model import captions
from mediawatch.model.kinds import PICTURE, VIDEO, PostKind
from mediawatch.model.lifecycle import Event
from mediawatch.model.posts import Item, Post
from mediawatch.pipeline.archive import (
    away_for_a_moment,
    finish_move,
    remove_prepared,
    require_inbox,
)
from mediawatch.pipeline.outcomes import Done, Outcome
from mediawatch.pipeline.work import Work

#: Seconds between two lines about a conversion that is under way.
TELL_EVERY = 5.0
SUFFIXES = {PICTURE: ".jpg", VIDEO: ".mp4"}
_PURPOSES = {
    PostKind.IMAGE: Purpose.FEED,
    PostKind.REEL: Purpose.REEL,
    PostKind.STORY: Purpose.STORY,
    PostKind.CAROUSEL: Purpose.CAROUSEL,
}


class Convert:
    """Prepared files lie in ``folder``, named after their post: a repetition overwrites itself.

    ``sends_videos``: they need no name on the host.
    """

    def __init__(
        self,
        preparer: Preparer,
        options: ImageOptions,
        folder: Path,
        *,
        inbox: Path,
        sends_videos: bool = False,
    ) -> None:
        self._sends_videos = sends_videos
        self._inbox = inbox
        self._preparer = preparer
        self._options = options
        self._folder = folder

    async def __call__(self, work: Work) -> Outcome:
        """Prepare all items and record them, with the name that each will have on the host."""
        _require_understood(work.post)
        try:
            prepared = [await self.prepare(work, item) for item in work.post.items]
        except MediawatchError:
            # Nobody knows of the others yet: those of a post that is not tried again would stay.
            await asyncio.to_thread(remove_prepared, [self._place(i) for i in work.post.items])
            raise
        kind = work.post.kind
        if kind is PostKind.IMAGE and prepared[0].is_video:
            kind = PostKind.REEL  # an animation: in the feed Meta takes videos as reels only
        if kind is PostKind.REEL and not prepared[0].is_video:
            raise _no_reel(work.post.name)
        await work.write(Event.ADVANCE, items=prepared, kind=kind)
        return Done()

    def _place(self, item: Item) -> Path:
        return self._folder / f"{item.post_id}-{item.position}"

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
        target = self._place(item)
        purpose = _PURPOSES[work.post.kind]
        options = self._options
        if purpose is Purpose.STORY:
            options = replace(options, aspects=framing.STORY)
        try:
            done = await self._preparer.prepare(
                item.source, target, options, purpose=purpose, on_progress=Progress(work, item)
            )
        except (Rejected, PreparationProblem) as error:
            if len(work.post.items) > 1:
                error.message = f"{item.name}: {error.message}"
            raise
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
            remote_key=self._key(item, done.media_type),
        )

    def _key(self, item: Item, media_type: str) -> str | None:
        """The name on the host: the known one, unless the file is of another type by now."""
        known, suffix = item.remote_key, SUFFIXES[media_type]
        if known is None and self._sends_videos and media_type == VIDEO:
            return None
        return known if known and known.endswith(suffix) else new_key(suffix)


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
