"""How mediawatch is started where this command runs: as a service, if it is one."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from mediawatch.service.base import Running, ServiceProblem
from mediawatch.service.keeper import service_control
from mediawatch.service.spoken import by_administrator


def start(data_dir: Path) -> str:
    """The command that starts what works with this data folder. Blocks for a moment."""
    if not _is_services(data_dir):
        return "mediawatch run"
    return by_administrator("service", "start")


def _is_services(data_dir: Path) -> bool:
    try:
        installed = service_control().state().running is not Running.NOT_INSTALLED
    except ServiceProblem:
        return False
    if sys.platform != "linux" or not installed:
        return installed
    # A service of the machine has a user of its own; who is not root has other data.
    return os.geteuid() == 0 and data_dir.exists() and data_dir.stat().st_uid != 0
