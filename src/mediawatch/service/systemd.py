"""What systemd is told of the daemon (sd_notify(3)): that it is ready, how it is, that it lives.

A datagram to a socket that systemd names in the environment; where none is named, nobody is told,
and nothing is done. What is proved by a feed of its watchdog stands in pulse.py.
"""

from __future__ import annotations

import asyncio
import contextlib
import faulthandler
import os
import socket
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

from mediawatch.errors import JournalError
from mediawatch.journal import posts
from mediawatch.service.pulse import Pulse

if TYPE_CHECKING:
    from mediawatch.daemon import Daemon

#: Seconds between two lines for ``systemctl status`` where no watchdog sets the pace.
TELL_EVERY = 20.0
#: Seconds that a first look at a folder may take before the daemon counts as ready without it:
#: a share that does not answer is a state of the world.
FIRST_LOOK = 35.0
#: While something is finished that must not be cut off, systemd is asked for so many seconds
#: more, so often.
EXTEND_BY, EXTEND_EVERY = 10.0, 3.0


class Notifier:
    """Tells systemd, if there is one that listens. ``environ``: what systemd handed over."""

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        address = environ.get("NOTIFY_SOCKET", "")
        # A name that begins with "@" is no file: it lies in the abstract name space.
        self._address = "\0" + address[1:] if address.startswith("@") else address
        patience = environ.get("WATCHDOG_USEC", "") if self._address else ""
        ours = environ.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        #: Seconds between two feeds of the watchdog, a third of its patience; 0 if there is none.
        self.feed_every = int(patience) / 3e6 if patience.isdecimal() and ours else 0.0

    @property
    def heard(self) -> bool:
        """Whether anybody listens."""
        return bool(self._address)

    def __call__(self, *lines: str) -> None:
        """Send lines such as ``READY=1``. Never raises: nothing depends on being heard."""
        if sys.platform != "win32" and self._address:
            with (
                contextlib.suppress(OSError),
                socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line,
            ):
                line.setblocking(False)
                line.connect(self._address)
                line.send("\n".join(lines).encode(errors="backslashreplace"))


async def tend(at_work: Daemon, notify: Notifier) -> None:
    """Until cancelled: tell when it is ready, and then how it is; feed the watchdog as long as
    everything moves."""
    if not notify.heard:
        await asyncio.Event().wait()
    if notify.feed_every:
        # The watchdog ends a process that hangs by SIGABRT: then the log says where it hung.
        faulthandler.enable()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(FIRST_LOOK):
            await at_work.app.watched.looked()
    notify("READY=1", f"STATUS={await _status(at_work)}")
    pulse = Pulse(at_work.app)
    while True:
        stuck = await pulse.stuck()
        if stuck:
            at_work.app.log.error(
                f"{stuck} The watchdog of systemd is not fed any more.",
                action="crash",
                remedy="systemd restarts mediawatch by itself; please report it with the log.",
            )
        lines = [] if stuck or not notify.feed_every else ["WATCHDOG=1"]
        notify(*lines, f"STATUS={stuck or await _status(at_work)}")
        await asyncio.sleep(notify.feed_every or TELL_EVERY)


async def drained(living: asyncio.Task[None], notify: Notifier) -> None:
    """Wait for the end of the daemon, which has been cancelled: all that may be repeated is cut
    off already, so what is waited for must not be, and systemd is asked for the time."""
    notify("STOPPING=1", "STATUS=Stopping: finishing what must not be cut off.")
    while not living.done():
        notify(f"EXTEND_TIMEOUT_USEC={EXTEND_BY * 1e6:.0f}")
        await asyncio.wait({living}, timeout=EXTEND_EVERY)


async def _status(at_work: Daemon) -> str:
    """One line: what is wrong, or else what is going on."""
    wrong = [check.detail for check in await at_work.checks() if not check.ok]
    if wrong:
        return " ".join(wrong).replace("\n", " ")
    try:
        counted = await posts.counts(at_work.app.journal)
    except JournalError as error:
        return error.message.replace("\n", " ")
    told = ", ".join(f"{count} {state}" for state, count in counted.items() if count)
    folders = ", ".join(map(str, at_work.app.settings.inboxes.folders))
    return f"Watching {folders}; posts: {told or 'none yet'}."
