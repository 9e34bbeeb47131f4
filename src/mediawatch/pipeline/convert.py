"""Stage convert: every item becomes a file that Instagram takes."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

from mediawatch import crash
from mediawatch.errors import NotYetSupported, SourceProblem, from_os_error
from mediawatch.hosts.base import new_key
from mediawatch.log import size
from mediawatch.media.order import ImageOptions
from mediawatch.media.pool import Preparer
from mediawatch.model import captions
from mediawatch.model.lifecycle import Event
from mediawatch.model.posts import Item
from mediawatch.pipeline.archive import away_for_a_moment, finish_move, require_inbox
from mediawatch.pipeline.outcomes import Done, Outcome
from mediawatch.pipeline.work import Work


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
        captions.check(work.post.caption)
        prepared = [await self.prepare(work, item) for item in work.post.items]
        await work.write(Event.ADVANCE, items=prepared)
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
        target = self._folder / f"{item.post_id}-{item.position}.jpg"
        try:
            done = await self._preparer.prepare(item.source, target, self._options)
        except SourceProblem as error:
            if error.code == "source-gone":
                await asyncio.to_thread(self._look_at, item)
                raise away_for_a_moment(error) from error
            raise
        if done.media_type != "image/jpeg":
            target.unlink(missing_ok=True)
            raise NotYetSupported(
                f"{item.name} is ready as a video, which this version cannot publish yet.",
                remedy="Keep the file and release it after an update.",
                code="video",
            )
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
            changes=done.changes,
            remote_key=item.remote_key or new_key(),
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
