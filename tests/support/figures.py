"""The text that Prometheus reads, taken apart; and how late an idle process is woken."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

_IDLE = """
import asyncio, sys
from mediawatch.metrics import Metrics, watch_loop
async def main():
    metrics = Metrics()
    watching = asyncio.create_task(watch_loop(metrics))
    await asyncio.to_thread(sys.stdin.read)
    print(metrics.text({}).decode())
asyncio.run(main())
"""


def figures(text: str) -> dict[str, float]:
    """The value of each figure, by its name with labels."""
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


@asynccontextmanager
async def idle_watchdog() -> AsyncIterator[list[float]]:
    """A process beside that does nothing but watch its loop: what the machine itself costs.

    Afterwards the list holds its longest block, in seconds.
    """
    found: list[float] = []
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _IDLE, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        yield found
    finally:
        out, _ = await child.communicate(b"")  # the end of its input is the end of it
    found.append(figures(out.decode())["mediawatch_loop_longest_block_seconds"])
