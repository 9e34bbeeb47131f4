"""The life of the daemon: start in order, keep the roles going, drain, stop in reverse."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from typing import Any

from aiohttp import web

from mediawatch import __version__, checks, crash, figures
from mediawatch.actions import account_list
from mediawatch.app import App, open_app
from mediawatch.clock import Clock, SystemClock, iso
from mediawatch.config import Settings
from mediawatch.crypto import local_key, setup_link
from mediawatch.errors import ConfigError, JournalError, MediawatchError, Problem, StorageProblem
from mediawatch.journal import logins, posts, users
from mediawatch.log import Log
from mediawatch.metrics import watch_loop
from mediawatch.model.findings import Finding
from mediawatch.model.lifecycle import PRIORITY
from mediawatch.model.posts import Post
from mediawatch.watch.candidates import WatchState
from mediawatch.watch.watched import Watched
from mediawatch.web.app import create_app
from mediawatch.web.doors import Doors

#: Seconds between the runs of each housekeeper.
SWEEP_EVERY = 2.0
RENEW_EVERY = 30.0
CLEAN_EVERY = 300.0
LINKS_EVERY = 300.0
COMMENTS_EVERY = 10.0
ALERTS_EVERY = 10.0
DISKS_EVERY = 60.0
TIDY_EVERY = 3600.0
#: Tokens are looked at when the start is over, and then so often.
TOKENS_AFTER, TOKENS_EVERY = 60.0, 900.0
#: Between two looks for logins at Meta that were left.
LOGINS_EVERY = 60.0
#: Seconds between two looks whether the journal's daily copy is due.
BACK_UP_EVERY = 3600.0
_OPEN_TO_ALL = Problem(
    "web",
    "host",
    "",
    "is open to other machines, and there is no user yet: anybody could post.",
    'Make one first: `mediawatch users add NAME --role owner`; or use "127.0.0.1".',
)
#: The terminal was closed; Windows has no such signal.
_HANGUP = getattr(signal, "SIGHUP", None)


class Daemon:
    """One running mediawatch: an async context manager around all its roles."""

    def __init__(self, app: App) -> None:
        self.app = app
        self.url = ""
        #: By which the first user is made; only at the first start, to be shown once.
        self.setup_link = ""
        self._started = app.clock.now()

    # Roles.

    async def serve(self, *, watch: bool = True) -> None:
        """Work until cancelled. Without ``watch`` files are only taken when asked for."""
        app = self.app
        async with asyncio.TaskGroup() as roles:
            roles.create_task(
                app.engine.run(app.runner.advance, app.settings.watch.workers), name="workers"
            )
            roles.create_task(self._sweep(), name="sweeper")
            roles.create_task(self._mind_journal(), name="journal")
            roles.create_task(self._back_up(), name="backup")
            roles.create_task(watch_loop(app.metrics, self._busy), name="loop-watch")
            roles.create_task(self._every(RENEW_EVERY, app.runner.renew_leases), name="leases")
            roles.create_task(self._clean(), name="cleaner")
            roles.create_task(self._every(LINKS_EVERY, app.links.run_once), name="links")
            comment = app.first_comments.run_once
            roles.create_task(self._every(COMMENTS_EVERY, comment), name="comments")
            roles.create_task(self._look_at_disks(), name="disks")
            roles.create_task(self._look_at_tokens(), name="tokens")
            roles.create_task(self._every(LOGINS_EVERY, self._forget_logins), name="logins")
            if app.alerts.wanted:
                roles.create_task(self._every(ALERTS_EVERY, app.alerts.run_once), name="alerts")
                roles.create_task(self._every(TIDY_EVERY, app.alerts.tidy), name="alerts-tidy")
            if watch:
                roles.create_task(app.watched.run(), name="watcher")

    async def _sweep(self) -> None:
        while True:
            more = False
            with self._told("The sweep failed"):
                more = await self.app.sweeper.run_once()
            if more:
                await self.app.engine.hungry()
            else:
                await asyncio.sleep(SWEEP_EVERY)

    def _busy(self) -> bool:
        return self.app.runner.in_hand > 0

    async def _mind_journal(self) -> None:
        """Tell once when the journal cannot be written, and try until it can."""
        journal, told = self.app.journal, False
        while True:
            if journal.problem is not None:
                with contextlib.suppress(JournalError):
                    await journal.apply([])
            problem = journal.problem
            if problem is not None and not told:
                self.app.log.error(problem.message, action="journal", remedy=problem.remedy)
            elif problem is None and told:
                self.app.log.info("The journal can be written again.", action="journal")
            told = problem is not None
            await asyncio.sleep(SWEEP_EVERY)

    async def _back_up(self) -> None:
        while True:
            with self._told("The journal was not copied"):
                made = await self.app.journal.back_up(self.app.clock.now())
                if made is not None:
                    self.app.log.info(f"The journal was copied to {made.path}.", action="backup")
            await asyncio.sleep(BACK_UP_EVERY)

    async def _clean(self) -> None:
        while True:
            await self.app.cleaner.rest(CLEAN_EVERY)
            with self._told("Cleaning up failed"):
                await self.app.cleaner.run_once()

    async def _look_at_disks(self) -> None:
        await self.app.disks.run_once()
        await self._every(DISKS_EVERY, self.app.disks.run_once)

    async def _look_at_tokens(self) -> None:
        await asyncio.sleep(TOKENS_AFTER)
        with self._told("Access tokens were not looked at"):
            await self.app.refresher.run_once()
        await self._every(TOKENS_EVERY, self.app.refresher.run_once)

    async def _forget_logins(self) -> None:
        if await logins.any_ended(self.app.journal, now=self.app.clock.now()):
            await self.app.journal.apply([logins.forget_ended(self.app.clock.now())])
            crash.at("login.changed")

    async def _every(self, seconds: float, run_once: Callable[[], Awaitable[object]]) -> None:
        while True:
            await asyncio.sleep(seconds)
            with self._told("A housekeeper failed"):
                await run_once()

    @contextlib.contextmanager
    def _told(self, what: str) -> Iterator[None]:
        """A housekeeper that fails is told, and tries again at its next turn."""
        try:
            yield
        except MediawatchError as error:
            self.app.log.error(f"{what}: {error.message}", action="crash", remedy=error.remedy)

    # What the web shows.

    @asynccontextmanager
    async def web(self) -> AsyncIterator[None]:
        """Serve the API while the context lasts. Raises StorageProblem if the port is taken."""
        settings, data_dir = self.app.settings.web, self.app.settings.storage.data_dir
        if not settings.enabled:
            yield
            return
        nobody = not await users.any_there(self.app.journal)
        if settings.is_open and nobody:
            raise ConfigError([_OPEN_TO_ALL])
        doors = Doors(
            settings=self.app.settings,
            journal=self.app.journal,
            clock=self.app.clock,
            log=self.app.log,
            poster_media=self.app.poster.run,
            status=self.status,
            checks=self.checks,
            metrics=self._metrics,
            woken=self._woken,
            release_withheld=self.app.watched.release,
            accounts_fed=self._accounts_fed,
            local_key=local_key.lay(data_dir),
            setup_word=setup_link.word_in(data_dir) if nobody else "",
            accounts=self.app.desk,
        )
        runner = web.AppRunner(create_app(doors), access_log=None, shutdown_timeout=2.0)
        await runner.setup()
        try:
            site = web.TCPSite(runner, settings.host, settings.port)
            try:
                await site.start()
            except OSError as error:
                raise StorageProblem(
                    f"The API cannot listen on {settings.host}:{settings.port}: {error.strerror}.",
                    code="port-taken",
                    remedy="Choose another web.port, or stop the program that uses this one.",
                ) from error
            port = runner.addresses[0][1]
            host = f"[{settings.host}]" if ":" in settings.host else settings.host
            self.url = f"http://{host}:{port}"
            self.app.ownership.announce(self.url)
            self.app.log.info(f"The API listens on {self.url}.", action="web")
            if nobody:
                url, word = settings.public_url or self.url, doors.setup_word
                if setup_link.lay(data_dir, url, word):
                    self.setup_link = setup_link.address(url, word)
            else:
                setup_link.take_away(data_dir)
            yield
        finally:
            local_key.take_away(data_dir)
            await runner.cleanup()

    async def _accounts_fed(self) -> list[str]:
        await self.app.watched.accounts.refresh()
        usual = [each.sorter.account for each in self.app.watched]
        # A folder in any inbox may be that of any account.
        return sorted({*self.app.watched.accounts.in_use(), *(each for each in usual if each)})

    def _woken(self, post: Post) -> None:
        # Who asks for it has perhaps just mended the host: it is tried now, not after its pause.
        self.app.host.try_now()
        self.app.engine.wake(post.id, PRIORITY[post.stage])

    async def _metrics(self) -> bytes:
        ready = all(check.ok for check in await self.checks())
        return self.app.metrics.text(await figures.present(self.app, ready=ready))

    async def status(self) -> dict[str, Any]:
        """Configuration and health, for the API and the ``status`` command. No secret in it."""
        app, settings = self.app, self.app.settings
        first, watch = app.watched.first, app.watched.first.watcher.state
        counted = await posts.counts(app.journal)
        found = await self.checks()
        account = await checks.main_account(app)
        states = await account_list.states(
            app.journal, app.tokens, now=app.clock.now(), ends=app.refresher.ends
        )
        await app.watched.accounts.refresh()
        told = await app.standing.tell_all(app.journal, app.watched.accounts.in_use())
        return {
            "status": "ok" if all(check.ok for check in found) else "degraded",
            "version": __version__,
            "started": iso(self._started),
            "source_directory": str(first.inbox.folder),
            "processed_directory": str(first.inbox.watch.processed_folder),
            "ftp_server": f"{settings.ftp.host}:{settings.ftp.port}",
            "public_url": settings.ftp.public_url,
            "instagram_account": account["id"],
            "account": account,
            "accounts": {state.value: count for state, count in states.items()},
            "standings": [each for each in told if each["state"] != "ok"],
            "api": self.url,
            "checks": [asdict(check) for check in found],
            "folder": _of_folder(watch),
            "inboxes": [_of_inbox(each) for each in app.watched],
            "withheld": sum(state.withheld for state in app.watched.states),
            "converting": [asdict(conversion) for conversion in app.converting.now],
            "posts": {state.value: count for state, count in counted.items()},
        }

    async def checks(self) -> list[Finding]:
        """How it is: what ``/readyz``, status and doctor tell."""
        return await checks.of(self.app)


def _of_folder(watch: WatchState) -> dict[str, Any]:
    return {
        "state": watch.folder.value,
        "mode": watch.mode,
        "mode_reason": watch.mode_reason,
        "hints": watch.hints,
        "last_scan": iso(watch.last_scan) if watch.last_scan else None,
        "settling": {name: waiting.reason for name, waiting in watch.settling.items()},
        "ignored": dict(watch.ignored),
        "problems": list(watch.problems),
    }


def _of_inbox(watched: Watched) -> dict[str, Any]:
    inbox, state = watched.inbox, watched.watcher.state
    return {
        "source_directory": str(inbox.folder),
        "processed_directory": str(inbox.watch.processed_folder),
        "account": watched.sorter.account,
        "problem": watched.trouble or "",
        "withheld": state.withheld,
        **_of_folder(state),
    }


@asynccontextmanager
async def running(
    settings: Settings, log: Log, *, watch: bool = True, clock: Clock | None = None
) -> AsyncIterator[Daemon]:
    """A daemon at work while the context lasts; a role that dies ends the context.

    Raises what ``open_app`` and ``Daemon.web`` raise.
    """
    async with open_app(settings, clock or SystemClock(), log) as app:
        daemon = Daemon(app)
        async with daemon.web():
            serving = asyncio.create_task(daemon.serve(watch=watch), name="serve")
            owner = asyncio.current_task()

            def ended(task: asyncio.Task[None]) -> None:
                if not task.cancelled() and owner is not None:
                    owner.cancel()

            serving.add_done_callback(ended)
            try:
                yield daemon
            except asyncio.CancelledError:
                if serving.done() and not serving.cancelled():
                    serving.result()
                raise
            finally:
                serving.remove_done_callback(ended)
                serving.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await serving


@contextlib.contextmanager
def stop_signals(stop: asyncio.Event, first: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Set ``stop`` and call ``first`` at the first signal to end; the second ends the process.

    Only in the main thread; the handlers that were there come back at the end.
    """
    loop = asyncio.get_running_loop()
    if sys.platform == "win32":
        wanted = [signal.SIGINT, signal.SIGTERM, signal.SIGBREAK]
    else:
        wanted = [signal.SIGINT, signal.SIGTERM]
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # as nohup leaves it
            wanted.append(signal.SIGHUP)
    before = {number: signal.getsignal(number) for number in wanted}

    signalled = False  # the loop may be busy: ``stop`` need not be set yet

    def received(number: int, _frame: object) -> None:
        nonlocal signalled
        if signalled:
            if number == _HANGUP:
                return  # a terminal that is closed says so twice: its shell, and the system
            # What was durable is durable: leaving at once loses nothing.
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
        signalled = True
        first()
        loop.call_soon_threadsafe(stop.set)

    for number in wanted:
        signal.signal(number, received)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
