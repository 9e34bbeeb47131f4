"""The simulator's consent pages, and what its tokens may do: plain requests, no code of ours."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode

import pytest
from aiohttp import web
from pydantic import SecretStr

from mediawatch.crypto.signing import read_signed_request
from mediawatch.simulator import SimulatorOptions
from tests.support.login import (
    CALLBACK,
    FACEBOOK_APP,
    FIRST,
    FIRST_PAGE,
    HOME,
    INSTAGRAM_APP,
    KIM,
    ROBIN,
    STUDIO,
    STUDIO_PAGE,
    consent,
)
from tests.support.simulator import TOKEN, Answer, Caller, Clock, jpeg, running

FACEBOOK = "instagram_basic,instagram_content_publish,pages_show_list,pages_read_engagement"
INSTAGRAM = "instagram_business_basic,instagram_business_content_publish"
DAY = 86_400.0


def asked(graph: Caller, login: str = "facebook", **params: str) -> str:
    """The address of the consent page."""
    app_id, scope = (
        (FACEBOOK_APP[0], FACEBOOK) if login == "facebook" else (INSTAGRAM_APP[0], INSTAGRAM)
    )
    path = "/v25.0/dialog/oauth" if login == "facebook" else "/oauth/authorize"
    usual = {
        "client_id": app_id,
        "redirect_uri": CALLBACK,
        "response_type": "code",
        "scope": scope,
        "state": "a state & more",
    }
    return f"{graph.simulator.url}{path}?{urlencode(usual | params)}"


async def facebook(graph: Caller, **wishes: Any) -> str:
    """A long-lived token of the Facebook login."""
    app_id, secret = FACEBOOK_APP
    back = await consent(graph.session, asked(graph), **wishes)
    app = {"client_id": app_id, "client_secret": secret}
    path = "/v25.0/oauth/access_token"
    short = await graph.get(path, None, **app, code=back["code"], redirect_uri=CALLBACK)
    old = short.json["access_token"]
    long = await graph.get(path, None, **app, grant_type="fb_exchange_token", fb_exchange_token=old)
    token: str = long.json["access_token"]
    return token


async def instagram(graph: Caller, **wishes: Any) -> str:
    """A short-lived token of the Instagram login."""
    back = await consent(graph.session, asked(graph, "instagram"), **wishes)
    app_id, secret = INSTAGRAM_APP
    answer = await graph.post(
        "/oauth/access_token",
        None,
        client_id=app_id,
        client_secret=secret,
        grant_type="authorization_code",
        redirect_uri=CALLBACK,
        code=back["code"],
    )
    token: str = answer.json["access_token"]
    return token


@asynccontextmanager
async def simulator(clock: Clock | None = None) -> AsyncIterator[Caller]:
    """One that takes no token but its own."""
    options = SimulatorOptions(granted_only=True, clock=clock or Clock())
    async with running(options) as graph:
        yield graph


@pytest.mark.parametrize(("login", "tail"), [("facebook", "_=_"), ("instagram", "_")])
async def test_consent_leads_back_with_code_and_state(login: str, tail: str) -> None:
    """The state comes back as it was sent; the fragment is each login's own."""
    async with simulator() as graph:
        back = await consent(graph.session, asked(graph, login))
    assert ("a state & more", tail, CALLBACK) == (back["state"], back["#"], back["to"])
    assert back["code"]


@pytest.mark.parametrize(
    ("login", "words"),
    [("facebook", "Permissions error"), ("instagram", "The user denied your request")],
)
async def test_cancel_leads_back_with_metas_words(login: str, words: str) -> None:
    """No code, and nothing granted."""
    async with simulator() as graph:
        back = await consent(graph.session, asked(graph, login), answer="cancel")
        grants = await graph.get("/_simulator/grants", None)
    assert ("access_denied", "user_denied", words, "a state & more") == (
        back["error"],
        back["error_reason"],
        back["error_description"],
        back["state"],
    )
    assert "code" not in back
    assert {"grants": []} == grants.json


