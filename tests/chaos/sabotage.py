"""Daemons that are wrong on purpose: each must be caught by the harness, or the harness is blind.

Arranged from outside, in a child of the nursery; the product has no such switch.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from mediawatch.errors import GraphProblem
from mediawatch.graph.publishing import Publishing
from mediawatch.model.lifecycle import Event
from mediawatch.pipeline.outcomes import Done, Outcome
from mediawatch.pipeline.reconcile import Reconcile
from mediawatch.pipeline.work import Work


def new_container() -> None:
    """After an unknown outcome it makes a new container, as many rivals do."""

    async def unknown(reconcile: Reconcile, work: Work, _: Publishing) -> Outcome:
        items = [replace(item, public_url=None) for item in work.post.items]
        await reconcile._denied(work, Event.REBUILD, container_id=None, items=items)
        return Done()

    Reconcile.after_unknown_outcome = unknown


def blind_resend() -> None:
    """A lost answer is taken for a failure: the call is sent again at once."""
    publish = Publishing.publish

    async def insistent(api: Publishing, container_id: str, *, timeout: float) -> str:
        try:
            return await publish(api, container_id, timeout=timeout)
        except GraphProblem:
            return await publish(api, container_id, timeout=timeout)

    Publishing.publish = insistent


def no_quiet_window() -> None:
    """It concludes from FINISHED while the call may still take effect."""

    def over(*_: Any) -> float:
        return 0.0

    Reconcile._quiet_for = over


SABOTAGE: dict[str, Callable[[], None]] = {
    "new container": new_container,
    "blind resend": blind_resend,
    "no quiet window": no_quiet_window,
}

#: What Meta plays so that each of them matters.
RULES: dict[str, dict[str, Any]] = {
    "new container": {"on": "media_publish", "do": "drop-after", "probability": 0.9},
    "blind resend": {"on": "media_publish", "do": "drop-after", "probability": 0.9},
    "no quiet window": {
        "on": "media_publish",
        "do": "delay-effect",
        "seconds": 0.8,
        "probability": 0.9,
    },
}
