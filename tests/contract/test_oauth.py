"""Our side of both logins against the simulator's."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest
from pydantic import SecretStr

from mediawatch.crypto.signing import challenge_of, new_verifier
from mediawatch.errors import GraphProblem
from mediawatch.graph.errors import GraphError
from mediawatch.graph.oauth import AppCredentials, Candidate, Grant, OAuth
from mediawatch.graph.scopes import NEEDED_SCOPES, lacking
from mediawatch.model.accounts import Login
from mediawatch.simulator import Simulator, SimulatorOptions
from tests.support.login import (
    CALLBACK,
    FACEBOOK_APP,
    FIRST,
    FIRST_PAGE,
    HOME,
    INSTAGRAM_APP,
    ROBIN,
    STUDIO,
    STUDIO_PAGE,
    consent,
)
from tests.support.simulator import Clock

DAY = 86_400.0
LOGINS: list[Login] = ["facebook", "instagram"]
ALL = {login: frozenset(scope.name for scope in NEEDED_SCOPES[login]) for login in LOGINS}


@dataclass
class Stage:
    """A simulator and our side of one of its logins."""

    simulator: Simulator
    session: aiohttp.ClientSession
    clock: Clock
    oauth: OAuth

    async def code(self, verifier: str | None = None, **wishes: Any) -> str:
        """A code that somebody let us have."""
        address = self.oauth.authorize_url(
            state="s",
            redirect_uri=CALLBACK,
            challenge=challenge_of(verifier) if verifier else None,
        )
        return (await consent(self.session, address, **wishes))["code"]

    async def log_in(self, **wishes: Any) -> tuple[Grant, list[Candidate]]:
        """The whole way."""
        verifier = new_verifier()
        found = await self.oauth.log_in(await self.code(verifier, **wishes), CALLBACK, verifier)
        return found.grant, found.candidates

    def app(self, secret: str = "", app_id: str = "") -> OAuth:
        """Our side with other credentials."""
        usual = FACEBOOK_APP if self.oauth.login == "facebook" else INSTAGRAM_APP
        app = AppCredentials(self.oauth.login, app_id or usual[0], SecretStr(secret or usual[1]))
        return OAuth(self.session, app, "v25.0", timeout=5, graph_url=self.simulator.url)


@asynccontextmanager
async def staged(login: Login, **scenario: Any) -> AsyncIterator[Stage]:
    clock = Clock()
    options = SimulatorOptions(clock=clock, granted_only=True)
    async with Simulator(options) as simulator, aiohttp.ClientSession() as session:
        simulator.script(**scenario)
        stage = Stage(simulator, session, clock, None)  # type: ignore[arg-type]
        app_id, secret = FACEBOOK_APP if login == "facebook" else INSTAGRAM_APP
        stage.oauth = OAuth(
            session,
            AppCredentials(login, app_id, SecretStr(secret)),
            "v25.0",
            timeout=5,
            graph_url=simulator.url,
        )
        yield stage


async def refusal(stage: Stage, code: str, **differing: str | None) -> GraphError:
    """What an exchange with something wrong in it is refused with."""
    with pytest.raises(GraphError) as caught:
        await stage.oauth.exchange_code(
            code,
            differing.get("redirect_uri") or CALLBACK,
            differing.get("verifier"),
        )
    assert code not in _all_of(caught.value)
    return caught.value


def _all_of(problem: GraphProblem) -> str:
    return f"{problem!r} {problem.message} {problem.remedy} {problem.details} {problem.args}"


async def test_facebook_gives_each_account_with_its_page() -> None:
    """From the code to a token of 60 days, whose it is, all that was granted, and each account
    with the page's own token."""
    async with staged("facebook") as stage:
        grant, found = await stage.log_in()
    assert (60 * DAY, ROBIN, ALL["facebook"]) == (
        grant.expires_in,
        grant.meta_user_id,
        grant.permissions,
    )
    assert [
        (FIRST, "mediawatch", FIRST_PAGE, "Demo Page"),
        (STUDIO, "mediawatch_studio", STUDIO_PAGE, "Demo Page 2"),
    ] == [(each.account_id, each.username, each.page_id, each.page_name) for each in found]
    assert all(each.page_token and each.may_publish and each.is_professional for each in found)
    assert 2 == len({each.page_token for each in found})


