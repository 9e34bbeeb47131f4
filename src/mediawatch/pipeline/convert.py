"""Stage convert: every item becomes a file that Instagram takes."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

from mediawatch import crash
from mediawatch.config import Inboxes
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
from mediawatch.media.cache import Cache, Original
from mediawatch.media.order import ImageOptions, Prepared, Purpose
from mediawatch.media.pool import Preparer
from mediawatch.metrics import Metrics
from mediawatch.model import captions, wish_rules
from mediawatch.model.kinds import SUFFIXES, VIDEO, PostKind
from mediawatch.model.lifecycle import Event
from mediawatch.model.posts import Item, Post
from mediawatch.pipeline.archive import (
    away_for_a_moment,
    finish_move,
    remove_prepared,
    require_inbox,
)
from mediawatch.pipeline.converting import Converting
from mediawatch.pipeline.direct import SendsVideos, no_videos
from mediawatch.pipeline.outcomes import Done, Outcome
from mediawatch.pipeline.progress import Progress
from mediawatch.pipeline.work import Work

_PURPOSES = {
    PostKind.IMAGE: Purpose.FEED,
    PostKind.REEL: Purpose.REEL,
    PostKind.STORY: Purpose.STORY,
    PostKind.CAROUSEL: Purpose.CAROUSEL,
}


class Convert:
    """Prepared files lie in ``folder``, named after their post: a repetition overwrites itself.

    What was prepared before comes from ``cache``; ``converting`` is told how far the rest is.
    ``sends_videos``: where they go to Meta itself, they need no name on the host.
    """

    def __init__(
        self,
        preparer: Preparer,
        options: ImageOptions,
        folder: Path,
        *,
        inboxes: Inboxes,
        cache: Cache,
        converting: Converting | None = None,
        metrics: Metrics | None = None,
        sends_videos: SendsVideos = no_videos,
    ) -> None:
        self._sends_videos = sends_videos
        self._inboxes = inboxes
        self._cache = cache
        self._converting = converting or Converting()
        self._metrics = metrics or Metrics()
        self._preparer = preparer
        self._options = options
        self._folder = folder

    async def __call__(self, work: Work) -> Outcome:
        """Prepare all items and record them, with the name that each will have on the host."""
        _require_understood(work.post)
        try:
            prepared = await self._prepare_all(work)
            _require_cover_within(work.post, prepared[0])
            kind = _kind_of(work.post, prepared[0])
        except MediawatchError:
            # Nobody knows of the others yet: those of a post that is not tried again would stay.
            await asyncio.to_thread(remove_prepared, [self._place(i) for i in work.post.parts])
            raise
        await work.write(Event.ADVANCE, items=prepared, kind=kind)
        return Done()

    async def _prepare_all(self, work: Work) -> list[Item]:
        cover = work.post.cover
        # The cover first: it takes no time, and may be what is wrong.
        last = [await self.prepare(work, cover)] if cover is not None else []
        parts = [item for item in work.post.parts if item != cover]
        return [*[await self.prepare(work, item) for item in parts], *last]

    def _place(self, item: Item) -> Path:
        return self._folder / f"{item.post_id}-{item.position}"

    def _look_at(self, post: Post, item: Item) -> Item:
        try:
            item = _at_hand(item)
        except SourceProblem:
            require_inbox(self._inboxes.of(post.inbox).folder)
            item = _at_hand(item)  # it may have come back just now
        self._folder.mkdir(parents=True, exist_ok=True)
        return item

    async def prepare(self, work: Work, item: Item) -> Item:
        """The item with its prepared file, and the name that it will have on the host."""
        item = await asyncio.to_thread(self._look_at, work.post, item)
        target = self._place(item)
        try:
            done, known = await self._have(work, item, target)
        except (Rejected, PreparationProblem) as error:
            if _is_cover(work.post, item) and isinstance(error, Rejected):
                raise _no_cover(work.post.name, item.name, error) from error
            if len(work.post.parts) > 1:
                error.message = f"{item.name}: {error.message}"
            raise
        except SourceProblem as error:
            if error.code == "source-gone":
                await asyncio.to_thread(self._look_at, work.post, item)
                raise away_for_a_moment(error) from error
            raise
        crash.at("convert.prepared")
        self._metrics.files_prepared.labels("cache" if known else "converter").inc()
        how = "; ".join(done.changes) or "as it is"
        if known:
            how = f"{how}; prepared before"
        work.tell("converted", f"{done.width}x{done.height}, {size(done.size)} ({how}).")
        work.log.info(
            f"{item.name} is ready: {done.width}x{done.height}, {size(done.size)} ({how}).",
            action="convert",
            file=item.name,
            changes=list(done.changes),
            known=known,
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
            remote_key=self._key(work, item, done.media_type),
        )

    def _key(self, work: Work, item: Item, media_type: str) -> str | None:
        """The name on the host: the known one, unless the file is of another type by now."""
        known, suffix = item.remote_key, SUFFIXES[media_type]
        if known is None and media_type == VIDEO and self._sends_videos(work.post.account_id):
            return None
        return known if known and known.endswith(suffix) else new_key(suffix)

    async def _have(self, work: Work, item: Item, target: Path) -> tuple[Prepared, bool]:
        """Have the prepared file at ``target``, and whether it was prepared before."""
        purpose = _PURPOSES[work.post.kind]
        if _is_cover(work.post, item):
            purpose = Purpose.COVER
        options = self._options
        if purpose is Purpose.STORY:
            options = replace(options, aspects=framing.STORY)
        elif purpose is Purpose.COVER:
            # Instagram crops it as it likes: nothing of it is cut or padded before.
            options = replace(options, aspects=framing.STORY, gif="still")

        async def make(target: Path) -> Prepared:
            with self._converting.file(work.post.id, item.name) as tell:
                log = Progress(work, item.name, "converted", action="convert")

                def progress(share: float) -> None:
                    tell(share)
                    log(share)

                return await self._preparer.prepare(
                    item.source, target, options, purpose=purpose, on_progress=progress
                )

        original = Original(item.source, item.sha256, work.post.created_at)
        how = self._preparer.recipe(options, purpose)
        return await self._cache.get_or_prepare(original, how, target, make)


def _is_cover(post: Post, item: Item) -> bool:
    return post.cover is not None and post.cover.position == item.position


def _require_understood(post: Post) -> None:
    """Raises Rejected for wishes that are not understood, for words that Meta would refuse, and
    where a person must say yes first."""
    if post.refusal is not None:
        code, message, remedy = post.refusal
        raise Rejected(message, code=code, handling=Handling.HOLD, remedy=remedy)
    captions.check(post.caption)
    if post.awaits is not None:
        code, message, remedy = post.awaits
        told = remedy.replace("{post}", post.id)
        raise Rejected(message, code=code, handling=Handling.HOLD, remedy=told)


def _kind_of(post: Post, prepared: Item) -> PostKind:
    """Raises Rejected for a reel of a picture, and for what a reel cannot have."""
    if post.kind is PostKind.IMAGE and prepared.is_video:
        # An animation: in the feed Meta takes videos as reels only.
        wish_rules.check(post.wishes, PostKind.REEL)
        return PostKind.REEL
    if post.kind is PostKind.REEL and not prepared.is_video:
        raise _no_reel(post.name)
    return post.kind


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


def _require_cover_within(post: Post, video: Item) -> None:
    """Raises Rejected for a cover that is a moment behind the end: Meta refuses it (2207057), but
    not before it has the whole video."""
    cover, lasts = post.wishes.cover, video.duration
    if cover is None or cover.offset_ms is None or lasts is None:
        return
    if cover.offset_ms >= lasts * 1000:
        raise Rejected(
            f"The cover of {post.name} is to be the picture at {cover.offset_ms / 1000:g} seconds, "
            f"and it lasts {lasts:g}.",
            code="cover",
            handling=Handling.HOLD,
            remedy="Name an earlier moment in the file beside it, and put both back.",
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
