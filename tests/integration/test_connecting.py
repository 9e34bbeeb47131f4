"""Accounts are connected from a page, by both logins; Meta takes rights and data back."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import select

from mediawatch.actions import account_list
from mediawatch.journal import accounts, schema, shares
from mediawatch.model.accounts import AccountState
from mediawatch.model.people import Door, Role, this_machine
from mediawatch.simulator.callbacks import signed_request
from tests.support.login import (
    FACEBOOK_APP,
    FIRST,
    FIRST_PAGE,
    HOME,
    INSTAGRAM_APP,
    KIM,
    ROBIN,
    STUDIO,
)
from tests.support.login_house import AT_HOME, LoginHouse, login_house

HERE = this_machine(Door.PAGE)


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[LoginHouse]:
    async with login_house(tmp_path) as made:
        yield made


@pytest.fixture
async def open_home(tmp_path: Path) -> AsyncIterator[LoginHouse]:
    async with login_house(tmp_path, people=False) as made:
        yield made


async def state(home: LoginHouse, account_id: str = FIRST) -> AccountState:
    shown = await account_list.shown(
        home.journal, home.desk.tokens, HERE, account_id, now=home.clock.now()
    )
    return shown.state


async def under_way(home: LoginHouse) -> int:
    return len(await home.journal.read(select(schema.logins_under_way)))


def signed(home: LoginHouse, user_id: str = ROBIN, secret: str = FACEBOOK_APP[1]) -> str:
    said = {"algorithm": "HMAC-SHA256", "issued_at": int(home.clock.now()), "user_id": user_id}
    return signed_request(secret, said)


async def test_facebook_from_the_button_to_connected(home: LoginHouse) -> None:
    """Who clicked owns the account; the choice shows each account with its page, and what was
    granted; nothing of the login is left."""
    browser = home.browser("ana")
    place = await home.log_in(browser)
    text = await (await home.get(place, browser | AT_HOME)).text()
    for shown in ("@mediawatch<", "@mediawatch_studio<", "Demo Page", "instagram_content_publish"):
        assert shown in text
    answer = await home.choose(browser, place, FIRST)

    assert (303, f"/accounts#account-{FIRST}") == (answer.status, answer.headers["Location"])
    account = await accounts.find(home.journal, FIRST)
    assert ("id-of-ana", "facebook", ROBIN) == (
        account.owner_id,
        account.login,
        account.meta_user_id,
    )
    assert AccountState.CONNECTED is await state(home)
    assert 0 == await under_way(home)
    (line,) = await home.journal.read(
        select(schema.audit).where(schema.audit.c.action == "account.connect")
    )
    assert ("ana", "page") == (line["who"], line["door"])


async def test_several_accounts_are_connected_at_once(home: LoginHouse) -> None:
    """What was granted for several may be used for all of them."""
    browser = home.browser("ana")
    place = await home.log_in(browser)
    assert 303 == (await home.choose(browser, place, FIRST, STUDIO)).status
    assert AccountState.CONNECTED is await state(home, FIRST)
    assert AccountState.CONNECTED is await state(home, STUDIO)


async def test_instagram_in_an_open_house(open_home: LoginHouse) -> None:
    """While nobody has to log in, the browser is known by a cookie that is made for this login;
    the account belongs to nobody yet."""
    browser: dict[str, str] = {}
    place = await open_home.log_in(browser, "instagram", who=FIRST)
    assert browser["Cookie"].startswith("mediawatch_login=")
    assert 303 == (await open_home.choose(browser, place, FIRST)).status
    account = await accounts.find(open_home.journal, FIRST)
    assert (None, "instagram", "BUSINESS") == (account.owner_id, account.login, account.kind)


async def test_a_personal_account_is_refused_with_the_way_out(home: LoginHouse) -> None:
    """It cannot be ticked, and says how it becomes one that can; a form that ticks it all the same
    connects nothing."""
    browser = home.browser("ana")
    place = await home.log_in(browser, "instagram", who=HOME)
    text = await (await home.get(place, browser | AT_HOME)).text()
    assert "Switch to professional account" in text
    assert re.search(rf'value="{HOME}" disabled', text)
    assert 409 == (await home.choose(browser, place, HOME)).status
    assert not home.desk.tokens.is_connected(HOME)


async def test_a_page_without_an_account_says_what_is_missing(home: LoginHouse) -> None:
    """Facebook tells nothing of a personal account: its page is shown, with what to do."""
    browser = home.browser("ana")
    place = await home.log_in(browser, who=KIM)
    text = await (await home.get(place, browser | AT_HOME)).text()
    assert "Kim&#39;s Page" in text
    assert "no professional account is linked" in text


async def test_who_may_only_look_at_a_page_is_told(tmp_path: Path) -> None:
    """Beside an account that can be connected stands one whose page gives too little, with what
    the page's administrator has to do."""
    tasks = {FIRST: ["CREATE_CONTENT"], STUDIO: ["ANALYZE"]}
    robin = {
        "id": ROBIN,
        "accounts": [{"id": key, "username": f"of_{key}"} for key in tasks],
        "pages": [
            {"id": f"13489500000000{number}", "account": key, "tasks": allowed}
            for number, (key, allowed) in enumerate(tasks.items())
        ],
    }
    async with login_house(tmp_path, scenario={"persons": [robin]}) as home:
        browser = home.browser("ana")
        place = await home.log_in(browser)
        text = await (await home.get(place, browser | AT_HOME)).text()
        assert "give you the task Create content" in text
        assert re.search(rf'value="{STUDIO}" disabled', text)
        assert re.search(rf'value="{FIRST}" checked', text)
        assert 409 == (await home.choose(browser, place, STUDIO)).status
        assert 303 == (await home.choose(browser, place, FIRST)).status


