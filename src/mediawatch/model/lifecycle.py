"""The life of a post: one table of what may happen, and nothing else may move a post.

A post has a *stage* (how far it has come), a *state* (whether it moves) and a *publication*
(what is known of the one call that cannot be taken back). The rules that the table keeps:
Meta is asked to publish only from ``publish``; a second time only after proof that the first
did not happen (``deny``, or a person's ``disown``); and no post ends while the outcome of an asked
publication is unknown.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum


class Stage(StrEnum):
    """How far. A stage is done when what it produces is recorded in the journal."""

    CONVERT = "convert"  # per item: the prepared file
    UPLOAD = "upload"  # per item: a public address, proved reachable
    CONTAINER = "container"  # the id of the container at Meta
    PUBLISH = "publish"  # asked durably before the call, answered after it
    CONFIRM = "confirm"  # live for certain; the media id is still to be bound
    ARCHIVE = "archive"  # the original is filed under processed


class State(StrEnum):
    """Whether it moves, and who moves it on."""

    HELD = "held"  # a person moves it on
    WAITING = "waiting"  # time moves it on; holds no worker
    READY = "ready"  # the next free worker moves it on
    RUNNING = "running"  # a worker has it, with a lease and a fence; rescued when that runs out
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Publication(StrEnum):
    """What is known of the irreversible call."""

    NOT_ASKED = "not asked"
    ASKED = "asked"  # the outcome is unknown until it is recorded
    LIVE = "live"


class Event(StrEnum):
    """What may happen to a post."""

    RELEASE = "release"
    DEFER = "defer"
    DUE = "due"
    CLAIM = "claim"
    ADVANCE = "advance"
    FINISH = "finish"
    RETRY = "retry"
    SNOOZE = "snooze"
    INTERRUPT = "interrupt"
    RESCUE = "rescue"
    HOLD = "hold"
    FAIL = "fail"
    CANCEL = "cancel"
    REOPEN = "reopen"
    ASK = "ask"
    CONFIRM = "confirm"
    DENY = "deny"
    REBUILD = "rebuild"
    VOUCH = "vouch"
    DISOWN = "disown"


STAGES = tuple(Stage)
FINAL = frozenset({State.DONE, State.FAILED, State.CANCELLED})
#: Finish what has begun: a later stage goes first.
PRIORITY = {stage: len(STAGES) - rank for rank, stage in enumerate(STAGES)}

_ACTIVE = frozenset(State) - FINAL
_RUNNING = frozenset({State.RUNNING})
_SAFE = frozenset({Publication.NOT_ASKED})
_ANY_PUBLICATION = frozenset(Publication)
_ANY_STAGE = frozenset(Stage)


class IllegalMove(ValueError):
    """The event cannot happen to a post in this position. Always a mistake in our own code."""


@dataclass(frozen=True, slots=True)
class Position:
    """Where a post stands."""

    stage: Stage
    state: State
    publication: Publication = Publication.NOT_ASKED


@dataclass(frozen=True, slots=True)
class Rule:
    """From which positions an event may happen, and what it makes of them."""

    states: frozenset[State]
    to: State | None = None
    stages: frozenset[Stage] = _ANY_STAGE
    publications: frozenset[Publication] = _ANY_PUBLICATION
    to_stage: Stage | None = None
    to_publication: Publication | None = None


TABLE: dict[Event, Rule] = {
    Event.RELEASE: Rule(frozenset({State.HELD}), State.READY),
    Event.DEFER: Rule(frozenset({State.HELD, State.READY}), State.WAITING),
    Event.DUE: Rule(frozenset({State.WAITING}), State.READY),
    Event.CLAIM: Rule(frozenset({State.READY}), State.RUNNING),
    # The next stage is looked up in STAGES. The worker keeps the post: it stays running.
    Event.ADVANCE: Rule(
        _RUNNING,
        stages=frozenset({Stage.CONVERT, Stage.UPLOAD, Stage.CONTAINER, Stage.CONFIRM}),
    ),
    Event.FINISH: Rule(_RUNNING, State.DONE, frozenset({Stage.ARCHIVE})),
    Event.RETRY: Rule(_RUNNING, State.WAITING),
    Event.SNOOZE: Rule(_RUNNING, State.WAITING),
    Event.INTERRUPT: Rule(_RUNNING, State.READY),
    Event.RESCUE: Rule(_RUNNING, State.READY),
    Event.HOLD: Rule(frozenset({State.RUNNING, State.WAITING, State.READY}), State.HELD),
    Event.FAIL: Rule(_RUNNING, State.FAILED, publications=_SAFE),
    Event.CANCEL: Rule(_ACTIVE, State.CANCELLED, publications=_SAFE),
    Event.REOPEN: Rule(frozenset({State.FAILED, State.CANCELLED}), State.READY),
    Event.ASK: Rule(
        _RUNNING,
        stages=frozenset({Stage.PUBLISH}),
        publications=_SAFE,
        to_publication=Publication.ASKED,
    ),
    # Also from not asked: a container that reads PUBLISHED proves an intent the journal forgot.
    Event.CONFIRM: Rule(
        _RUNNING,
        stages=frozenset({Stage.PUBLISH}),
        publications=frozenset({Publication.NOT_ASKED, Publication.ASKED}),
        to_stage=Stage.CONFIRM,
        to_publication=Publication.LIVE,
    ),
    Event.DENY: Rule(
        _RUNNING,
        stages=frozenset({Stage.PUBLISH}),
        publications=frozenset({Publication.ASKED}),
        to_publication=Publication.NOT_ASKED,
    ),
    # The container is dead, and nothing of it can be live: make a new one.
    Event.REBUILD: Rule(
        _RUNNING,
        stages=frozenset({Stage.PUBLISH}),
        publications=_SAFE,
        to_stage=Stage.CONTAINER,
    ),
    # A person looked at the account. Never while a worker has the post. Before the asking too: an
    # older journal that was put back has forgotten it.
    Event.VOUCH: Rule(
        frozenset({State.HELD, State.WAITING}),
        State.READY,
        stages=_ANY_STAGE - {Stage.ARCHIVE},
        to_stage=Stage.ARCHIVE,
        to_publication=Publication.LIVE,
    ),
    Event.DISOWN: Rule(
        frozenset({State.HELD, State.WAITING}),
        State.READY,
        stages=frozenset({Stage.PUBLISH}),
        publications=frozenset({Publication.ASKED}),
        to_publication=Publication.NOT_ASKED,
    ),
}


def may(position: Position, event: Event) -> bool:
    """Whether the event can happen to a post in this position."""
    rule = TABLE[event]
    return (
        position.state in rule.states
        and position.stage in rule.stages
        and position.publication in rule.publications
    )


def walk(position: Position, *events: Event) -> Position:
    """The position after the events, in order. Raises IllegalMove at the first impossible one."""
    for event in events:
        if not may(position, event):
            raise IllegalMove(f"{event} cannot happen to {position}")
        rule = TABLE[event]
        stage = rule.to_stage or position.stage
        if event is Event.ADVANCE:
            stage = STAGES[STAGES.index(position.stage) + 1]
        position = replace(
            position,
            stage=stage,
            state=rule.to or position.state,
            publication=rule.to_publication or position.publication,
        )
    return position
