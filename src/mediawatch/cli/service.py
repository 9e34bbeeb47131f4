"""``service …``: mediawatch as a service of this machine."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path

import typer

from mediawatch.cli.failures import FAILED, explained, load_settings, speak_utf8
from mediawatch.config import default_config_file
from mediawatch.log import printable
from mediawatch.service.base import Running, ServiceProblem
from mediawatch.service.keeper import service_control
from mediawatch.service.spoken import by_administrator

_SAID = {
    Running.NOT_INSTALLED: "💤 The service is not installed",
    Running.STOPPED: "💤 The service is stopped",
    Running.STARTING: "⏳ The service starts",
    Running.RUNNING: "✅ The service is at work",
    Running.STOPPING: "⏳ The service stops",
    Running.FAILED: "❌ The service failed",
}

#: What is said next where it is so.
_NEXT = {
    Running.NOT_INSTALLED: ("install", "--config", "FILE"),
    Running.STOPPED: ("start",),
    Running.FAILED: ("start",),
}


def install(config: Path | None) -> None:
    """Have it start with the machine."""
    with explained():
        file = config or default_config_file()
        if file is None:
            raise ServiceProblem(
                "No settings file was named, and none was found.",
                remedy=f"Say which: {by_administrator('service', 'install', '--config', 'FILE')}",
            )
        load_settings(file)  # what is wrong with them is told first, and all of it
        control = service_control()
        _tell(control.install(Path(os.path.abspath(file))))  # noqa: PTH100
        runs = control.state().running is Running.RUNNING
    typer.echo(f"✅ Installed{', and at work' if runs else ''}.")
    if not runs:
        typer.echo(f"   → Start it now: {by_administrator('service', 'start')}")


def uninstall() -> None:
    """Take it away, but no data."""
    with explained():
        speak_utf8()
        _tell(service_control().uninstall())


def start() -> None:
    """Return when it is at work."""
    with explained():
        speak_utf8()
        service_control().start()
    typer.echo(_SAID[Running.RUNNING])


def stop() -> None:
    """Return when it has ended."""
    with explained():
        speak_utf8()
        service_control().stop()
    typer.echo(_SAID[Running.STOPPED])


def status(*, as_json: bool) -> None:
    """Exit code 1 unless it is at work."""
    with explained():
        speak_utf8()
        state = service_control().state()
    if as_json:
        typer.echo(json.dumps(asdict(state), indent=2, ensure_ascii=False))
    else:
        typer.echo(_SAID[state.running])
        if state.detail:
            typer.echo(printable(f"   {state.detail}"))
        if state.running in _NEXT:
            typer.echo(printable(f"   → {by_administrator('service', *_NEXT[state.running])}"))
    if state.running is not Running.RUNNING:
        raise typer.Exit(FAILED)


def _tell(sentences: list[str]) -> None:
    for sentence in sentences:
        typer.echo(printable(f"   {sentence}"))
