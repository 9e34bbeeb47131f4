"""Several accounts and inboxes for a test: rows of the journal, and one token that is good for all
of them, as the simulator's is."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import update

from mediawatch import config, daemon
from mediawatch.daemon import Daemon
from mediawatch.graph.client import Caller, Record
from mediawatch.journal import accounts
from mediawatch.journal.database import Journal, Statement
from mediawatch.journal.schema import accounts as table
from mediawatch.log import silent
from mediawatch.tokens import Tokens
from tests.support.river import River
from tests.support.simulator import TOKEN
from tests.support.simulator import USER as OWN

ALICE, BOB = "17841400000000002", "17841400000000003"
USERS = (OWN, ALICE, BOB)


@pytest.fixture
def one_token(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every account has the token that the simulator takes."""

    async def caller(_: Tokens, account_id: str, record: Record) -> Caller:
        return Caller(account_id, SecretStr(TOKEN), record, "facebook")

    monkeypatch.setattr(Tokens, "caller", caller)


async def connect(
    journal: Journal, account_id: str, username: str, *, at: float | None = None
) -> None:
    """As somebody who logged in at Meta leaves the account."""
    await _write(
        journal,
        account_id,
        username=username,
        connected_at=time.time() if at is None else at,
        disconnected_at=None,
    )


async def disconnect(journal: Journal, account_id: str) -> None:
    """As somebody who took it away leaves it."""
    await _write(journal, account_id, disconnected_at=time.time())


async def _write(journal: Journal, account_id: str, **facts: Any) -> None:
    known = update(table).where(table.c.id == account_id).values(**facts)
    await journal.apply([accounts.ensure(account_id), Statement(known, rows=1)])


@asynccontextmanager
async def at_work(river: River) -> AsyncIterator[Daemon]:
    """A daemon in this process."""
    async with daemon.running(config.load(river.config, {}), silent()) as running:
        yield running


def published(river: River) -> dict[str, list[str]]:
    """The captions of what each account published, in order."""
    found: dict[str, list[str]] = {}
    for media in river.simulator.state.publications:
        found.setdefault(media.container.user, []).append(media.container.caption)
    return found


def lying(folder: Path) -> list[str]:
    """The names of the files below a folder, without our own folder and notes."""
    if not folder.is_dir():
        return []
    return sorted(
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file()
        and ".mediawatch" not in path.relative_to(folder).parts
        and not path.name.endswith(".mediawatch.json")
    )
