"""All of it in order, each room at work at the same time as the others."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from mediawatch.clock import Clock
from mediawatch.config import Settings
from mediawatch.doctor import account, inboxes, journal_file, places, watching, web_host
from mediawatch.hosts.http_session import http_session
from mediawatch.journal.sqlite import FILE_NAME
from mediawatch.log import Log
from mediawatch.model.findings import Finding


@dataclass(frozen=True, slots=True)
class Section:
    """``title``: for people; findings of one title belong together."""

    title: str
    findings: list[Finding]


async def examine(
    settings: Settings,
    clock: Clock,
    log: Log,
    *,
    service: Callable[[], list[Finding]] = list,
    token_file: Path | None = None,
) -> AsyncIterator[Section]:
    """The sections in order, each as soon as those before it are told. ``service``:
    what the account of an installed service may, in a thread; ``token_file``: what holds the
    token, None if that is no file."""
    journal = settings.storage.data_dir / FILE_NAME

    async with http_session() as session:
        sections: dict[str, Awaitable[list[Finding]]] = {
            "Folders": asyncio.to_thread(places.examine, settings),
            "Inboxes": inboxes.examine(settings, journal, clock),
            "Service": asyncio.to_thread(service),
            "Watching": watching.examine(settings),
            "Journal": asyncio.to_thread(journal_file.examine, journal, clock.now()),
            "Web host": _all(web_host.examine(settings, session, clock, log)),
            "Instagram": _all(
                account.examine(settings, session, clock, log, token_file=token_file)
            ),
        }
        tasks = {title: asyncio.ensure_future(work) for title, work in sections.items()}
        try:
            for title, task in tasks.items():
                findings = await task
                if findings:
                    yield Section(title, findings)
        finally:
            for task in tasks.values():
                task.cancel()
            await asyncio.gather(*tasks.values(), return_exceptions=True)


async def _all(findings: AsyncIterator[Finding]) -> list[Finding]:
    return [finding async for finding in findings]
