"""Whoever tries to connect, or take away, what is not theirs: a table of attacks, each refused."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from sqlalchemy import select

from mediawatch.crypto import bearer
from mediawatch.journal import logins, schema, users
from mediawatch.model.people import Right, Role
from mediawatch.simulator.callbacks import signed_request
from tests.support.login import (
    FACEBOOK_APP,
    FIRST,
    FIRST_PAGE,
    INSTAGRAM_APP,
    KIM,
    ROBIN,
    STUDIO,
)
from tests.support.login_house import AT_HOME, LED_HERE, LoginHouse, login_house, state_of

Attack = Callable[[LoginHouse], Awaitable[None]]


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[LoginHouse]:
    async with login_house(tmp_path) as made:
        yield made


async def refused(home: LoginHouse, browser: dict[str, str], **told: str) -> None:
    """The way back leads nowhere."""
    answer = await home.come_back(browser, **told)
    assert 400 == answer.status, answer.headers.get("Location")
    assert "This login" in await answer.text() or "Nobody is logged in" in await answer.text()


async def a_made_up_state(home: LoginHouse) -> None:
    told = await home.consent(await home.begin(home.browser("ana")))
    await refused(home, home.browser("ana"), code=told["code"], state=bearer.new())


async def no_state(home: LoginHouse) -> None:
    told = await home.consent(await home.begin(home.browser("ana")))
    await refused(home, home.browser("ana"), code=told["code"])


async def the_digest_for_the_state(home: LoginHouse) -> None:
    told = await home.consent(await home.begin(home.browser("ana")))
    await refused(home, home.browser("ana"), code=told["code"], state=bearer.digest(told["state"]))


async def a_state_with_a_letter_more(home: LoginHouse) -> None:
    told = await home.consent(await home.begin(home.browser("ana")))
    await refused(home, home.browser("ana"), code=told["code"], state=told["state"] + "a")


async def sql_for_a_state(home: LoginHouse) -> None:
    await refused(home, home.browser("ana"), code="x", state="' OR 1=1 --")


async def a_state_of_megabytes(home: LoginHouse) -> None:
    await refused(home, home.browser("ana"), code="x", state="a" * 4000)


async def the_state_of_somebody_else(home: LoginHouse) -> None:
    """Whoever lures another into ending their login (CSRF of the login)."""
    told = await home.consent(await home.begin(home.browser("ole")))
    await refused(home, home.browser("ana"), code=told["code"], state=told["state"])
    answer = await home.come_back(home.browser("ole"), code=told["code"], state=told["state"])
    assert 303 == answer.status  # its own browser still may


async def the_state_of_another_session(home: LoginHouse) -> None:
    """The same person elsewhere: each browser ends what it began."""
    told = await home.consent(await home.begin(home.browser("ana")))
    other = bearer.new()
    from mediawatch.journal import sessions

    begun = sessions.begin(
        bearer.digest(other), "id-of-ana", now=home.clock.now(), address="", agent=""
    )
    await home.journal.apply([begun])
    browser = {"Cookie": f"mediawatch_session={other}"}
    await refused(home, browser, code=told["code"], state=told["state"])


async def a_state_without_a_session(home: LoginHouse) -> None:
    told = await home.consent(await home.begin(home.browser("ana")))
    await refused(home, {}, code=told["code"], state=told["state"])


async def a_state_after_the_way_out(home: LoginHouse) -> None:
    told = await home.consent(await home.begin(home.browser("ana")))
    await home.client.post("/logout", headers=home.browser("ana") | AT_HOME)
    await refused(home, home.browser("ana"), code=told["code"], state=told["state"])


async def a_state_of_eleven_minutes(home: LoginHouse) -> None:
    told = await home.consent(await home.begin(home.browser("ana")))
    home.clock.time += logins.LASTS + 1
    await refused(home, home.browser("ana"), code=told["code"], state=told["state"])


async def the_way_back_twice(home: LoginHouse) -> None:
    told = await home.consent(await home.begin(home.browser("ana")))
    sent = {"code": told["code"], "state": told["state"]}
    assert 303 == (await home.come_back(home.browser("ana"), **sent)).status
    await refused(home, home.browser("ana"), **sent)


async def the_way_back_twice_at_once(home: LoginHouse) -> None:
    told = await home.consent(await home.begin(home.browser("ana")))
    sent = {"code": told["code"], "state": told["state"]}
    answers = await asyncio.gather(*(home.come_back(home.browser("ana"), **sent) for _ in range(5)))
    assert [303, 400, 400, 400, 400] == sorted(answer.status for answer in answers)


async def a_state_that_was_cancelled(home: LoginHouse) -> None:
    state = state_of(await home.begin(home.browser("ana")))
    assert (
        409
        == (await home.come_back(home.browser("ana"), state=state, error="access_denied")).status
    )
    await refused(home, home.browser("ana"), state=state, code="x")


async def a_state_without_a_code(home: LoginHouse) -> None:
    state = state_of(await home.begin(home.browser("ana")))
    answer = await home.come_back(home.browser("ana"), state=state)
    assert "without a code" in await answer.text()
    await refused(home, home.browser("ana"), state=state, code="x")


async def a_made_up_code(home: LoginHouse) -> None:
    state = state_of(await home.begin(home.browser("ana")))
    assert 303 != (await home.come_back(home.browser("ana"), state=state, code="AQ-made-up")).status


async def the_code_of_another_login(home: LoginHouse) -> None:
    """A code that somebody else was given, with a good state: the verifier does not fit."""
    theirs = await home.consent(await home.begin(home.browser("ole")))
    state = state_of(await home.begin(home.browser("ana")))
    answer = await home.come_back(home.browser("ana"), state=state, code=theirs["code"])
    assert 303 != answer.status


async def the_code_of_the_other_app(home: LoginHouse) -> None:
    """Mixed up: what Instagram gave is taken to Facebook."""
    theirs = await home.consent(await home.begin(home.browser("ana"), "instagram"), who=FIRST)
    state = state_of(await home.begin(home.browser("ana"), "facebook"))
    answer = await home.come_back(home.browser("ana"), state=state, code=theirs["code"])
    assert 303 != answer.status


async def markup_for_an_error(home: LoginHouse) -> None:
    state = state_of(await home.begin(home.browser("ana")))
    answer = await home.come_back(
        home.browser("ana"), state=state, error="<script>alert(1)</script>"
    )
    assert "<script>" not in await answer.text()
    assert "alert(1)" not in await answer.text()


async def a_way_out_for_the_way_back(home: LoginHouse) -> None:
    """Where Meta and we lead to is ours to say."""
    for name in ("redirect_uri", "next", "redirect", "url"):
        address = await home.begin(home.browser("ana"), **{name: "https://evil.example/"})
        assert "evil" not in address
    told = await home.consent(await home.begin(home.browser("ana")))
    answer = await home.come_back(
        home.browser("ana"), code=told["code"], state=told["state"], next="//evil.example"
    )
    assert answer.headers["Location"].startswith("/accounts/connect/")


async def a_foreign_name_for_the_way_back(home: LoginHouse) -> None:
    for header in ("Host", "X-Forwarded-Host"):
        headers = home.browser("ana") | AT_HOME | {header: "evil.example"}
        answer = await home.get("/api/auth/instagram", headers)
        assert "evil" not in answer.headers.get("Location", "")


async def a_login_begun_by_a_foreign_page(home: LoginHouse) -> None:
    answer = await home.get("/api/auth/instagram", home.browser("ana") | LED_HERE)
    assert 403 == answer.status
    picture = LED_HERE | {"Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}
    assert 403 == (await home.get("/api/auth/instagram/callback", picture)).status


async def a_login_by_a_viewer(home: LoginHouse) -> None:
    answer = await home.get("/api/auth/instagram", home.browser("vic") | AT_HOME)
    assert 403 == answer.status
    place = await home.log_in(home.browser("ana"))
    assert 403 == (await home.choose(home.browser("vic"), place, FIRST)).status


async def a_login_by_a_key(home: LoginHouse) -> None:
    answer = await home.get("/api/auth/instagram", home.people["ana"].by_key(Right.ADMIN))
    assert 409 == answer.status
    assert [] == await home.journal.read(select(schema.logins_under_way))


async def a_right_that_was_lost_meanwhile(home: LoginHouse) -> None:
    told = await home.consent(await home.begin(home.browser("ana")))
    await home.journal.apply([users.set_role("id-of-ana", Role.EDITOR)])
    sent = {"code": told["code"], "state": told["state"]}
    assert 403 == (await home.come_back(home.browser("ana"), **sent)).status


async def an_account_that_was_not_granted(home: LoginHouse) -> None:
    browser = home.browser("ana")
    place = await home.log_in(browser, without={FIRST_PAGE})
    assert 409 == (await home.choose(browser, place, FIRST)).status
    assert 409 == (await home.choose(browser, place, FIRST, STUDIO)).status
    assert 409 == (await home.choose(browser, place, "17841400000000777")).status
    assert not home.desk.tokens.is_connected(STUDIO)


async def the_choice_of_somebody_else(home: LoginHouse) -> None:
    place = await home.log_in(home.browser("ana"))
    assert 400 == (await home.choose(home.browser("ole"), place, FIRST)).status
    assert 400 == (await home.get(place, home.browser("ole") | AT_HOME)).status


async def the_choice_twice(home: LoginHouse) -> None:
    browser = home.browser("ana")
    place = await home.log_in(browser)
    assert 303 == (await home.choose(browser, place, FIRST)).status
    assert 400 == (await home.choose(browser, place, STUDIO)).status


async def a_choice_of_eleven_minutes(home: LoginHouse) -> None:
    browser = home.browser("ana")
    place = await home.log_in(browser)
    home.clock.time += logins.LASTS + 1
    assert 400 == (await home.choose(browser, place, FIRST)).status


async def a_choice_before_the_answer(home: LoginHouse) -> None:
    """The name of a login is no secret; without an answer of Meta's there is nothing to choose."""
    state = state_of(await home.begin(home.browser("ana")))
    place = f"/accounts/connect/{bearer.digest(state)[:16]}"
    assert 400 == (await home.choose(home.browser("ana"), place, FIRST)).status


