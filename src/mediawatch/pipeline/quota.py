"""The publishing quota: read from Meta, never assumed, and guarded by slots of our own.

Meta counts what other programs and people publish through its API too. What it counts above our
own slots is theirs, and leaves less for us; when theirs grow old is not told, so it is asked again.
"""

from __future__ import annotations

from mediawatch import crash
from mediawatch.clock import iso
from mediawatch.graph.pacing import GraphPaused
from mediawatch.graph.publishing import Publishing
from mediawatch.journal import accounts
from mediawatch.journal.accounts import Account
from mediawatch.pipeline.outcomes import Reason, WaitUntil
from mediawatch.pipeline.work import Work

#: Seconds that a quota read from Meta is believed.
READ_EVERY = 3600.0
#: Seconds that a full quota is waited for at the least.
_SHORTEST = 60.0


async def read(work: Work, api: Publishing) -> Account:
    """The account with its quota, asked of Meta at most once an hour.

    Where every call counts, an older one does: the slots guard it.
    """
    now = work.clock.now()
    account = await accounts.find(work.journal, work.post.account_id)
    known = account.quota_read_at
    if known is not None and account.quota_total is not None and 0 <= now - known < READ_EVERY:
        return account
    try:
        quota = await api.quota(essential=account.quota_total is None)
    except GraphPaused:
        if account.quota_total is None:
            raise
        return account
    total, window = quota.config.quota_total, quota.config.quota_duration
    slots = await accounts.slots(work.journal, account.id, since=now - window)
    await work.journal.apply(
        [
            accounts.record_quota(
                account.id,
                total=total,
                window=window,
                elsewhere=max(0, quota.quota_usage - len(slots)),
                now=now,
            )
        ]
    )
    crash.at("quota.recorded")
    return await accounts.find(work.journal, account.id)


async def full(work: Work, account: Account) -> WaitUntil | None:
    """Until when the post must wait for a slot, or None if one is free."""
    now, ours = work.clock.now(), account.quota_ours
    window = float(account.quota_window or 86400)
    taken = await accounts.slots(work.journal, account.id, since=now - window)
    if len(taken) < ours:
        return None
    at = taken[-ours] + window if ours else now + window
    if account.quota_elsewhere or not ours:
        at = min(at, (account.quota_read_at or now) + READ_EVERY)
    at = max(at, now + _SHORTEST)
    return WaitUntil(
        at,
        Reason(
            "quota",
            f"Instagram allows {account.quota_total} posts in {window / 3600:.0f} hours, and all "
            f"are used. It is looked at again at {iso(at)}.",
            "Nothing to do: mediawatch goes on when the first of them is old enough.",
        ),
    )
