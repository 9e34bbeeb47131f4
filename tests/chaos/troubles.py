"""What goes wrong in a round: all of it drawn from the round's own random numbers."""

from __future__ import annotations

import asyncio
import contextlib
import random
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.pictures import jpeg
from tests.support.river import Door, River

#: Faults of Meta that pass by themselves: what each needs besides ``times``.
FAULTS: tuple[dict[str, Any], ...] = (
    {"on": "media_publish", "do": "drop-after"},
    {"on": "media_publish", "do": "drop-before"},
    {"on": "media_publish", "do": "html-500-after"},
    {"on": "media_publish", "do": "html-500"},
    {"on": "media_publish", "do": "error-after", "code": -1, "subcode": 2207001},
    {"on": "media_publish", "do": "error-after", "code": 2, "http": 500},
    {"on": "media_publish", "do": "error", "code": 1},
    {"on": "media_publish", "do": "error-after", "code": 24, "subcode": 2207008},
    {"on": "media_publish", "do": "error", "code": 9007, "subcode": 2207027},
    {"on": "media_publish", "do": "delay", "seconds": 0.7},
    {"on": "media_publish", "do": "delay-effect", "seconds": 0.7},
    {"on": "status", "do": "error", "code": 100, "subcode": 33},
    {"on": "status", "do": "error", "code": 2, "http": 500},
    {"on": "status", "do": "html-500"},
    {"on": "status", "do": "status", "status": "IN_PROGRESS"},
    {"on": "status", "do": "status", "status": "ERROR"},
    {"on": "status", "do": "status", "status": "EXPIRED"},
    {"on": "create", "do": "drop-after"},
    {"on": "create", "do": "html-500"},
    {"on": "create", "do": "error", "code": 9004, "subcode": 2207052},
    {"on": "create", "do": "delay", "seconds": 0.4},
    {"on": "listing", "do": "error", "code": 2},
    {"on": "listing", "do": "drop-before"},
    {"on": "limit", "do": "error", "code": 2},
    {"on": "permalink", "do": "error", "code": 100, "subcode": 33},
)


@dataclass
class Dropped:
    """What was put into the inbox: the bytes by name, and which of them can be published."""

    files: dict[str, bytes] = field(default_factory=dict)
    pictures: dict[str, set[str]] = field(default_factory=dict)  # content -> its names
    spoilt: set[str] = field(default_factory=set)
    captions: dict[str, str] = field(default_factory=dict)  # content -> what its caption must be


class Dropper:
    """Puts files into the inbox in every way that people and programs do."""

    def __init__(self, river: River, rng: random.Random, count: int) -> None:
        self.dropped = Dropped()
        self.inbox_is_there = asyncio.Lock()
        self._river = river
        self._rng = rng
        self._count = count

    async def run(self, seconds: float) -> None:
        """Drop them all within about so many seconds."""
        for number in range(self._count):
            await asyncio.sleep(self._rng.uniform(0, 2 * seconds / self._count))
            await self._drop(number)

    async def _drop(self, number: int) -> None:
        rng, dropped = self._rng, self.dropped
        if rng.random() < 0.1:
            name = f"spoilt{number}.jpg"
            dropped.spoilt.add(name)
            # Far too wide: no way to fit it.
            await self._write(name, jpeg(1600, 100, seed=number))
            return
        known = sorted(dropped.pictures)
        content = rng.choice(known) if known and rng.random() < 0.25 else f"p{number}"
        name = f"{content}-{number}.jpg"
        again = content in dropped.pictures
        if not again and rng.random() < 0.2:
            dropped.captions[content] = f"{content}-said"
            async with self.inbox_is_there:
                (self._river.inbox / f"{content}-{number}.txt").write_text(f"{content}-said")
        dropped.pictures.setdefault(content, set()).add(name)
        await self._write(name, jpeg(400, 400, seed=int(content[1:]) + 1000))

    async def _write(self, name: str, content: bytes) -> None:
        rng = self._rng
        self.dropped.files[name] = content
        async with self.inbox_is_there:
            target = self._river.inbox / name
            match rng.choice(["at once", "in pieces", "under another name", "moved in"]):
                case "at once":
                    target.write_bytes(content)
                case "in pieces":
                    with target.open("wb") as file:
                        for start in range(0, len(content), len(content) // 4 + 1):
                            file.write(content[start : start + len(content) // 4 + 1])
                            file.flush()
                            await asyncio.sleep(rng.uniform(0, 0.15))
                case "under another name":
                    beside = target.with_name(f"{name}.part")
                    beside.write_bytes(content)
                    await asyncio.sleep(rng.uniform(0, 0.1))
                    beside.rename(target)
                case _:
                    outside = self._river.root / name
                    outside.write_bytes(content)
                    shutil.move(outside, target)


async def cut_lines(door: Door, rng: random.Random) -> None:
    """The way to the FTP server is cut again and again, in the middle of whatever goes on."""
    while True:
        await asyncio.sleep(rng.uniform(0.1, 1.2))
        await door.close()
        await asyncio.sleep(rng.uniform(0, 0.3))
        await door.open()


async def garble(river: River, rng: random.Random) -> None:
    """Meta fails in ever other ways."""
    while True:
        rules = [
            {**fault, "times": rng.randint(1, 3), "probability": rng.choice([0.3, 0.7, 1.0])}
            for fault in rng.sample(FAULTS, rng.randint(1, 4))
        ]
        river.simulator.script(*rules)
        await asyncio.sleep(rng.uniform(0.3, 1.5))


async def disturb_folder(river: River, dropper: Dropper, rng: random.Random) -> None:
    """The inbox goes away and comes back; files are touched; strangers lie about."""
    while True:
        await asyncio.sleep(rng.uniform(0.2, 1.0))
        async with dropper.inbox_is_there:
            match rng.choice(["away", "touch", "noise", "hidden"]):
                case "away":
                    away = river.inbox.with_name("elsewhere")
                    river.inbox.rename(away)
                    await asyncio.sleep(rng.uniform(0, 0.2))
                    _back(away, river.inbox)
                case "touch":
                    for path in sorted(river.inbox.glob("*.jpg"))[:1]:
                        with contextlib.suppress(FileNotFoundError):
                            path.touch()
                case "noise":
                    (river.inbox / "notes.zip").write_bytes(b"PK\x05\x06" + bytes(18))
                case _:
                    (river.inbox / ".hidden.jpg").write_bytes(b"half a picture")


def _back(away: Path, inbox: Path) -> None:
    """Bring the inbox back; if one was made anew meanwhile, it must be empty of files."""
    if inbox.exists():
        shutil.rmtree(inbox)
    away.rename(inbox)
