"""Writes the first comment of a published post: once, and looked for before it is written again.

A comment is no reason to fail a post: what cannot be written is told, and the post stays as it is.
"""

from __future__ import annotations

from mediawatch import crash
from mediawatch.clock import Clock
from mediawatch.errors import Conflict, GraphProblem, JournalError, MediawatchError
from mediawatch.graph.client import GraphClient, not_recorded
from mediawatch.graph.errors import GraphError
from mediawatch.graph.publishing import Comment, Publishing
from mediawatch.graph.verdicts import Remedy
from mediawatch.journal import upkeep
from mediawatch.journal.database import Journal
from mediawatch.log import Log
from mediawatch.model.captions import words_of
from mediawatch.model.posts import Post
from mediawatch.tokens import Tokens

#: Seconds after publishing within which a first comment is written.
WRITTEN_WITHIN = 7 * 86400.0
#: Seconds after which a call that was not answered can take effect no more.
QUIET = 60.0
TRIES = 3
_LIMIT = 30.0  # seconds for the call
_PASSES = {Remedy.RETRY, Remedy.WAIT}


class FirstComments:
    """One comment a post, as its owner wished. What is in doubt is looked up, never guessed."""

    def __init__(
        self, journal: Journal, client: GraphClient, tokens: Tokens, clock: Clock, log: Log
    ) -> None:
        self._journal = journal
        self._client = client
        self._tokens = tokens
        self._clock = clock
        self._log = log

    async def run_once(self) -> int:
        """Write what is missing; how many comments were written. Raises JournalError."""
        written = 0
        since = self._clock.now() - WRITTEN_WITHIN
        for post in await upkeep.without_comment(self._journal, since=since, tries=TRIES):
            try:
                written += await self._write(post)
            except (JournalError, Conflict):
                raise
            except MediawatchError as error:
                tries = post.comment_tries + isinstance(error, GraphProblem)
                self._tell(post, error, last=tries >= TRIES)
        return written

    async def _write(self, post: Post) -> bool:
        text, now = post.wishes.first_comment, self._clock.now()
        if text is None:
            return False
        if post.media_id is None:
            await self._journal.apply([upkeep.give_up_comment(post, TRIES)])
            crash.at("comment.recorded")
            self._log.warning(
                f"The first comment of {post.name} is not written: which media the post is, is "
                "not known.",
                action="comment",
                post=post.id,
                remedy="Write it by hand.",
            )
            return False
        caller = await self._tokens.caller(post.account_id, not_recorded)
        api = Publishing(self._client, caller)
        if post.comment_asked_at is not None:
            if now - post.comment_asked_at < QUIET and post.comment_asked_at - now < QUIET:
                return False
            there = await self._look(post, api, post.media_id)
            if there is None:
                return False
            same = [each.id for each in there if words_of(each.text) == words_of(text)]
            if same:
                await self._record(post, same[-1])
                return True
        await self._journal.apply([upkeep.ask_comment(post, now)])
        crash.at("comment.asked")
        comment_id = await api.comment(post.media_id, text, timeout=_LIMIT)
        await self._record(post, comment_id)
        self._log.info(
            f"The first comment of {post.name} is written.", action="comment", post=post.id
        )
        return True

    async def _look(self, post: Post, api: Publishing, media_id: str) -> tuple[Comment, ...] | None:
        """The comments that are there; None if that is not told, which is asked again later: who
        may not read them is not asked for a week, every few seconds."""
        try:
            return await api.comments(media_id)
        except GraphProblem as error:
            passes = not isinstance(error, GraphError) or error.verdict.kind in _PASSES
            tries = post.comment_tries + (0 if passes else 1)
            later = upkeep.look_later_for_comment(post, self._clock.now(), tries)
            await self._journal.apply([later])
            crash.at("comment.recorded")
            self._tell(post, error, last=tries >= TRIES)
            return None

    async def _record(self, post: Post, comment_id: str) -> None:
        await self._journal.apply([upkeep.record_comment(post.id, comment_id)])
        crash.at("comment.recorded")

    def _tell(self, post: Post, error: MediawatchError, *, last: bool) -> None:
        self._log.warning(
            f"The first comment of {post.name} is not written: {error.message}",
            action="comment",
            post=post.id,
            remedy="Look whether it is there, and else write it by hand."
            if last
            else "mediawatch looks for it, and tries again.",
        )
