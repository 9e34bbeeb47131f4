"""Looks up the links of published posts that could not be read when they were published."""

from __future__ import annotations

from mediawatch import crash
from mediawatch.clock import Clock
from mediawatch.errors import JournalError, MediawatchError
from mediawatch.graph.client import GraphClient, not_recorded
from mediawatch.graph.publishing import Publishing
from mediawatch.journal import upkeep
from mediawatch.journal.database import Journal
from mediawatch.log import Log
from mediawatch.model.posts import Post
from mediawatch.tokens import Tokens

#: Seconds after publishing for which a missing link is looked for.
LOOKED_FOR = 7 * 86400.0


class Links:
    """A link is nice to have: what fails here is tried again at the next turn, and harms nobody."""

    def __init__(
        self, journal: Journal, client: GraphClient, tokens: Tokens, clock: Clock, log: Log
    ) -> None:
        self._journal = journal
        self._client = client
        self._tokens = tokens
        self._clock = clock
        self._log = log

    async def run_once(self) -> int:
        """Read what is missing; how many links were found."""
        found, silent = 0, set[str]()
        since = self._clock.now() - LOOKED_FOR
        # What fails for one account is not asked again for each of its posts; others go on.
        for post in await upkeep.without_link(self._journal, since=since):
            if post.account_id in silent:
                continue
            try:
                link = await self._read(post)
            except JournalError:
                raise
            except MediawatchError as error:
                self._log.debug(f"No link of {post.name} yet: {error}", action="link")
                silent.add(post.account_id)
                continue
            if link is not None:
                await self._journal.apply([upkeep.record_link(post.id, link)])
                crash.at("link.recorded")
                self._log.info(f"{post.name} is at {link}.", action="link", post=post.id)
                found += 1
        return found

    async def _read(self, post: Post) -> str | None:
        caller = await self._tokens.caller(post.account_id, not_recorded)
        api = Publishing(self._client, caller)
        return await api.permalink(post.media_id or "")
