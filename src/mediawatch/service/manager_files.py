"""The files for service managers that come with mediawatch: units, property lists, scripts."""

from __future__ import annotations

from pathlib import Path


def manager_file(name: str) -> Path:
    """One of them by its name below ``service/``, such as ``systemd/mediawatch.service``.

    In a wheel they lie beside this module; a clone has them in its own folder ``service``.
    """
    installed = Path(__file__).with_name("manager") / name
    return installed if installed.exists() else Path(__file__).parents[3] / "service" / name
