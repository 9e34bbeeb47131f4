"""How things stand at the moment when somebody reads ``/metrics``: asked of those who know."""

from __future__ import annotations

import contextlib
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
    in_use = await accounts.listed(app.journal, app.watched.accounts.in_use())
    total, used = await _fullest(app, in_use, now)
    stored = await tokens.listed(app.journal)
    ends = [*(token.ends_at for token in stored), *app.refresher.ends.values()]
    states = await account_list.states(app.journal, app.tokens, now=now, ends=app.refresher.ends)
    return {
        "mediawatch_posts": {state.value: count for state, count in counted.items()},
        "mediawatch_due_posts": due,
        "mediawatch_oldest_due_post_seconds": 0.0 if since is None else max(0.0, now - since),
        "mediawatch_accounts": {state.value: count for state, count in states.items()},
        "mediawatch_account_stopped": float(
            sum(each.stopped_code not in {None, DISCONNECTED} for each in in_use)
        ),
        "mediawatch_token_expires_timestamp_seconds": min(
            (at for at in ends if at is not None), default=None
        ),
        "mediawatch_publishing_quota_posts": total,
        "mediawatch_publishing_quota_used_posts": used,
        "mediawatch_untold_alerts": len(await alerts.untold(app.journal)),
    }


async def _fullest(
    app: App, in_use: list[Account], now: float
) -> tuple[float | None, float | None]:
    """Quota and what is used of it, of the account that has used most of its own; None where no
    quota is known."""
    known = [account for account in in_use if account.quota_total]
    if not known:
        return None, None
    window = float(max(account.quota_window or 86_400 for account in known))
    ours = await accounts.slots_by_account(app.journal, since=now - window)
    total, used = max(
        ((a.quota_total or 0, ours.get(a.id, 0) + a.quota_elsewhere) for a in known),
        key=lambda each: each[1] / each[0],
    )
    return total, min(total, used)


def _of_the_folder(app: App) -> dict[str, Figure]:
    """Of all inboxes together; announced are changes if they are in each of them."""
    states = app.watched.states
    return {
        "mediawatch_folder_events": float(all(each.mode == "events" for each in states)),
        "mediawatch_settling_files": sum(len(each.settling) for each in states),
        "mediawatch_ignored_files": sum(len(each.ignored) for each in states),
        "mediawatch_withheld_files": sum(each.withheld for each in states),
        "mediawatch_hints_total": sum(each.hints for each in states),
        "mediawatch_hint_overflows_total": sum(each.overflows for each in states),
        "mediawatch_hints_missed_total": sum(each.hints_missed for each in states),
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
