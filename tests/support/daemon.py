"""What all that runs mediawatch as a child process agrees on: how long to wait, and for what; which
environment; and what is told of one that has ended."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from mediawatch.config import GUIDE_NAMES

#: Seconds that anything may take that is waited for. Far more than it needs.
PATIENCE = 30.0
#: Seconds between the first two looks, and between two when it takes longer: a look may cost more
#: than what is waited for.
LOOK, LOOK_LATER = 0.01, 0.05


async def until(
    seen: Callable[[], Any | Awaitable[Any]],
    limit: float = PATIENCE,
    tell: Callable[[], str] = lambda: "",
) -> Any:
    """Look until ``seen`` gives something true, and give that. ``tell`` explains a failure."""
    end = asyncio.get_running_loop().time() + limit
    pause = LOOK
    while True:
        found = seen()
        if inspect.isawaitable(found):
            found = await found
        if found:
            return found
        if asyncio.get_running_loop().time() > end:
            raise AssertionError(f"not seen within {limit:.0f} s\n{tell()}")
        await asyncio.sleep(pause)
        pause = min(pause * 1.2, LOOK_LATER)


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
