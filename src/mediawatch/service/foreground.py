"""The daemon in a terminal or under a service manager: it leaves when told to, whatever hangs.

The first SIGTERM, SIGINT or SIGHUP (on Windows Ctrl-C or Ctrl-Break) drains: what may be repeated
is cut off, the one call that may not gets its time. The second ends the process at once, by that
signal: what is durable is durable, and the next start goes on. Should draining itself hang, the
process ends in time all the same, with exit code 1.
"""

from __future__ import annotations

import asyncio
import gc
import os
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TextIO

from mediawatch import __version__, daemon
from mediawatch.config import Settings
from mediawatch.errors import MediawatchError
from mediawatch.log import Log
from mediawatch.service.systemd import Notifier, drained, tend

#: Seconds from the first signal to the end of the process at the latest. Service managers kill
#: after 45.
LEAVE_WITHIN = 42.0
#: Seconds that threads have to come back from the system when all else has ended.
THREADS_WITHIN = 2.0


def run(settings: Settings, log: Log) -> None:
    """Work until told to stop. Raises what ``daemon.running`` raises."""
    spare_the_collector()
    asyncio.run(_until_told(settings, log))
    # A call on a dead disk or share cannot be cut off, and Python would wait for it for ever.
    if threads_hang():
        log.warning("A call on a folder hangs: leaving without it.", action="stop")
        _end(0)


async def _until_told(settings: Settings, log: Log) -> None:
    stop = asyncio.Event()
    with daemon.stop_signals(stop, first=deadline(log, _end)):
        await live_until(stop, settings, log)


async def live_until(
    stop: asyncio.Event, settings: Settings, log: Log, at_work: Callable[[], None] = lambda: None
) -> None:
    """Work until ``stop`` is set, then drain. ``at_work`` is called once the daemon is; systemd is
    told all along, where it listens.

    Whoever sets ``stop`` also begins the ``deadline``. Raises what ``daemon.running`` raises.
    """
    notify = Notifier()
    threads = ThreadPoolExecutor(thread_name_prefix="blocking")
    asyncio.get_running_loop().set_default_executor(threads)
    living = asyncio.create_task(_live(settings, log, at_work, notify))
    told = asyncio.create_task(stop.wait())
    await asyncio.wait({living, told}, return_when=asyncio.FIRST_COMPLETED)
    told.cancel()
    if not living.done():
        log.info("Stopping: finishing what must not be cut off.", action="stop")
        living.cancel()
        await drained(living, notify)
    # The loop itself would wait for threads that hang.
    threads.shutdown(wait=False, cancel_futures=True)
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor())
    if not living.cancelled():
        failed = living.exception()
        if isinstance(failed, MediawatchError):
            notify("STATUS=" + f"{failed.message} {failed.remedy}".replace("\n", " "))
        living.result()
    log.info("Stopped. What was under way goes on at the next start.", action="stop")


async def _live(
    settings: Settings, log: Log, at_work: Callable[[], None], notify: Notifier
) -> None:
    async with daemon.running(settings, log) as running:
        spare_the_collector()
        log.info(
            f"mediawatch {__version__} watches {', '.join(map(str, settings.inboxes.folders))}.",
            action="start",
            api=running.url,
            workers=settings.watch.workers,
        )
        _show(running.setup_link)
        at_work()
        await tend(running, notify)


def _show(setup_link: str) -> None:
    """The link for the first user, to a person alone: no log ever has it."""
    terminal: TextIO | None = sys.stderr  # a service of Windows has none
    if setup_link and terminal is not None and terminal.isatty():
        terminal.write(
            "\nWhoever uses this machine can use mediawatch. To have people log in, make the first "
            f"user here:\n\n    {setup_link}\n\n"
        )


def spare_the_collector() -> None:
    """What is there by now stays: looking through it for garbage would block the loop for a
    tenth of a second each time."""
    gc.freeze()


def deadline(log: Log, end: Callable[[int], object]) -> Callable[[], None]:
    """What begins the countdown: LEAVE_WITHIN later ``end`` is called with exit code 1, in a thread
    of its own, unless the process ended before.

    It may be called by a signal handler. That must start no thread: what it interrupts may be
    starting one just now, and each would wait for the other for ever.
    """
    begun = threading.Event()

    def count_down() -> None:
        begun.wait()
        time.sleep(LEAVE_WITHIN)
        log.error(
            f"Stopping took longer than {LEAVE_WITHIN:.0f} s: leaving at once.",
            action="stop",
            remedy="Nothing is lost; look for a disk or share that hangs.",
        )
        end(1)

    threading.Thread(target=count_down, name="deadline", daemon=True).start()
    return begun.set


def threads_hang() -> bool:
    """Wait THREADS_WITHIN for what still calls the system; whether it still does then."""
    end = time.monotonic() + THREADS_WITHIN
    while any(
        not thread.daemon and thread is not threading.main_thread()
        for thread in threading.enumerate()
    ):
        if time.monotonic() > end:
            return True
        time.sleep(0.01)
    return False


def _end(code: int) -> None:
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(code)
