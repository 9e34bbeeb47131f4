"""``doctor``: everything is tried for real; a list of ticks and crosses, each with its remedy."""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import typer

from mediawatch.cli.failures import FAILED, explained, speak_utf8
from mediawatch.clock import SystemClock
from mediawatch.config import Loaded, Settings, default_config_file, load_with_origins
from mediawatch.doctor import service_account
from mediawatch.doctor.examination import Section, examine
from mediawatch.log import printable, silent
from mediawatch.model.findings import Finding
from mediawatch.service.systemd_unit import brought_folders

_WIDTH = 16


def run_doctor(config: Path | None, *, as_json: bool) -> None:
    """Exit code 1 if anything is not well."""
    speak_utf8()
    with explained():
        loaded = load_with_origins(config or default_config_file())
        sections = asyncio.run(_examine(loaded, tell=not as_json))
    findings = [finding for section in sections for finding in section.findings]
    crosses = sum(not finding.ok for finding in findings)
    if as_json:
        typer.echo(json.dumps(document_of(sections), indent=2, ensure_ascii=False))
    elif crosses:
        typer.echo(f"\n{crosses} of {len(findings)} are not well. Mend the first one first.")
    else:
        typer.echo(f"\nAll {len(findings)} are well.")
    if crosses:
        raise typer.Exit(FAILED)


async def _examine(loaded: Loaded, *, tell: bool) -> list[Section]:
    sections = []
    found = examine(
        loaded.settings,
        SystemClock(),
        silent(),
        service=lambda: _of_the_service(loaded.settings),
        token_file=loaded.holder("instagram", "access_token"),
    )
    async for section in found:
        sections.append(section)
        if tell:
            _tell(section)
    return sections


def _of_the_service(settings: Settings) -> list[Finding]:
    """What the account of an installed service may. Blocks."""
    if sys.platform == "win32":
        from mediawatch.service import windows_account

        return windows_account.examine(settings)
    account = service_account.installed_account()
    return service_account.examine(settings, account, brought_folders(settings))


def _tell(section: Section) -> None:
    typer.echo(f"\n{section.title}" if section.title != "Folders" else section.title)
    for finding in section.findings:
        mark = "❌" if not finding.ok else "💡" if finding.remedy else "✅"
        typer.echo(printable(f"  {mark} {finding.name:<{_WIDTH}}{finding.detail}"))
        if finding.remedy:
            typer.echo(printable(f"     {'':<{_WIDTH}}→ {finding.remedy}"))


def document_of(sections: list[Section]) -> dict[str, Any]:
    """For machines: ``ok``, and ``findings`` with section, name, ok, detail and remedy each."""
    findings = [
        {"section": section.title, **asdict(finding)}
        for section in sections
        for finding in section.findings
    ]
    return {"ok": all(finding["ok"] for finding in findings), "findings": findings}
