"""A river for each test, in a folder of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mediawatch.simulator import Republish
from tests.support.river import River, open_river


@pytest.fixture
async def river(tmp_path: Path) -> AsyncIterator[River]:
    """Neighbours at work, folders empty, settings that are good; nothing runs yet."""
    async with open_river(tmp_path) as opened:
        yield opened


@pytest.fixture
async def evil(tmp_path: Path) -> AsyncIterator[River]:
    """The same with a Meta that publishes twice if it is asked twice for one container."""
    async with open_river(tmp_path, republish=Republish.EVIL) as opened:
        yield opened
