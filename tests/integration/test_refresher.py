"""Tokens are kept alive, looked at, and told of; asked of a Graph API on loopback."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from pydantic import SecretStr

from mediawatch.config import InstagramSettings
from mediawatch.crypto.vault import Vault
from mediawatch.errors import GraphProblem
from mediawatch.graph.client import GraphClient, not_recorded
from mediawatch.graph.errors import GraphUnreachable, from_answer
from mediawatch.graph.pacing import Pacing
from mediawatch.journal import accounts
from mediawatch.journal import tokens as table
from mediawatch.journal.accounts import Identity
from mediawatch.journal.sqlite import SqliteJournal
from mediawatch.journal.tokens import StoredToken
from mediawatch.maintenance.refresher import DAY, NotRefreshed, Refresher
from mediawatch.model.accounts import Login
from mediawatch.pipeline.standing import Standing
from mediawatch.tokens import NewToken, Tokens
from tests.support.graph_apps import apps_at
from tests.support.login_api import SIXTY_DAYS, ToldLogin
from tests.support.publishing import NotingLog, TurnedClock
from tests.support.simulator import Clock

ACCOUNT, TOKEN = "17841400000000001", "a-token-of-the-owner"
ANA, BEN = "17841400000000011", "17841400000000012"


def refused(code: int, subcode: int | None = None) -> GraphProblem:
    """What Meta says to a token that it does not take."""
    error = {"message": "No", "type": "OAuthException", "code": code, "error_subcode": subcode}
    return from_answer(400, {"error": error}, "")


class House:
    """A refresher with its neighbours, and what ``debug_token`` and ``me`` answer."""

    def __init__(self, journal: SqliteJournal, folder: Path) -> None:
        self.journal = journal
        self.folder = folder
        self.time = Clock()
        self.log = NotingLog()
        self.answer: Any = {}
        self.status = 200
        self.asked: list[web.Request] = []
        self.facebook = ToldLogin()
        self.instagram = ToldLogin()

    async def take(self, request: web.Request) -> web.Response:
        self.asked.append(request)
        return web.json_response(self.answer, status=self.status)

    async def start(self, session: aiohttp.ClientSession, url: str, *, settings: bool) -> None:
        clock = TurnedClock(self.time)
        of_settings = InstagramSettings(
            user_id=ACCOUNT if settings else None,
            access_token=SecretStr(TOKEN) if settings else None,
        )
        vault = Vault(self.folder / "keys")
        self.tokens = Tokens(of_settings, self.journal, vault, clock)
        await self.tokens.open()
        pacing = Pacing(clock, self.log, app_of=self.tokens.login)
        client = GraphClient(session, apps_at(url), "v25.0", timeout=5, pacing=pacing)
        self.refresher = Refresher(
            self.journal,
            self.tokens,
            client,
            {"facebook": self.facebook, "instagram": self.instagram},
            Standing(self.tokens, pacing),
            clock,
            self.log,
        )

    async def connect(
        self,
        account_id: str,
        *,
        login: Login = "instagram",
        kind: str = "instagram",
        days_left: float | None = 60.0,
        age: float = 50.0,
    ) -> None:
        """An account whose token is so many days old."""
        now = self.time.now
        who = Identity("ana", login, "BUSINESS", None, None, None, "9001")
        new = NewToken(
            SecretStr(f"token-of-{account_id}"),
            kind,
            now - age * DAY,
            expires_at=None if days_left is None else now + days_left * DAY,
        )
        along = [accounts.connect(account_id, who, owner_id=None, now=now)]
        await self.tokens.store(account_id, login, new, along=along)
        stored = await self.kept(account_id)
        await self.journal.apply([table.note(stored, {"verified_at": now})])

    async def kept(self, account_id: str) -> StoredToken:
        found = await table.find(self.journal, account_id)
        assert found is not None
        return found

    async def plain(self, account_id: str) -> str:
        return (await self.tokens.caller(account_id, not_recorded)).token.get_secret_value()

    async def days_pass(self, days: float) -> None:
        self.time.now += days * DAY
        await self.refresher.run_once()


@asynccontextmanager
async def opened(folder: Path, *, settings: bool) -> AsyncIterator[House]:
    async with SqliteJournal(folder / "journal.db") as journal:
        house = House(journal, folder)
        app = web.Application()
        app.router.add_get("/v25.0/{what}", house.take)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        async with aiohttp.ClientSession() as session:
            url = f"http://127.0.0.1:{runner.addresses[0][1]}"
            await house.start(session, url, settings=settings)
            yield house
        await runner.cleanup()


@pytest.fixture
async def single(tmp_path: Path) -> AsyncIterator[House]:
    async with opened(tmp_path, settings=True) as house:
        yield house


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with opened(tmp_path, settings=False) as house:
        house.answer = {"user_id": ANA, "username": "ana", "account_type": "Business"}
        yield house


# The token of the settings.


@pytest.mark.parametrize(
    ("data", "ends"),
    [
        (
            {"expires_at": 1_800_000_000, "data_access_expires_at": 1_900_000_000},
            {ACCOUNT: 1_800_000_000},
        ),
        ({"expires_at": 0, "data_access_expires_at": 1_900_000_000}, {ACCOUNT: 1_900_000_000}),
        ({"expires_at": 0}, {ACCOUNT: None}),  # never
        ({"is_valid": False, "error": {"code": 190}}, {ACCOUNT: None}),
        ({"expires_at": "soon"}, {}),
    ],
)
async def test_the_earlier_end_counts(
    single: House, data: dict[str, Any], ends: dict[str, float | None]
) -> None:
    """Of the token itself, and of the access to data that it gives; 0 is never, not the end."""
    single.answer = {"data": data}
    await single.refresher.run_once()

    assert ends == single.refresher.ends
    assert TOKEN == single.asked[0].query["input_token"]


async def test_what_was_known_stays_known_when_meta_does_not_tell(single: House) -> None:
    """An answer that is missing says nothing of the token."""
    single.answer = {"data": {"expires_at": 1_800_000_000}}
    await single.refresher.run_once()
    single.answer, single.status = {"error": {"code": 100, "message": "(#100) no"}}, 400
    await single.days_pass(1)

    assert {ACCOUNT: 1_800_000_000} == single.refresher.ends
    assert 2 == len(single.asked)


async def test_the_token_of_the_settings_is_not_ours_to_refresh(single: House) -> None:
    """Who asks for it is told what to do instead."""
    with pytest.raises(NotRefreshed, match="not mediawatch's to refresh"):
        await single.refresher.refresh(ACCOUNT)
    assert [] == single.facebook.calls


# Those of connected accounts.


@pytest.mark.parametrize(
    ("left", "age", "refreshed"),
    [(10.5, 49.5, False), (9.9, 50.0, True), (0.01, 59.0, True), (-0.01, 60.0, False)],
)
async def test_a_token_is_refreshed_in_its_last_ten_days(
    house: House, left: float, age: float, refreshed: bool
) -> None:
    """Not before, so that Meta is not asked for nothing, and not after, when it would refuse."""
    await house.connect(ANA, days_left=left, age=age)
    await house.refresher.run_once()

    assert refreshed is bool(house.instagram.calls)
    assert ("refreshed-token" if refreshed else f"token-of-{ANA}") == await house.plain(ANA)
    if refreshed:
        kept = await house.kept(ANA)
        assert (house.time.now, house.time.now + SIXTY_DAYS) == (kept.refreshed_at, kept.expires_at)


async def test_a_young_token_is_not_refreshed(house: House) -> None:
    """Meta refuses to within the first day; an hour-long token that nobody exchanged is told."""
    await house.connect(ANA, days_left=9.0, age=0.9)
    await house.refresher.run_once()
    with pytest.raises(NotRefreshed, match="younger than a day"):
        await house.refresher.refresh(ANA)

    assert [] == house.instagram.calls


async def test_a_failing_refresh_keeps_the_old_token_and_tries_again(house: House) -> None:
    """Every six hours, on the last day every hour; each failure is told with what is left."""
    await house.connect(ANA, days_left=9.0)
    house.instagram.problem = GraphUnreachable("No answer from Meta.")
    for _ in range(4):
        await house.days_pass(0.1)

    assert 2 == len(house.instagram.calls)
    assert f"token-of-{ANA}" == await house.plain(ANA)
    assert "No answer from Meta." == (await house.kept(ANA)).refresh_problem
    assert "No answer from Meta. It is good until" in house.log.said("account")[-1]["event"]

    house.instagram.problem = None
    await house.days_pass(1)

    assert "refreshed-token" == await house.plain(ANA)
    assert (await house.kept(ANA)).refresh_problem is None


async def test_a_bad_account_does_not_stop_the_others(house: House) -> None:
    """The first is refused, and stopped with its reason; the second is refreshed as ever."""
    await house.connect(ANA, days_left=9.0, login="facebook", kind="user")
    await house.connect(BEN, days_left=9.0)
    house.facebook.problem = refused(190, 460)

    await house.refresher.run_once()

    assert "refreshed-token" == await house.plain(BEN)
    stopped = await accounts.find(house.journal, ANA)
    assert "token" == stopped.stopped_code
    assert "Connect the account again" in (stopped.stopped_remedy or "")


async def test_a_key_that_is_lost_stops_its_account_only(house: House) -> None:
    """No daemon that dies of it again and again."""
    await house.connect(ANA, days_left=9.0)
    (house.folder / "keys").unlink()
    house.tokens._vault = Vault(house.folder / "keys")
    await house.connect(BEN, days_left=9.0)

    await house.refresher.run_once()

    assert "refreshed-token" == await house.plain(BEN)
    stopped = await accounts.find(house.journal, ANA)
    assert "token-unreadable" == stopped.stopped_code
    assert "keys" in (stopped.stopped_detail or "")


async def test_two_who_refresh_at_once_are_one(house: House) -> None:
    """The order of a person meets the daemon's own turn: one call, and the other sees its end."""
    await house.connect(ANA, days_left=9.0)

    done = await asyncio.gather(
        house.refresher.refresh(ANA),
        house.refresher.run_once(),
        house.refresher.refresh(ANA),
        return_exceptions=True,
    )

    assert 1 == len(house.instagram.calls)
    assert isinstance(done[2], NotRefreshed)


async def test_a_token_is_looked_at_daily(house: House) -> None:
    """Once a day, whether or not it ends; one that Meta refuses stops its account then, and not
    only with the next post."""
    await house.connect(ANA)
    for _ in range(3):
        await house.days_pass(0.4)
    assert 1 == len(house.asked)

    house.answer, house.status = {"error": {"code": 190, "message": "No"}}, 400
    await house.days_pass(1)
    await house.days_pass(0.1)

    assert 2 == len(house.asked)
    assert "token" == (await accounts.find(house.journal, ANA)).stopped_code


async def test_the_access_to_data_of_a_page_is_watched(house: House) -> None:
    """A page's token never ends, but ninety days after its person was there it reads nothing."""
    await house.connect(ANA, login="facebook", kind="page", days_left=None)
    house.facebook.told = house.facebook.told.model_copy(
        update={"data_access_expires_at": 1_900_000_000}
    )
    await house.days_pass(1)

    assert 1_900_000_000 == (await house.kept(ANA)).ends_at
    with pytest.raises(NotRefreshed) as caught:
        await house.refresher.refresh(ANA)
    assert "connect the account again" in caught.value.remedy