@pytest.mark.parametrize("login", ["facebook", "instagram"])
@pytest.mark.parametrize(
    "wrong",
    [
        {"client_id": "123456"},
        {"redirect_uri": "https://evil.example/callback"},
        {"redirect_uri": "http://127.0.0.1.evil.example/callback"},
        {"redirect_uri": "javascript://127.0.0.1/%0aalert(1)"},
        {"redirect_uri": "http://127.0.0.1/callback#here"},
        {"redirect_uri": ""},
        {"scope": "instagram_basic_and_more"},
        {"scope": ""},
        {"response_type": "token"},
        {"code_challenge": "short"},
    ],
    ids=str,
)
async def test_a_request_that_is_no_good_leads_nowhere(login: str, wrong: dict[str, str]) -> None:
    """It is told on the page, for GET and POST, and nothing goes to the address."""
    async with simulator() as graph:
        for method in ("GET", "POST"):
            async with graph.session.request(
                method, asked(graph, login, **wrong), data={"answer": "continue", "as": ROBIN},
                allow_redirects=False,
            ) as answer:  # fmt: skip
                assert 400 == answer.status
                assert 'id="why"' in await answer.text()


async def test_an_app_may_name_its_addresses() -> None:
    """Then no other is good, not even of this machine; and they may lie elsewhere."""
    there = "https://media.example/callback"
    app_id, secret = FACEBOOK_APP
    async with simulator() as graph:
        graph.simulator.script(apps=[{"id": app_id, "secret": secret, "redirect_uris": [there]}])
        async with graph.session.get(asked(graph)) as answer:
            assert 400 == answer.status
        back = await consent(graph.session, asked(graph, redirect_uri=there))
    assert there == back["to"]


async def test_the_page_shows_who_what_and_which_pages() -> None:
    """What was asked for is ticked but for what the person declines; the policy lets the form
    lead back to the app, and nothing be loaded from elsewhere; all words are escaped."""
    person = {
        "id": ROBIN,
        "name": "<b>Robin</b>",
        "declined": ["pages_show_list"],
        "accounts": [{"id": FIRST, "username": "mediawatch"}],
        "pages": [{"id": FIRST_PAGE, "name": "Demo & Co", "account": FIRST}],
    }
    async with simulator() as graph:
        graph.simulator.script(persons=[person, {"id": KIM, "name": "Kim"}])
        async with graph.session.get(asked(graph)) as answer:
            page, policy = await answer.text(), answer.headers["Content-Security-Policy"]
    assert "&lt;b&gt;Robin&lt;/b&gt;" in page
    assert "<b>Robin" not in page
    assert "Demo &amp; Co" in page
    assert "Instagram: mediawatch" in page
    assert f"as={KIM}" in page
    assert 'value="instagram_basic" checked' in page
    assert 'value="pages_show_list">' in page
    assert "form-action 'self' http://127.0.0.1:8001" in policy


async def test_what_was_not_asked_for_cannot_be_granted() -> None:
    """Neither scopes nor pages of others, whatever the form sends."""
    form = [
        ("answer", "continue"),
        ("as", KIM),
        ("scopes", "instagram_basic"),
        ("scopes", "ads_management"),
        ("pages", FIRST_PAGE),
    ]
    async with simulator() as graph:
        async with graph.session.post(asked(graph), data=form, allow_redirects=False) as answer:
            assert 302 == answer.status
        (grant,) = (await graph.get("/_simulator/grants", None)).json["grants"]
    assert (KIM, ["instagram_basic"], [], []) == (
        grant["who"],
        grant["granted"],
        grant["pages"],
        grant["accounts"],
    )


async def test_a_token_is_for_the_accounts_that_were_granted() -> None:
    """Another account is for it as if it were not there, by user's and by page's token."""
    async with simulator() as graph:
        token = await facebook(graph, without={STUDIO_PAGE})
        pages = await graph.get("/me/accounts", token, fields="id,access_token")
        (page,) = pages.json["data"]
        for each in (token, page["access_token"]):
            assert 200 == (await graph.get(f"/{FIRST}", each)).status
            assert (100, 33) == (await graph.get(f"/{STUDIO}", each)).code
            assert (100, 33) == (await graph.post(f"/{STUDIO}/media", each)).code
    assert FIRST_PAGE == page["id"]


