"""The end of the process comes in time, whatever the stop signal interrupts."""

from __future__ import annotations

import queue
import threading

import pytest

from mediawatch.log import silent
from mediawatch.service import foreground


@pytest.mark.timeout(20)
def test_the_deadline_is_begun_where_a_thread_is_just_being_started(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A signal handler runs in the midst of anything, also of the start of a thread, which holds
    this lock: who starts another one then waits for ever."""
    monkeypatch.setattr(foreground, "LEAVE_WITHIN", 0.01)
    ended: queue.Queue[int] = queue.Queue()
    begin = foreground.deadline(silent(), ended.put)

    with threading._active_limbo_lock:  # type: ignore[attr-defined]
        begin()

    assert 1 == ended.get(timeout=10)
