"""Every command as everybody: with the key of somebody in the environment it does no more than they
may, in one table, and no command without a line in it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mediawatch.cli.daemon_api import KEY_VARIABLE
from mediawatch.cli.main import app
from mediawatch.journal import posts, users
from mediawatch.model.lifecycle import State
from mediawatch.model.people import Right, Role
from tests.contract.test_journal import a_post
from tests.docs import inventory
from tests.support.people import PASSWORD, Person, settle
from tests.support.river import River, open_river
from tests.support.several_accounts import at_work
from tests.support.simulator import USER

POST = "abcdef123456"
MAY, MAY_NOT, UNKNOWN, FILES = "may", "may not", "unknown", "needs the files"
PARTS = ("viewer", "editor", "owner", "stranger")
LOOK, WORK, RULE = {"viewer", "editor", "owner"}, {"editor", "owner"}, {"owner", "stranger"}
EVERYBODY = set(PARTS)
#: Work on mediawatch's own files, whose rights say who may; or on nothing of ours.
OF_THE_MACHINE = {
    *("run", "init", "check", "doctor", "backup", "restore", "simulate", "demo"),
    *("config show", "config schema", "alerts test", "accounts connect", "accounts import"),
    *(f"service {word}" for word in ("install", "uninstall", "start", "stop", "status")),
}
#: Words behind each command, who may, and whether an account is asked for (then it is unknown to
#: the stranger). The post is held, so that each order finds something to do or to refuse.
TABLE: dict[str, tuple[tuple[str, ...], set[str], bool]] = {
    "once": ((), WORK, True),
    "status": ((), EVERYBODY, False),
    "posts list": ((), set(), False),
    "posts show": ((POST,), set(), False),
    "posts confirm": ((POST,), WORK, True),
    "posts deny": ((POST,), WORK, True),
    "posts publish": ((POST, "--again"), WORK, True),
    "posts release": ((POST,), WORK, True),
    "posts retry": ((POST,), WORK, True),
    "accounts list": ((), EVERYBODY, False),
    "accounts show": ((USER,), LOOK, True),
    "accounts paste": (("--token-file", "{token}"), RULE, False),
    "accounts refresh": ((USER,), {"owner"}, True),
    "accounts share": ((USER, "viewer"), {"owner"}, True),
    "accounts unshare": ((USER, "leaver"), {"owner"}, True),
    "accounts rotate-key": ((), RULE, False),
    "users list": ((), RULE, False),
    "users add": (
        ("new", "--role", "viewer", "--password-file", "{password}"),
        RULE,
        False,
    ),
    "users passwd": (("leaver", "--password-file", "{password}"), RULE, False),
    "users role": (("leaver", "viewer"), RULE, False),
    "users remove": (("leaver",), RULE, False),
    "keys list": ((), EVERYBODY, False),
    "keys create": (("mine",), RULE, False),  # a key makes no other one without that scope
    "keys revoke": (("no-such-key",), EVERYBODY, False),
    "accounts disconnect": ((USER, "--yes"), {"owner"}, True),  # the last: the account goes
}
NO_KEY_GOES_SO_FAR = {"posts list", "posts show"}


@dataclass
class Home:
    """A daemon at work, and who lives there."""

    river: River
    people: dict[str, Person]

    async def does(self, part: str, command: str) -> str:
        """What becomes of it, in a word."""
        password = self.river.root / "password"
        password.write_text(PASSWORD)
        token = self.river.root / "token"
        token.write_text("EAAB-nobody-gave-this-one")
        said = [word.format(password=password, token=token) for word in TABLE[command][0]]
        words = [*command.split(), *said, "--config", str(self.river.config)]
        key = {KEY_VARIABLE: self.people[part].keys[Right.ADMIN]}
        ended = await asyncio.to_thread(CliRunner().invoke, app, words, env=key)
        told = ended.output
        if f"{KEY_VARIABLE} is set" in told:
            return FILES
        if "may not" in told:
            return MAY_NOT
        if f"no post {POST}" in told or f"no account {USER}" in told:
            return UNKNOWN
        assert not isinstance(ended.exception, Exception), (command, ended.exception)
        assert "401" not in told, told
        return MAY


@pytest.fixture
async def river(tmp_path: Path) -> AsyncIterator[River]:
    async with open_river(tmp_path) as river:
        yield river


@pytest.fixture
async def home(river: River) -> AsyncIterator[Home]:
    async with at_work(river) as running:
        journal, now = running.app.journal, running.app.clock.now()
        people = {"owner": await settle(journal, "owner", Role.OWNER, now=now)}
        await journal.apply([users.adopt()])
        people["stranger"] = await settle(journal, "stranger", Role.OWNER, now=now)
        for role in (Role.EDITOR, Role.VIEWER):
            shared = {USER: role}
            people[role] = await settle(journal, role, role, now=now, shared=shared)
        await settle(journal, "leaver", Role.VIEWER, now=now)
        post = a_post(POST, state=State.HELD, account_id=USER)
        await journal.apply(posts.add(post))
        yield Home(river, people)


def test_every_command_has_a_line_in_the_table() -> None:
    """A command that is added says here who may use it."""
    assert set(inventory.commands()) == set(TABLE) | OF_THE_MACHINE


@pytest.mark.parametrize("part", PARTS)
async def test_everybody_may_what_the_table_says(home: Home, part: str) -> None:
    """Each command with the greatest key of this one; no cell wrong."""
    assert KEY_VARIABLE not in os.environ
    wrong = []
    for command, (_, may, about_account) in TABLE.items():
        wanted = MAY if part in may else MAY_NOT
        if part not in may and about_account and part == "stranger":
            wanted = UNKNOWN
        if command in NO_KEY_GOES_SO_FAR:
            wanted = FILES
        found = await home.does(part, command)
        if found != wanted:
            wrong.append(f"{command}: {found}, not {wanted}")
    assert [] == wrong