async def test_a_posts_parts_are_for_its_own_account_only() -> None:
    """Containers, posts and comments of another account are not there for a token either."""
    async with simulator() as graph:
        first = await instagram(graph, who=FIRST)
        other = await instagram(graph, who=STUDIO)
        picture = graph.pictures.add("a.jpg", jpeg())
        made = await graph.post(f"/{FIRST}/media", first, image_url=picture)
        container = made.json["id"]
        assert (100, 33) == (await graph.get(f"/{container}", other)).code
        done = await graph.post(f"/{FIRST}/media_publish", first, creation_id=container)
        media = done.json["id"]
        assert 200 == (await graph.get(f"/{media}", first)).status
        assert (100, 33) == (await graph.get(f"/{media}", other)).code
        assert (24, 2207008) == (
            await graph.post(f"/{STUDIO}/media_publish", other, creation_id=container)
        ).code


@pytest.mark.parametrize("login", ["facebook", "instagram"])
async def test_what_was_declined_cannot_be_done(login: str) -> None:
    """Reading goes, publishing and its limit are refused with 10."""
    name = "instagram_content_publish" if login == "facebook" else INSTAGRAM.split(",")[1]
    connect = facebook if login == "facebook" else instagram
    async with simulator() as graph:
        token = await connect(graph, without={name})
        codes = [
            (await graph.post(f"/{FIRST}/media", token)).code,
            (await graph.post(f"/{FIRST}/media_publish", token)).code,
            (await graph.get(f"/{FIRST}/content_publishing_limit", token)).code,
        ]
        read = await graph.get(f"/{FIRST}", token)
    assert [(10, None)] * 3 == codes
    assert 200 == read.status


async def test_who_may_only_look_at_a_page_publishes_nothing() -> None:
    """200 without the task on the page."""
    page = {"id": FIRST_PAGE, "account": FIRST, "tasks": ["ANALYZE"]}
    person = {"id": ROBIN, "accounts": [{"id": FIRST}], "pages": [page]}
    async with simulator() as graph:
        graph.simulator.script(persons=[person])
        token = await facebook(graph)
        assert (200, None) == (await graph.post(f"/{FIRST}/media", token)).code


async def test_personal_accounts_cannot_be_used() -> None:
    """Facebook does not tell of them; Instagram lets them log in, and nothing more."""
    async with simulator() as graph:
        by_page = await facebook(graph, who=KIM)
        pages = await graph.get(
            "/me/accounts", by_page, fields="name,instagram_business_account{id}"
        )
        token = await instagram(graph, who=HOME)
        me = await graph.get("/me", token, fields="account_type,username")
        refused = (await graph.post(f"/{HOME}/media", token)).code
    assert ["Kim's Page"] == [page["name"] for page in pages.json["data"]]
    assert "instagram_business_account" not in pages.json["data"][0]
    assert ("PERSONAL", "kim_at_home") == (me.json["account_type"], me.json["username"])
    assert (10, None) == refused


async def test_the_two_logins_do_not_know_each_others_tokens() -> None:
    """190, as Meta's hosts answer."""
    async with simulator() as graph:
        token = await instagram(graph)
        assert (190, None) == (await graph.get("/me/permissions", token)).code
        assert (190, None) == (await graph.get("/me/accounts", token)).code
        other = await facebook(graph)
        refreshed = await graph.get("/refresh_access_token", other, grant_type="ig_refresh_token")
    assert (190, None) == refreshed.code


async def test_only_granted_tokens_are_good_if_so_chosen() -> None:
    """Without that choice any token is, as before, for the accounts of the options."""
    async with simulator() as graph:
        assert (190, None) == (await graph.get("/me")).code
    async with running() as graph:
        assert FIRST == (await graph.get("/me")).json["id"]
        token = await facebook(graph)
        assert (190, 458) == (await _removed(graph, token)).code


