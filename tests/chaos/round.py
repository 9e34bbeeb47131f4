"""One round of chaos: a few files, everything going wrong at once, then peace, then the count.

A round is drawn from its seed: what is dropped when and how, who fails in which way, when the
daemon is killed. After it, files in = posts out, none twice, each file in exactly one place.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import shutil
import signal
import sqlite3
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mediawatch.model.lifecycle import FINAL, Publication
from mediawatch.model.posts import Post
from mediawatch.simulator import Republish, Simulator, SimulatorOptions
from tests.chaos.troubles import Dropper, cut_lines, disturb_folder, garble
from tests.support.ftp_servers import published_folder
from tests.support.nursery import Child, Nursery, Order
from tests.support.river import Door, River, contents
from tests.support.simulator import TOKEN
from tests.support.simulator import USER as ACCOUNT

#: Seconds of trouble, and seconds that peace may take.
TROUBLE = 2.5
PEACE = 60.0
SETTINGS: dict[str, dict[str, Any]] = {
    "watch": {"settle": 0.1, "rescan": 1, "workers": 2},
    "publish": {
        "retry_delays": [0.2] * 100,
        "poll_delays": [0, 0.1],
        "publish_timeout": 0.5,
        "quiet_window": 0.6,
    },
    "ftp": {"connections": 2, "connect_timeout": 1, "io_timeout": 1, "reply_timeout": 2},
    "instagram": {"timeout": 2},
}


@dataclass
class Report:
    """What came of a round. ``wrong``: sentences; none if all is well."""

    seed: int
    wrong: list[str] = field(default_factory=list)
    files: int = 0
    published: int = 0
    kills: int = 0
    decided: int = 0
    seconds: float = 0.0
    story: str = ""


class Round:
    """One daemon in trouble. ``sabotage`` names a way in which it is wrong on purpose."""

    def __init__(
        self, river: River, door: Door, nursery: Nursery, seed: int, sabotage: str | None
    ) -> None:
        self.river = river
        self.report = Report(seed)
        self._door = door
        self._nursery = nursery
        self._sabotage = sabotage
        self._rng = random.Random(seed)
        self._child: Child | None = None
        self._peace = asyncio.Event()

    def _strand(self, name: str) -> random.Random:
        """Random numbers of their own for each trouble, so that none depends on another's luck."""
        return random.Random(f"{self.report.seed} {name}")

    async def play(self) -> Report:
        """Trouble, peace, the count."""
        river = self.river
        dropper = Dropper(river, self._strand("files"), self._rng.randint(4, 9))
        await self._start(in_trouble=True)
        troubles = [
            asyncio.create_task(trouble)
            for trouble in (
                cut_lines(self._door, self._strand("lines")),
                garble(river, self._strand("meta")),
                disturb_folder(river, dropper, self._strand("folder")),
            )
        ]
        killing = asyncio.create_task(self._kill(self._strand("kills")))
        try:
            async with asyncio.timeout(30):
                await dropper.run(TROUBLE * 0.7)
                await asyncio.sleep(TROUBLE * 0.3)
        finally:
            async with dropper.inbox_is_there:  # nobody stops half way through moving it
                for trouble in troubles:
                    trouble.cancel()
            await asyncio.gather(*troubles, return_exceptions=True)
            self._peace.set()
            await killing
        self.report.files = len(dropper.dropped.files)
        await self._make_peace()
        await self._until_still(set(dropper.dropped.files))
        await self._end()
        self._count(dropper)
        await self._count_posts()
        return self.report

    # The daemon.

    async def _start(self, *, in_trouble: bool) -> None:
        die_after = None
        if in_trouble and self._rng.random() < 0.6:
            die_after = int(self._rng.expovariate(1 / 60))
        alter: dict[str, Any] = {"quick": 0.2}
        if self._sabotage is not None:
            alter["sabotage"] = self._sabotage
        self._child = await self._nursery.start(self._order("run", die_after, alter))

    def _order(self, *words: Any) -> Order:
        command, die_after, alter = words
        return Order(
            words=(*command.split(), "--config", str(self.river.config)),
            folder=str(self.river.root),
            output=str(self.river.root / "output.txt"),
            die_after=die_after,
            alter=alter,
        )

    async def _kill(self, rng: random.Random) -> None:
        """Kill it at random, let it kill itself at random points, and start it again."""
        while not self._peace.is_set():
            assert self._child is not None
            with contextlib.suppress(TimeoutError):
                await self._child.ended(rng.uniform(0.2, 1.5))
            if self._child.code is None:
                self._child.signal(rng.choice([signal.SIGKILL, signal.SIGKILL, signal.SIGTERM]))
                with contextlib.suppress(TimeoutError):
                    await self._child.ended(rng.uniform(0.0, 1.0))
                await self._child.kill()
            self.report.kills += 1
            await self._start(in_trouble=True)

    async def _make_peace(self) -> None:
        river = self.river
        away = river.inbox.with_name("elsewhere")
        if away.exists():
            if river.inbox.exists():
                shutil.rmtree(river.inbox)
            away.rename(river.inbox)
        await self._door.close()
        await self._door.open()
        river.simulator.script()
        assert self._child is not None
        await self._child.kill()
        await self._start(in_trouble=False)

    async def _end(self) -> None:
        assert self._child is not None
        if self._child.code is not None:
            self.report.wrong.append(f"the daemon left by itself: {self._child.code}")
            return
        self._child.signal(signal.SIGTERM)
        if code := await self._child.ended():
            self.report.wrong.append(f"the daemon did not leave well: {code}")

    async def _until_still(self, names: set[str]) -> None:
        """Until every file has left the inbox and every post is at its end."""
        end = time.monotonic() + PEACE
        while time.monotonic() < end:
            assert self._child is not None
            if self._child.code is not None:
                return
            waiting = {path.name for path in self.river.inbox.glob("*")} & names
            unfinished = await self._unfinished()
            if not waiting and not unfinished:
                return
            for post in unfinished:
                if post.state == "held":
                    await self._decide(post)
            await asyncio.sleep(0.05)
        left = [f"{p.name}: {p.stage} {p.state} {p.detail}" for p in await self._unfinished()]
        self.report.wrong.append(f"no end: {sorted(waiting)} {left}")

    async def _unfinished(self) -> list[Post]:
        return [post for post in (await self._posts()) if post.state not in FINAL]

    async def _posts(self) -> list[Post]:
        from mediawatch.journal import posts
        from mediawatch.journal.sqlite import SqliteReader

        reader: Any = SqliteReader(self.river.data / "journal.db")
        try:
            return await posts.listed(reader, limit=1000)
        finally:
            reader.close()

    async def _decide(self, post: Post) -> None:
        """What a person does: look at the account, and say what is there."""
        live = self._publications()[_content(post.name)] > 0
        word = "retry"
        if post.publication is Publication.ASKED:
            word = "confirm" if live else "deny"
        elif post.publication is Publication.LIVE:
            word = "confirm"
        self.report.decided += 1
        child = await self._nursery.start(self._order(f"posts {word} {post.id}", None, {}))
        await child.ended()

    # The count.

    def _publications(self) -> Counter[str]:
        media = self.river.simulator.state.publications
        return Counter(_content(each.container.caption) for each in media)

    def _count(self, dropper: Dropper) -> None:
        wrong, dropped, river = self.report.wrong, dropper.dropped, self.river
        published = self._publications()
        self.report.published = published.total()
        for content in dropped.pictures:
            if published[content] != 1:
                wrong.append(f"{content} was published {published[content]} times")
            said = dropped.captions.get(content, "")
            captions = {m.container.caption for m in river.simulator.state.publications}
            if said and said not in captions:
                wrong.append(f"the caption of {content} is lost")
        strangers = published.keys() - dropped.pictures.keys()
        wrong += [f"{content} should not have been published" for content in strangers]
        if asked := river.simulator.state.snapshot()["republish_calls"]:
            wrong.append(f"Meta was asked {asked} times to publish what was live")
        self._count_files(dropped.files, dropped.spoilt)

    def _count_files(self, files: Mapping[str, bytes], spoilt: set[str]) -> None:
        wrong, river = self.report.wrong, self.river
        folders = {
            folder.name: {
                name: data
                for name, data in contents(folder).items()
                if not name.endswith((".json", ".txt"))
            }
            for folder in (river.processed, river.duplicate, river.failed, river.held)
        }
        lying = Counter(data for found in folders.values() for data in found.values())
        for name, data in files.items():
            copies = sum(other == data for other in files.values())
            if lying[data] != copies:
                wrong.append(f"{name}: {copies} went in, {lying[data]} are filed")
        filed = Counter(folders["processed"].values())
        wrong += [
            f"a picture is filed {count} times as processed"
            for count in filed.values()
            if count > 1
        ]
        for name in spoilt:
            if files[name] not in folders["failed"].values():
                wrong.append(f"{name} is not under failed")
        for folder in ("duplicate", "failed", "held"):
            for name in folders[folder]:
                if not (river.root / folder / f"{name}.mediawatch.json").exists():
                    wrong.append(f"{folder}/{name} has no note")
        work = river.inbox / ".mediawatch" / "work"
        left = [str(path) for path in work.rglob("*")] if work.exists() else []
        left += [str(path) for path in river.prepared.glob("*")]
        if left:
            wrong.append(f"left over: {left}")

    async def _count_posts(self) -> None:
        wrong, found = self.report.wrong, await self._posts()
        keys = {item.remote_key for post in found for item in post.items}
        hosted = set(contents(self.river.root / "host" / "upload"))
        if litter := hosted - keys:
            wrong.append(f"litter on the web host: {sorted(litter)}")
        connection = sqlite3.connect(self.river.data / "journal.db")
        try:
            verdict = connection.execute("PRAGMA integrity_check").fetchone()[0]
        finally:
            connection.close()
        if verdict != "ok":
            wrong.append(f"the journal is damaged: {verdict}")


def _content(name: str) -> str:
    """Which picture a file or a caption is of."""
    return name.partition("-")[0].partition(".")[0]


async def play(
    seed: int,
    folder: Path,
    nursery: Nursery,
    *,
    sabotage: str | None = None,
    settings: Mapping[str, dict[str, Any]] | None = None,
) -> Report:
    """Play the round of that seed in ``folder``, which must not exist yet."""
    folder.mkdir(parents=True)
    started = time.monotonic()
    options = SimulatorOptions(token=TOKEN, users=(ACCOUNT,), republish=Republish.EVIL)
    async with (
        published_folder(folder / "host") as host,
        Simulator(options) as simulator,
        Door(host.ftp.port) as door,
    ):
        river = River(folder, simulator, host)
        river.configure(**{table: dict(keys) for table, keys in SETTINGS.items()})
        river.configure(ftp={"port": door.port, **SETTINGS["ftp"]}, **(settings or {}))
        each = Round(river, door, nursery, seed, sabotage)
        try:
            report = await each.play()
        except (AssertionError, TimeoutError) as error:
            each.report.wrong.append(f"{type(error).__name__}: {error}")
            report = each.report
        report.story = river.story() if report.wrong else ""
    report.seconds = time.monotonic() - started
    return report
