"""How things stand at the moment when somebody reads ``/metrics``: asked of those who know."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from pathlib import Path

from mediawatch.actions import account_list
from mediawatch.app import App
from mediawatch.errors import JournalError
from mediawatch.journal import accounts, alerts, posts, tokens
from mediawatch.journal.accounts import Account
from mediawatch.metrics import Figure
from mediawatch.model.accounts import DISCONNECTED


async def present(app: App, *, ready: bool) -> dict[str, Figure]:
    """The figures of ``metrics.PRESENT``; those of a journal that cannot be read are left out."""
    found: dict[str, Figure] = {"mediawatch_ready": float(ready)}
    found.update(_of_the_folder(app))
    found.update(_of_the_machine(app))
    found["mediawatch_rate_limit_used_ratio"] = app.pacing.fullest()
    found["mediawatch_converters_busy"] = app.preparer.busy
    with contextlib.suppress(JournalError):
        found.update(await _of_the_journal(app))
    return found


async def _of_the_journal(app: App) -> dict[str, Figure]:
    now = app.clock.now()
    counted = await posts.counts(app.journal)
    due, since = await posts.due(app.journal, now=now)
    known = await accounts.listed(app.journal)
    stored = await tokens.listed(app.journal)
    ends = [*(token.ends_at for token in stored), *app.refresher.ends.values()]
    states = await account_list.states(app.journal, app.tokens, now=now, ends=app.refresher.ends)
    return {
        "mediawatch_posts": {state.value: count for state, count in counted.items()},
        "mediawatch_due_posts": due,
        "mediawatch_oldest_due_post_seconds": 0.0 if since is None else max(0.0, now - since),
        "mediawatch_accounts": {state.value: count for state, count in states.items()},
        "mediawatch_account_stopped": float(
            sum(each.stopped_code not in {None, DISCONNECTED} for each in known)
        ),
        "mediawatch_token_expires_timestamp_seconds": min(
            (at for at in ends if at is not None), default=None
        ),
        "mediawatch_publishing_quota_posts": _sum(each.quota_total for each in known),
        "mediawatch_publishing_quota_used_posts": _sum(
            [await _used(app, each, now) for each in known]
        ),
        "mediawatch_untold_alerts": len(await alerts.untold(app.journal)),
    }


def _sum(amounts: Iterable[float | None]) -> float | None:
    known = [amount for amount in amounts if amount is not None]
    return sum(known) if known else None


async def _used(app: App, account: Account, now: float) -> float | None:
    if account.quota_total is None:
        return None
    window = float(account.quota_window or 86_400)
    ours = await accounts.slots(app.journal, account.id, since=now - window)
    return min(account.quota_total, len(ours) + account.quota_elsewhere)


def _of_the_folder(app: App) -> dict[str, Figure]:
    watch = app.watcher.state
    return {
        "mediawatch_folder_events": float(watch.mode == "events"),
        "mediawatch_settling_files": len(watch.settling),
        "mediawatch_ignored_files": len(watch.ignored),
        "mediawatch_withheld_files": watch.withheld,
        "mediawatch_hints_total": watch.hints,
        "mediawatch_hint_overflows_total": watch.overflows,
        "mediawatch_hints_missed_total": watch.hints_missed,
    }


def _of_the_machine(app: App) -> dict[str, Figure]:
    rooms = app.disks.rooms or {}
    journal = app.journal.path
    return {
        "mediawatch_folder_free_bytes": {name: room.free for name, room in rooms.items()},
        "mediawatch_folder_size_bytes": {name: room.size for name, room in rooms.items()},
        "mediawatch_journal_size_bytes": _bytes(journal, journal.with_name(f"{journal.name}-wal")),
    }


def _bytes(*files: Path) -> float | None:
    total = 0
    for file in files:
        with contextlib.suppress(OSError):
            total += file.stat().st_size
    return total or None