async def _removed(graph: Caller, token: str) -> Answer:
    async with graph.session.delete(
        f"{graph.simulator.url}/me/permissions", params={"access_token": token}
    ) as answer:
        assert {"success": True} == await answer.json()
    return await graph.get("/me", token)


async def test_one_permission_can_be_given_back() -> None:
    """Then it is declined, and the token is good for the rest."""
    async with simulator() as graph:
        token = await facebook(graph)
        async with graph.session.delete(
            f"{graph.simulator.url}/v25.0/me/permissions",
            params={"access_token": token, "permission": "instagram_content_publish"},
        ) as answer:
            assert 200 == answer.status
        told = (await graph.get("/me/permissions", token)).json["data"]
        assert (10, None) == (await graph.post(f"/{FIRST}/media", token)).code
    assert {"permission": "instagram_content_publish", "status": "declined"} in told


async def test_logging_in_again_adds_to_what_was_granted() -> None:
    """And decides the pages anew; a token of before keeps to it."""
    async with simulator() as graph:
        token = await facebook(graph, without={STUDIO_PAGE})
        address = asked(graph, scope="instagram_manage_comments,pages_show_list")
        await consent(graph.session, address, without={FIRST_PAGE})
        told = (await graph.get("/me/permissions", token)).json["data"]
        pages = (await graph.get("/me/accounts", token, fields="id")).json["data"]
    granted = {each["permission"] for each in told if each["status"] == "granted"}
    assert {*FACEBOOK.split(","), "instagram_manage_comments"} == granted
    assert [STUDIO_PAGE] == [page["id"] for page in pages]


async def test_a_token_of_before_stays_dead_after_logging_in_again() -> None:
    """What was taken away is not given back to it."""
    async with simulator() as graph:
        token = await facebook(graph)
        assert (190, 458) == (await _removed(graph, token)).code
        again = await facebook(graph)
        assert (190, 458) == (await graph.get("/me", token)).code
        assert 200 == (await graph.get("/me", again)).status


async def test_a_proof_is_checked_if_it_is_sent() -> None:
    """Right, wrong, and of another secret."""
    async with simulator() as graph:
        token = await facebook(graph)
        right = hmac.new(FACEBOOK_APP[1].encode(), token.encode(), hashlib.sha256).hexdigest()
        assert 200 == (await graph.get("/me", token, appsecret_proof=right)).status
        wrong = await graph.get("/me", token, appsecret_proof=right[::-1])
    assert ((100, None), True) == (wrong.code, "Invalid appsecret_proof" in str(wrong.json))


async def test_the_app_asks_about_tokens_with_its_own() -> None:
    """``id|secret``; with a wrong secret it is told nothing."""
    app_id, secret = FACEBOOK_APP
    async with simulator() as graph:
        token = await facebook(graph)
        good = await graph.get("/debug_token", f"{app_id}|{secret}", input_token=token)
        bad = await graph.get("/debug_token", f"{app_id}|wrong", input_token=token)
        other = await graph.get("/me", f"{app_id}|{secret}")
    data = good.json["data"]
    assert (ROBIN, True, app_id) == (data["user_id"], data["is_valid"], data["app_id"])
    assert {"scope": "instagram_basic", "target_ids": [FIRST, STUDIO]} in data["granular_scopes"]
    assert (190, 190) == (bad.code[0], other.code[0])


async def test_access_to_data_ends_90_days_after_the_last_login() -> None:
    """A page's token has no end, and is refused all the same."""
    clock = Clock()
    async with simulator(clock) as graph:
        token = await facebook(graph)
        pages = await graph.get("/me/accounts", token, fields="access_token")
        page = pages.json["data"][0]["access_token"]
        clock.turn(89 * DAY)
        assert (190, 463) == (await graph.get(f"/{FIRST}", token)).code
        assert 200 == (await graph.get(f"/{FIRST}", page)).status
        clock.turn(DAY)
        assert (10, None) == (await graph.get(f"/{FIRST}", page)).code


