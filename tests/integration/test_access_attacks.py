"""Whoever tries to come in without right: a table of attacks, each refused."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from mediawatch.crypto import bearer, passwords
from mediawatch.journal import api_keys, sessions, users
from mediawatch.model.people import Right, Role
from mediawatch.web import login_limits
from tests.support import web_house
from tests.support.people import PASSWORD, Person, settle
from tests.support.turned_clock import TurnedClock
from tests.support.web_house import LOCAL_KEY, SETUP_WORD, Client, House

#: Something that only who is in may see, and something that changes.
SEE, CHANGE = "/api/v1/sessions/", "/api/v1/social/cron/retry-failed/"


@dataclass
class Home:
    """Ana owns it, Vic looks on."""

    house: House
    ana: Person
    vic: Person
    clock: TurnedClock


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[Home]:
    clock = TurnedClock()
    async with web_house.house(tmp_path, clock) as house:
        ana = await settle(house.journal, "ana", Role.OWNER, now=clock.now())
        vic = await settle(house.journal, "vic", Role.VIEWER, now=clock.now())
        yield Home(house, ana, vic, clock)


Headers = Callable[[Home], dict[str, str]]
COOKIE = "mediawatch_session"


def cookie(value: str) -> Headers:
    return lambda home: {"Cookie": f"{COOKIE}={value}", "Sec-Fetch-Site": "same-origin"}


def key(value: str) -> Headers:
    return lambda home: {"Authorization": value}


def own(**more: str) -> Headers:
    """Ana's browser, with what an attacker makes it send."""
    named = {name.replace("_", "-"): value for name, value in more.items()}
    return lambda home: {"Cookie": f"{COOKIE}={home.ana.cookie}", **named}


#: What is sent with a request to see, or to change, something.
REQUESTS: dict[str, tuple[str, Headers]] = {
    "no cookie at all": (SEE, lambda home: {}),
    "a made-up cookie": (SEE, cookie("x" * 43)),
    "an empty cookie": (SEE, cookie("")),
    "the digest in place of the cookie": (
        SEE,
        lambda home: cookie(bearer.digest(home.ana.cookie))(home),
    ),
    "the cookie with a letter more": (SEE, lambda home: cookie(home.ana.cookie + "a")(home)),
    "the cookie in capitals": (SEE, lambda home: cookie(home.ana.cookie.upper())(home)),
    "two cookies, one of them good": (
        SEE,
        lambda home: {"Cookie": f"{COOKIE}={home.ana.cookie}; {COOKIE}=planted"},
    ),
    "the good one beside a planted secure one": (
        SEE,
        lambda home: {"Cookie": f"__Host-{COOKIE}=planted; {COOKIE}={home.ana.cookie}"},
    ),
    "SQL for a cookie": (SEE, cookie("' OR '1'='1")),
    "bytes that are no text": (SEE, cookie("\udcff\udcfe")),
    "a made-up key": (SEE, key("Bearer mw_" + "x" * 43)),
    "a key without its scheme": (SEE, lambda home: key(home.ana.keys[Right.ADMIN])(home)),
    "a key as a password": (SEE, key("Basic bXc6bXc=")),
    "a key with a space behind": (
        SEE,
        lambda home: key(f"Bearer  {home.ana.keys[Right.ADMIN]}")(home),
    ),
    "a made-up key of this machine": (SEE, key("Bearer mwl_" + "x" * 43)),
    "the key of this machine, cut short": (SEE, key(f"Bearer {LOCAL_KEY[:-1]}")),
    "the cookie as a key": (SEE, lambda home: key(f"Bearer {home.ana.cookie}")(home)),
    "a bad key beside a good cookie": (SEE, own(Authorization="Bearer mw_bad")),
    "a proxy's word of being this machine": (
        SEE,
        lambda home: {"X-Forwarded-For": "127.0.0.1", "X-Real-IP": "127.0.0.1"},
    ),
    "a user named in a header": (SEE, lambda home: {"X-Remote-User": "ana", "Remote-User": "ana"}),
    "another name, resolving to us": (SEE, own(Host="evil.example", Sec_Fetch_Site="same-origin")),
    "a name that only begins like ours": (SEE, own(Host="localhost.evil.example")),
    "our name before an at sign": (SEE, own(Host="localhost@evil.example")),
    "a form on another site": (CHANGE, own(Sec_Fetch_Site="cross-site")),
    "a script on a neighbour's site": (CHANGE, own(Sec_Fetch_Site="same-site")),
    "a form that hides its origin": (CHANGE, own(Origin="null")),
    "an origin that only begins like ours": (CHANGE, own(Origin="http://localhost.evil.example")),
    "an origin on another port": (CHANGE, own(Origin="http://127.0.0.1:1")),
    "a browser that names no page": (CHANGE, own()),
    "a navigation that posts": (
        CHANGE,
        own(Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="navigate", Sec_Fetch_Dest="document"),
    ),
    "a picture's address that reads the API": (
        SEE,
        own(Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="no-cors", Sec_Fetch_Dest="image"),
    ),
    "a link to the API": (
        SEE,
        own(Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="navigate", Sec_Fetch_Dest="document"),
    ),
}


