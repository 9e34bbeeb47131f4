"""The state machine, walked over every path."""

from __future__ import annotations

from collections import deque

import pytest

from mediawatch.model.lifecycle import (
    FINAL,
    PRIORITY,
    STAGES,
    Event,
    IllegalMove,
    Position,
    Publication,
    Stage,
    State,
    may,
    walk,
)

START = Position(Stage.CONVERT, State.READY)


def reachable(start: Position) -> dict[Position, set[tuple[Event, Position]]]:
    edges: dict[Position, set[tuple[Event, Position]]] = {}
    todo = deque([start])
    while todo:
        here = todo.popleft()
        if here in edges:
            continue
        edges[here] = {(event, walk(here, event)) for event in Event if may(here, event)}
        todo.extend(there for _, there in edges[here])
    return edges


EDGES = reachable(START)


def test_every_stage_and_state_is_reached() -> None:
    """No word of the vocabulary is dead."""
    assert set(STAGES) == {position.stage for position in EDGES}
    assert set(State) == {position.state for position in EDGES}
    assert set(Publication) == {position.publication for position in EDGES}


def test_no_trap() -> None:
    """From every position that is not final, the end can still be reached."""
    ends = {position for position in EDGES if position.state is State.DONE}
    can_end = set(ends)
    while grown := {
        here
        for here, edges in EDGES.items()
        if here not in can_end and any(there in can_end for _, there in edges)
    }:
        can_end |= grown

    stuck = {p for p in EDGES if p not in can_end and p.state not in FINAL}

    assert set() == stuck


def test_never_ends_while_the_outcome_is_unknown() -> None:
    """A post whose publication was asked and not answered is never failed or cancelled."""
    unknown = {p for p in EDGES if p.publication is Publication.ASKED}

    assert unknown
    assert not {p for p in unknown if p.state in FINAL}


def test_live_posts_only_move_towards_the_archive() -> None:
    """A post that is live never returns to a stage that asks or creates anything."""
    for here, edges in EDGES.items():
        if here.publication is Publication.LIVE:
            for _, there in edges:
                assert there.publication is Publication.LIVE
                assert there.stage in {Stage.CONFIRM, Stage.ARCHIVE}
                assert there.state not in {State.FAILED, State.CANCELLED}


def test_no_second_ask_without_proof() -> None:
    """Between two asks on any path lies a denial, or a person who looked at the account."""
    for here, edges in EDGES.items():
        for event, there in edges:
            if event is Event.ASK:
                assert here.publication is Publication.NOT_ASKED
            if here.publication is Publication.ASKED and (
                there.publication is Publication.NOT_ASKED
            ):
                assert event in {Event.DENY, Event.DISOWN}


def test_a_new_container_needs_proof_that_nothing_was_asked_of_the_old_one() -> None:
    """Going back to the container stage is only possible when nothing can be live."""
    for here, edges in EDGES.items():
        for _, there in edges:
            if STAGES.index(there.stage) < STAGES.index(here.stage):
                assert here.publication is Publication.NOT_ASKED


def test_final_positions_only_reopen() -> None:
    """What is done stays done; what failed or was cancelled can only be reopened."""
    for here, edges in EDGES.items():
        if here.state is State.DONE:
            assert set() == edges
        elif here.state in FINAL:
            assert {Event.REOPEN} == {event for event, _ in edges}


def test_done_is_reached_only_from_the_archive_of_a_live_post() -> None:
    """A post is done when it is live and its original is filed, and not before."""
    for here, edges in EDGES.items():
        for event, there in edges:
            if there.state is State.DONE:
                assert (event, here.stage) == (Event.FINISH, Stage.ARCHIVE)
                assert here.publication is Publication.LIVE


def test_the_straight_way() -> None:
    """Nothing in the way: convert, upload, container, publish, confirm, archive, done."""
    end = walk(
        START,
        Event.CLAIM,
        *[Event.ADVANCE] * 3,
        Event.ASK,
        Event.CONFIRM,
        Event.ADVANCE,
        Event.FINISH,
    )

    assert Position(Stage.ARCHIVE, State.DONE, Publication.LIVE) == end


def test_an_impossible_event_is_refused() -> None:
    """What the table does not allow is an error, never a silent change."""
    with pytest.raises(IllegalMove, match="finish cannot happen"):
        walk(START, Event.FINISH)


def test_later_stages_go_first() -> None:
    """Finish what has begun: archive before publish before convert."""
    assert sorted(STAGES, key=PRIORITY.__getitem__) == list(reversed(STAGES))
