"""mediawatch as its users have it: as real child processes."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mediawatch.config import GUIDE_NAMES

#: Seconds that anything may take that is waited for. Far more than it needs.
PATIENCE = 30.0
#: Seconds between two looks.
LOOK = 0.01


async def until(
    seen: Callable[[], Any | Awaitable[Any]],
    limit: float = PATIENCE,
    tell: Callable[[], str] = lambda: "",
) -> Any:
    """Look until ``seen`` gives something true, and give that. ``tell`` explains a failure."""
    end = asyncio.get_running_loop().time() + limit
    while True:
        found = seen()
        if inspect.isawaitable(found):
            found = await found
        if found:
            return found
        if asyncio.get_running_loop().time() > end:
            raise AssertionError(f"not seen within {limit:.0f} s\n{tell()}")
        await asyncio.sleep(LOOK)


def environment() -> dict[str, str]:
    """Ours, without anything that could decide a setting, lead loopback to a proxy, or make
    every start compile what it imports."""
    return {
        name: value
        for name, value in os.environ.items()
        if name not in GUIDE_NAMES
        and not name.startswith("MEDIAWATCH_")
        and name != "PYTHONDONTWRITEBYTECODE"
        and not name.lower().endswith("_proxy")
    } | {"PYTHONUTF8": "1", "COLUMNS": "200"}


@dataclass(frozen=True, slots=True)
class Ended:
    """What a command said, and its exit code."""

    code: int
    out: str
    err: str


async def command(
    *words: str, folder: Path, before: Sequence[str] = (), limit: float = PATIENCE
) -> Ended:
    """Run ``mediawatch WORDS`` in ``folder`` to its end. ``before``: what it is run with."""
    child = await asyncio.create_subprocess_exec(
        *before,
        *(sys.executable, "-m", "mediawatch", *words),
        cwd=folder,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    return await ended(child, limit)


async def ended(child: asyncio.subprocess.Process, limit: float) -> Ended:
    """What a child says until its end; it is killed if that does not come within ``limit``
    seconds."""
    try:
        async with asyncio.timeout(limit):
            out, err = await child.communicate()
    except BaseException:
        with contextlib.suppress(ProcessLookupError):
            child.kill()
        await child.wait()
        raise
    return Ended(child.returncode or 0, out.decode(), err.decode())


class Running:
    """One ``mediawatch run`` in the background. What it prints is collected in ``output``."""

    def __init__(self, folder: Path, config: Path, before: Sequence[str] = ()) -> None:
        self.output = folder / "output.txt"
        with self.output.open("ab") as output:
            self.process = subprocess.Popen(
                [*before, sys.executable, "-m", "mediawatch", "run", "--config", str(config)],
                cwd=folder,
                env=environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )

    async def ended(self, limit: float = PATIENCE) -> int:
        """The exit code, once there is one."""
        await until(lambda: self.process.poll() is not None, limit, self.output.read_text)
        return int(self.process.returncode)

    async def stop(self, limit: float = PATIENCE) -> int:
        """Ask it to stop, as an administrator does; its exit code."""
        self.process.terminate()
        return await self.ended(limit)

    async def kill(self) -> None:
        """End it without a warning."""
        self.process.kill()
        await self.ended()