async def a_choice_sent_by_a_foreign_page(home: LoginHouse) -> None:
    browser = home.browser("ana")
    place = await home.log_in(browser)
    answer = await home.client.post(place, data={"account": FIRST}, headers=browser | LED_HERE)
    assert 403 == answer.status


async def an_account_of_somebody_else(home: LoginHouse) -> None:
    """Who may log in at Meta as well does not take the account over here."""
    await home.choose(home.browser("ana"), await home.log_in(home.browser("ana")), FIRST)
    place = await home.log_in(home.browser("ole"))
    answer = await home.choose(home.browser("ole"), place, FIRST)
    assert 409 == answer.status
    assert "belongs to somebody else" in await answer.text()


async def a_row_moved_to_another_login(home: LoginHouse) -> None:
    """Whoever writes into the journal cannot give one login the grant of another."""
    theirs = await home.log_in(home.browser("ole"))
    mine = await home.log_in(home.browser("ana"))
    table = schema.logins_under_way
    rows = {row["state_digest"][:16]: row for row in await home.journal.read(select(table))}
    taken = rows[theirs.rpartition("/")[2]]
    await home.journal.apply(
        [logins.answer(rows[mine.rpartition("/")[2]]["state_digest"], taken["sealed"], "")]
    )
    assert 303 != (await home.choose(home.browser("ana"), mine, FIRST)).status
    assert not home.desk.tokens.is_connected(FIRST)


