"""Whether new files are noticed: a probe is dropped into the inbox, and somebody must see it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import time
from pathlib import Path
from typing import Any

import aiohttp

from mediawatch.config import Settings
from mediawatch.crypto import local_key
from mediawatch.doctor import known
from mediawatch.doctor.places import PROBE
from mediawatch.errors import JournalError, StorageProblem, from_os_error
from mediawatch.journal import standing, tokens
from mediawatch.journal.ownership import Owner, running
from mediawatch.journal.sqlite import FILE_NAME, SqliteReader
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
            *await _standing(settings),
        ]
    if not owner.url:
        return [
            Finding(
                "daemon",
                True,
                f"mediawatch runs ({owner}), but cannot be asked how it is.",
                "Set web.enabled = true to have it answer.",
            ),
            *await _standing(settings),
        ]
    return await _ask(settings, owner)


async def _ask(settings: Settings, owner: Owner) -> list[Finding]:
    limit = aiohttp.ClientTimeout(total=ANSWER_WITHIN)
    key = await asyncio.to_thread(local_key.read, settings.storage.data_dir)
    shown = {"Authorization": f"Bearer {key}"} if key else {}
    try:
        async with aiohttp.ClientSession(timeout=limit, headers=shown) as session:
            status = await _status(session, owner)
            findings = [Finding("daemon", True, f"mediawatch runs ({owner}).")]
            tried = {known.SPACE, known.TOKEN_END}  # among the folders, and at Meta
            watches = status["folder"]["mode"] == "events"
            if watches:
                tried.add(known.WATCHER)
            told = [_told(check) for check in status["checks"]]
            findings += [check for check in told if check.name not in tried]
            if watches:
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


async def _standing(settings: Settings) -> list[Finding]:
    """What the journal knows of the account, where no daemon tells it."""
    path = settings.storage.data_dir / FILE_NAME
    if not await asyncio.to_thread(os.path.isfile, path):
        return []
    journal: Any = SqliteReader(path)
    try:
        account_id = settings.instagram.user_id
        connected = [] if account_id else list(await tokens.logins(journal))
        if account_id is None and len(connected) == 1:
            account_id = connected[0]
        if account_id is None:
            return []  # several: the section on Instagram tells of each
        return [known.standing(await standing.tell(journal, account_id))]
    except JournalError:
        return []  # its own section tells what is wrong with it
    finally:
        await asyncio.to_thread(journal.close)


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
    seen = int(before["folder"]["hints"])
    started = time.monotonic()
    with _probe(settings.inboxes.first.folder):
        while time.monotonic() - started < NOTICED_WITHIN:
            now = await _status(session, owner)
            if now["folder"]["hints"] > seen:
                return _noticed(started)
            await asyncio.sleep(_LOOK)
    return Finding(known.WATCHER, False, "A new file was not noticed.", _NOT_SEEN)


async def _try_watch(settings: Settings) -> Finding:
    if settings.watch.mode == "poll":
        return known.watcher("polling", 'watch.mode = "poll"', settings.watch.rescan)
    woken, folder = asyncio.Event(), settings.inboxes.first.folder
    hints = Hints([folder], woken.set, asyncio.get_running_loop())
    started = time.monotonic()
    try:
        await asyncio.to_thread(hints.start)
        with _probe(folder):
            await asyncio.wait_for(woken.wait(), NOTICED_WITHIN)
    except StorageProblem as problem:
        return failed(known.WATCHER, problem)
    except OSError as error:
        return failed(known.WATCHER, from_os_error(error, f"try the watch of {folder}"))
    except TimeoutError:
        return Finding(known.WATCHER, False, "A new file was not noticed.", _NOT_SEEN)
    finally:
        await asyncio.to_thread(hints.stop)
    return _noticed(started)


def _noticed(started: float) -> Finding:
    took = time.monotonic() - started
    return Finding(known.WATCHER, True, f"A new file was noticed within {max(took, 0.01):.2f} s.")


@contextlib.contextmanager
def _probe(folder: Path) -> Any:
    probe = folder / f"{PROBE}{secrets.token_hex(4)}"
    try:
        probe.write_bytes(b"")
        yield
    finally:
        with contextlib.suppress(OSError):
            probe.unlink(missing_ok=True)
