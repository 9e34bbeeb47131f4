"""The seam to what keeps services on this machine: systemd, launchd, or Windows itself."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from mediawatch.config.for_services import ForService, for_service
from mediawatch.errors import ConfigError, MediawatchError

#: The variable by which launchd's agent says who keeps the daemon, and what it says.
KEPT_BY, LAUNCHD = "MEDIAWATCH_KEPT_BY", "launchd"


class ServiceProblem(MediawatchError):
    """The service cannot be installed, removed, started or stopped; the remedy says why not."""

    code = "service"


class Running(StrEnum):
    """Whether the service is at work."""

    NOT_INSTALLED = "not-installed"
    STOPPED = "stopped"
    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class ServiceState:
    """``detail``: what the system says of it, in one line; may be empty."""

    running: Running
    detail: str = ""


class ServiceControl(Protocol):
    """Every method blocks, and raises ServiceProblem."""

    def install(self, config: Path) -> list[str]:
        """Have mediawatch start with the machine, with this settings file; done again, it brings
        all up to date. What was made, a sentence each."""
        ...

    def uninstall(self) -> list[str]:
        """Stop it and take away what ``install`` made, but no data. What was removed."""
        ...

    def start(self) -> None:
        """Return when it is at work."""
        ...

    def stop(self) -> None:
        """Return when it has drained and ended."""
        ...

    def state(self) -> ServiceState:
        """How it is. Needs no rights."""
        ...


def told_to_service(config: Path) -> ForService:
    """What a service will be told. Raises ServiceProblem if that is not enough, also where it is
    enough for whoever asks: a service has not their environment."""
    try:
        return for_service(config)
    except ConfigError as error:
        raise ServiceProblem(
            f"What {config} says is not enough for a service: {error.message}",
            remedy="Write it into that file, or into .env beside it; variables of your login do "
            "not reach a service.",
        ) from error