@pytest.mark.parametrize("attack", REQUESTS)
async def test_a_request_without_right_is_refused(home: Home, attack: str) -> None:
    """It gets 401 or 403, and nothing else than the reason; nothing is changed."""
    path, headers = REQUESTS[attack]
    async with home.house.open() as client:
        sent = headers(home)
        method = "POST" if path == CHANGE else "GET"
        answer = await client.request(method, path, headers=sent)
        assert answer.status in {401, 403}, await answer.text()
        assert {"error"} == set(await answer.json())
    assert [] == home.house.woken


async def test_what_the_attacks_imitate_is_taken(home: Home) -> None:
    """The same requests, rightly made, come in: the table above refuses for the right reason."""
    async with home.house.open() as client:
        origin = str(client.make_url("")).rstrip("/")
        for headers in (
            home.ana.by_cookie(),
            home.ana.by_key(Right.READ),
            {"Authorization": f"Bearer {LOCAL_KEY}"},
        ):
            assert 200 == (await client.get(SEE, headers=headers)).status
        sent = {"Cookie": f"{COOKIE}={home.ana.cookie}", "Origin": origin}
        assert 200 == (await client.post(CHANGE, headers=sent)).status


Attack = Callable[[Home, Client], Awaitable[None]]


def turn(home: Home, seconds: float) -> None:
    home.clock.time += seconds


async def refused(client: Client, headers: dict[str, str]) -> None:
    assert 401 == (await client.get(SEE, headers=headers)).status


async def a_session_that_was_left(home: Home, client: Client) -> None:
    await client.post("/logout", headers=home.ana.by_cookie(), allow_redirects=False)
    await refused(client, home.ana.by_cookie())


async def a_session_that_lay_idle(home: Home, client: Client) -> None:
    turn(home, sessions.IDLE + 1)
    await refused(client, home.ana.by_cookie())


async def a_session_that_was_used_for_a_month(home: Home, client: Client) -> None:
    for _ in range(6):
        turn(home, sessions.IDLE - 1)
        answer = await client.get(SEE, headers=home.ana.by_cookie())
    assert 401 == answer.status


async def a_session_that_was_revoked(home: Home, client: Client) -> None:
    headers = home.ana.by_cookie()
    (session,) = (await (await client.get(SEE, headers=headers)).json())["sessions"]
    assert 200 == (await client.delete(f"{SEE}{session['id']}/", headers=headers)).status
    await refused(client, headers)


async def the_session_of_somebody_else_revoked(home: Home, client: Client) -> None:
    theirs = bearer.digest(home.ana.cookie)[:12]
    answer = await client.delete(f"{SEE}{theirs}/", headers=home.vic.by_cookie())
    assert 404 == answer.status
    assert 200 == (await client.get(SEE, headers=home.ana.by_cookie())).status


async def a_session_of_somebody_removed(home: Home, client: Client) -> None:
    await home.house.journal.apply([users.remove("id-of-vic")])
    await refused(client, home.vic.by_cookie())


