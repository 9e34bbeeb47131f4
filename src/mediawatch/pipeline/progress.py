"""What share of a long step is done, told in the log every few seconds."""

from __future__ import annotations

from mediawatch.pipeline.work import Work

#: Seconds between two lines about a step that is under way.
TELL_EVERY = 5.0


class Progress:
    """Of one file. ``doing`` completes the sentence "beach.mp4 is being …"; ``action`` is the
    log's word for it."""

    def __init__(self, work: Work, name: str, doing: str, *, action: str) -> None:
        self._work, self._name = work, name
        self._doing, self._action = doing, action
        self._told = work.clock.monotonic()

    def __call__(self, share: float) -> None:
        """``share``: 0 to 1."""
        self._work.moved()
        now = self._work.clock.monotonic()
        if now - self._told < TELL_EVERY:
            return
        self._told = now
        self._work.log.info(
            f"{self._name} is being {self._doing}: {share:.0%}.",
            action=self._action,
            file=self._name,
            percent=round(share * 100),
        )
