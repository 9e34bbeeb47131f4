"""What stops the daemon of a machine at a chosen place: read by Python at its start."""

from __future__ import annotations

from pathlib import Path

from tests.systemd.machine import Machine

#: While the file ``hold`` is there, a listing of the inbox does not come back; ``held`` tells so.
_SCAN = """
import os, time
known = os.scandir
def scandir(path="."):
    while os.fspath(path) == {inbox!r} and os.path.exists({hold!r}):
        open({held!r}, "w").close()
        time.sleep(0.05)
    return known(path)
os.scandir = scandir
"""
#: Where the file ``hold`` is seen it is removed, and the event loop blocked for good.
_LOOP = """
import asyncio, os, time
known = asyncio.sleep
async def sleep(*args, **named):
    if os.path.exists({hold!r}):
        os.unlink({hold!r})
        time.sleep(3600)
    return await known(*args, **named)
asyncio.sleep = sleep
"""


class Hold:
    """``hold`` is the file that stops it, ``held`` the one that says that it did."""

    def __init__(self, root: Path) -> None:
        folder = root / "hook"
        folder.mkdir(mode=0o777)
        folder.chmod(0o777)  # the service removes the file that stopped it
        self.hold, self.held, self.folder = folder / "hold", folder / "held", folder

    async def scan(self, machine: Machine, inbox: Path) -> None:
        """Have the listing of the inbox hang."""
        await self._install(machine, _SCAN, inbox=str(inbox))

    async def loop(self, machine: Machine) -> None:
        """Have the event loop hang."""
        await self._install(machine, _LOOP)

    async def _install(self, machine: Machine, text: str, **words: str) -> None:
        filled = text.format(hold=str(self.hold), held=str(self.held), **words)
        (self.folder / "sitecustomize.py").write_text(filled)
        await machine.configure("80-hook", f"Environment=PYTHONPATH={self.folder}")
