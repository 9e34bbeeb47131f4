"""What becomes of a held post whose files were put back so mended that they are another post.

A folder without the file that was in its way, a picture as another kind, a clip beside its picture:
none of them is the same content any more. The old post has no original left, and nobody could do
what it asks for.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable, Mapping

from mediawatch.clock import Clock
from mediawatch.errors import Conflict, JournalError
from mediawatch.journal import posts
from mediawatch.journal.database import Journal
from mediawatch.log import Log
from mediawatch.model.kinds import PostKind
from mediawatch.model.lifecycle import Event, Publication, State
from mediawatch.model.posts import Post
from mediawatch.pipeline import album
from mediawatch.pipeline.archive import remove_prepared


class Superseded:
    """Ends held posts in favour of those that were made of their files."""

    def __init__(self, journal: Journal, clock: Clock, log: Log) -> None:
        self._journal, self._clock, self._log = journal, clock, log

    async def end(self, account_id: str, made: Mapping[str, Iterable[str]]) -> None:
        """``made``: ids of new posts, and the hashes of their files.

        What cannot be written down hinders nothing: the old post is only listed as held.
        """
        by = {sha256: post_id for post_id, hashes in made.items() for sha256 in hashes}
        with contextlib.suppress(JournalError, Conflict):
            if not await posts.count(self._journal, [State.HELD]):
                return
            for post in await posts.held_with(self._journal, account_id, by):
                new = _made_of(post, by)
                if new is not None and await asyncio.to_thread(_is_left, post):
                    await self._end(post, new)

    async def _end(self, post: Post, by: str) -> None:
        told = f"Its files were put back, and are post {by} now."
        _, ended = posts.move(
            post, Event.CANCEL, now=self._clock.now(), reason=None, detail=told, remedy=None
        )
        await self._journal.apply([ended])  # a Conflict if somebody has it tried again just now
        await asyncio.to_thread(_clear_up, post)
        self._log.info(f"{post.name} is cancelled: {told}", action="claim", post=post.id)


def _made_of(post: Post, by: Mapping[str, str]) -> str | None:
    """Which post has its files now; a RAW or a cover alone makes none."""
    if post.publication is not Publication.NOT_ASKED:
        return None
    own = post.items if post.kind is PostKind.CAROUSEL else post.items[:1]
    return next((by[item.sha256] for item in own if item.sha256 in by), None)


def _is_left(post: Post) -> bool:
    """Whether nothing of it lies where it was filed, which itself is there. Blocks."""
    place = album.shown(post).parent
    return place.is_dir() and not any(item.source.exists() for item in post.items)


def _clear_up(post: Post) -> None:
    album.forget_note(album.shown(post))
    remove_prepared(item.prepared for item in post.items if item.prepared is not None)
