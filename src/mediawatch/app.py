"""The composition root: builds every part once, hands each what it needs, and knows them all."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from aiohttp import ClientSession
from pydantic import SecretStr

from mediawatch import crash
from mediawatch.actions import again
from mediawatch.actions.account_desk import AccountDesk
from mediawatch.alerts.addresses import addresses
from mediawatch.alerts.sender import Sender
from mediawatch.clock import Clock
from mediawatch.config import Settings
from mediawatch.config.inboxes import place
from mediawatch.crypto.vault import FILE_NAME as KEYS
from mediawatch.crypto.vault import Vault
from mediawatch.engine.memory import MemoryEngine
from mediawatch.errors import HostProblem, PreparationProblem, StorageProblem
from mediawatch.graph.client import GraphClient, meta_apps
from mediawatch.graph.oauth import AppCredentials, OAuth
from mediawatch.graph.pacing import Pacing
from mediawatch.graph.rupload import Rupload
from mediawatch.hosts.ftp import FtpHost
from mediawatch.hosts.http_session import http_session
from mediawatch.hosts.reach import Reach
from mediawatch.journal import accounts, users, withheld
from mediawatch.journal.ownership import Ownership
from mediawatch.journal.sqlite import FILE_NAME, SqliteJournal
from mediawatch.journal.witness import FILE_NAME as WITNESS
from mediawatch.journal.witness import Witness
from mediawatch.log import Log
from mediawatch.maintenance.alerts import Alerts
from mediawatch.maintenance.cleaner import Cleaner
from mediawatch.maintenance.conditions import Conditions
from mediawatch.maintenance.disks import Disks
from mediawatch.maintenance.first_comments import FirstComments
from mediawatch.maintenance.links import Links
from mediawatch.maintenance.refresher import Refresher
from mediawatch.maintenance.sweeper import Sweeper
from mediawatch.media.cache import Cache
from mediawatch.media.chosen import video_options
from mediawatch.media.order import ImageOptions
from mediawatch.media.pool import Preparer
from mediawatch.media.probe import Family, examine
from mediawatch.metrics import Metrics
from mediawatch.model.accounts import LOGINS, Login
from mediawatch.model.lifecycle import Stage
from mediawatch.pipeline.archive import Archive
from mediawatch.pipeline.convert import Convert
from mediawatch.pipeline.converting import Converting
from mediawatch.pipeline.direct import Direct
from mediawatch.pipeline.fetchable import Fetchable
from mediawatch.pipeline.publish import Publish
from mediawatch.pipeline.recovery import Recovery
from mediawatch.pipeline.runner import Runner
from mediawatch.pipeline.standing import Standing
from mediawatch.pipeline.upload import Upload
from mediawatch.pipeline.work import Work
from mediawatch.tokens import Tokens
from mediawatch.watch.accounts import KnownAccounts
from mediawatch.watch.candidates import Inspection
from mediawatch.watch.poster import PosterMedia
from mediawatch.watch.watched import WatchedInboxes, watched_inboxes


@dataclass(frozen=True, slots=True)
class App:
    """Every part of one running mediawatch."""

    settings: Settings
    clock: Clock
    log: Log
    ownership: Ownership
    journal: SqliteJournal
    engine: MemoryEngine
    runner: Runner
    watched: WatchedInboxes
    poster: PosterMedia
    host: FtpHost
    sweeper: Sweeper
    cleaner: Cleaner
    links: Links
    first_comments: FirstComments
    preparer: Preparer
    metrics: Metrics
    standing: Standing
    converting: Converting
    pacing: Pacing
    alerts: Alerts
    disks: Disks
    refresher: Refresher
    tokens: Tokens
    desk: AccountDesk


@asynccontextmanager
async def open_app(settings: Settings, clock: Clock, log: Log) -> AsyncIterator[App]:
    """Open everything in order, recover, and close in reverse.

    Raises AlreadyRunning, JournalError and StorageProblem.
    """
    crash.arm(os.environ)
    data_dir, inboxes = settings.storage.data_dir, settings.inboxes
    metrics = Metrics()
    async with AsyncExitStack() as stack:
        ownership = stack.enter_context(Ownership(data_dir, *inboxes.folders, now=clock.now()))
        journal = await stack.enter_async_context(SqliteJournal(data_dir / FILE_NAME, metrics))
        await _record_account(settings, journal)
        await journal.apply(withheld.adopt(place(inboxes.first.folder)))
        session = await stack.enter_async_context(http_session())
        preparer = await stack.enter_async_context(
            Preparer(timeout=settings.media.timeout, video=video_options(settings.media))
        )
        host = FtpHost(
            settings.ftp,
            clock=clock,
            log=log,
            remember_tls=data_dir / "tls_seen.json",
            metrics=metrics,
        )
        stack.push_async_callback(host.close)

        engine = MemoryEngine(size=max(8, settings.watch.workers * 4))
        archive = Archive(inboxes, clock)
        witness = Witness(data_dir / WITNESS)
        await again.forget_cut_off(journal, log, inboxes)
        await Recovery(inboxes, journal, clock, log, archive, witness).run_once()

        tokens = await _open_tokens(settings, journal, clock, log)
        pacing = Pacing(clock, log, app_of=tokens.login)
        standing = Standing(tokens, pacing)
        await standing.open(journal, clock, log)
        client = _client(settings, session, pacing, metrics)
        converting = Converting()

        def sends_videos(account_id: str) -> bool:
            return settings.instagram.sends_videos(tokens.login(account_id))

        convert = Convert(
            preparer,
            _image_options(settings),
            data_dir / "prepared",
            inboxes=inboxes,
            cache=Cache(
                data_dir / "prepared-cache",
                limit=settings.media.cache,
                complain=_complainer(log),
            ),
            converting=converting,
            metrics=metrics,
            sends_videos=sends_videos,
        )
        reach = Reach(session, clock=clock, log=log)
        cleaner = Cleaner(journal, host, clock, log, retention=settings.ftp.retention)
        upload = Upload(
            host,
            reach,
            host_name=settings.ftp.host,
            prepare=convert.prepare,
            sends_videos=sends_videos,
            metrics=metrics,
            on_full=cleaner.hurry,
        )
        direct = Direct(
            Rupload(client, session, settings.instagram.version),
            prepare=convert.prepare,
            falls_back=settings.instagram.video_upload == "auto",
        )
        publish = Publish(
            client,
            tokens,
            settings.publish,
            wake=engine.wake,
            witness=witness,
            upload=upload.upload,
            standing=standing,
            direct=direct,
            sends_videos=sends_videos,
            gap=lambda post: inboxes.of(post.inbox).publish.min_gap,
        )

        async def filed(work: Work) -> Any:
            return await archive.published(work, publish.api)

        runner = Runner(
            journal,
            engine,
            clock,
            log,
            steps={
                Stage.CONVERT: convert,
                Stage.UPLOAD: upload,
                Stage.CONTAINER: standing.guard(Fetchable(publish.container, reach)),
                Stage.PUBLISH: standing.guard(publish.publish),
                Stage.CONFIRM: standing.guard(publish.confirm),
                Stage.ARCHIVE: filed,
            },
            set_aside=archive.set_aside,
            retry_delays=settings.publish.retry_delays,
            metrics=metrics,
        )
        known = KnownAccounts(
            journal, clock, settings.instagram.user_id, lambda: journal.transactions
        )
        await known.refresh(at_once=True)
        poster = PosterMedia(settings, journal, clock, lambda: watched)

        def taken(inbox: Path, name: str, post_id: str, again: bool) -> None:
            metrics.files_taken.inc(0 if again else 1)
            poster.taken(inbox, name, post_id, again)

        warm = _Warm(preparer, host)
        stack.push_async_callback(warm.close)
        watched = watched_inboxes(
            inboxes,
            known,
            journal=journal,
            engine=engine,
            clock=clock,
            log=log,
            inspect=inspect,
            own=ownership.require_inbox,
            taken=taken,
            on_settling=warm.up,
            on_scan=metrics.scans.observe,
        )
        logins = login_apis(settings, session)
        refresher = Refresher(journal, tokens, client, logins, standing, clock, log)
        disks = Disks(_folders(settings))
        alerts = _alerts(settings, journal, clock, log, metrics, watched, disks, refresher)
        await alerts.open()
        yield App(
            settings=settings,
            clock=clock,
            log=log,
            ownership=ownership,
            journal=journal,
            engine=engine,
            runner=runner,
            watched=watched,
            poster=poster,
            host=host,
            sweeper=Sweeper(journal, engine, clock),
            links=Links(journal, client, tokens, clock, log),
            first_comments=FirstComments(journal, client, tokens, clock, log),
            cleaner=cleaner,
            preparer=preparer,
            metrics=metrics,
            standing=standing,
            converting=converting,
            pacing=pacing,
            alerts=alerts,
            disks=disks,
            refresher=refresher,
            tokens=tokens,
            desk=AccountDesk(
                journal,
                tokens,
                client,
                logins,
                clock,
                log,
                refresh=refresher.refresh,
                ends=lambda: refresher.ends,
            ),
        )


async def _record_account(settings: Settings, journal: SqliteJournal) -> None:
    own = settings.instagram.user_id
    await journal.apply([*([accounts.ensure(own)] if own else []), users.adopt()])
    crash.at("account.recorded")


async def _open_tokens(
    settings: Settings, journal: SqliteJournal, clock: Clock, log: Log
) -> Tokens:
    vault = Vault(settings.storage.data_dir / KEYS, settings.storage.keys)
    if vault.problem is not None:
        log.error(vault.problem.message, action="account", remedy=vault.problem.remedy)
    tokens = Tokens(settings.instagram, journal, vault, clock)
    await tokens.open()
    return tokens


def _client(
    settings: Settings, session: ClientSession, pacing: Pacing, metrics: Metrics
) -> GraphClient:
    return GraphClient(
        session,
        meta_apps(settings.instagram),
        settings.instagram.version,
        timeout=settings.instagram.timeout,
        pacing=pacing,
        metrics=metrics,
    )


def login_apis(settings: Settings, session: ClientSession) -> Mapping[Login, OAuth]:
    """What accounts are connected and refreshed by. The Instagram login refreshes without an app,
    too."""
    instagram = settings.instagram
    made: dict[Login, OAuth] = {}
    for login in LOGINS:
        app_id, secret = instagram.app(login)
        if login == "instagram" or (app_id and secret is not None):
            made[login] = OAuth(
                session,
                AppCredentials(login, app_id, secret or SecretStr("")),
                instagram.version,
                timeout=instagram.timeout,
                graph_url=instagram.graph_url,
            )
    return made


@asynccontextmanager
async def open_desk(
    settings: Settings, journal: SqliteJournal, clock: Clock, log: Log
) -> AsyncIterator[AccountDesk]:
    """What may be asked of accounts while no daemon runs. ``journal``: ours alone meanwhile.

    Raises JournalError.
    """
    crash.arm(os.environ)
    await _record_account(settings, journal)
    tokens = await _open_tokens(settings, journal, clock, log)
    pacing = Pacing(clock, log, app_of=tokens.login)
    async with http_session() as session:
        client = _client(settings, session, pacing, Metrics())
        logins = login_apis(settings, session)
        standing = Standing(tokens, pacing)
        refresher = Refresher(journal, tokens, client, logins, standing, clock, log)
        yield AccountDesk(
            journal,
            tokens,
            client,
            logins,
            clock,
            log,
            refresh=refresher.refresh,
            ends=lambda: refresher.ends,
        )


def inspect(name: str, file: BinaryIO) -> Inspection:
    """Whether a file is of a kind that is published, told by its bytes. Blocks."""
    sniffed, whole = examine(file)
    if sniffed.family is Family.UNSUPPORTED:
        return Inspection(wanted=False, reason=f"it is no picture or video ({sniffed.label})")
    return Inspection(wanted=True, whole=whole)


class _Warm:
    """While a file settles, what it will need is made ready: converters, and a way to the host."""

    def __init__(self, preparer: Preparer, host: FtpHost) -> None:
        self._preparer = preparer
        self._host = host
        self._task: asyncio.Task[None] | None = None

    def up(self) -> None:
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._warm(), name="warm")

    async def _warm(self) -> None:
        # Only a head start: what fails here is told where it matters.
        with suppress(PreparationProblem, HostProblem):
            await self._preparer.warm()
            await self._host.warm()

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})


def _alerts(
    settings: Settings,
    journal: SqliteJournal,
    clock: Clock,
    log: Log,
    metrics: Metrics,
    watched: WatchedInboxes,
    disks: Disks,
    refresher: Refresher,
) -> Alerts:
    conditions = Conditions(
        journal,
        clock,
        folders=lambda: {each.inbox.folder: each.trouble for each in watched},
        rooms=lambda: disks.rooms,
        ends=lambda: refresher.ends,
        min_free=settings.alerts.min_free,
    )
    return Alerts(
        journal,
        Sender(),
        addresses(settings.alerts.urls),
        clock,
        log,
        kinds=settings.alerts.kinds,
        conditions=conditions,
        sick=lambda: journal.problem,
        metrics=metrics,
    )


def _folders(settings: Settings) -> dict[str, Path]:
    """Those whose disks may run full, by what they are called in the figures."""
    found = {}
    for number, inbox in enumerate(settings.inboxes, start=1):
        which = "" if number == 1 else f" {number}"
        found[f"inbox{which}"] = inbox.folder
        found[f"processed{which}"] = inbox.watch.processed_folder
    return {**found, "data": settings.storage.data_dir}


def _image_options(settings: Settings) -> ImageOptions:
    media = settings.media
    return ImageOptions(
        fit=media.fit,
        pad_color=media.pad_color,
        max_width=media.max_width,
        quality=media.quality,
        gif=media.gif,
        keep_metadata=media.keep_metadata,
        max_pixels=media.max_pixels,
        max_bytes=media.max_bytes,
    )


def _complainer(log: Log) -> Callable[[StorageProblem], None]:
    def complain(problem: StorageProblem) -> None:
        log.warning(problem.message, action="convert", remedy=problem.remedy)

    return complain