async def test_what_was_declined_is_told_and_asked_again(home: LoginHouse) -> None:
    """Without a permission that is needed nothing can be ticked; the way to grant it is there."""
    browser = home.browser("ana")
    place = await home.log_in(browser, without={"instagram_content_publish"})
    text = await (await home.get(place, browser | AT_HOME)).text()
    assert "was not granted" in text
    assert "again=1" in text
    assert "auth_type=rerequest" in await home.begin(browser, again="1")
    assert 409 == (await home.choose(browser, place, FIRST)).status


async def test_a_page_that_was_not_ticked_is_not_offered(home: LoginHouse) -> None:
    """Only what was granted can be chosen."""
    browser = home.browser("ana")
    place = await home.log_in(browser, without={FIRST_PAGE})
    text = await (await home.get(place, browser | AT_HOME)).text()
    assert "mediawatch_studio" in text
    assert FIRST not in text


async def test_who_cancels_is_told_so(home: LoginHouse) -> None:
    """Nothing is connected, nothing is left, and the page says what happened."""
    browser = home.browser("ana")
    told = await home.consent(await home.begin(browser), answer="cancel")
    answer = await home.come_back(browser, state=told["state"], error=told["error"])
    assert "You cancelled" in await answer.text()
    assert 0 == await under_way(home)


async def test_without_an_app_it_says_which_settings_are_missing(tmp_path: Path) -> None:
    """And what the app's dashboard must know, to copy."""
    async with login_house(tmp_path, apps=False) as home:
        answer = await home.get("/api/auth/instagram", home.browser("ana") | AT_HOME)
        text = await answer.text()
        assert 409 == answer.status
        for told in ("facebook_app_id", "facebook_app_secret", "/api/auth/instagram/callback"):
            assert told in text


async def test_the_way_back_is_the_public_name(tmp_path: Path) -> None:
    """Meta sends people to the name that the settings give; who came by another one is told."""
    async with login_house(tmp_path, public_url="https://mw.example.org") as home:
        answer = await home.get("/api/auth/instagram", home.browser("ana") | AT_HOME)
        assert "https://mw.example.org/accounts" in await answer.text()
        cookie = f"__Host-{home.browser('ana')['Cookie']}"
        named = {"Cookie": cookie, "Host": "mw.example.org"} | AT_HOME
        answer = await home.get("/api/auth/instagram", named)
        assert "redirect_uri=https%3A%2F%2Fmw.example.org%2Fapi%2F" in answer.headers["Location"]


async def test_no_page_and_no_address_holds_a_secret(home: LoginHouse) -> None:
    """Tokens, code, verifier and app secret stay inside; only Meta's address has the state."""
    browser = home.browser("ana")
    at_meta = await home.begin(browser)
    told = await home.consent(at_meta)
    back = await home.come_back(browser, code=told["code"], state=told["state"])
    place = back.headers["Location"]
    offer = await (await home.get(place, browser | AT_HOME)).text()
    await home.choose(browser, place, FIRST)
    listed = await (await home.get("/accounts", browser | AT_HOME)).text()

    caller = await home.desk.tokens.caller(FIRST, lambda *_: None)  # type: ignore[arg-type,return-value]
    secrets = [caller.token.get_secret_value(), FACEBOOK_APP[1], told["code"], told["state"]]
    for text in (place, offer, listed, await back.text()):
        assert [] == [secret for secret in secrets if secret in text]
    for row in await home.journal.read(select(schema.logins_under_way)):
        assert [] == [secret for secret in secrets if secret in str(row)]