async def logins_without_end(home: LoginHouse) -> None:
    for _ in range(logins.MOST + 5):
        await home.begin(home.browser("ana"))
    assert logins.MOST == len(await home.journal.read(select(schema.logins_under_way)))


SEQUENCES: list[Attack] = [
    a_made_up_state,
    no_state,
    the_digest_for_the_state,
    a_state_with_a_letter_more,
    sql_for_a_state,
    a_state_of_megabytes,
    the_state_of_somebody_else,
    the_state_of_another_session,
    a_state_without_a_session,
    a_state_after_the_way_out,
    a_state_of_eleven_minutes,
    the_way_back_twice,
    the_way_back_twice_at_once,
    a_state_that_was_cancelled,
    a_state_without_a_code,
    a_made_up_code,
    the_code_of_another_login,
    the_code_of_the_other_app,
    markup_for_an_error,
    a_way_out_for_the_way_back,
    a_foreign_name_for_the_way_back,
    a_login_begun_by_a_foreign_page,
    a_login_by_a_viewer,
    a_login_by_a_key,
    a_right_that_was_lost_meanwhile,
    an_account_that_was_not_granted,
    the_choice_of_somebody_else,
    the_choice_twice,
    a_choice_of_eleven_minutes,
    a_choice_before_the_answer,
    a_choice_sent_by_a_foreign_page,
    an_account_of_somebody_else,
    a_row_moved_to_another_login,
    logins_without_end,
]


@pytest.mark.parametrize("attack", SEQUENCES, ids=lambda attack: attack.__name__)
async def test_a_login_that_is_not_theirs_is_refused(home: LoginHouse, attack: Attack) -> None:
    """Nothing is connected by it that its browser and person may not connect."""
    await attack(home)


async def test_an_open_house_knows_the_browser_again(tmp_path: Path) -> None:
    """While nobody logs in here the cookie of the login is asked for: made up, somebody else's,
    twice, or left out, it leads nowhere."""
    async with login_house(tmp_path, people=False) as home:
        mine: dict[str, str] = {}
        told = await home.consent(await home.begin(mine))
        sent = {"code": told["code"], "state": told["state"]}
        other: dict[str, str] = {}
        await home.begin(other)
        two = {"Cookie": f"{mine['Cookie']}; mediawatch_login=planted"}
        for browser in ({}, {"Cookie": "mediawatch_login=made-up"}, other, two):
            await refused(home, browser, **sent)
        assert 303 == (await home.come_back(mine, **sent)).status


def call(home: LoginHouse, secret: str = FACEBOOK_APP[1], **said: object) -> str:
    now = int(home.clock.now())
    known = {"algorithm": "HMAC-SHA256", "issued_at": now, "user_id": ROBIN}
    return signed_request(secret, {**known, **said})


