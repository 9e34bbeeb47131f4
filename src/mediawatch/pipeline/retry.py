"""The one policy: what an error makes of a post. Minutes and hours; they live in the journal."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

from mediawatch.clock import iso
from mediawatch.errors import Handling, HostProblem, MediawatchError
from mediawatch.graph.errors import GraphError
from mediawatch.model.lifecycle import Publication, Stage
from mediawatch.model.posts import Post
from mediawatch.pipeline.outcomes import GiveUp, Hold, Outcome, Reason, RetryAt, WaitUntil, in_doubt

#: Seconds after which a parked post looks again by itself whether its neighbour was mended.
PARKED_FOR = 900.0
#: Our own disks and folders: all is well again without a word to us, and no file is to blame.
_MENDED_ELSEWHERE = {"disk-full", "read-only", "folder-missing", "source-away"}
#: Seconds from which a wait says when it ends.
SAID_FROM = 60.0
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
    A post that is live, or may be, is never given up; filing its original is tried for ever. Who
    is asked about one that may be is always told how to look, and how to say what there is.
    """
    outcome = _decide(error, post, now, delays, jitter)
    if isinstance(outcome, Hold) and post.publication is Publication.ASKED:
        return in_doubt(post, outcome.reason.detail)
    return outcome


def _decide(
    error: MediawatchError,
    post: Post,
    now: float,
    delays: Sequence[float],
    jitter: random.Random | None,
) -> Outcome:
    reason = Reason(error.code, error.message, error.remedy)
    handling = error.handling
    if handling is Handling.HOLD and isinstance(error, HostProblem):
        handling = Handling.PARK  # the host is the same for every post: it is not this one's fault
    if handling is Handling.FAIL and post.publication is not Publication.NOT_ASKED:
        handling = Handling.HOLD
    if handling is Handling.WAIT:
        return _wait(now + (error.retry_after or _WAIT), now, reason)
    if handling is Handling.PARK:
        return WaitUntil(now + (error.retry_after or PARKED_FOR), reason, parked=True)
    if handling is Handling.FAIL:
        return GiveUp(reason)
    tries, longest = _budget(error, len(delays))
    for_ever = post.stage is Stage.ARCHIVE and bool(delays)
    if handling is Handling.RETRY and (post.attempts < tries or for_ever):
        delay = min(delays[min(post.attempts, len(delays) - 1)], longest)
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


def _budget(error: MediawatchError, delays: int) -> tuple[float, float]:
    """How often an error may be tried again, and the longest pause: Meta gives some their own."""
    if error.code in _MENDED_ELSEWHERE and delays:
        return math.inf, PARKED_FOR
    if not isinstance(error, GraphError):
        return delays, math.inf
    verdict = error.verdict
    tries = delays if verdict.tries is None else min(verdict.tries - 1, delays)
    return tries, math.inf if verdict.pause is None else verdict.pause


def _wait(at: float, now: float, reason: Reason) -> WaitUntil:
    """A wait that a person may notice says until when."""
    if at - now < SAID_FROM:
        return WaitUntil(at, reason)
    return WaitUntil(
        at, Reason(reason.code, f"{reason.detail} It goes on at {iso(at)}.", reason.remedy)
    )
