"""How a step ends, as values: the runner writes them down, and one policy makes them of errors."""

from __future__ import annotations

from dataclasses import dataclass

from mediawatch.model.posts import Post


@dataclass(frozen=True, slots=True)
class Done:
    """The step recorded what it produces; the post stands at its next stage, or is finished."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a post does not move: a stable code, a sentence, and what a person does next."""

    code: str
    detail: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class WaitUntil:
    """Nothing is wrong with the post: come back then. Spends no attempt.

    ``parked``: a person must mend a neighbour; the next start tries at once.
    """

    at: float
    reason: Reason
    parked: bool = False


@dataclass(frozen=True, slots=True)
class RetryAt:
    """It did not work, and may work then. Spends an attempt."""

    at: float
    reason: Reason


@dataclass(frozen=True, slots=True)
class Hold:
    """A person must act on this post."""

    reason: Reason


@dataclass(frozen=True, slots=True)
class GiveUp:
    """This file can never be published as it is."""

    reason: Reason


Outcome = Done | WaitUntil | RetryAt | Hold | GiveUp


def in_doubt(post: Post, why: str) -> Hold:
    """Meta was asked to publish the post, and cannot be asked what came of it: a person looks."""
    return Hold(
        Reason(
            "unknown-outcome",
            f"Meta was asked to publish {post.name}, and whether it did is unknown: {why}",
            "Open the account in Instagram and look for it. If it is there: "
            f"`mediawatch posts confirm {post.id}`. If it is not: "
            f"`mediawatch posts deny {post.id}`, and it is published.",
        )
    )
