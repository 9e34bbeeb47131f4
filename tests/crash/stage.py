"""A river whose daemon is killed at one point, started again, and must come to the same end."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mediawatch import crash
from mediawatch.simulator import Republish, Simulator, SimulatorOptions
from tests.support.daemon import PATIENCE
from tests.support.ftp_servers import Certificates, published_folder
from tests.support.nursery import KILLED, Child, Nursery, Order
from tests.support.river import River
from tests.support.simulator import USER as ACCOUNT

LOOK = 0.03
SETTINGS: dict[str, dict[str, Any]] = {
    "watch": {"settle": 0.05, "workers": 1},
    "publish": {"retry_delays": [0.1] * 50, "publish_timeout": 0.6, "quiet_window": 0.4},
    "ftp": {"connections": 1},
    "instagram": {"timeout": 5},
}

PASSPHRASE = {"MEDIAWATCH_PASSPHRASE": "a passphrase for tests"}


@dataclass
class End:
    """How it must end. Names of files by folder, notes left out; captions of what is published.

    ``hosted``: how many files lie on the web host. ``states``: of posts, by their names.
    """

    captions: list[str] = field(default_factory=list)
    processed: set[str] = field(default_factory=set)
    duplicate: set[str] = field(default_factory=set)
    failed: set[str] = field(default_factory=set)
    held: set[str] = field(default_factory=set)
    states: dict[str, str] = field(default_factory=dict)
    hosted: int = 0


class Stage:
    """One run of a scenario. ``armed``: ``point#k`` at which the life number ``armed_life``
    (the first is 1) dies; every later life lives on."""

    def __init__(
        self,
        river: River,
        nursery: Nursery,
        *,
        armed: str | None = None,
        armed_life: int = 1,
        record: Path | None = None,
        alter: Mapping[str, Any] | None = None,
    ) -> None:
        self.river = river
        self.armed = armed
        self.armed_life = armed_life
        self.record = record
        self.alter = dict(alter or {})
        self.lives = 0
        self.was_killed = False
        self._nursery = nursery
        self._child: Child | None = None

    # What scenarios do.

    async def start(self, *, dies_at: str | None = None) -> None:
        """Start the daemon. ``dies_at``: a point, as part of the scenario."""
        self.lives += 1
        self._starts = len(self.river.said("start"))
        armed = self.armed if self.lives == self.armed_life else None
        at = dies_at or armed
        self._child = await self._nursery.start(self._order(["run"], at))

    async def command(self, *words: str, dies_at: str | None = None) -> int:
        """Run a command while no daemon runs: a life of its own, which may be the one that is
        killed. Its exit code. ``dies_at``: as of ``start``."""
        self.lives += 1
        at = dies_at or (self.armed if self._dies_now() else None)
        child = await self._nursery.start(self._order(list(words), at, watched=True))
        code = await child.ended()
        if code == KILLED and dies_at is None:
            assert self._dies_now(), self.river.story()
            self.was_killed = True
        return code

    async def until_death(self) -> None:
        """The daemon must die by itself, as the scenario wants it."""
        assert self._child is not None
        assert KILLED == await self._child.ended(), self.river.story()

    async def until(self, seen: Callable[[], Any], tell: Callable[[], Any] = lambda: "") -> Any:
        """Wait for that, and start the daemon again if it is killed meanwhile."""
        end = asyncio.get_running_loop().time() + PATIENCE
        while True:
            await self._keep_alive()
            found = seen()
            if asyncio.iscoroutine(found):
                found = await found
            if found:
                return found
            if asyncio.get_running_loop().time() > end:
                raise AssertionError(f"not seen: {tell()}\n{self.river.story()}")
            await asyncio.sleep(LOOK)

    async def ask(self, *words: str) -> int:
        """Run a command; its exit code. The daemon may be killed by what it is asked."""
        child = await self._nursery.start(self._order(list(words), None))
        code = await child.ended()
        await self._keep_alive()
        return code

    async def ask_to_death(self, *words: str) -> None:
        """Run a command of which the daemon dies, as the scenario wants it."""
        child = await self._nursery.start(self._order(list(words), None))
        await child.ended()
        await self.until_death()

    async def stop(self) -> None:
        """Stop the daemon as an administrator does. If it is killed while it leaves, so be it."""
        await self.until(lambda: len(self.river.said("start")) > self._starts)
        assert self._child is not None
        self._child.signal(signal.SIGTERM)
        code = await self._child.ended()
        if code == KILLED and self._dies_now():
            self.was_killed = True
            await self.start()
            await self.stop()
            return
        assert 0 == code, self.river.story()

    async def ends(self, end: End) -> None:
        """Wait until everything is as it must be in the end, stop, and look again."""
        await self.until(lambda: self._is(end), lambda: self._differs)
        await self.stop()
        assert await self._is(end), f"{self._differs}\n{self.river.story()}"

    # How.

    def _dies_now(self) -> bool:
        return self.armed is not None and self.lives == self.armed_life

    async def _keep_alive(self) -> None:
        assert self._child is not None
        if self._child.code is None:
            return
        assert KILLED == self._child.code, self.river.story()
        assert self._dies_now(), self.river.story()
        self.was_killed = True
        await self.start()

    def _order(self, words: list[str], at: str | None, *, watched: bool = False) -> Order:
        root = self.river.root
        watched |= words == ["run"]
        return Order(
            (*words, "--config", str(self.river.config)),
            folder=str(root),
            output=str(root / "output.txt"),
            environ=PASSPHRASE | ({crash.VARIABLE: at} if at else {}),
            record=str(self.record) if self.record and watched else None,
            alter=self.alter,
        )

    async def _is(self, end: End) -> bool:
        """Whether it ended so; the journal is read last, for that costs most."""
        return self._fits(*self._files(end)) and self._fits(*await self._journal(end))

    def _fits(self, expected: dict[str, Any], found: dict[str, Any]) -> bool:
        self._differs = {
            key: (expected[key], found[key]) for key in expected if expected[key] != found[key]
        }
        return not self._differs

    def _files(self, end: End) -> tuple[dict[str, Any], dict[str, Any]]:
        river = self.river
        expected = {
            "processed": end.processed,
            "duplicate": noted(end.duplicate),
            "failed": noted(end.failed),
            "held": noted(end.held),
            "left": set(),
            "captions": sorted(end.captions),
            "asked again for what was live": 0,
        }
        found = {
            "processed": _names(river.processed),
            "duplicate": _names(river.duplicate),
            "failed": _names(river.failed),
            "held": _names(river.held),
            "left": river.leftovers(),
            "captions": river.captions(),
            "asked again for what was live": river.simulator.state.snapshot()["republish_calls"],
        }
        return expected, found

    async def _journal(self, end: End) -> tuple[dict[str, Any], dict[str, Any]]:
        posts = await self.river.posts()
        keys = {item.remote_key for post in posts.values() for item in post.items}
        hosted = self.river.host.ftp.names()
        expected = {"states": end.states, "hosted": end.hosted, "unknown on the host": set()}
        found = {
            "states": {name: str(post.state) for name, post in posts.items()},
            "hosted": len(hosted & keys),
            "unknown on the host": hosted - keys,
        }
        return expected, found


def _names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} if folder.is_dir() else set()


def noted(names: set[str]) -> set[str]:
    """These files, each with its note; captions have none."""
    return names | {f"{name}.mediawatch.json" for name in names if not name.endswith(".txt")}


@asynccontextmanager
async def open_stage_river(
    root: Path, certificates: Certificates | None = None, **settings: Any
) -> AsyncIterator[River]:
    """A river with quick settings, and a Meta that publishes twice if it is asked twice."""
    root.mkdir(parents=True)
    options = SimulatorOptions(users=(ACCOUNT,), republish=Republish.EVIL)
    async with AsyncExitStack() as stack:
        host = await stack.enter_async_context(published_folder(root / "host", certificates))
        simulator = await stack.enter_async_context(Simulator(options))
        river = River(root, simulator, host)
        river.configure(
            **{
                table: {**SETTINGS.get(table, {}), **settings.get(table, {})}
                for table in SETTINGS.keys() | settings.keys()
            }
        )
        yield river
