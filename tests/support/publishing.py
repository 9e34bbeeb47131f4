"""The publishing half of the river, from a public address on: real journal, real HTTP, real
simulator, and one clock that both sides read."""

from __future__ import annotations

import asyncio
import dataclasses
import hashlib
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
from pydantic import SecretStr
from tenacity import wait_none

from mediawatch.config import InstagramSettings, PublishSettings
from mediawatch.crypto.vault import Vault
from mediawatch.graph.client import GraphClient
from mediawatch.graph.pacing import Pacing
from mediawatch.graph.rupload import Rupload
from mediawatch.journal import accounts, post_items, posts
from mediawatch.journal.sqlite import SqliteJournal
from mediawatch.journal.witness import Witness
from mediawatch.maintenance.first_comments import FirstComments
from mediawatch.model.kinds import VIDEO, PostKind
from mediawatch.model.lifecycle import Event, Stage, State
from mediawatch.model.posts import Item, Post
from mediawatch.pipeline.direct import Direct
from mediawatch.pipeline.outcomes import Done, Outcome, Reason
from mediawatch.pipeline.publish import Publish
from mediawatch.pipeline.runner import Runner
from mediawatch.pipeline.standing import Standing
from mediawatch.pipeline.work import Work
from mediawatch.simulator import SimulatorOptions
from mediawatch.tokens import Tokens
from tests.support.graph_apps import apps_at
from tests.support.simulator import TOKEN, USER, Caller, jpeg, running
from tests.support.simulator import Clock as SimulatorClock

PUBLISH_TIMEOUT = 5.0
QUIET = 120.0


class TurnedClock:
    """Our clock, read off the simulator's, so that both sides agree on the time."""

    def __init__(self, source: SimulatorClock) -> None:
        self.source = source

    def now(self) -> float:
        return self.source.now

    def monotonic(self) -> float:
        return self.source.now


class NotingEngine:
    """A job engine that only notes what it was asked to wake, and after how long."""

    def __init__(self) -> None:
        self.woken: list[tuple[str, float]] = []

    def wake(self, post_id: str, priority: int, after: float = 0.0) -> None:
        self.woken.append((post_id, after))

    async def room(self) -> int:
        return 100

    async def hungry(self) -> None:
        return

    async def run(self, handler: object, workers: int) -> None:
        raise NotImplementedError


class NotingLog:
    """A log that keeps what it is told: level, sentence and fields."""

    def __init__(self) -> None:
        self.lines: list[dict[str, Any]] = []

    def debug(self, event: str, **fields: Any) -> None:
        self.lines.append({"level": "debug", "event": event, **fields})

    def info(self, event: str, **fields: Any) -> None:
        self.lines.append({"level": "info", "event": event, **fields})

    def warning(self, event: str, **fields: Any) -> None:
        self.lines.append({"level": "warning", "event": event, **fields})

    def error(self, event: str, **fields: Any) -> None:
        self.lines.append({"level": "error", "event": event, **fields})

    def bind(self, **_: Any) -> NotingLog:
        return self

    def said(self, action: str) -> list[dict[str, Any]]:
        """The lines with this action."""
        return [line for line in self.lines if line["action"] == action]


