"""One round: people drop files, enemies do their worst; then comes peace, and all must be well."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import tempfile
import time
from collections.abc import Awaitable, Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mediawatch.model.lifecycle import Publication, Stage
from mediawatch.model.posts import Post
from mediawatch.simulator import Republish, Simulator, SimulatorOptions
from tests.chaos.host import FtpHost
from tests.chaos.plan import Album, Fate, File, Gesture, Plan
from tests.chaos.verdict import problems
from tests.support.ftp_servers import FtpServer, PublishedFolder
from tests.support.nursery import KILLED, Child, Nursery, Order
from tests.support.river import River
from tests.support.simulator import TOKEN
from tests.support.simulator import USER as ACCOUNT
from tests.support.web_host import web_host

#: Seconds without anything getting better after which peace is given up; all but a few rounds
#: need five in all. A crowded machine is slow, but it goes on.
PATIENCE = 60.0
#: Seconds after peace from which a person decides: what Meta still does late is done by then.
DECIDE_AFTER = 1.5
_SETTINGS: dict[str, dict[str, Any]] = {
    "watch": {"settle": 0.1, "hold_above": 0},
    "ftp": {"connect_timeout": 2, "io_timeout": 2, "reply_timeout": 4},
    "instagram": {"timeout": 2},
    "publish": {
        "retry_delays": [0.3] * 50,
        "poll_delays": [0, 0.2],
        "publish_timeout": 0.5,
        "quiet_window": 1.0,
    },
}


@dataclass
class Report:
    """How a round went. ``decided``: what a person had to decide, by the word of the command."""

    seed: int
    problems: list[str] = field(default_factory=list)
    files: int = 0
    posts: int = 0
    kills: int = 0
    faults: int = 0
    cuts: int = 0
    decided: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0


class Round:
    """Plays a plan in ``root``. ``sabotage``: a mistake that the daemon is made to make."""

    def __init__(
        self, plan: Plan, nursery: Nursery, root: Path, *, sabotage: str | None = None
    ) -> None:
        self.plan = plan
        files = len(plan.files) + sum(len(album.files) for album in plan.albums)
        self.report = Report(plan.seed, files=files, cuts=len(plan.cuts))
        self._nursery = nursery
        self._root = root
        self._sabotage = sabotage
        self._lives = iter(plan.lives)
        self._fighting = True
        self._child: Child | None = None

    async def play(self) -> Report:
        """Play it to its end; never raises for what the daemon does wrong."""
        began = time.monotonic()
        self._root.mkdir(parents=True)
        ftp = FtpHost(self._root / "host", self.plan.upload_rate)
        ftp.start()
        try:
            async with AsyncExitStack() as stack:
                web = await stack.enter_async_context(web_host(ftp.folder))
                options = dict(self.plan.simulator)
                options["republish"] = Republish(options["republish"])
                simulator = await stack.enter_async_context(
                    Simulator(SimulatorOptions(token=TOKEN, users=(ACCOUNT,), **options))
                )
                published = PublishedFolder(
                    FtpServer(ftp.port, ftp.folder), f"{web.url}/upload", web
                )
                self.river = River(self._root, simulator, published)
                self.river.configure(**_merged(_SETTINGS, self.plan.settings))
                await self._play(ftp, simulator)
        finally:
            ftp.kill()
        self.report.seconds = round(time.monotonic() - began, 1)
        return self.report

    async def _play(self, ftp: FtpHost, simulator: Simulator) -> None:
        simulator.script(*self.plan.rules, seed=self.plan.seed)
        keeper = asyncio.create_task(self._keep_alive())
        try:
            async with asyncio.TaskGroup() as all_at_once:
                for files in _by_name(self.plan.files):
                    all_at_once.create_task(self._drop_in_turn(files))
                for album in self.plan.albums:
                    all_at_once.create_task(self._drop_album(album))
                all_at_once.create_task(self._cut(ftp))
                all_at_once.create_task(self._kill())
                all_at_once.create_task(_after(self.plan.peace, self._have_it_retried()))
            self._fighting = False
            rules = simulator_rules(simulator)
            self.report.faults = sum(rule["fired"] for rule in rules)
            simulator.script()
            await self._find_peace(simulator)
        finally:
            keeper.cancel()
            await asyncio.wait({keeper})
            if self._child is not None:
                self._child.signal(signal.SIGKILL)
        if not keeper.cancelled() and (error := keeper.exception()):
            self.report.problems.append(f"the daemon ended by itself: {error}")

    # The daemon.

    async def _keep_alive(self) -> None:
        while True:
            self._child = await self._nursery.start(
                self._order("run", after=next(self._lives, None))
            )
            code = await self._child.ended(3600)
            if code == KILLED:
                self.report.kills += 1
            elif code not in {0, -signal.SIGTERM}:  # the latter before it listens to signals
                raise AssertionError(f"exit code {code}\n{self.river.story()}")

    def _order(self, *words: str, after: int | None = None) -> Order:
        return Order(
            (*words, "--config", str(self.river.config)),
            folder=str(self._root),
            output=str(self._root / "output.txt"),
            die_after=after if self._fighting else None,
            alter={"quick": 0.1, **({"sabotage": self._sabotage} if self._sabotage else {})},
        )

    async def _ask(self, *words: str) -> bool:
        child = await self._nursery.start(self._order(*words))
        return await child.ended() == 0

    # Enemies.

    async def _kill(self) -> None:
        moments = [(at, signal.SIGKILL) for at in self.plan.kills]
        moments += [(at, signal.SIGTERM) for at in self.plan.stops]
        began = time.monotonic()
        for at, number in sorted(moments):
            await asyncio.sleep(max(0.0, began + at - time.monotonic()))
            if self._child is not None:
                self._child.signal(number)

    async def _cut(self, ftp: FtpHost) -> None:
        began = time.monotonic()
        for at, lasting in sorted(self.plan.cuts):
            await asyncio.sleep(max(0.0, began + at - time.monotonic()))
            await asyncio.to_thread(ftp.kill)
            await asyncio.sleep(lasting)
            ftp.start()

    # People.

    async def _drop_in_turn(self, files: list[File]) -> None:
        began = time.monotonic()
        for file in files:
            await asyncio.sleep(max(0.0, began + file.at - time.monotonic()))
            await self._drop(file)

    async def _drop(self, file: File) -> None:
        inbox, path = self.river.inbox, self.river.inbox / file.name
        if file.sidecar is not None:
            suffix, text = file.sidecar
            path.with_suffix(suffix).write_text(text, encoding="utf-8")
        match file.gesture:
            case Gesture.SLOWLY:
                third = len(file.content) // 3
                with path.open("wb", buffering=0) as writing:
                    writing.write(file.content[:third])
                    await asyncio.sleep(0.07)
                    writing.write(file.content[third : 2 * third])
                    await asyncio.sleep(0.25)
                    writing.write(file.content[2 * third :])
            case Gesture.ASIDE:
                part = inbox / f"{file.name}.part"
                part.write_bytes(file.content)
                await asyncio.sleep(0.15)
                part.rename(path)
            case Gesture.MOVED_IN:
                made = self._elsewhere() / file.name
                made.write_bytes(file.content)
                made.rename(path)
            case Gesture.IN_ITS_PLACE:
                made = self._elsewhere() / file.name
                made.write_bytes(file.content)
                while not _brought(made, path):  # noqa: ASYNC110 - a folder tells nobody
                    await asyncio.sleep(0.002)
            case Gesture.WHOLE | Gesture.RENAMED | Gesture.TOUCHED:
                path.write_bytes(file.content)
        if file.gesture is Gesture.RENAMED:
            await asyncio.sleep(0.1)
            _if_still_there(lambda: path.rename(path.with_name(f"renamed-{path.name}")))
        if file.gesture is Gesture.TOUCHED:
            await asyncio.sleep(0.1)
            _if_still_there(lambda: os.utime(path))

    async def _drop_album(self, album: Album) -> None:
        await asyncio.sleep(album.at)
        folder = self.river.inbox / album.name
        if album.gesture is Gesture.MOVED_IN:
            folder = self._elsewhere() / album.name
        folder.mkdir()
        (folder / "caption.txt").write_text(album.caption, encoding="utf-8")
        for file in album.files:
            (folder / file.name).write_bytes(file.content)
            if album.gesture is Gesture.SLOWLY:
                await asyncio.sleep(0.03)
        if album.gesture is Gesture.MOVED_IN:
            folder.rename(self.river.inbox / album.name)

    def _elsewhere(self) -> Path:
        return Path(tempfile.mkdtemp(dir=self._root, prefix="elsewhere-"))

    async def _have_it_retried(self) -> None:
        """Somebody has mended something, and has all that waits for that tried again."""
        if await self._ask("posts", "retry", "--all"):
            self._note_decision("retry --all")

    async def _decide(self, simulator: Simulator) -> None:
        """What needs a person is decided by what is true, and that the simulator knows."""
        found = await self.river.all_posts()
        if any(post.state == "waiting" and post.parked for post in found):
            await self._have_it_retried()
        for post in found:
            if post.state != "held" or self._is_well(post):
                continue
            unsure = post.publication is Publication.ASKED or post.stage is Stage.CONFIRM
            words = ["retry", post.id]
            if unsure:
                container = simulator.state.containers.get(post.container_id or "")
                media = container.media if container else None
                words = ["confirm", post.id, "--media", media.id] if media else ["deny", post.id]
            if await self._ask("posts", *words):
                self._note_decision(f"{words[0]} ({post.reason})")

    def _note_decision(self, what: str) -> None:
        self.report.decided[what] = self.report.decided.get(what, 0) + 1

    def _is_well(self, post: Post) -> bool:
        """Held as it must be."""
        fates = {file.sha256: file.fate for file in self.plan.files}
        return fates.get(post.items[0].sha256) is Fate.HELD

    # Peace.

    async def _find_peace(self, simulator: Simulator) -> None:
        began = better = time.monotonic()
        fewest = 1 << 30
        while time.monotonic() - better < PATIENCE:
            await asyncio.sleep(0.2)
            found = await self._problems(simulator)
            if len(found) < fewest:
                fewest, better = len(found), time.monotonic()
            if not found or published_twice(found):
                # Well once, and still well after all that could come late; or past mending.
                await asyncio.sleep(0.5)
                break
            if time.monotonic() - began > DECIDE_AFTER:
                await self._decide(simulator)
        self.report.problems = await self._problems(simulator)
        self.report.posts = len(simulator.state.publications)
        if self.report.problems:
            story = {"plan": repr(self.plan), "problems": self.report.problems}
            (self._root / "problems.json").write_text(json.dumps(story, indent=2))

    async def _problems(self, simulator: Simulator) -> list[str]:
        return problems(self.plan, self.river, simulator, await self.river.all_posts())


def published_twice(found: list[str]) -> bool:
    """Whether one of these problems is a picture that was published more than once."""
    return any(re.search(r"is published ([2-9]|\d\d+) times", problem) for problem in found)


def simulator_rules(simulator: Simulator) -> list[dict[str, Any]]:
    """The rules at work, each with how often it fired."""
    from mediawatch.simulator.server import GRAPH

    return simulator._app[GRAPH].faults.snapshot()


def _merged(*tables: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for each in tables:
        for table, keys in each.items():
            found[table] = {**found.get(table, {}), **keys}
    return found


async def _after(seconds: float, then: Awaitable[None]) -> None:
    await asyncio.sleep(seconds)
    await then


def _by_name(files: Iterable[File]) -> list[list[File]]:
    found: dict[str, list[File]] = {}
    for file in files:
        found.setdefault(file.name, []).append(file)
    return list(found.values())


def _brought(made: Path, path: Path) -> bool:
    """Move it there, unless a file of that name lies there still."""
    try:
        os.link(made, path)
    except FileExistsError:
        return False
    made.unlink()
    return True


def _if_still_there(act: Any) -> None:
    try:
        act()
    except FileNotFoundError:
        pass  # it was claimed meanwhile
