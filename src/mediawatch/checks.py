"""How the daemon is, from what it knows already: the one list of ``/readyz``, status and doctor."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import Any

from mediawatch.actions import account_list
from mediawatch.app import App
from mediawatch.doctor import known
from mediawatch.errors import JournalError
from mediawatch.journal import posts, tokens
from mediawatch.model.findings import Finding, failed
from mediawatch.model.lifecycle import State
from mediawatch.tokens import NoAccount
from mediawatch.watch.watched import Watched


async def of(app: App) -> list[Finding]:
    """Computed from work done, so that a thread or task that died shows. Nothing is tried, and no
    disk or other machine is asked: whoever is dead must not hold up the answer."""
    settings, now = app.settings, app.clock.now()
    return [
        *(_of_inbox(each, first=each is app.watched.first, now=now) for each in app.watched),
        *(
            known.watcher(state.mode, state.mode_reason, settings.watch.rescan)
            for state in app.watched.states[:1]
        ),
        *await _of_the_journal(app),
        known.upload_target(settings, app.host.problem),
        await _token_end(app, now),
        *_of_the_disks(app),
    ]


def _of_inbox(watched: Watched, *, first: bool, now: float) -> Finding:
    """Whether the inbox is looked at; of several each but the first by its folder."""
    found = known.folder(watched.watcher.state, watched.inbox.watch, now)
    return found if first else replace(found, name=f"folder {watched.inbox.folder}")


async def _of_the_journal(app: App) -> list[Finding]:
    try:
        counted = await posts.counts(app.journal)
        account = await main_account(app)
    except JournalError as error:
        return [failed("journal", error)]
    problem = app.journal.problem
    journal = failed("journal", problem) if problem else Finding("journal", True, "It answers.")
    still = app.clock.monotonic() - app.runner.last_progress
    return [journal, known.workers(counted[State.READY], still), await _standing(app, account)]


async def main_account(app: App) -> dict[str, Any]:
    """How the account stands that the inbox itself is for, as journal/standing.py tells it."""
    try:
        inbox = app.watched.first.inbox
        account_id = app.watched.accounts.of_inbox(inbox.where, inbox.account)
    except NoAccount as problem:
        return {
            "id": None,
            "state": "none",
            "reason": problem.code,
            "detail": problem.message,
            "remedy": problem.remedy,
            "until": None,
            "waiting": 0,
        }
    return await app.standing.tell(app.journal, account_id)


async def _standing(app: App, account: dict[str, Any]) -> Finding:
    """Of several accounts one that works is enough: the others are told where accounts are."""
    if len(app.tokens.account_ids) < 2:
        return known.standing(account)
    states = await account_list.states(
        app.journal, app.tokens, now=app.clock.now(), ends=app.refresher.ends
    )
    return known.standings(states)


async def _token_end(app: App, now: float) -> Finding:
    """Of all tokens the one that ends first."""
    ends = [*app.refresher.ends.values()]
    with suppress(JournalError):
        ends += [token.expires_at for token in await tokens.listed(app.journal)]
    first = min((end for end in ends if end is not None), default=None)
    return known.token_end(first, now, "It has no end, or Meta does not tell it.")


def _of_the_disks(app: App) -> list[Finding]:
    rooms = reversed(list((app.disks.rooms or {}).values()))
    by_device = {room.device: room for room in rooms}
    least = app.settings.alerts.min_free
    return [known.space(room.folder, room.free, least) for room in reversed(by_device.values())]