@pytest.mark.parametrize("wrapped", [False, True], ids=["flat", "wrapped"])
async def test_instagram_gives_the_account_that_logged_in(wrapped: bool) -> None:
    """One account, of any kind, in both shapes of Meta's answers; the id of whoever granted it is
    not the account's."""
    app_id, secret = INSTAGRAM_APP
    app = {"id": app_id, "secret": secret, "login": "instagram", "wrapped": wrapped}
    async with staged("instagram", apps=[app]) as stage:
        grant, found = await stage.log_in(who=STUDIO)
    assert (60 * DAY, ALL["instagram"]) == (grant.expires_in, grant.permissions)
    assert grant.meta_user_id not in {"", STUDIO}
    assert [Candidate(STUDIO, "mediawatch_studio", "MEDIA_CREATOR")] == found
    assert found[0].is_professional
    assert found[0].may_publish


async def test_a_personal_account_is_told_as_such() -> None:
    """Instagram lets it log in; it is no account to be connected."""
    async with staged("instagram") as stage:
        _, found = await stage.log_in(who=HOME)
    assert [False] == [each.is_professional for each in found]


async def test_only_pages_that_were_ticked_are_found() -> None:
    """And none without the permission to see the list."""
    async with staged("facebook") as stage:
        _, one = await stage.log_in(without={STUDIO_PAGE})
        grant, none = await stage.log_in(without={"pages_show_list"})
    assert [FIRST] == [each.account_id for each in one]
    assert [] == none
    assert ["pages_show_list"] == [s.name for s in lacking("facebook", grant.permissions or ())]


async def test_many_pages_are_all_found() -> None:
    """Lists come in parts of a hundred."""
    accounts = [{"id": f"{17841500000000000 + n}", "username": f"a{n}"} for n in range(230)]
    pages = [
        {"id": f"{900000 + n}", "name": f"P{n}", "account": each["id"]}
        for n, each in enumerate(accounts)
    ]
    person = {"id": ROBIN, "accounts": accounts, "pages": pages}
    async with staged("facebook", persons=[person]) as stage:
        _, found = await stage.log_in()
    assert [each["id"] for each in accounts] == [each.account_id for each in found]


async def test_tasks_on_the_page_decide_whether_one_may_publish() -> None:
    """Who may only look at a page cannot publish for its account."""
    person = {
        "id": ROBIN,
        "accounts": [{"id": FIRST}],
        "pages": [{"id": FIRST_PAGE, "account": FIRST, "tasks": ["ANALYZE"]}],
    }
    async with staged("facebook", persons=[person]) as stage:
        _, found = await stage.log_in()
    assert [False] == [each.may_publish for each in found]


@pytest.mark.parametrize("login", LOGINS)
async def test_what_was_declined_is_known(login: Login) -> None:
    """The grant names what was ticked, no more."""
    publish = next(name for name in ALL[login] if name.endswith("content_publish"))
    async with staged(login) as stage:
        grant, _ = await stage.log_in(without={publish})
        told = await stage.oauth.granted(grant.token)
    assert ALL[login] - {publish} == grant.permissions
    assert told == (grant.permissions if login == "facebook" else None)
    assert [publish] == [scope.name for scope in lacking(login, grant.permissions or ())]


@pytest.mark.parametrize("login", LOGINS)
async def test_a_code_is_good_once(login: Login) -> None:
    """The second time is refused with what to do, and the code is nowhere in it."""
    async with staged(login) as stage:
        code = await stage.code()
        await stage.oauth.exchange_code(code, CALLBACK, None)
        error = await refusal(stage, code)
    assert ("login-refused", True) == (error.code, "again" in error.remedy)


