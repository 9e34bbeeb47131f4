"""mediawatch as a service of Windows: ServiceControl for Windows."""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn

from mediawatch.config import Settings
from mediawatch.service.base import Running, ServiceProblem, ServiceState


class WindowsService:
    """A ServiceControl (base.py) that can do nothing yet."""

    def install(self, settings: Settings, config: Path) -> list[str]:
        raise self._not_yet()

    def uninstall(self) -> list[str]:
        raise self._not_yet()

    def start(self) -> None:
        self._refuse()

    def stop(self) -> None:
        self._refuse()

    def state(self) -> ServiceState:
        return ServiceState(Running.NOT_INSTALLED)

    def _refuse(self) -> NoReturn:
        raise self._not_yet()

    def _not_yet(self) -> ServiceProblem:
        return ServiceProblem(
            "This version brings no service for Windows.", remedy="Use `mediawatch run`."
        )
