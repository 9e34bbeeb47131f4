"""The one policy: what an error makes of a post. Minutes and hours; they live in the journal."""

from __future__ import annotations

import random
from collections.abc import Sequence

from mediawatch.errors import Handling, HostProblem, MediawatchError
from mediawatch.model.lifecycle import Publication, Stage
from mediawatch.model.posts import Post
from mediawatch.pipeline.outcomes import GiveUp, Hold, Outcome, Reason, RetryAt, WaitUntil

#: Seconds after which a parked post looks again by itself whether its neighbour was mended.
PARKED_FOR = 900.0
_WAIT = 60.0


def decide(
    error: MediawatchError,
    post: Post,
    now: float,
    delays: Sequence[float],
    jitter: random.Random | None = None,
) -> Outcome:
    """The outcome of a step that raised ``error``.

    ``delays`` in seconds: their number is the number of attempts; each is stretched or shortened
    by up to a fifth, so that posts that failed together do not all come back together.
    A post that is live, or may be, is never given up; filing its original is tried for ever.
    """
    reason = Reason(error.code, error.message, error.remedy)
    handling = error.handling
    if handling is Handling.HOLD and isinstance(error, HostProblem):
        handling = Handling.PARK  # the host is the same for every post: it is not this one's fault
    if handling is Handling.FAIL and post.publication is not Publication.NOT_ASKED:
        handling = Handling.HOLD
    if handling is Handling.WAIT:
        return WaitUntil(now + (error.retry_after or _WAIT), reason)
    if handling is Handling.PARK:
        return WaitUntil(now + (error.retry_after or PARKED_FOR), reason, parked=True)
    if handling is Handling.FAIL:
        return GiveUp(reason)
    for_ever = post.stage is Stage.ARCHIVE and bool(delays)
    if handling is Handling.RETRY and (post.attempts < len(delays) or for_ever):
        delay = delays[min(post.attempts, len(delays) - 1)]
        stretch = (jitter or random).uniform(0.8, 1.2)
        return RetryAt(now + max(delay * stretch, error.retry_after or 0.0), reason)
    if handling is Handling.RETRY:
        tried = f"{error.message} It was tried {post.attempts + 1} times."
        return Hold(
            Reason(
                error.code,
                tried,
                f"{error.remedy} Then `mediawatch posts retry {post.id}`.".strip(),
            )
        )
    return Hold(reason)