@pytest.mark.parametrize("login", LOGINS)
async def test_a_code_is_good_for_an_hour(login: Login) -> None:
    """After that one starts again."""
    async with staged(login) as stage:
        code = await stage.code()
        stage.clock.turn(3600)
        error = await refusal(stage, code)
    assert ("login-refused", True) == (error.code, "again" in error.remedy)


@pytest.mark.parametrize("login", LOGINS)
async def test_a_code_is_good_for_its_address(login: Login) -> None:
    """Another address than the one that it was sent to is refused, and where to mend it is told."""
    async with staged(login) as stage:
        error = await refusal(stage, await stage.code(), redirect_uri=CALLBACK + "/")
    assert ("login-refused", True) == (error.code, "redirect" in error.remedy)


@pytest.mark.parametrize("login", LOGINS)
@pytest.mark.parametrize("verifier", [None, new_verifier()], ids=["none", "another"])
async def test_a_code_needs_the_verifier_of_its_challenge(
    login: Login, verifier: str | None
) -> None:
    """Whoever only saw the code gets nothing for it."""
    async with staged(login) as stage:
        error = await refusal(stage, await stage.code(new_verifier()), verifier=verifier)
    assert "login-refused" == error.code


@pytest.mark.parametrize("login", LOGINS)
@pytest.mark.parametrize("wrong", [{"secret": "a-wrong-secret"}, {"app_id": "999999999"}])
async def test_a_wrong_app_is_told(login: Login, wrong: dict[str, str]) -> None:
    """App id and secret are a pair; the remedy names both settings."""
    async with staged(login) as stage:
        code = await stage.code()
        with pytest.raises(GraphError) as caught:
            await stage.app(**wrong).exchange_code(code, CALLBACK, None)
    assert "login-refused" == caught.value.code
    assert "instagram.app_secret" in caught.value.remedy
    assert "a-wrong-secret" not in _all_of(caught.value)


@pytest.mark.parametrize("login", LOGINS)
async def test_a_short_token_lasts_an_hour(login: Login) -> None:
    """Once run out it cannot be exchanged for a long one: 190, of which nothing is repeated."""
    async with staged(login) as stage:
        grant = await stage.oauth.exchange_code(await stage.code(), CALLBACK, None)
        stage.clock.turn(3601)
        with pytest.raises(GraphError) as caught:
            await stage.oauth.long_lived(grant.token)
    assert (190, 463) == (caught.value.number, caught.value.subcode)
    assert "token" == caught.value.code
    assert grant.token.get_secret_value() not in _all_of(caught.value)


async def test_instagram_refreshes_after_a_day_and_before_the_end() -> None:
    """Too young and run out are refused; between them it is good for 60 days from then on."""
    async with staged("instagram") as stage:
        grant, _ = await stage.log_in(who=FIRST)
        with pytest.raises(GraphError) as young:
            await stage.oauth.refresh(grant.token)
        stage.clock.turn(DAY)
        again = await stage.oauth.refresh(grant.token)
        stage.clock.turn(60 * DAY)
        with pytest.raises(GraphError) as old:
            await stage.oauth.refresh(again.token)
    assert 100 == young.value.number
    assert "24 hours" in young.value.message
    assert (60 * DAY, grant.meta_user_id, grant.permissions) == (
        again.expires_in,
        again.meta_user_id,
        again.permissions,
    )
    assert again.token != grant.token
    assert (190, 463) == (old.value.number, old.value.subcode)


async def test_facebook_exchanges_a_long_token_again() -> None:
    """Which is all the refresh that it has."""
    async with staged("facebook") as stage:
        grant, _ = await stage.log_in()
        stage.clock.turn(50 * DAY)
        again = await stage.oauth.refresh(grant.token)
    assert (60 * DAY, ROBIN) == (again.expires_in, again.meta_user_id)


