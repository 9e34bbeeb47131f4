"""mediawatch as a service of a real systemd."""

from __future__ import annotations

from tests.support.river import River
from tests.systemd.machine import Machine


async def test_it_publishes(service: Machine, river: River) -> None:
    """Installed, started, and a picture of somebody else that is dropped is published."""
    assert "running" == (await service.state())["running"]
    await river.arrived(river.drop_pictures(2))
