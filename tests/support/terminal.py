"""mediawatch at a terminal: a pseudo-terminal that is read and typed into. POSIX only."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.support.daemon import PATIENCE, environment

#: Makes standard input the terminal that controls the session, as a login does: else no key of it,
#: such as Ctrl-C, would be a signal.
_TAKE_TERMINAL = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""


class Terminal:
    """One command at a terminal of its own. ``shown``: all that was ever seen on it."""

    def __init__(self, words: tuple[str, ...], folder: Path, environ: dict[str, str]) -> None:
        import pty

        self._end, theirs = pty.openpty()
        self.shown = ""
        self._seen = 0
        self.process = subprocess.Popen(
            [sys.executable, "-c", _TAKE_TERMINAL, sys.executable, "-m", "mediawatch", *words],
            cwd=folder,
            env=environment() | {"TERM": "dumb"} | environ,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)
        os.set_blocking(self._end, False)

    async def sees(self, words: str) -> None:
        """Wait until these words are on the screen, after those that were waited for before."""
        end = asyncio.get_running_loop().time() + PATIENCE
        while words not in self.shown[self._seen :]:
            if not self._read() and self.process.poll() is not None and not self._read():
                raise AssertionError(f"it ended before it said {words!r}:\n{self.shown}")
            if asyncio.get_running_loop().time() > end:
                raise AssertionError(f"it never said {words!r}:\n{self.shown}")
            await asyncio.sleep(0.02)
        self._seen = self.shown.index(words, self._seen) + len(words)

    async def answers(self, words: str, answer: str) -> None:
        """Wait for a question and answer it, with Enter."""
        await self.sees(words)
        os.write(self._end, answer.encode() + b"\n")

    def presses(self, keys: bytes) -> None:
        """Press keys, such as Ctrl-C, b"\\x03"."""
        os.write(self._end, keys)

    async def ends(self) -> int:
        """The exit code, once there is one."""
        end = asyncio.get_running_loop().time() + PATIENCE
        while self.process.poll() is None:
            self._read()
            assert asyncio.get_running_loop().time() < end, self.shown
            await asyncio.sleep(0.02)
        self._read()
        return int(self.process.returncode)

    def _read(self) -> bool:
        with contextlib.suppress(OSError):  # nothing there, or nobody at the other end
            if block := os.read(self._end, 65536):
                self.shown += block.decode(errors="replace")
                return True
        return False

    def close(self) -> None:
        """End it if it still runs."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self._end)


@contextlib.contextmanager
def at_a_terminal(*words: str, folder: Path, **environ: str) -> Iterator[Terminal]:
    """``mediawatch WORDS`` at a terminal, ended with the context."""
    terminal = Terminal(words, folder, environ)
    try:
        yield terminal
    finally:
        terminal.close()
