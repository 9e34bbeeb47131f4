"""To which account each inbox posts, and how the accounts stand, as the journal knows it."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

from mediawatch.clock import Clock
from mediawatch.config import Settings
from mediawatch.errors import JournalError, MediawatchError
from mediawatch.journal import standing
from mediawatch.journal.sqlite import SqliteReader
from mediawatch.model.findings import Finding, failed
from mediawatch.watch.accounts import KnownAccounts


async def examine(settings: Settings, journal: Path, clock: Clock) -> list[Finding]:
    """Nothing for one inbox and the account of the settings: the other sections tell of those."""
    reader: Any = SqliteReader(journal)
    known = KnownAccounts(reader, clock, settings.instagram.user_id, lambda: 0)
    try:
        # A journal that is not there yet, or is of an older version, knows of no other account; its
        # own section tells what is the matter with it.
        with contextlib.suppress(JournalError):
            await known.look(reader)
        findings = _addressees(settings, known)
        with contextlib.suppress(JournalError):
            findings += await _stopped(reader, known)
        return findings
    finally:
        reader.close()


def _addressees(settings: Settings, known: KnownAccounts) -> list[Finding]:
    findings = []
    for inbox in settings.inboxes:
        if len(settings.inboxes) == 1 and not inbox.account:
            continue
        try:
            account = known.of_inbox(inbox.where, inbox.account)
        except MediawatchError as problem:
            findings.append(failed("account of inbox", problem))
        else:
            told = f"{inbox.folder} posts to {account}."
            findings.append(Finding("account of inbox", True, told))
    return findings


async def _stopped(reader: Any, known: KnownAccounts) -> list[Finding]:
    in_use = known.in_use()
    if len(in_use) < 2:
        return []  # the section of the account tells
    stopped = [
        Finding(
            "accounts",
            False,
            f"{each['username'] or each['id']} is stopped: {each['detail']}",
            each["remedy"] or "",
        )
        for each in await standing.tell_all(reader, in_use)
        if each["state"] == "stopped"
    ]
    return stopped or [Finding("accounts", True, f"{len(in_use)} accounts are posted to.")]
