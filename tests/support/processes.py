"""mediawatch as its users have it: as real child processes."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.support.daemon import PATIENCE, Ended, ended, environment, until
from tests.support.forked import Forked, can_fork, fork


async def command(
    *words: str, folder: Path, before: Sequence[str] = (), limit: float = PATIENCE
) -> Ended:
    """Run ``mediawatch WORDS`` in ``folder`` to its end. ``before``: what it is run with."""
    if not before and can_fork():
        return await _forked(words, folder, limit)
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


async def _forked(words: tuple[str, ...], folder: Path, limit: float) -> Ended:
    with tempfile.TemporaryDirectory() as printed:
        out, err = Path(printed, "out"), Path(printed, "err")
        child = fork(words, folder, out, err)
        try:
            await until(lambda: child.poll() is not None, limit)
        finally:
            child.kill()
            code = child.wait()
        return Ended(code, out.read_text(encoding="utf-8"), err.read_text(encoding="utf-8"))


class Running:
    """One ``mediawatch run`` in the background. What it prints is collected in ``output``."""

    process: subprocess.Popen[bytes] | Forked

    def __init__(self, folder: Path, config: Path, before: Sequence[str] = ()) -> None:
        self.output = folder / "output.txt"
        words = ("run", "--config", str(config))
        if not before and can_fork():
            self.process = fork(words, folder, self.output)
            return
        with self.output.open("ab") as output:
            self.process = subprocess.Popen(
                [*before, sys.executable, "-m", "mediawatch", *words],
                cwd=folder,
                env=environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )

    async def ended(self, limit: float = PATIENCE) -> int:
        """The exit code, once there is one."""
        await until(lambda: self.process.poll() is not None, limit, self.output.read_text)
        return int(self.process.returncode or 0)

    async def stop(self, limit: float = PATIENCE) -> int:
        """Ask it to stop, as an administrator does; its exit code."""
        self.process.terminate()
        return await self.ended(limit)

    async def kill(self) -> None:
        """End it without a warning."""
        self.process.kill()
        await self.ended()