async def a_key_of_somebody_removed(home: Home, client: Client) -> None:
    await home.house.journal.apply([users.remove("id-of-vic")])
    await refused(client, home.vic.by_key(Right.READ))


async def a_key_that_was_revoked(home: Home, client: Client) -> None:
    await home.house.journal.apply([api_keys.revoke("ana-read", home.clock.now())])
    await refused(client, home.ana.by_key(Right.READ))


async def the_key_of_somebody_else_revoked(home: Home, client: Client) -> None:
    answer = await client.delete("/api/v1/keys/ana-read/", headers=home.vic.by_cookie())
    assert 404 == answer.status
    assert 200 == (await client.get(SEE, headers=home.ana.by_key(Right.READ))).status


async def a_key_that_makes_another(home: Home, client: Client) -> None:
    answer = await client.post(
        "/api/v1/keys/", headers=home.ana.by_key(Right.POST), json={"scope": "post"}
    )
    assert 403 == answer.status


async def a_key_beyond_ones_own_right(home: Home, client: Client) -> None:
    answer = await client.post(
        "/api/v1/keys/", headers=home.vic.by_cookie(), json={"scope": "admin"}
    )
    assert 403 == answer.status


async def a_key_in_somebody_elses_name(home: Home, client: Client) -> None:
    asked = {"scope": "read", "user": "ana"}
    answer = await client.post("/api/v1/keys/", headers=home.vic.by_cookie(), json=asked)
    assert 403 == answer.status


async def a_viewers_key_with_a_great_scope(home: Home, client: Client) -> None:
    assert 403 == (await client.get("/api/v1/users/", headers=home.vic.by_key(Right.ADMIN))).status


async def a_key_that_sets_a_password(home: Home, client: Client) -> None:
    asked = {"password": "a new and long one"}
    headers = home.ana.by_key(Right.POST)
    assert 403 == (await client.patch("/api/v1/users/ana/", headers=headers, json=asked)).status


async def a_viewer_who_makes_himself_owner(home: Home, client: Client) -> None:
    answer = await client.patch(
        "/api/v1/users/vic/", headers=home.vic.by_cookie(), json={"role": "owner"}
    )
    assert 403 == answer.status
    sent = {"role": "owner"}
    page = "/settings/people/vic/role"
    assert 403 == (await client.post(page, headers=home.vic.by_cookie(), data=sent)).status


async def ones_own_password_without_the_old_one(home: Home, client: Client) -> None:
    """A stolen session must not become a stolen account."""
    asked = {"password": "a new and long one"}
    answer = await client.patch("/api/v1/users/Ana/", headers=home.ana.by_cookie(), json=asked)
    assert 422 == answer.status
    sent = {"old": "a guess of no use", "password": "x" * 12, "again": "x" * 12}
    page = "/settings/security/password"
    assert 401 == (await client.post(page, headers=home.ana.by_cookie(), data=sent)).status


async def guesses_side_by_side(home: Home, client: Client) -> None:
    """Sent at once, they are counted all the same."""
    wrong = {"name": "ana", "password": "a guess of no use", "next": ""}
    answers = await asyncio.gather(*(client.post("/login", data=wrong) for _ in range(12)))
    found = [answer.status for answer in answers]
    assert 429 in found
    assert found.count(401) <= login_limits.FREE + 1


async def accounts_given_to_whoever_cannot_rule_them(home: Home, client: Client) -> None:
    for heir in ("vic", "ANA"):
        asked = f"/api/v1/users/ana/?accounts_to={heir}"
        assert 409 == (await client.delete(asked, headers=home.ana.by_cookie())).status


async def the_password_of_somebody_else(home: Home, client: Client) -> None:
    asked = {"password": "a new and long one"}
    answer = await client.patch("/api/v1/users/ana/", headers=home.vic.by_cookie(), json=asked)
    assert 403 == answer.status


async def the_last_owner_who_leaves(home: Home, client: Client) -> None:
    headers = home.ana.by_cookie()
    assert 409 == (await client.delete("/api/v1/users/ana/", headers=headers)).status
    asked = {"role": "viewer"}
    assert 409 == (await client.patch("/api/v1/users/ana/", headers=headers, json=asked)).status


