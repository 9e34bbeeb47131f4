"""What was looked at, whether it is well, and what a person does if not: one line for people."""

from __future__ import annotations

from dataclasses import dataclass

from mediawatch.errors import MediawatchError


@dataclass(frozen=True, slots=True)
class Finding:
    """``name``: a stable word. One that is ``ok`` and has a ``remedy`` all the same is a piece of
    advice."""

    name: str
    ok: bool
    detail: str
    remedy: str = ""


def failed(name: str, problem: MediawatchError) -> Finding:
    """What a problem says, as a finding."""
    return Finding(name, False, problem.message, problem.remedy)
