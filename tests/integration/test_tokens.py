"""Tokens kept in a real journal: given, changed, forgotten, and sealed anew."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from mediawatch.config import InstagramSettings
from mediawatch.crypto.vault import SealedOtherwise, Vault
from mediawatch.errors import Conflict
from mediawatch.graph.client import not_recorded
from mediawatch.journal import accounts
from mediawatch.journal import tokens as table
from mediawatch.journal.accounts import Identity
from mediawatch.journal.sqlite import SqliteJournal
from mediawatch.model.accounts import Login
from mediawatch.tokens import Disconnected, NewToken, Tokens, UnknownAccount
from tests.support.publishing import TurnedClock
from tests.support.simulator import Clock

ANA, BEN, SETTINGS = "17841400000000011", "17841400000000012", "17841400000000001"
NOW = 1_800_000_000.0


class House:
    """A data folder with a journal and its keys, as one start after another finds it."""

    def __init__(self, folder: Path, journal: SqliteJournal) -> None:
        self.folder = folder
        self.journal = journal
        self.time = Clock()

    async def start(self, user_id: str | None = None, *given: bytes) -> Tokens:
        token = SecretStr("token-of-the-settings") if user_id else None
        settings = InstagramSettings(user_id=user_id, access_token=token)
        vault = Vault(self.folder / "keys", given)
        tokens = Tokens(settings, self.journal, vault, TurnedClock(self.time))
        await tokens.open()
        return tokens

    async def keep(
        self, tokens: Tokens, account_id: str, token: str, login: Login = "facebook"
    ) -> None:
        who = Identity("ana", login, "BUSINESS", None, None, None, "9001")
        connected = accounts.connect(account_id, who, owner_id=None, now=NOW)
        new = NewToken(SecretStr(token), "user", NOW, user_token=SecretStr(f"{token}-of-a-person"))
        await tokens.store(account_id, login, new, along=[connected])


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with SqliteJournal(tmp_path / "journal.db") as journal:
        yield House(tmp_path, journal)


async def given(tokens: Tokens, account_id: str) -> str:
    return (await tokens.caller(account_id, not_recorded)).token.get_secret_value()


async def test_a_kept_token_is_given_after_a_restart(house: House) -> None:
    """With its login, by which its calls are sent; it stands nowhere in the journal."""
    await house.keep(await house.start(), ANA, "IGAA-marked", "instagram")

    caller = await (await house.start()).caller(ANA, not_recorded)

    assert ("IGAA-marked", "instagram") == (caller.token.get_secret_value(), caller.login)
    assert "IGAA-marked" not in repr(caller)
    for file in house.folder.glob("journal.db*"):
        assert b"marked" not in file.read_bytes()


async def test_a_change_counts_at_once(house: House) -> None:
    """What was opened a moment ago is not given any more when there is another, or none."""
    tokens = await house.start()
    await house.keep(tokens, ANA, "first")
    assert "first" == await given(tokens, ANA)

    await house.keep(tokens, ANA, "second")
    assert "second" == await given(tokens, ANA)

    await tokens.forget(ANA)
    with pytest.raises(UnknownAccount):
        await given(tokens, ANA)


async def test_the_account_of_the_settings_is_one_of_them(house: House) -> None:
    """With the token that stands there; connected, it has the one that it was connected with."""
    tokens = await house.start(SETTINGS)
    assert "token-of-the-settings" == await given(tokens, SETTINGS)
    assert [SETTINGS] == tokens.account_ids

    await house.keep(tokens, SETTINGS, "connected")

    assert "connected" == await given(tokens, SETTINGS)
    assert tokens.of_settings is None
    assert [SETTINGS] == tokens.account_ids


async def test_disconnected_is_disconnected_also_with_a_token_in_the_settings(
    house: House,
) -> None:
    """Nobody publishes in the name of an account that somebody has just disconnected."""
    tokens = await house.start(SETTINGS)
    await house.keep(tokens, SETTINGS, "connected")
    await tokens.forget(SETTINGS, along=[accounts.disconnect(SETTINGS, now=NOW)])

    for each in (tokens, await house.start(SETTINGS)):
        with pytest.raises(Disconnected):
            await given(each, SETTINGS)


async def test_a_refreshed_token_does_not_undo_what_a_person_did_meanwhile(house: House) -> None:
    """The refresh was under way while the account was connected anew: that one stays."""
    tokens = await house.start()
    await house.keep(tokens, ANA, "old")
    old = await table.find(house.journal, ANA)
    assert old is not None
    await house.keep(tokens, ANA, "connected anew")

    with pytest.raises(Conflict):
        await tokens.renew(old, NewToken(SecretStr("refreshed"), "user", NOW), now=NOW)

    assert "connected anew" == await given(tokens, ANA)


async def test_a_new_key_seals_everything_anew(house: House) -> None:
    """Nothing is left of the old key, in the file or in the journal, and all tokens are there."""
    tokens = await house.start()
    for account_id in (ANA, BEN):
        await house.keep(tokens, account_id, f"token of {account_id}")
    before = (house.folder / "keys").read_text().splitlines()[-1]
    old = {token.key_id for token in await table.listed(house.journal)}

    done = await tokens.rotate()

    assert (4, 0) == (done.resealed, done.unreadable)
    assert {done.key_id} == {token.key_id for token in await table.listed(house.journal)}
    assert {done.key_id} != old
    assert before not in (house.folder / "keys").read_text()
    for each in (tokens, await house.start()):
        assert f"token of {BEN}" == await given(each, BEN)


async def test_a_key_of_the_settings_takes_over(house: House) -> None:
    """Tokens of the file's key open until all is sealed with the new one; then the file is not
    needed any more."""
    await house.keep(await house.start(), ANA, "token")
    key = b"k" * 32

    tokens = await house.start(None, key)
    assert "token" == await given(tokens, ANA)
    await tokens.rotate()
    (house.folder / "keys").unlink()

    assert "token" == await given(await house.start(None, key), ANA)


async def test_a_lost_key_concerns_the_accounts_sealed_with_it_only(house: House) -> None:
    """Others go on, new ones are connected, and a rotation leaves what it cannot open."""
    await house.keep(await house.start(SETTINGS), ANA, "lost")
    (house.folder / "keys").unlink()
    tokens = await house.start(SETTINGS)
    await house.keep(tokens, BEN, "new")

    with pytest.raises(SealedOtherwise):
        await given(tokens, ANA)
    assert "token-of-the-settings" == await given(tokens, SETTINGS)
    assert "new" == await given(tokens, BEN)
    assert 2 == (await tokens.rotate()).unreadable