async def a_second_first_user(home: Home, client: Client) -> None:
    sent = {"link": SETUP_WORD, "name": "eve", "password": "x" * 12, "again": "x" * 12}
    assert 404 == (await client.post("/setup", data=sent)).status
    assert None is await users.by_name(home.house.journal, "eve")


async def a_planted_session(home: Home, client: Client) -> None:
    """Who logs in gets a cookie of their own, whichever the browser had (session fixation)."""
    planted = {"Cookie": f"{COOKIE}=planted-before", "Sec-Fetch-Site": "same-origin"}
    answer = await client.post(
        "/login",
        headers=planted,
        data={"name": "ana", "password": PASSWORD, "next": ""},
        allow_redirects=False,
    )
    assert 303 == answer.status
    assert answer.cookies[COOKIE].value not in {"planted-before", home.ana.cookie}
    await refused(client, planted)


async def a_way_out_after_the_login(home: Home, client: Client) -> None:
    for away in ("https://evil.example/", "//evil.example/", "/\\evil.example", "/\t/evil.example"):
        data = {"name": "ana", "password": PASSWORD, "next": away}
        answer = await client.post("/login", data=data, allow_redirects=False)
        assert answer.headers["Location"].startswith("/settings/"), away


async def a_guess_without_end(home: Home, client: Client) -> None:
    """After five wrong ones even the right password waits; then it comes in."""
    for _ in range(login_limits.FREE):
        wrong = {"name": "ana", "password": "a guess of no use", "next": ""}
        assert 401 == (await client.post("/login", data=wrong)).status
    right = {"name": "ana", "password": PASSWORD, "next": ""}
    answer = await client.post("/login", data=right, allow_redirects=False)
    assert 429 == answer.status
    assert "Try again after" in await answer.text()
    turn(home, login_limits.FIRST + 1)
    assert 303 == (await client.post("/login", data=right, allow_redirects=False)).status


async def guesses_at_many_names(home: Home, client: Client) -> None:
    """One address that tries a password on many names waits too."""
    for number in range(login_limits.FREE):
        wrong = {"name": f"user{number}", "password": "password123", "next": ""}
        assert 401 == (await client.post("/login", data=wrong)).status
    right = {"name": "ana", "password": PASSWORD, "next": ""}
    assert 429 == (await client.post("/login", data=right)).status


async def a_cookie_read_by_a_script(home: Home, client: Client) -> None:
    data = {"name": "ana", "password": PASSWORD, "next": ""}
    answer = await client.post("/login", data=data, allow_redirects=False)
    morsel = answer.cookies[COOKIE]
    assert morsel["httponly"]
    assert "Lax" == morsel["samesite"]


async def a_page_in_a_frame(home: Home, client: Client) -> None:
    for path in ("/login", "/settings/security", "/api/v1/sessions/", "/nothing"):
        answer = await client.get(path, headers=home.ana.by_cookie())
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
        assert "DENY" == answer.headers["X-Frame-Options"]
        assert "no-store" == answer.headers["Cache-Control"]


async def markup_for_a_name(home: Home, client: Client) -> None:
    sent = {"name": "<script>alert(1)</script>", "role": "viewer", "password": "x" * 12}
    await client.post("/settings/people", headers=home.ana.by_cookie(), data=sent)
    text = await (await client.get("/settings/people", headers=home.ana.by_cookie())).text()
    assert "<script>" not in text
    assert "&lt;script&gt;" in text


SEQUENCES: list[Attack] = [
    a_session_that_was_left,
    a_session_that_lay_idle,
    a_session_that_was_used_for_a_month,
    a_session_that_was_revoked,
    the_session_of_somebody_else_revoked,
    a_session_of_somebody_removed,
    a_key_of_somebody_removed,
    a_key_that_was_revoked,
    the_key_of_somebody_else_revoked,
    a_key_that_makes_another,
    a_key_beyond_ones_own_right,
    a_key_in_somebody_elses_name,
    a_viewers_key_with_a_great_scope,
    a_key_that_sets_a_password,
    a_viewer_who_makes_himself_owner,
    ones_own_password_without_the_old_one,
    guesses_side_by_side,
    accounts_given_to_whoever_cannot_rule_them,
    the_password_of_somebody_else,
    the_last_owner_who_leaves,
    a_second_first_user,
    a_planted_session,
    a_way_out_after_the_login,
    a_guess_without_end,
    guesses_at_many_names,
    a_cookie_read_by_a_script,
    a_page_in_a_frame,
    markup_for_a_name,
]


