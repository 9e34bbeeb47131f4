"""Every address as everybody: who may what, in one table, and no address without a line in it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import update

from mediawatch.journal import accounts, posts, schema, users
from mediawatch.journal.database import Statement
from mediawatch.model.lifecycle import State
from mediawatch.model.people import Right, Role
from mediawatch.web.app import create_app
from tests.contract.test_journal import ACCOUNT, a_post
from tests.support import web_house
from tests.support.people import Person, settle
from tests.support.web_house import LOCAL_KEY, Client, House

POST = "abcdef123456"
#: Answers: what is asked for is done or cannot be; who asks is nobody; may not; may not know of it.
MAY, NOBODY, MAY_NOT, UNKNOWN = "may", "nobody", "may not", "unknown"
#: The parts that people play. All but the stranger belong to the account's house: the editor and
#: the viewer have it shared with them; the stranger owns another one.
PARTS = ("nobody", "viewer", "editor", "owner", "stranger", "local", "read", "post", "admin")

LOOK = {"viewer", "editor", "owner", "read", "post", "admin", "local"}
WORK = {"editor", "owner", "post", "admin", "local"}
RULE = {"owner", "stranger", "admin", "local"}
EVERYBODY = set(PARTS)
PEOPLE = EVERYBODY - {"nobody"}
#: Behind a login, for whoever has one that is no key.
AT_HOME = {"viewer", "editor", "owner", "stranger"}

#: Method and path of each address, who may, and whether an account is asked for (then it is unknown
#: to the stranger).
TABLE: dict[tuple[str, str], tuple[set[str], bool]] = {
    ("GET", "/healthz"): (EVERYBODY, False),
    ("GET", "/readyz"): (EVERYBODY, False),
    ("GET", "/metrics"): (PEOPLE, False),
    ("GET", "/api/poster-media/status"): (PEOPLE, False),  # less of it for the stranger
    ("POST", "/api/poster-media"): (WORK, True),
    ("POST", "/api/v1/social/scheduled-posts/{id}/retry/"): (WORK, True),
    ("POST", "/api/v1/social/scheduled-posts/{id}/confirm/"): (WORK, True),
    ("POST", "/api/v1/social/scheduled-posts/{id}/deny/"): (WORK, True),
    ("POST", "/api/v1/social/scheduled-posts/{id}/publish-now/"): (WORK, True),
    ("POST", "/api/v1/social/scheduled-posts/{id}/release/"): (WORK, True),
    ("POST", "/api/v1/social/cron/retry-failed/"): (WORK | {"stranger"}, False),
    ("POST", "/api/v1/social/cron/release-withheld/"): (WORK, True),
    ("GET", "/api/v1/social/instagram/accounts/"): (PEOPLE, False),
    ("POST", "/api/v1/social/instagram/accounts/"): (RULE, False),
    ("POST", "/api/v1/social/instagram/accounts/rotate-key/"): (RULE, False),
    ("GET", "/api/v1/social/instagram/accounts/{id}/"): (LOOK, True),
    ("POST", "/api/v1/social/instagram/accounts/{id}/refresh/"): (RULE - {"stranger"}, True),
    ("POST", "/api/v1/social/instagram/accounts/{id}/disconnect/"): (RULE - {"stranger"}, True),
    ("POST", "/api/v1/social/instagram/accounts/{id}/share/"): (RULE - {"stranger"}, True),
    ("POST", "/api/v1/social/instagram/accounts/{id}/unshare/"): (RULE - {"stranger"}, True),
    ("GET", "/api/v1/users/"): (RULE, False),
    ("POST", "/api/v1/users/"): (RULE, False),
    ("PATCH", "/api/v1/users/{name}/"): (RULE, False),
    ("DELETE", "/api/v1/users/{name}/"): (RULE, False),
    ("GET", "/api/v1/keys/"): (PEOPLE, False),
    ("POST", "/api/v1/keys/"): (AT_HOME | {"admin", "local"}, False),
    ("DELETE", "/api/v1/keys/{id}/"): (PEOPLE, False),
    ("GET", "/api/v1/sessions/"): (PEOPLE, False),
    ("DELETE", "/api/v1/sessions/{id}/"): (PEOPLE, False),
    ("GET", "/api/v1/audit/"): (PEOPLE, False),
    ("GET", "/api/auth/instagram"): (RULE, False),
    # Whoever is in must be able to have begun it; nobody is told that it is none of theirs.
    ("GET", "/api/auth/instagram/callback"): (RULE | {"nobody"}, False),
    ("POST", "/api/webhooks/instagram/deauthorize"): (EVERYBODY, False),  # signed by Meta
    ("POST", "/api/webhooks/instagram/data-deletion"): (EVERYBODY, False),
    ("GET", "/api/webhooks/instagram/data-deletion/{code}/"): (EVERYBODY, False),
    ("GET", "/"): (PEOPLE, False),
    ("GET", "/accounts"): (PEOPLE, False),
    ("GET", "/accounts/connect/{id}"): (RULE, False),
    ("POST", "/accounts/connect/{id}"): (RULE, False),
    ("POST", "/accounts/{id}/refresh"): (RULE - {"stranger"}, True),
    ("GET", "/accounts/{id}/disconnect"): (RULE - {"stranger"}, True),
    ("POST", "/accounts/{id}/disconnect"): (RULE - {"stranger"}, True),
    ("POST", "/accounts/{id}/share"): (RULE - {"stranger"}, True),
    ("POST", "/accounts/{id}/unshare"): (RULE - {"stranger"}, True),
    ("GET", "/login"): (EVERYBODY, False),
    ("POST", "/login"): (EVERYBODY, False),
    ("GET", "/setup"): (EVERYBODY, False),
    ("POST", "/setup"): (EVERYBODY, False),
    ("GET", "/settings/people"): (RULE, False),
    ("POST", "/settings/people"): (RULE, False),
    ("POST", "/settings/people/{name}/role"): (RULE, False),
    ("POST", "/settings/people/{name}/remove"): (RULE, False),
    ("GET", "/settings/security"): (PEOPLE, False),
    ("POST", "/settings/security/password"): (PEOPLE, False),
    ("POST", "/settings/security/keys"): (PEOPLE, False),
    ("POST", "/settings/security/keys/{id}/revoke"): (PEOPLE, False),
    ("POST", "/settings/security/sessions/{id}/revoke"): (PEOPLE, False),
    ("GET", "/static/{filename}"): (EVERYBODY, False),
    ("POST", "/logout"): (PEOPLE, False),  # the last: the session ends with it
}
#: What lies in a request, where it matters for who may.
BODIES: dict[tuple[str, str], dict[str, object]] = {
    ("POST", "/api/v1/users/"): {"name": "new", "role": "viewer", "password": "x" * 12},
    ("PATCH", "/api/v1/users/{name}/"): {"role": "viewer"},
    ("POST", "/api/v1/keys/"): {"name": "mine", "scope": "read"},
    ("POST", "/api/v1/social/instagram/accounts/"): {"token": "not-a-token", "login": "facebook"},
    ("POST", "/api/v1/social/instagram/accounts/{id}/share/"): {"user": "leaver"},
    ("POST", "/api/v1/social/instagram/accounts/{id}/unshare/"): {"user": "leaver"},
}
#: The same of forms.
FORMS: dict[tuple[str, str], dict[str, str]] = {
    ("POST", "/accounts/{id}/share"): {"user": "leaver", "role": "viewer"},
    ("POST", "/accounts/{id}/unshare"): {"user": "leaver"},
}


@dataclass
class Home:
    """Who lives in a house."""

    house: House
    people: dict[str, Person]


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[Home]:
    async with web_house.house(tmp_path) as house:
        now = house.clock.now()
        people = {
            "owner": await settle(house.journal, "owner", Role.OWNER, now=now),
            "stranger": await settle(house.journal, "stranger", Role.OWNER, now=now),
        }
        for role in (Role.EDITOR, Role.VIEWER):
            people[role.value] = await settle(
                house.journal, role.value, role, now=now, shared={ACCOUNT: role}
            )
        await settle(house.journal, "leaver", Role.VIEWER, now=now)
        owned = [users.adopt(), users.hand_over("id-of-stranger", "id-of-owner")]
        await house.journal.apply([*owned, *posts.add(a_post(POST, state=State.HELD))])
        theirs = [accounts.ensure("17841400000000009"), users.adopt()]
        await house.journal.apply([*theirs, users.hand_over("id-of-owner", "id-of-stranger")])
        back = Statement(
            update(schema.accounts)
            .where(schema.accounts.c.id == ACCOUNT)
            .values(owner_id="id-of-owner")
        )
        await house.journal.apply([back])
        yield Home(house, people)


def headers_of(part: str, people: dict[str, Person]) -> dict[str, str]:
    match part:
        case "nobody":
            return {}
        case "local":
            return {"Authorization": f"Bearer {LOCAL_KEY}"}
        case "read" | "post" | "admin":
            return people["owner"].by_key(Right(part))
        case _:
            return people[part].by_cookie()


async def asked(client: Client, method: str, path: str, headers: dict[str, str]) -> str:
    """What became of it, in a word."""
    filled = (
        path.replace("{id}", ACCOUNT if "/accounts/" in path else POST)
        .replace("{name}", "leaver")
        .replace("{filename}", "style.css")
    )
    body, form = BODIES.get((method, path)), FORMS.get((method, path))
    answer = await client.request(
        method, filled, headers=headers, json=body, data=form, allow_redirects=False
    )
    text = await answer.text()
    if answer.status == 401 and "not-logged-in" in text:
        return NOBODY
    if answer.status == 303 and answer.headers["Location"].startswith("/login?next="):
        return NOBODY
    if answer.status == 403:
        assert "not-allowed" in text or "may not do this" in text, text
        return MAY_NOT
    if answer.status == 404 and ("no-such-post" in text or "no-such-account" in text):
        return UNKNOWN
    assert answer.status != 500, (method, path, text)  # 503: a neighbour is away
    return MAY


def addresses(house: House) -> set[tuple[str, str]]:
    """All that the application answers, whatever it is."""
    app = create_app(house.doors())
    found = set()
    for route in app.router.routes():
        info = route.resource.get_info() if route.resource is not None else {}
        path = info.get("path") or info.get("formatter")
        if route.method != "HEAD":
            found.add((route.method, path or f"{info['prefix']}/{{filename}}"))
    return found


async def test_every_address_has_a_line_in_the_table(home: Home) -> None:
    """An address that is added says here who may use it."""
    assert addresses(home.house) == set(TABLE)


@pytest.mark.parametrize("part", PARTS)
async def test_everybody_may_what_the_table_says(home: Home, part: str) -> None:
    """Each address as this one: it does what is asked, or refuses as it should; no cell wrong."""
    wrong = []
    for (method, path), (may, about_account) in TABLE.items():
        if part in may:
            wanted = MAY
        elif part == "nobody":
            wanted = NOBODY
        else:
            wanted = UNKNOWN if part == "stranger" and about_account else MAY_NOT
        async with home.house.open() as client:
            found = await asked(client, method, path, headers_of(part, home.people))
        if found != wanted:
            wrong.append(f"{method} {path}: {found}, not {wanted}")
    assert [] == wrong


async def test_a_stranger_sees_nothing_of_others(home: Home) -> None:
    """Of the status a stranger gets what tells nothing of anybody's posts."""
    async with home.house.open() as client:
        for part, sees in [("owner", True), ("viewer", True), ("stranger", False)]:
            answer = await client.get(
                "/api/poster-media/status", headers=home.people[part].by_cookie()
            )
            assert sees is ("secret-plans.jpg" in await answer.text()), part


async def test_nobody_is_told_why_it_is_not_ready(home: Home) -> None:
    """Whether it is ready is for everybody; why not, for those who may come in."""
    async with home.house.open() as client:
        assert {"status": "ready"} == await (await client.get("/readyz")).json()
        told = await (await client.get("/readyz", headers=home.people["viewer"].by_cookie())).json()
        assert ["folder"] == [check["name"] for check in told["checks"]]
