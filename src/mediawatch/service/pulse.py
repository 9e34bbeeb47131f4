"""Whether the daemon works or hangs: told by what was done, not by a timer that still ticks.

A folder that is missing, a share that is dead, an account that is stopped, a full disk: states of
the world, which a restart does not mend. A scan that does not come back although the folder
answers, posts that nobody moves: a hang, which it does.
"""

from __future__ import annotations

from mediawatch.app import App
from mediawatch.config import Settings
from mediawatch.errors import JournalError
from mediawatch.journal import posts
from mediawatch.model.lifecycle import State
from mediawatch.watch.candidates import FolderState

#: Seconds that posts may stand still beyond the longest wait that the settings allow a step.
STILL = 300.0


class Pulse:
    """Looks at one daemon. What is alive is asked for on the monotonic clock, so that neither a
    changed clock nor a machine that slept looks like a hang."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._patience = _patience(app.settings)
        self._began = self._moved_at = app.clock.monotonic()
        self._sign: tuple[float, int] | None = None

    async def stuck(self) -> str:
        """What hangs, in a sentence; empty if nothing does."""
        return self._scanner() or await self._workers()

    def _scanner(self) -> str:
        for state in self._app.watched.states:
            if state.folder is FolderState.SILENT:
                continue  # a call on it hangs in the system; no restart would bring it back
            since = self._began if state.scan_ended is None else state.scan_ended
            still = self._app.clock.monotonic() - since
            if still > self._app.settings.watch.rescan * 3 + 10:
                return f"The folder was not looked at for {still:.0f} s."
        return ""

    async def _workers(self) -> str:
        app, now = self._app, self._app.clock.monotonic()
        sign = (app.runner.last_sign, app.host.sent)
        try:
            waiting = (await posts.counts(app.journal))[State.READY] + app.runner.in_hand
        except JournalError:
            waiting = 0
        # A journal that cannot be written holds every post where it is, until its disk is mended.
        if sign != self._sign or not waiting or app.journal.problem is not None:
            self._sign, self._moved_at = sign, now
        still = now - self._moved_at
        if still <= self._patience:
            return ""
        return f"{waiting} posts are ready or in hand, and none moved for {still:.0f} s."


def _patience(settings: Settings) -> float:
    """Seconds in which a post that is worked on gives some sign, whatever is slow."""
    waits = (
        settings.ftp.connect_timeout,
        settings.ftp.io_timeout,
        settings.ftp.reply_timeout,
        settings.instagram.timeout,
        settings.publish.publish_timeout,
        settings.media.timeout,
    )
    return STILL + 3 * max(waits)