@pytest.mark.parametrize("attack", SEQUENCES, ids=lambda attack: attack.__name__)
async def test_a_ruse_fails(home: Home, attack: Attack) -> None:
    """What takes several steps to try comes to nothing."""
    async with home.house.open() as client:
        await attack(home, client)


async def test_an_unknown_name_takes_as_much_work_as_a_known_one(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Time must not tell who is known here: one hash is verified in either case."""
    verified = []
    fits = passwords.fits

    def counted(known: str | None, password: str) -> bool:
        verified.append(known)
        return fits(known, password)

    monkeypatch.setattr(passwords, "fits", counted)
    async with home.house.open() as client:
        for name in ("ana", "nobody-of-that-name"):
            data = {"name": name, "password": "a guess of no use", "next": ""}
            answer = await client.post("/login", data=data)
            assert 401 == answer.status
    assert 2 == len(verified)


async def test_only_one_of_two_becomes_the_first_user(tmp_path: Path) -> None:
    """Two who open the link at once: one owns the place, the other is told that it is taken."""
    async with web_house.house(tmp_path) as house, house.open() as client:

        async def begin(name: str) -> int:
            sent = {"link": SETUP_WORD, "name": name, "password": "x" * 12, "again": "x" * 12}
            answer = await client.post("/setup", data=sent, allow_redirects=False)
            return answer.status

        found = await asyncio.gather(begin("one"), begin("two"))
        assert [303] == [status for status in found if status == 303]
        assert 1 == len(await users.listed(house.journal))


async def test_an_open_house_shuts_its_door_with_the_first_user(tmp_path: Path) -> None:
    """On this machine alone and without users everybody may; from the first user on nobody is let
    in who does not show something. A proxy that leads the world there is refused at once."""
    async with web_house.house(tmp_path) as house, house.open() as client:
        assert 200 == (await client.get(SEE)).status
        forwarded = await client.get(SEE, headers={"X-Forwarded-For": "203.0.113.7"})
        assert 403 == forwarded.status
        assert "users add" in await forwarded.text()
        await settle(house.journal, "ana", Role.OWNER, now=house.clock.now())
        assert 401 == (await client.get(SEE)).status


async def test_a_public_name_without_users_lets_nobody_in(tmp_path: Path) -> None:
    """A proxy may say nothing of itself: with a public name only the first link opens anything."""
    async with (
        web_house.house(tmp_path) as house,
        house.open(public_url="https://mw.example.org") as client,
    ):
        assert 401 == (await client.get(SEE)).status
        through = {"X-Forwarded-For": "203.0.113.7"}
        assert 200 == (await client.get(f"/setup?link={SETUP_WORD}", headers=through)).status


async def test_only_a_trusted_proxy_is_believed(tmp_path: Path) -> None:
    """The address that counts wrong passwords is the peer's own, unless the proxy is named in
    web.trusted_proxies; what its client wrote before it is nobody's word."""
    async with web_house.house(tmp_path) as house:
        await settle(house.journal, "ana", Role.OWNER, now=house.clock.now())
        for trusted, address in [([], "127.0.0.1"), (["127.0.0.0/8"], "203.0.113.7")]:
            async with house.open(trusted_proxies=trusted) as client:
                answer = await client.post(
                    "/login",
                    data={"name": "ana", "password": PASSWORD, "next": ""},
                    headers={
                        "X-Forwarded-For": "198.51.100.1, 203.0.113.7",
                        "X-Forwarded-Proto": "https",
                    },
                    allow_redirects=False,
                )
                assert 303 == answer.status
                assert bool(trusted) is ("__Host-mediawatch_session" in answer.cookies)
            found = await sessions.listed(house.journal, "id-of-ana", now=house.clock.now())
            assert address in {session.address for session in found}
