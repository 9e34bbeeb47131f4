"""A web door behind which accounts can be connected: with a simulator for Meta, and people."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
from aiohttp import ClientResponse

from mediawatch.actions.account_desk import AccountDesk
from mediawatch.app import login_apis
from mediawatch.config import Settings
from mediawatch.crypto.vault import Vault
from mediawatch.journal.sqlite import SqliteJournal
from mediawatch.model.people import Role
from mediawatch.simulator import Simulator, SimulatorOptions
from mediawatch.simulator.faults import Scenario
from mediawatch.tokens import Tokens
from mediawatch.web.app import create_app
from tests.support import web_house
from tests.support.desk import a_desk
from tests.support.login import FACEBOOK_APP, INSTAGRAM_APP, consent
from tests.support.people import Person, settle
from tests.support.turned_clock import TurnedClock
from tests.support.web_house import Client, House

#: A browser that a page of another site has led here, as Meta's does.
LED_HERE = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"} | {
    "Sec-Fetch-Dest": "document",
    "Accept": "text/html",
}
#: A browser on a page of ours.
AT_HOME = {"Sec-Fetch-Site": "same-origin", "Accept": "text/html"}
Headers = Mapping[str, str]


@dataclass
class LoginHouse:
    """Ana owns it, Ole owns as well, Vic looks on; without users it is open to this machine."""

    house: House
    simulator: Simulator
    settings: Settings
    desk: AccountDesk
    clock: TurnedClock
    people: dict[str, Person]
    client: Client

    @property
    def journal(self) -> SqliteJournal:
        """Of this house."""
        return self.house.journal

    def browser(self, who: str) -> dict[str, str]:
        """The cookie of somebody who is in."""
        return {"Cookie": f"mediawatch_session={self.people[who].cookie}"}

    async def get(self, path: str, headers: Headers, **query: str) -> ClientResponse:
        """One page, without following where it leads."""
        found: ClientResponse = await self.client.get(
            path, params=query, headers=dict(headers), allow_redirects=False
        )
        return found

    async def begin(self, browser: dict[str, str], login: str = "facebook", **more: str) -> str:
        """Click on the button: the address at Meta. A cookie that is given is kept in
        ``browser``."""
        answer = await self.get("/api/auth/instagram", browser | AT_HOME, login=login, **more)
        assert 303 == answer.status, await answer.text()
        for cookie in answer.cookies.values():
            browser["Cookie"] = f"{cookie.key}={cookie.value}"
        return answer.headers["Location"]

    async def consent(self, address: str, **wishes: Any) -> dict[str, str]:
        """Say yes at Meta: ``code`` and ``state`` to come back with."""
        async with aiohttp.ClientSession() as session:
            return await consent(session, address, **wishes)

    async def come_back(self, browser: Headers, **told: str) -> ClientResponse:
        """As Meta sends the browser."""
        return await self.get("/api/auth/instagram/callback", {**browser, **LED_HERE}, **told)

    async def log_in(self, browser: dict[str, str], login: str = "facebook", **wishes: Any) -> str:
        """All of it: the address of the choice."""
        told = await self.consent(await self.begin(browser, login), **wishes)
        answer = await self.come_back(browser, code=told["code"], state=told["state"])
        assert 303 == answer.status, await answer.text()
        return answer.headers["Location"]

    async def choose(self, browser: Headers, place: str, *accounts: str) -> ClientResponse:
        """Send the form of the choice."""
        found: ClientResponse = await self.client.post(
            place,
            data=[("account", each) for each in accounts],
            headers={**browser, **AT_HOME},
            allow_redirects=False,
        )
        return found

    async def signed(self, what: str, request: str, **headers: str) -> tuple[int, dict[str, Any]]:
        """As Meta calls."""
        answer = await self.client.post(
            f"/api/webhooks/instagram/{what}", data={"signed_request": request}, headers=headers
        )
        return answer.status, await answer.json()


def state_of(address: str) -> str:
    """The state in an address at Meta."""
    return parse_qs(urlsplit(address).query)["state"][0]


@asynccontextmanager
async def login_house(
    folder: Path,
    *,
    people: bool = True,
    apps: bool = True,
    scenario: Mapping[str, Any] | None = None,
    **web: Any,
) -> AsyncIterator[LoginHouse]:
    """It works; ``scenario``: of the simulator; ``web``: settings of that table."""
    clock = TurnedClock()
    clock.time = 1_800_000_000.0
    options = SimulatorOptions(
        clock=clock.now, granted_only=True, scenario=Scenario.parse(dict(scenario or {}))
    )
    async with web_house.house(folder, clock) as house, Simulator(options) as simulator:
        told = web_house.settings(folder, **web).model_dump()
        told["instagram"] = {"graph_url": simulator.url}
        if apps:
            for name, (app_id, secret) in {
                "facebook": FACEBOOK_APP,
                "instagram": INSTAGRAM_APP,
            }.items():
                told["instagram"] |= {f"{name}_app_id": app_id, f"{name}_app_secret": secret}
        told["ftp"]["password"] = "x"
        settings = Settings.model_validate(told)
        assert house.session is not None
        tokens = Tokens(settings.instagram, house.journal, Vault(folder / "keys"), clock)
        desk = replace(
            a_desk(house.journal, folder, house.session),
            tokens=tokens,
            logins=login_apis(settings, house.session),
            clock=clock,
        )
        residents = {}
        if people:
            for name, role in (("ana", Role.OWNER), ("ole", Role.OWNER), ("vic", Role.VIEWER)):
                residents[name] = await settle(house.journal, name, role, now=clock.now())
        doors = replace(house.doors(**web), settings=settings, accounts=desk)
        async with web_house.client_of(create_app(doors)) as client:
            yield LoginHouse(house, simulator, settings, desk, clock, residents, client)
