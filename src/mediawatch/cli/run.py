"""``run`` and ``once``."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import typer

from mediawatch import daemon
from mediawatch.cli.daemon_api import ask_daemon, require_this_machine
from mediawatch.cli.failures import BAD_CONFIGURATION, FAILED, explained, load_settings
from mediawatch.config import Settings
from mediawatch.errors import MediawatchError
from mediawatch.log import open_log, printable
from mediawatch.service import foreground
from mediawatch.service.base import KEPT_BY, LAUNCHD
from mediawatch.service.data_owner import require_own


def run_daemon(config: Path | None) -> None:
    """The daemon in the foreground."""
    with _not_to_be_repeated(os.environ), explained():
        settings = load_settings(config)
        require_own(settings.storage.data_dir)
        log = open_log(settings.log, settings.secret_values())
        foreground.run(settings, log)


@contextlib.contextmanager
def _not_to_be_repeated(environ: Mapping[str, str]) -> Iterator[None]:
    """launchd repeats whatever fails, for ever, and cannot be told that one exit code is no failure
    that passes: for it, settings that cannot be used end well. They were told of by now."""
    try:
        yield
    except typer.Exit as leaving:
        if leaving.exit_code == BAD_CONFIGURATION and environ.get(KEPT_BY) == LAUNCHD:
            raise typer.Exit(0) from None
        raise


def run_once(config: Path | None, *, as_json: bool) -> None:
    """One pass. If a daemon runs already, it is asked for the pass."""
    with explained():
        settings = load_settings(config)
        report = ask_daemon(settings, "POST", "/api/poster-media", timeout=960.0)
        if report is None:
            require_this_machine()
            require_own(settings.storage.data_dir)
            report = asyncio.run(_pass(settings))
    if as_json:
        typer.echo(json.dumps(report, indent=2, ensure_ascii=False))
    else:
        _tell(report)
    if not report["success"]:
        raise typer.Exit(FAILED)


async def _pass(settings: Settings) -> dict[str, Any]:
    log = open_log(settings.log, settings.secret_values())
    settings = settings.model_copy(
        update={"web": settings.web.model_copy(update={"enabled": False})}
    )
    async with daemon.running(settings, log, watch=False) as one:
        report = await one.app.poster.run()
        with contextlib.suppress(MediawatchError):  # what is missing is written by the next one
            await one.app.first_comments.run_once()
        with contextlib.suppress(MediawatchError):  # nobody is there to send it later
            await one.app.disks.run_once()
            await one.app.alerts.run_once(flush=True)
        return report


def _tell(report: dict[str, Any]) -> None:
    result = report["result"]
    typer.echo(("✅ " if report["success"] else "❌ ") + result["message"])
    for error in result["stats"]["errors"]:
        name = f"{error['file']}: " if error["file"] else ""
        typer.echo(printable(f"   {name}{error['message']}"))
        if error["remedy"]:
            typer.echo(printable(f"   → {error['remedy']}"))