def unsigned(home: LoginHouse) -> str:
    return call(home).partition(".")[2]


def swapped(home: LoginHouse) -> str:
    """The signature of one call before the words of another."""
    return call(home, user_id=KIM).partition(".")[0] + "." + call(home).partition(".")[2]


def by_sha1(home: LoginHouse) -> str:
    encoded = call(home).partition(".")[2]
    made = hmac.new(FACEBOOK_APP[1].encode(), encoded.encode(), hashlib.sha1).digest()
    return f"{base64.urlsafe_b64encode(made).decode()}.{encoded}"


def empty_key(home: LoginHouse) -> str:
    return call(home, secret="")


def no_object(home: LoginHouse) -> str:
    encoded = base64.urlsafe_b64encode(json.dumps([ROBIN]).encode()).decode().rstrip("=")
    made = hmac.new(FACEBOOK_APP[1].encode(), encoded.encode(), hashlib.sha256).digest()
    return f"{base64.urlsafe_b64encode(made).decode()}.{encoded}"


CALLS: dict[str, Callable[[LoginHouse], str]] = {
    "nothing": lambda home: "",
    "no signature": unsigned,
    "only a dot": lambda home: ".",
    "another secret": lambda home: call(home, secret="a-guess"),
    "the empty secret": empty_key,
    "the signature of another call": swapped,
    "a weaker hash": by_sha1,
    "another algorithm": lambda home: call(home, algorithm="none"),
    "no algorithm": lambda home: call(home, algorithm=None),
    "words that are no object": no_object,
    "nobody": lambda home: call(home, user_id=""),
    "a path for a person": lambda home: call(home, user_id="../1"),
    "a call of yesterday": lambda home: call(home, issued_at=int(home.clock.now()) - 90_000),
    "a call of tomorrow": lambda home: call(home, issued_at=int(home.clock.now()) + 90_000),
    "a call without a time": lambda home: call(home, issued_at=None),
    "a call that has run out": lambda home: call(home, expires=int(home.clock.now()) - 1),
    "megabytes": lambda home: call(home) + "A" * 500_000,
}


@pytest.mark.parametrize("what", ["deauthorize", "data-deletion"])
async def test_a_call_that_is_not_metas_is_refused(home: LoginHouse, what: str) -> None:
    """The account stays connected, whatever is sent; the right call afterwards is taken."""
    browser = home.browser("ana")
    await home.choose(browser, await home.log_in(browser), FIRST)
    for name, made in CALLS.items():
        status, told = await home.signed(what, made(home))
        assert (400, "bad-signature") == (status, told["error"]["code"]), name
    assert home.desk.tokens.is_connected(FIRST)
    answer = await home.client.post(
        f"/api/webhooks/instagram/{what}", json={"signed_request": call(home)}
    )
    assert 422 == answer.status
    status, _ = await home.signed(what, call(home), **{"X-Forwarded-For": "203.0.113.9"})
    assert 200 == status
    assert not home.desk.tokens.is_connected(FIRST)


@pytest.mark.parametrize("what", ["deauthorize", "data-deletion"])
async def test_a_call_about_others_takes_nothing_from_anybody(home: LoginHouse, what: str) -> None:
    """Another person, or the same number signed by the other app, which numbers people itself."""
    browser = home.browser("ana")
    await home.choose(browser, await home.log_in(browser), FIRST)
    for made in (call(home, user_id=KIM), call(home, secret=INSTAGRAM_APP[1])):
        assert 200 == (await home.signed(what, made))[0]
    assert home.desk.tokens.is_connected(FIRST)


@pytest.mark.parametrize("what", ["deauthorize", "data-deletion"])
async def test_a_call_played_again_takes_nothing_that_was_given_since(
    home: LoginHouse, what: str
) -> None:
    """Whoever has kept a call cannot disconnect an account that was connected again."""
    browser = home.browser("ana")
    await home.choose(browser, await home.log_in(browser), FIRST)
    kept = call(home)
    assert 200 == (await home.signed(what, kept))[0]
    home.clock.time += 60
    await home.choose(browser, await home.log_in(browser), FIRST)
    assert 200 == (await home.signed(what, kept))[0]
    assert home.desk.tokens.is_connected(FIRST)


async def test_the_page_of_a_deletion_cannot_be_guessed(home: LoginHouse) -> None:
    """Made up, or the digest in place of the code: there is no such page."""
    _, told = await home.signed("data-deletion", call(home))
    code = told["confirmation_code"]
    for tried in (bearer.digest(code), code[:-1], code.upper(), "x" * 40, "%2e%2e"):
        path = f"/api/webhooks/instagram/data-deletion/{tried}/"
        assert 404 == (await home.get(path, AT_HOME)).status
