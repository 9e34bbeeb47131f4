"""The inbox as the loop sees it: calls on it run in one thread of their own, and whether it can
be listed is a state. A folder that is missing is never taken for a folder that was emptied."""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from mediawatch.watch.candidates import FolderState

P = ParamSpec("P")
T = TypeVar("T")

_WORDS = {
    FolderState.OK: "is there again",
    FolderState.MISSING: "is missing",
    FolderState.UNREADABLE: "cannot be read",
    FolderState.SILENT: "does not answer",
    FolderState.LED_AWAY: "was replaced by a link to another one",
}
_LED_AWAY = (
    "If that is meant, restart mediawatch; otherwise remove the link. Until then nothing is taken."
)
_REMEDY = (
    "Create or mount it, and let the user that runs mediawatch read and write in it; "
    "mediawatch goes on by itself."
)


class Inbox:
    """One folder. ``patience``: seconds after which a call on it is reported as hanging."""

    def __init__(self, root: str, patience: float, report: Callable[..., None]) -> None:
        self.root = root
        self.state = FolderState.UNKNOWN
        self._patience, self._report = patience, report
        self._executor: ThreadPoolExecutor | None = None
        self._linked: bool | None = None  # not seen yet

    async def __call__(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a blocking call on the folder, one at a time. Raises what the call raises."""
        if self._executor is None:
            self._executor = ThreadPoolExecutor(1, "mediawatch-inbox")
        loop = asyncio.get_running_loop()
        future = loop.run_in_executor(self._executor, lambda: call(*args, **kwargs))
        try:
            done, _ = await asyncio.wait({future}, timeout=self._patience)
            if not done:
                self._is(FolderState.SILENT)
            return await future
        finally:
            future.cancel()

    async def in_place(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The same, if the folder is still one of its own. A folder that was replaced by a link
        could lead to files of others: OSError (ELOOP). One that was a link from the beginning may
        lead wherever its owner wants."""

        def checked() -> T:
            linked = os.path.islink(self.root)  # noqa: PTH114 - a folder that is not to be looked at is none
            if self._linked is None and os.path.lexists(self.root):
                self._linked = linked
            if linked and not self._linked:
                raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), self.root)
            return call(*args, **kwargs)

        return await self(checked)

    def worked(self) -> bool:
        """The folder could be listed. True if it could not before."""
        back = self.state not in {FolderState.OK, FolderState.UNKNOWN}
        self._is(FolderState.OK)
        return back

    def failed(self, error: OSError) -> None:
        """The folder could not be listed."""
        if error.errno == errno.ELOOP:
            self._is(FolderState.LED_AWAY)
            return
        missing = isinstance(error, FileNotFoundError | NotADirectoryError)
        self._is(FolderState.MISSING if missing else FolderState.UNREADABLE)

    @property
    def told(self) -> str | None:
        """Its state in a sentence; None while nothing is known of it."""
        if self.state is FolderState.UNKNOWN:
            return None
        return f"The folder {self.root} {_WORDS[self.state]}."

    def close(self) -> None:
        """Let the thread end; does not wait for a call that hangs."""
        if self._executor is not None:
            self._executor.shutdown(wait=False, cancel_futures=True)
            self._executor = None

    def _is(self, state: FolderState) -> None:
        before, self.state = self.state, state
        if state is before or (state is FolderState.OK and before is FolderState.UNKNOWN):
            return
        remedies = {FolderState.OK: "", FolderState.LED_AWAY: _LED_AWAY}
        self._report(
            f"folder-{state.value}",
            f"The folder {self.root} {_WORDS[state]}.",
            remedy=remedies.get(state, _REMEDY),
        )
