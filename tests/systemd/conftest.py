"""A machine for each test, with a river that its service shall be."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mediawatch.simulator import Republish
from tests.support.river import River, open_river
from tests.systemd.machine import Machine, configure, required


@pytest.fixture
async def river(tmp_path: Path) -> AsyncIterator[River]:
    """Neighbours at work and settings that are good; the folders are the installer's to make."""
    required()
    tmp_path.chmod(0o755)
    async with open_river(tmp_path, republish=Republish.EVIL) as opened:
        opened.inbox.rmdir()
        configure(opened)
        yield opened


@pytest.fixture
async def machine(river: River) -> AsyncIterator[Machine]:
    """Nothing is installed on it yet. It has no journald: what is logged comes to the river."""
    async with Machine(river.root) as up:
        await up.configure("90-log", f"StandardError=append:{river.log_file}")
        yield up


@pytest.fixture
async def service(machine: Machine, river: River) -> Machine:
    """The same with mediawatch installed, started, and at work."""
    await machine.mediawatch("service", "install", "--config", str(river.config))
    await machine.mediawatch("service", "start")
    return machine