class Bench:
    """A runner with the stages from container to archive, and the simulator it talks to."""

    def __init__(
        self,
        journal: SqliteJournal,
        caller: Caller,
        clock: SimulatorClock,
        publish: PublishSettings,
        witness: Witness,
        video_upload: str = "host",
    ) -> None:
        self.journal = journal
        self.caller = caller
        self.simulator = caller.simulator
        self.time = clock
        self.clock = TurnedClock(clock)
        self.engine = NotingEngine()
        self.aside: list[tuple[str, Reason]] = []
        self.made = 0
        self.log = NotingLog()
        self.session = aiohttp.ClientSession()
        self._settings = publish
        self._witness = witness
        self.video_upload = video_upload
        #: What ``prepare`` finds gone, and names of the posts that went to the web host.
        self.again: dict[Path, bytes] = {}
        self.hosted: list[str] = []
        self.folder = Path()

    async def start(self, token: str = TOKEN, *, delays: Sequence[float] = (60.0, 300.0)) -> None:
        """As a daemon does at its start, and again with another token: only the journal stays."""
        settings = InstagramSettings(user_id=USER, access_token=SecretStr(token))
        vault = Vault(self.folder / "keys")
        self.tokens = tokens = Tokens(settings, self.journal, vault, self.clock)
        await tokens.open()
        self.pacing = Pacing(self.clock, self.log, app_of=tokens.login)
        standing = Standing(tokens, self.pacing)
        self.client = client = GraphClient(
            self.session,
            apps_at(self.caller.simulator.url),
            "v25.0",
            timeout=5.0,
            pacing=self.pacing,
            wait=wait_none(),
        )
        self.first_comments = FirstComments(self.journal, client, tokens, self.clock, self.log)
        direct = Direct(
            Rupload(client, self.session, "v25.0", stall=5.0, answer=5.0),
            prepare=self._prepare,
            falls_back=self.video_upload == "auto",
            pauses=(0.0, 0.0),
        )
        self.publish = Publish(
            client,
            tokens,
            self._settings,
            wake=self.engine.wake,
            witness=self._witness,
            upload=self._upload,
            standing=standing,
            direct=direct,
            sends_videos=lambda account_id: (
                self.video_upload != "host" and tokens.login(account_id) == "facebook"
            ),
        )
        self.standing = standing
        self.runner = Runner(
            self.journal,
            self.engine,
            self.clock,
            self.log,
            steps={
                Stage.CONTAINER: standing.guard(self.publish.container),
                Stage.PUBLISH: standing.guard(self.publish.publish),
                Stage.CONFIRM: standing.guard(self.publish.confirm),
                Stage.ARCHIVE: self._file,
            },
            set_aside=self._set_aside,
            retry_delays=delays,
        )
        now = self.clock.now()
        await self.journal.apply([posts.rescue_all(now), posts.unpark_all(now)])
        await standing.open(self.journal, self.clock, self.log)

    @property
    def calls(self) -> int:
        """How many requests Meta has had, refused ones too."""
        return self.simulator.state.calls

    async def _upload(self, work: Work, item: Item) -> Item:
        self.hosted.append(item.name)
        body = jpeg() if item.prepared is None else item.prepared.read_bytes()
        address = self.caller.pictures.add(f"again-{item.post_id}-{item.position}", body)
        return dataclasses.replace(item, public_url=address)

    async def _prepare(self, work: Work, item: Item) -> Item:
        assert item.prepared is not None
        body = self.again[item.prepared]
        item.prepared.write_bytes(body)
        return dataclasses.replace(
            item, prepared_size=len(body), prepared_sha256=hashlib.sha256(body).hexdigest()
        )

    async def _file(self, work: Work) -> Outcome:
        await work.write(Event.FINISH)
        return Done()

    async def _set_aside(self, work: Work, where: str, reason: Reason) -> None:
        self.aside.append((where, reason))

    async def post(self, caption: str = "Hello", *, pictures: int = 1, **facts: object) -> str:
        """A post whose pictures are uploaded already; its id."""
        self.made += 1
        post_id = f"{self.made:012x}"
        items = []
        for position in range(pictures):
            address = self.caller.pictures.add(f"{post_id}-{position}.jpg", jpeg())
            name = f"{'abcdefghij'[position]}.jpg"
            source = Path("/nowhere") / name
            items.append(Item(post_id, position, name, source, "00", 1, public_url=address))
        post = Post(
            id=post_id,
            account_id=USER,
            kind=PostKind.IMAGE,
            name=f"{post_id}.jpg",
            caption=caption,
            content_key=post_id,
            stage=Stage.CONTAINER,
            state=State.READY,
            created_at=self.time.now,
            updated_at=self.time.now,
            items=tuple(items),
        )
        await self.journal.apply(posts.add(dataclasses.replace(post, **facts)))  # type: ignore[arg-type]
        return post_id

    async def video_post(
        self, videos: Mapping[str, bytes | None], *, kind: PostKind = PostKind.REEL, words: str = ""
    ) -> str:
        """A post of these files as they are after the upload stage: what is no video (None) has
        its public address, a video lies prepared; its id."""
        post_id = await self.post(words or "Waves", pictures=len(videos), kind=kind)
        post = await self.find(post_id)
        changes = []
        for item, (name, body) in zip(post.items, videos.items(), strict=True):
            named = dataclasses.replace(item, name=name)
            if body is not None:
                path = self.folder / f"{post_id}-{item.position}"
                path.write_bytes(body)
                self.again[path] = body
                named = dataclasses.replace(
                    named,
                    prepared=path,
                    prepared_size=len(body),
                    prepared_sha256=hashlib.sha256(body).hexdigest(),
                    media_type=VIDEO,
                    public_url=None,
                )
            changes.append(post_items.record_item(named, item))
        await self.journal.apply(changes)
        return post_id

    async def advance(self, post_id: str, *, after: float = 0.0) -> Post:
        """Let a worker take the post once, ``after`` seconds; how it stands then."""
        self.time.turn(after)
        await self.runner.advance(post_id)
        return await self.find(post_id)

    async def claimed(self, post_id: str) -> Work:
        """The post in the hands of a worker that does nothing."""
        claim = posts.claim(post_id, now=self.time.now, lease=60)
        row = (await self.journal.apply([claim]))[0][0]
        post = posts.from_row(row, await post_items.items_of(self.journal, post_id))
        return Work(self.journal, self.clock, self.log, post)

    async def until_settled(self, post_id: str, *, limit: int = 60) -> Post:
        """Advance the clock from wait to wait until the post is final or held."""
        for _ in range(limit):
            post = await self.advance(post_id)
            if post.state not in {State.READY, State.WAITING}:
                return post
            if post.wait_until is not None:
                self.time.now = max(self.time.now, post.wait_until)
        raise AssertionError(f"{post_id} does not come to an end: {post}")

    async def find(self, post_id: str) -> Post:
        post = await posts.find(self.journal, post_id)
        assert post is not None
        return post

    @property
    def published(self) -> list[str]:
        """Captions of what is on simulated Instagram, in order."""
        return [media.container.caption for media in self.simulator.state.publications]

    @property
    def publish_calls(self) -> int:
        return sum(c.publish_calls for c in self.simulator.state.containers.values())

    @property
    def republish_calls(self) -> int:
        return sum(c.republish_calls for c in self.simulator.state.containers.values())


@asynccontextmanager
async def bench(
    folder: Path,
    options: SimulatorOptions | None = None,
    *,
    video_upload: str = "host",
    **publish: object,
) -> AsyncIterator[Bench]:
    """A bench with a journal in ``folder``."""
    clock = SimulatorClock()
    options = dataclasses.replace(
        options or SimulatorOptions(), clock=clock, token=TOKEN, users=(USER,)
    )
    settings = PublishSettings.model_validate(
        {"publish_timeout": PUBLISH_TIMEOUT, "quiet_window": QUIET, **publish}
    )
    async with running(options) as caller, SqliteJournal(folder / "journal.db") as journal:
        await journal.apply([accounts.ensure(USER)])
        made = Bench(journal, caller, clock, settings, Witness(folder / "asked.json"), video_upload)
        made.folder = folder
        await made.start()
        try:
            yield made
        finally:
            await made.session.close()
            # Let aiohttp's transports close before the loop's warnings are looked at.
            await asyncio.sleep(0)
