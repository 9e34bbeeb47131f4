#!/usr/bin/env python3
"""Draws the state machine of a post, from its one table, into the explanation.

``python docs/draw_state_machine.py`` writes what lies between the markers anew; with ``--check``
it only tells, by its exit code, whether the page still shows the table as it is.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

from mediawatch.model.lifecycle import (
    FINAL,
    TABLE,
    Event,
    Position,
    Publication,
    Rule,
    Stage,
    State,
    may,
    walk,
)

PAGE = Path(__file__).with_name("explanation") / "state-machine.md"
BEGIN = "<!-- drawn by docs/draw_state_machine.py: do not edit by hand -->"
END = "<!-- end of the drawing -->"

#: What happened, in words: one for each event, or drawing fails.
WORDS = {
    Event.RELEASE: "a person lets a held post go on",
    Event.DEFER: "it is put off to a time",
    Event.DUE: "its time has come",
    Event.CLAIM: "a worker takes it, and the fence goes up by one",
    Event.ADVANCE: "the stage is done; the same worker goes on with the next",
    Event.FINISH: "the original is filed: the end",
    Event.RETRY: "it did not work and may work later; spends an attempt",
    Event.SNOOZE: "nothing is wrong, but not now; spends no attempt",
    Event.INTERRUPT: "mediawatch stops cleanly; spends no attempt",
    Event.RESCUE: "the worker fell silent and its lease ran out",
    Event.HOLD: "a person must act; the post keeps its stage and its facts",
    Event.FAIL: "this file can never be published as it is",
    Event.CANCEL: "a person does not want it any more",
    Event.REOPEN: "a person wants it tried again after all",
    Event.ASK: "Meta is about to be asked; written down before the call",
    Event.CONFIRM: "Meta said, or the container shows, that it is live",
    Event.DENY: "proof that it did not happen",
    Event.REBUILD: "the container is dead, and nothing of it can be live",
    Event.VOUCH: "a person looked: it is on Instagram",
    Event.DISOWN: "a person looked: it is not on Instagram",
}


def drawing() -> str:
    """Everything between the markers."""
    parts = [
        "## Does it move: the states",
        _mermaid(_state_edges(), ends=FINAL),
        "## How far: the stages, and what is known of the call",
        _mermaid(_stage_edges(), ends=()),
        "## The table",
        _table(),
    ]
    return "\n\n".join(parts)


def _state_edges() -> dict[tuple[str, str], list[str]]:
    edges: dict[tuple[str, str], list[str]] = {}
    for event, rule in TABLE.items():
        for state in sorted(rule.states):
            edges.setdefault((state, rule.to or state), []).append(event)
    return edges


def _stage_edges() -> dict[tuple[str, str], list[str]]:
    """The moves between places, over every position that can be reached from the start."""
    edges: dict[tuple[str, str], list[str]] = {}
    start = Position(Stage.CONVERT, State.RUNNING)
    seen, ahead = {start}, [start]
    while ahead:
        position = ahead.pop(0)
        for event in (event for event in TABLE if may(position, event)):
            after = walk(position, event)
            if _place(after) != _place(position):
                names = edges.setdefault((_place(position), _place(after)), [])
                names.extend([event] if event not in names else [])
            if after not in seen:
                seen.add(after)
                ahead.append(after)
    return edges


def _place(position: Position) -> str:
    asked = position.publication is Publication.ASKED
    return f"{position.stage}_asked" if asked else position.stage.value


def _mermaid(edges: dict[tuple[str, str], list[str]], ends: Iterable[str]) -> str:
    lines = ["```mermaid", "stateDiagram-v2"]
    lines += [
        f"    {before} --> {after}: {', '.join(names)}" for (before, after), names in edges.items()
    ]
    lines += [f"    {state} --> [*]" for state in sorted(ends)]
    return "\n".join([*lines, "```"])


def _table() -> str:
    lines = [
        "| event | from | to | only at stage | only if the call is | what happened |",
        "|---|---|---|---|---|---|",
    ]
    lines += [_row(event, rule) for event, rule in TABLE.items()]
    return "\n".join(lines)


def _row(event: Event, rule: Rule) -> str:
    to = [rule.to.value if rule.to else "(as before)"]
    if event is Event.ADVANCE:
        to.append("next stage")
    if rule.to_stage:
        to.append(f"stage {rule.to_stage}")
    if rule.to_publication:
        to.append(f"call {rule.to_publication}")
    cells = [
        f"**{event}**",
        _named(State, rule.states),
        ", ".join(to),
        "" if rule.stages == set(Stage) else _named(Stage, rule.stages),
        "" if rule.publications == set(Publication) else _named(Publication, rule.publications),
        WORDS[event],
    ]
    return "| " + " | ".join(cells) + " |"


def _named(every: Iterable[str], chosen: Iterable[str]) -> str:
    return ", ".join(word for word in every if word in set(chosen))


def redrawn(page: str) -> str:
    """The page with a drawing of the table as it is now. Raises ValueError without markers."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{PAGE} lacks the markers of the drawing")
    return f"{before}{BEGIN}\n\n{drawing()}\n\n{END}{after}"


def main(arguments: list[str]) -> int:
    """Exit code 1 if ``--check`` finds that the page is out of date."""
    page = PAGE.read_text("utf-8")
    drawn = redrawn(page)
    if drawn == page:
        return 0
    if "--check" in arguments:
        sys.stderr.write(f"{PAGE} is out of date: run python docs/draw_state_machine.py\n")
        return 1
    PAGE.write_text(drawn, "utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
