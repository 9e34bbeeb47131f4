"""Whether new files are noticed: a probe is dropped into the inbox, and somebody must see it."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from pathlib import Path
from typing import Any

import aiohttp

from mediawatch.config import Settings
from mediawatch.doctor.places import PROBE, SPACE
from mediawatch.errors import StorageProblem, from_os_error
from mediawatch.journal.ownership import Owner, running
from mediawatch.model.findings import Finding, failed
from mediawatch.watch.hints import Hints

#: Seconds that a change may take to be noticed, and that the daemon has for an answer.
NOTICED_WITHIN, ANSWER_WITHIN = 5.0, 10.0
_LOOK = 0.05
_NOT_SEEN = (
    "The folder is listed every few seconds all the same, and nothing is lost. On a network share "
    'that is usual: set watch.mode = "poll".'
)


async def examine(settings: Settings) -> list[Finding]:
    """The daemon's own word if one runs, else a watch of our own."""
    try:
        owner = await asyncio.to_thread(running, settings.storage.data_dir)
    except OSError as error:
        return [failed("daemon", from_os_error(error, "look whether mediawatch runs"))]
    if owner is None:
        return [
            Finding("daemon", True, "mediawatch does not run now.", "`mediawatch run` starts it."),
            await _try_watch(settings),
        ]
    if not owner.url:
        return [
            Finding(
                "daemon",
                True,
                f"mediawatch runs ({owner}), but cannot be asked how it is.",
                "Set web.enabled = true to have it answer.",
            )
        ]
    return await _ask(settings, owner)


async def _ask(settings: Settings, owner: Owner) -> list[Finding]:
    limit = aiohttp.ClientTimeout(total=ANSWER_WITHIN)
    try:
        async with aiohttp.ClientSession(timeout=limit) as session:
            status = await _status(session, owner)
            findings = [Finding("daemon", True, f"mediawatch runs ({owner}).")]
            # Free space was measured among the folders already.
            told = [_told(check) for check in status["checks"]]
            findings += [check for check in told if check.name != SPACE]
            findings.append(await _dropped(settings, session, owner, status))
            return findings
    except (aiohttp.ClientError, TimeoutError, ValueError, LookupError, TypeError) as error:
        why = "it took too long" if isinstance(error, TimeoutError) else type(error).__name__
        return [
            Finding(
                "daemon",
                False,
                f"mediawatch runs ({owner}), but does not answer: {why}.",
                "Restart it: nothing is lost by that.",
            )
        ]


async def _status(session: aiohttp.ClientSession, owner: Owner) -> dict[str, Any]:
    async with session.get(f"{owner.url}/api/poster-media/status") as answer:
        answer.raise_for_status()
        return dict(await answer.json())


def _told(check: dict[str, Any]) -> Finding:
    return Finding(
        str(check["name"]), bool(check["ok"]), str(check["detail"]), str(check.get("remedy", ""))
    )


async def _dropped(
    settings: Settings, session: aiohttp.ClientSession, owner: Owner, before: dict[str, Any]
) -> Finding:
    """Whether the daemon's watch of the first inbox sees a file come."""
    if before["folder"]["mode"] != "events":
        return _polls(settings, before["folder"]["mode_reason"])
    seen = int(before["folder"]["hints"])
    started = time.monotonic()
    with _probe(settings.inboxes.first.folder):
        while time.monotonic() - started < NOTICED_WITHIN:
            now = await _status(session, owner)
            if now["folder"]["hints"] > seen:
                return _noticed(started)
            await asyncio.sleep(_LOOK)
    return Finding("watcher", False, "A new file was not noticed.", _NOT_SEEN)


async def _try_watch(settings: Settings) -> Finding:
    if settings.watch.mode == "poll":
        return _polls(settings, 'watch.mode = "poll"')
    woken, folder = asyncio.Event(), settings.inboxes.first.folder
    hints = Hints([folder], woken.set, asyncio.get_running_loop())
    started = time.monotonic()
    try:
        await asyncio.to_thread(hints.start)
        with _probe(folder):
            await asyncio.wait_for(woken.wait(), NOTICED_WITHIN)
    except StorageProblem as problem:
        return failed("watcher", problem)
    except OSError as error:
        return failed("watcher", from_os_error(error, f"try the watch of {folder}"))
    except TimeoutError:
        return Finding("watcher", False, "A new file was not noticed.", _NOT_SEEN)
    finally:
        await asyncio.to_thread(hints.stop)
    return _noticed(started)


def _noticed(started: float) -> Finding:
    took = time.monotonic() - started
    return Finding("watcher", True, f"A new file was noticed within {max(took, 0.01):.2f} s.")


def _polls(settings: Settings, reason: str) -> Finding:
    often = f"The folder is listed every {settings.watch.rescan:.0f} s"
    return Finding("watcher", True, f"{often}{f' ({reason})' if reason else ''}.")


@contextlib.contextmanager
def _probe(folder: Path) -> Any:
    probe = folder / f"{PROBE}{secrets.token_hex(4)}"
    try:
        probe.write_bytes(b"")
        yield
    finally:
        with contextlib.suppress(OSError):
            probe.unlink(missing_ok=True)