async def test_the_page_of_the_accounts(home: LoginHouse) -> None:
    """Who owns it sees its state and may disconnect and share; with whom it is shared, only sees;
    others do not."""
    ana, vic = home.browser("ana"), home.browser("vic")
    await home.choose(ana, await home.log_in(ana), FIRST)
    shared = {"user": "vic", "role": "viewer"}
    post = home.client.post
    address = f"/accounts/{FIRST}"
    assert "@mediawatch" not in await (await home.get("/accounts", vic | AT_HOME)).text()
    await post(f"{address}/share", data=shared, headers=ana | AT_HOME)
    assert {"id-of-vic": Role.VIEWER} == {
        "id-of-vic": (await shares.roles(home.journal, "id-of-vic"))[FIRST]
    }

    seen = await (await home.get("/accounts", vic | AT_HOME)).text()
    assert "@mediawatch" in seen
    assert "/disconnect" not in seen
    mine = await (await home.get("/accounts", ana | AT_HOME)).text()
    assert "vic (viewer)" in mine
    await post(f"{address}/unshare", data={"user": "vic"}, headers=ana | AT_HOME)
    assert "@mediawatch" not in await (await home.get("/accounts", vic | AT_HOME)).text()

    assert (
        "Posts wait until" in await (await home.get(f"{address}/disconnect", ana | AT_HOME)).text()
    )
    assert home.desk.tokens.is_connected(FIRST)
    told = await (await post(f"{address}/disconnect", headers=ana | AT_HOME)).text()
    assert "is disconnected: its token is forgotten" in told
    assert AccountState.DISCONNECTED is await state(home)


async def test_deauthorize_disconnects_the_accounts_of_that_person(home: LoginHouse) -> None:
    """Their tokens are forgotten, posts wait with a remedy, and the audit says that it was Meta."""
    browser = home.browser("ana")
    await home.choose(browser, await home.log_in(browser), FIRST, STUDIO)
    assert (200, {"disconnected": 2}) == await home.signed("deauthorize", signed(home))
    assert AccountState.DISCONNECTED is await state(home)
    account = await accounts.find(home.journal, FIRST)
    assert "taken away at Instagram" in (account.stopped_detail or "")
    assert "Connect it again" in (account.stopped_remedy or "")
    rows = await home.journal.read(
        select(schema.audit).where(schema.audit.c.action == "account.deauthorize")
    )
    assert ["Meta meta", "Meta meta"] == [f"{row['who']} {row['door']}" for row in rows]
    assert (200, {"disconnected": 0}) == await home.signed("deauthorize", signed(home))


async def test_data_deletion_forgets_the_person_and_shows_it(home: LoginHouse) -> None:
    """What Meta told of them is gone, the same call has the same answer, and its page needs no
    login."""
    browser = home.browser("ana")
    await home.choose(browser, await home.log_in(browser), FIRST)
    request = signed(home)
    status, told = await home.signed("data-deletion", request)
    assert 200 == status
    account = await accounts.find(home.journal, FIRST)
    assert {None} == {account.username, account.page_name, account.meta_user_id, account.granted}
    assert AccountState.DISCONNECTED is await state(home)
    for table in (schema.audit, schema.accounts, schema.deletions):
        rows = str(await home.journal.read(select(table)))
        assert (False, False) == (ROBIN in rows, "'mediawatch'" in rows), table.name

    assert (200, told) == await home.signed("data-deletion", request)
    assert told["url"].endswith(f"/{told['confirmation_code']}/")
    place = told["url"].partition("/api/")[2]
    page = await (await home.get(f"/api/{place}", {"Accept": "text/html"})).text()
    assert "Deleted: the access to one account" in page
    assert told["confirmation_code"] not in str(await home.journal.read(select(schema.deletions)))


async def test_the_instagram_app_names_its_people_otherwise(home: LoginHouse) -> None:
    """Its secret signs, and its id of the person is the one that the login told."""
    browser = home.browser("ana")
    await home.choose(browser, await home.log_in(browser, "instagram", who=FIRST), FIRST)
    who = (await accounts.find(home.journal, FIRST)).meta_user_id or ""
    request = signed(home, who, INSTAGRAM_APP[1])
    assert (200, {"disconnected": 1}) == await home.signed("deauthorize", request)


async def test_a_login_that_is_left_is_forgotten(home: LoginHouse) -> None:
    """After ten minutes nothing of what Meta granted lies anywhere."""
    from mediawatch.journal import logins

    browser = home.browser("ana")
    await home.log_in(browser)
    assert not await logins.any_ended(home.journal, now=home.clock.now())
    home.clock.time += logins.LASTS + 1
    assert await logins.any_ended(home.journal, now=home.clock.now())
    await home.journal.apply([logins.forget_ended(home.clock.now())])
    assert 0 == await under_way(home)
