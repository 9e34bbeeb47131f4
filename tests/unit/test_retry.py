"""The one policy: what an error makes of a post."""

from __future__ import annotations

import dataclasses
import random

import pytest

from mediawatch.errors import (
    GraphProblem,
    Handling,
    HostProblem,
    MediawatchError,
    Rejected,
    StorageProblem,
)
from mediawatch.graph.errors import GraphError
from mediawatch.model.kinds import PostKind
from mediawatch.model.lifecycle import Stage, State
from mediawatch.model.posts import Post
from mediawatch.pipeline.outcomes import GiveUp, Hold, RetryAt, WaitUntil
from mediawatch.pipeline.retry import PARKED_FOR, decide

NOW = 1_800_000_000.0
DELAYS = (60.0, 300.0)
POST = Post(
    id="a" * 12,
    account_id="1",
    kind=PostKind.IMAGE,
    name="a.jpg",
    caption="",
    content_key="",
    stage=Stage.PUBLISH,
    state=State.RUNNING,
    created_at=NOW,
    updated_at=NOW,
)


def after(error: MediawatchError, **facts: object) -> object:
    post = dataclasses.replace(POST, **facts)  # type: ignore[arg-type]
    return decide(error, post, NOW, DELAYS, random.Random(1))


def test_a_passing_fault_is_tried_later_with_jitter() -> None:
    """Each attempt waits its delay, a fifth more or less."""
    for attempts, delay in enumerate(DELAYS):
        outcome = after(StorageProblem("Full."), attempts=attempts)
        assert isinstance(outcome, RetryAt)
        assert delay * 0.8 <= outcome.at - NOW <= delay * 1.2


@pytest.mark.parametrize("code", ["disk-full", "read-only", "folder-missing", "source-away"])
def test_our_own_disk_is_waited_for_as_long_as_it_takes(code: str) -> None:
    """The remedy says that mediawatch goes on by itself: so no post is held for it, however long
    it lasts, and none waits for hours after it is over."""
    outcome = after(StorageProblem("Full.", code=code), attempts=50)

    assert isinstance(outcome, RetryAt)
    assert outcome.at - NOW <= PARKED_FOR * 1.2


def test_a_neighbour_that_says_when_is_believed() -> None:
    """``retry_after`` is the least that is waited."""
    outcome = after(StorageProblem("Full.", retry_after=900.0))

    assert isinstance(outcome, RetryAt)
    assert NOW + 900 == outcome.at


def test_when_attempts_run_out_a_person_is_asked() -> None:
    """The list's length is the number of attempts; then the post is held, not failed."""
    outcome = after(StorageProblem("Full.", remedy="Free space."), attempts=2)

    assert isinstance(outcome, Hold)
    assert "It was tried 3 times" in outcome.reason.detail
    assert "posts retry" in outcome.reason.remedy


@pytest.mark.parametrize(
    "error",
    [GraphProblem("No answer."), GraphProblem("What?", handling=Handling.HOLD)],
    ids=["tried often enough", "held at once"],
)
def test_whoever_is_asked_about_a_post_in_doubt_is_told_how_to_decide(error: GraphProblem) -> None:
    """Whatever stops the asking after it: where to look, and the two commands to choose from."""
    outcome = after(error, attempts=2, publish_asked_at=NOW)

    assert isinstance(outcome, Hold)
    assert "unknown-outcome" == outcome.reason.code
    assert error.message in outcome.reason.detail
    assert f"`mediawatch posts confirm {POST.id}`" in outcome.reason.remedy
    assert f"`mediawatch posts deny {POST.id}`" in outcome.reason.remedy


def test_filing_what_is_published_is_tried_for_ever() -> None:
    """A full disk never makes a published post somebody's problem."""
    outcome = after(StorageProblem("Full."), attempts=99, stage=Stage.ARCHIVE)

    assert isinstance(outcome, RetryAt)
    assert DELAYS[-1] * 0.8 <= outcome.at - NOW <= DELAYS[-1] * 1.2


def test_a_wait_spends_no_attempt() -> None:
    """WAIT comes back at the known time."""
    outcome = after(GraphProblem("Limit.", handling=Handling.WAIT, retry_after=30.0))

    assert isinstance(outcome, WaitUntil)
    assert (NOW + 30, False) == (outcome.at, outcome.parked)


def test_a_wait_that_people_notice_says_until_when() -> None:
    """From a minute on the sentence has a date and a time."""
    long, short = (
        after(GraphProblem("Limit.", handling=Handling.WAIT, retry_after=seconds))
        for seconds in (3600.0, 30.0)
    )

    assert isinstance(long, WaitUntil)
    assert isinstance(short, WaitUntil)
    assert "Limit. It goes on at 2027-01-15T09:00:00+00:00." == long.reason.detail
    assert "Limit." == short.reason.detail


@pytest.mark.parametrize(
    ("number", "subcode", "tries"),
    [(9004, 2207052, 3), (-1, 2207032, 3), (-1, 2207053, 2), (100, 2207999, 2), (2, None, 6)],
)
def test_meta_gives_some_errors_fewer_tries(number: int, subcode: int | None, tries: int) -> None:
    """So many tries in all, then a person; never more than the settings allow."""
    error = GraphError("No.", number=number, subcode=subcode, http_status=400)
    delays = (60.0, 300.0, 1800.0, 7200.0, 21600.0)

    outcomes = [decide(error, dataclasses.replace(POST, attempts=n), NOW, delays) for n in range(6)]

    assert tries - 1 == sum(isinstance(outcome, RetryAt) for outcome in outcomes)
    assert isinstance(outcomes[tries - 1], Hold)
    assert isinstance(after(error, attempts=2), Hold)


def test_meta_gives_some_errors_shorter_pauses() -> None:
    """9004 is tried within minutes with the same address, not over hours."""
    error = GraphError("No.", number=9004, subcode=2207052, http_status=400)

    outcome = after(error, attempts=1)

    assert isinstance(outcome, RetryAt)
    assert 48 <= outcome.at - NOW <= 72


@pytest.mark.parametrize(
    "error",
    [
        HostProblem("Wrong password.", handling=Handling.HOLD),
        GraphProblem("Token.", handling=Handling.PARK),
    ],
)
def test_a_neighbour_that_needs_a_person_parks_the_post(error: MediawatchError) -> None:
    """It is not this post's fault: it waits for the next start."""
    outcome = after(error)

    assert isinstance(outcome, WaitUntil)
    assert (NOW + PARKED_FOR, True) == (outcome.at, outcome.parked)


def test_a_file_that_cannot_be_published_fails() -> None:
    """FAIL gives up."""
    assert isinstance(after(Rejected("Broken.")), GiveUp)


def test_a_post_that_may_be_live_is_never_given_up() -> None:
    """An unknown outcome is held, never failed."""
    assert isinstance(after(Rejected("Broken."), publish_asked_at=NOW), Hold)
