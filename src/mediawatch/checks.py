"""How the daemon is, from what it knows already: the one list of ``/readyz``, status and doctor."""

from __future__ import annotations

from mediawatch.app import App
from mediawatch.doctor import known
from mediawatch.errors import JournalError
from mediawatch.journal import posts
from mediawatch.model.findings import Finding, failed
from mediawatch.model.lifecycle import State


async def of(app: App) -> list[Finding]:
    """Computed from work done, so that a thread or task that died shows. Nothing is tried, and no
    disk or other machine is asked: whoever is dead must not hold up the answer."""
    settings, watch, now = app.settings, app.watcher.state, app.clock.now()
    return [
        known.folder(watch, settings.watch, now),
        known.watcher(watch.mode, watch.mode_reason, settings.watch.rescan),
        *await _of_the_journal(app),
        known.upload_target(settings, app.host.problem),
        _token_end(app, now),
        *_of_the_disks(app),
    ]


async def _of_the_journal(app: App) -> list[Finding]:
    try:
        counted = await posts.counts(app.journal)
        account = await app.standing.tell(app.journal, app.settings.instagram.user_id)
    except JournalError as error:
        return [failed("journal", error)]
    problem = app.journal.problem
    journal = failed("journal", problem) if problem else Finding("journal", True, "It answers.")
    still = app.clock.monotonic() - app.runner.last_progress
    return [journal, known.workers(counted[State.READY], still), known.standing(account)]


def _token_end(app: App, now: float) -> Finding:
    if app.settings.instagram.login == "instagram":
        why = "Meta does not tell when a token of this login ends."
    else:
        why = "It has no end, or Meta did not tell it yet."
    return known.token_end(app.token_expiry.at, now, why)


def _of_the_disks(app: App) -> list[Finding]:
    rooms = reversed(list((app.disks.rooms or {}).values()))
    by_device = {room.device: room for room in rooms}
    least = app.settings.alerts.min_free
    return [known.space(room.folder, room.free, least) for room in reversed(by_device.values())]
