"""Meta could not fetch what we could: look once more, and say what is in its way."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from mediawatch.errors import HostProblem
from mediawatch.graph.errors import GraphError
from mediawatch.hosts.reach import Reach
from mediawatch.model.kinds import PICTURE
from mediawatch.pipeline.outcomes import Outcome
from mediawatch.pipeline.work import Work

#: The verdict of graph/errors.py on 9004/2207052 and its like.
NOT_FETCHABLE = "not-fetchable"
_BY_ADDRESS = (
    "mediawatch can fetch the picture, under the name of Meta's fetcher too, and robots.txt allows "
    "it. If this stays, ask the web host whether its firewall bars Meta's network or country."
)


class Fetchable:
    """Stage container, with Meta's own words for a picture that it could not fetch explained."""

    def __init__(self, container: Callable[[Work], Awaitable[Outcome]], reach: Reach) -> None:
        self._container = container
        self._reach = reach

    async def __call__(self, work: Work) -> Outcome:
        """As the stage itself; a cause that is seen from here goes up in the place of Meta's."""
        try:
            return await self._container(work)
        except GraphError as error:
            if error.code != NOT_FETCHABLE:
                raise
            cause = await self._cause(work)
            if cause is None:
                error.remedy = _BY_ADDRESS
                raise
            raise type(cause)(
                f"{error.message} {cause.message}", remedy=cause.remedy, code=cause.code
            ) from error

    async def _cause(self, work: Work) -> HostProblem | None:
        for item in work.post.items:
            if item.public_url is not None:
                cause = await self._reach.explain(item.public_url, item.media_type or PICTURE)
                if cause is not None:
                    return cause
        return None