@asynccontextmanager
async def _app_that_is_called() -> AsyncIterator[tuple[str, list[tuple[str, str]]]]:
    calls: list[tuple[str, str]] = []

    async def take(request: web.Request) -> web.Response:
        form = await request.post()
        calls.append((request.path, str(form["signed_request"])))
        return web.json_response({"url": "https://x/deletion?code=1", "confirmation_code": "1"})

    app = web.Application()
    app.router.add_post("/{name}", take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}", calls
    finally:
        await runner.cleanup()


@pytest.mark.parametrize("login", ["facebook", "instagram"])
@pytest.mark.parametrize(("do", "path"), [("remove", "/gone"), ("delete", "/erase")])
async def test_the_app_is_told_when_access_is_taken_away(login: str, do: str, path: str) -> None:
    """By the control address: the tokens die, and the app is called with a signed request that
    names whoever it was as the app knows them."""
    app_id, secret = FACEBOOK_APP if login == "facebook" else INSTAGRAM_APP
    clock = Clock()
    async with simulator(clock) as graph, _app_that_is_called() as (there, calls):
        called = {"deauthorize_url": f"{there}/gone", "data_deletion_url": f"{there}/erase"}
        graph.simulator.script(apps=[{"id": app_id, "secret": secret, "login": login, **called}])
        token = await (facebook if login == "facebook" else instagram)(graph)
        known_as = (await graph.get("/me", token, fields="id")).json["id"]
        who = ROBIN if login == "facebook" else FIRST
        async with graph.session.post(
            f"{graph.simulator.url}/_simulator/grants", json={"who": who, "do": do, "subcode": 460}
        ) as answer:
            told = await answer.json()
        refused = (await graph.get("/me", token)).code
    assert (200, '"confirmation_code": "1"' in told["told"][0]["body"]) == (
        told["told"][0]["status"],
        True,
    )
    ((called_path, signed),) = calls
    read = read_signed_request(signed, [SecretStr("another"), SecretStr(secret)], clock.now)
    assert (path, known_as, 1) == (called_path, read.user_id, read.signer)
    assert (190, 460 if do == "remove" else 458) == refused


async def test_a_person_takes_access_away_on_the_page() -> None:
    """The page lists what was granted, and its button ends it."""
    async with simulator() as graph:
        token = await instagram(graph, who=STUDIO)
        there = f"{graph.simulator.url}/_simulator/apps"
        async with graph.session.get(there) as answer:
            page = await answer.text()
        form = {"app": INSTAGRAM_APP[0], "who": STUDIO, "do": "remove"}
        async with graph.session.post(there, data=form) as answer:
            after = await answer.text()
        refused = (await graph.get("/me", token)).code
    assert "mediawatch_studio" in page
    assert "instagram_business_content_publish" in page
    assert token not in page
    assert "No app has access" in after
    assert (190, 458) == refused


async def test_tokens_can_be_made_to_run_out() -> None:
    """At once, for tests that cannot turn the clock."""
    async with simulator() as graph:
        token = await instagram(graph, who=STUDIO)
        async with graph.session.post(
            f"{graph.simulator.url}/_simulator/grants", json={"who": STUDIO, "do": "expire"}
        ) as answer:
            assert {"expired": 1} == await answer.json()
        assert (190, 463) == (await graph.get("/me", token)).code


async def test_a_chosen_token_works_beside_granted_ones() -> None:
    """What tests and demos have always used: one token, the accounts of the options."""
    async with running(SimulatorOptions(token=TOKEN)) as graph:
        token = await facebook(graph)
        assert FIRST == (await graph.get("/me")).json["id"]
        assert ROBIN == (await graph.get("/me", token)).json["id"]
        assert (100, 33) == (await graph.get(f"/{STUDIO}")).code
        assert 200 == (await graph.get(f"/{STUDIO}", token)).status