async def test_facebook_tells_the_facts_of_a_token() -> None:
    """When it ends, when its access to data ends, whose it is; a page's token has no end."""
    async with staged("facebook") as stage:
        grant, found = await stage.log_in()
        user = await stage.oauth.facts(grant.token)
        assert found[0].page_token is not None
        page = await stage.oauth.facts(found[0].page_token)
        now = stage.clock.now
    assert user is not None
    assert page is not None
    assert ("USER", ROBIN, now + 60 * DAY, now + 90 * DAY) == (
        user.type,
        user.user_id,
        user.expires_at,
        user.data_access_expires_at,
    )
    assert ("PAGE", 0, now + 90 * DAY) == (page.type, page.expires_at, page.ends_at)


async def test_instagram_tells_no_facts() -> None:
    """Nothing is made up: None is not 'never'."""
    async with staged("instagram") as stage:
        grant, _ = await stage.log_in(who=FIRST)
        assert await stage.oauth.facts(grant.token) is None


async def test_what_facebook_gave_can_be_given_back() -> None:
    """Then user's and page's tokens are dead, and the facts say so."""
    async with staged("facebook") as stage:
        grant, found = await stage.log_in()
        assert await stage.oauth.revoke(grant.token)
        facts = await stage.oauth.facts(grant.token)
        with pytest.raises(GraphError) as caught:
            await stage.oauth.candidates(grant.token)
        assert found[0].page_token is not None
        page = await stage.oauth.facts(found[0].page_token)
    assert facts is not None
    assert page is not None
    assert (False, False) == (facts.is_valid, page.is_valid)
    assert (190, 458) == (caught.value.number, caught.value.subcode)


async def test_what_instagram_gave_only_the_person_takes_back() -> None:
    """It has no address for that; nothing is pretended."""
    async with staged("instagram") as stage:
        grant, found = await stage.log_in(who=FIRST)
        assert not await stage.oauth.revoke(grant.token)
        assert found == await stage.oauth.candidates(grant.token)


async def test_a_proof_is_sent_where_it_is_documented() -> None:
    """An app of the Facebook login may require it of every call."""
    app_id, secret = FACEBOOK_APP
    app = {"id": app_id, "secret": secret, "require_proof": True}
    async with staged("facebook", apps=[app]) as stage:
        grant, found = await stage.log_in()
        assert 2 == len(found)
        await stage.oauth.revoke(grant.token)


@pytest.mark.parametrize("login", LOGINS)
async def test_a_lost_answer_is_told_without_any_secret(login: Login) -> None:
    """The connection is cut after the code was used: one sentence, no address with a query."""
    async with staged(login, rules=[{"on": "exchange", "do": "drop-after", "times": 2}]) as stage:
        code = await stage.code()
        with pytest.raises(GraphProblem) as caught:
            await stage.oauth.exchange_code(code, CALLBACK, None)
    told = _all_of(caught.value) + repr(caught.value.__cause__)
    assert "graph-unreachable" == caught.value.code
    assert code not in told
    assert "secret" not in told


@pytest.mark.parametrize("login", LOGINS)
def test_without_a_simulator_all_hosts_are_metas(login: Login) -> None:
    """Pages of people and of programs have different hosts; the secret goes to no page."""
    app = AppCredentials(login, "123456789", SecretStr("a-secret-of-ours"))
    oauth = OAuth(None, app, "v25.0", timeout=5)  # type: ignore[arg-type]
    address = urlsplit(
        oauth.authorize_url(state="a&b", redirect_uri="https://x.example/cb", challenge="c" * 43)
    )
    told = {name: values[0] for name, values in parse_qs(address.query).items()}
    path = "/v25.0/dialog/oauth" if login == "facebook" else "/oauth/authorize"
    assert (f"https://www.{login}.com", path) == (
        f"{address.scheme}://{address.netloc}",
        address.path,
    )
    assert ("123456789", "a&b", "https://x.example/cb", "code", "c" * 43, "S256") == (
        told["client_id"],
        told["state"],
        told["redirect_uri"],
        told["response_type"],
        told["code_challenge"],
        told["code_challenge_method"],
    )
    assert set(told["scope"].split(",")) == ALL[login]
    assert "a-secret-of-ours" not in address.geturl() + repr(app)
