"""The publishing quota: read from Meta, never assumed, and guarded by slots of our own."""

from __future__ import annotations

from mediawatch import crash
from mediawatch.graph.publishing import Publishing
from mediawatch.journal import accounts
from mediawatch.journal.accounts import Account
from mediawatch.pipeline.outcomes import Reason, WaitUntil
from mediawatch.pipeline.work import Work

#: Seconds that a quota read from Meta is believed.
READ_EVERY = 3600.0


async def read(work: Work, api: Publishing) -> Account:
    """The account with its quota, asked of Meta at most once an hour."""
    now = work.clock.now()
    account = await accounts.find(work.journal, work.post.account_id)
    known = account.quota_read_at
    if known is None or account.quota_total is None or now - known > READ_EVERY:
        quota = await api.quota()
        total, window = quota.config.quota_total, quota.config.quota_duration
        await work.journal.apply(
            [accounts.record_quota(account.id, total=total, window=window, now=now)]
        )
        crash.at("quota.recorded")
        account = await accounts.find(work.journal, work.post.account_id)
    return account


async def full(work: Work, account: Account) -> WaitUntil | None:
    """Until when the post must wait for a slot, or None if one is free."""
    now = work.clock.now()
    total, window = account.quota_total or 0, float(account.quota_window or 86400)
    taken = await accounts.slots(work.journal, account.id, since=now - window)
    if len(taken) < total:
        return None
    at = taken[-total] + window if total else now + window
    return WaitUntil(
        at,
        Reason(
            "quota",
            f"Instagram allows {total} posts in {window / 3600:.0f} hours, and all are used.",
            "Nothing to do: mediawatch goes on when the first of them is old enough.",
        ),
    )
