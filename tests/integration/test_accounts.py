"""Accounts are connected, disconnected, shared and shown; posts wait for them and go on."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import insert, select

from mediawatch.actions import account_list, accounts
from mediawatch.actions.accounts import CannotConnect, NoSuchUser, NotConnected
from mediawatch.actions.pasting import ChooseAccount, paste_token
from mediawatch.actions.permission import NoSuchAccount, NotAllowed
from mediawatch.graph.client import not_recorded
from mediawatch.graph.errors import GraphUnreachable
from mediawatch.graph.oauth import Candidate, Grant
from mediawatch.journal import schema
from mediawatch.model.accounts import AccountState, Login
from mediawatch.model.lifecycle import State
from mediawatch.model.people import Actor, Door, Right, Role, this_machine
from mediawatch.pipeline.standing import CATCH_UP_GAP
from tests.support.login_api import SIXTY_DAYS, ToldLogin, candidate
from tests.support.publishing import Bench, bench
from tests.support.simulator import TOKEN, USER

HERE = this_machine(Door.COMMAND)
BEN = "17841400000000012"
SCOPES = frozenset(
    {"instagram_basic", "instagram_content_publish", "pages_read_engagement", "pages_show_list"}
)


def person(name: str, right: Right = Right.ADMIN) -> Actor:
    """Somebody with a browser."""
    return Actor(name, name, right, Door.PAGE, "192.0.2.7")


@pytest.fixture
async def river(tmp_path: Path) -> AsyncIterator[Bench]:
    async with bench(tmp_path) as made:
        users = [
            {"id": name, "name": name, "name_key": name, "role": "editor", "password_hash": ""}
            for name in ("ana", "ben")
        ]
        from mediawatch.journal.database import Statement

        rows = [insert(schema.users).values(**user, created_at=0.0) for user in users]
        await made.journal.apply([Statement(row) for row in rows])
        yield made


async def connect(
    river: Bench,
    account_id: str = USER,
    *,
    actor: Actor = HERE,
    login: Login = "facebook",
    token: str = TOKEN,
    granted: frozenset[str] | None = SCOPES,
    **facts: object,
) -> None:
    """With a page's token that the simulator takes."""
    await accounts.connect(
        river.journal,
        river.tokens,
        actor,
        login,
        candidate(account_id, **{"page_token": SecretStr(token), **facts}),
        Grant(SecretStr("EAA-token-of-a-person"), SIXTY_DAYS, "9001", granted),
        granted,
        now=river.time.now,
    )


async def state(river: Bench, account_id: str = USER) -> AccountState:
    shown = await account_list.shown(
        river.journal, river.tokens, HERE, account_id, now=river.time.now
    )
    return shown.state


async def audited(river: Bench) -> list[tuple[str, str, str, str]]:
    rows = await river.journal.read(select(schema.audit).order_by(schema.audit.c.id))
    return [(row["who"], row["action"], row["account_id"], row["detail"]) for row in rows]


async def test_a_connected_account_is_published_to(river: Bench) -> None:
    """With the page's token, which lies sealed; who connected it is known afterwards."""
    await connect(river)
    post = await river.until_settled(await river.post("Hello"))

    assert (State.DONE, ["Hello"]) == (post.state, river.published)
    assert AccountState.CONNECTED is await state(river)
    assert [("this machine", "account.connect", USER, "facebook login")] == await audited(river)


async def test_posts_of_a_disconnected_account_wait_and_go_on_one_by_one(river: Bench) -> None:
    """Disconnecting revokes and forgets; the posts spend no call, and are there when somebody
    connects it again."""
    await connect(river)
    api = ToldLogin()
    done = await accounts.disconnect(
        river.journal,
        river.tokens,
        {"facebook": api},
        HERE,
        USER,
        now=river.time.now,
        log=river.log,
    )
    ids = [await river.post(str(number)) for number in range(3)]
    calls = river.calls
    for post_id in ids:
        post = await river.advance(post_id)
        assert (State.WAITING, "disconnected") == (post.state, post.reason)
        assert "Connect it again" in (post.remedy or "")

    assert done.revoked
    assert [("revoke", "EAA-token-of-a-person")] == api.calls
    assert [] == await river.journal.read(select(schema.tokens))
    assert calls == river.calls
    assert AccountState.DISCONNECTED is await state(river)

    await connect(river)
    for post_id in ids:
        await river.until_settled(post_id)

    times = [media.published_at for media in river.simulator.state.publications]
    assert 3 == len(times)
    assert all(later - sooner >= CATCH_UP_GAP for sooner, later in itertools.pairwise(times))


async def test_posts_of_an_expired_account_go_on_when_it_is_connected_again(river: Bench) -> None:
    """Meta refuses the token: token_expired; another token, and what waited is published."""
    await connect(river, token="EAA-expired")
    post_id = await river.post("Hello")
    await river.advance(post_id)
    assert AccountState.TOKEN_EXPIRED is await state(river)

    await connect(river)
    assert State.DONE is (await river.until_settled(post_id)).state
    assert AccountState.CONNECTED is await state(river)


async def test_what_meta_does_not_take_back_is_told_and_forgotten_all_the_same(
    river: Bench,
) -> None:
    """Nobody keeps a token because the line was cut."""
    await connect(river)
    api = ToldLogin(problem=GraphUnreachable("No answer from Meta."))
    done = await accounts.disconnect(
        river.journal, river.tokens, {"facebook": api}, HERE, USER, now=1.0, log=river.log
    )

    assert not done.revoked
    assert "Apps and websites" in done.left
    assert [] == await river.journal.read(select(schema.tokens))


async def test_the_consent_stays_for_other_accounts_of_the_same_person(river: Bench) -> None:
    """Meta takes it back for all of them at once: they would stop without a word."""
    await connect(river)
    await connect(river, BEN)
    api = ToldLogin()
    done = await accounts.disconnect(
        river.journal, river.tokens, {"facebook": api}, HERE, BEN, now=1.0, log=river.log
    )

    assert not done.revoked
    assert [] == api.calls
    assert (await river.tokens.caller(USER, not_recorded)).token.get_secret_value() == TOKEN


async def test_the_account_of_the_settings_is_listed_and_not_disconnected(river: Bench) -> None:
    """It is one like the others, but its token is not ours to forget."""
    (shown,) = await account_list.listed(river.journal, river.tokens, HERE, now=1.0)

    assert (USER, "settings", AccountState.CONNECTED) == (shown.id, shown.source, shown.state)
    with pytest.raises(NotConnected) as caught:
        await accounts.disconnect(
            river.journal, river.tokens, {}, HERE, USER, now=1.0, log=river.log
        )
    assert "account-in-settings" == caught.value.code


@pytest.mark.parametrize(
    ("facts", "granted", "code", "told"),
    [
        ({"kind": "PERSONAL"}, SCOPES, "personal-account", "Switch to professional account"),
        ({}, SCOPES - {"instagram_content_publish"}, "missing-permissions", "ticked"),
        ({}, frozenset(), "missing-permissions", "ticked"),
        ({"tasks": frozenset({"ANALYZE", "MODERATE"})}, SCOPES, "page-role", "Create content"),
    ],
)
async def test_what_cannot_be_published_to_is_not_connected(
    river: Bench,
    facts: dict[str, object],
    granted: frozenset[str],
    code: str,
    told: str,
) -> None:
    """Told at once, with what to change, and not by the first post."""
    with pytest.raises(CannotConnect) as caught:
        await connect(river, BEN, granted=granted, **facts)

    assert code == caught.value.code
    assert told in caught.value.remedy
    with pytest.raises(NoSuchAccount):
        await state(river, BEN)


async def test_an_account_belongs_to_who_connected_it_first(river: Bench) -> None:
    """Others are told to ask for a share; connected again by its owner it stays theirs."""
    await connect(river, BEN, actor=person("ana"))
    with pytest.raises(CannotConnect, match="somebody else"):
        await connect(river, BEN, actor=person("ben"))
    await connect(river, BEN)

    (mine,) = await account_list.listed(river.journal, river.tokens, person("ana"), now=1.0)
    assert (BEN, "ana") == (mine.id, mine.owner_id)
    assert [] == await account_list.listed(river.journal, river.tokens, person("ben"), now=1.0)


async def test_a_shared_account_is_seen_and_no_more(river: Bench) -> None:
    """Until it is not shared any more; then it is as if it did not exist."""
    await connect(river, BEN, actor=person("ana"))
    ana, ben = person("ana"), person("ben")
    with pytest.raises(NoSuchAccount):
        await accounts.share(river.journal, ben, BEN, "ben", Role.OWNER, now=1.0)
    with pytest.raises(NoSuchUser):
        await accounts.share(river.journal, ana, BEN, "nobody", Role.EDITOR, now=1.0)

    await accounts.share(river.journal, ana, BEN, "Ben", Role.EDITOR, now=1.0)

    assert BEN == await account_list.find(river.journal, ben, "@Ana")
    with pytest.raises(NotAllowed):
        await accounts.disconnect(river.journal, river.tokens, {}, ben, BEN, now=1.0, log=river.log)

    assert await accounts.unshare(river.journal, ana, BEN, "ben", now=1.0)
    assert not await accounts.unshare(river.journal, ana, BEN, "ben", now=1.0)
    with pytest.raises(NoSuchAccount):
        await account_list.find(river.journal, ben, "@Ana")
    assert ("ana", "account.share", BEN, "with Ben as editor") in await audited(river)


async def test_an_editor_connects_nothing(river: Bench) -> None:
    """Accounts are for those with the right to administer."""
    with pytest.raises(NotAllowed):
        await connect(river, BEN, actor=person("ana", Right.POST))


# Pasted.


async def paste(
    river: Bench,
    token: str = TOKEN,
    api: ToldLogin | None = None,
    login: Login = "facebook",
    account_id: str | None = None,
) -> str:
    logins = {login: api} if api else {}
    made = await paste_token(
        river.journal,
        river.tokens,
        river.client,
        logins,  # type: ignore[arg-type]
        HERE,
        login,
        SecretStr(token),
        account_id=account_id,
        now=river.time.now,
    )
    return made.id


async def test_a_pasted_token_is_asked_after_first(river: Bench) -> None:
    """Meta tells whose it is and for what; nobody types an id."""
    assert USER == await paste(river)

    shown = await account_list.shown(river.journal, river.tokens, HERE, USER, now=1.0)
    assert "connected" == shown.source
    assert "instagram_content_publish" in (shown.granted or ())
    assert State.DONE is (await river.until_settled(await river.post("Hello"))).state


async def test_a_token_that_meta_does_not_know_is_not_kept(river: Bench) -> None:
    """Told at once, with what to do."""
    with pytest.raises(Exception, match=r"invalid|190"):
        await paste(river, "EAA-rubbish-token")
    assert [] == await river.journal.read(select(schema.tokens))


async def test_of_several_accounts_one_is_chosen(river: Bench) -> None:
    """By id or by name; without a choice all are named."""
    api = ToldLogin(found=[candidate(USER, "ana"), candidate(BEN, "ben")])
    api.told = api.told.model_copy(update={"scopes": tuple(SCOPES)})

    with pytest.raises(ChooseAccount) as caught:
        await paste(river, api=api)
    assert {USER: "ana", BEN: "ben"} == caught.value.details["accounts"]
    with pytest.raises(ChooseAccount, match="not for the account 17841400000000099"):
        await paste(river, api=api, account_id="17841400000000099")
    assert BEN == await paste(river, api=api, account_id="ben")
    assert ("long_lived", TOKEN) in api.calls
    assert ("candidates", f"{TOKEN}-long") in api.calls


async def test_a_token_without_any_account_says_how_to_link_one(river: Bench) -> None:
    """The most usual mistake: the page was not ticked, or has no account."""
    api = ToldLogin(found=[])
    api.told = api.told.model_copy(update={"scopes": tuple(SCOPES)})

    with pytest.raises(CannotConnect) as caught:
        await paste(river, api=api)
    assert "no-linked-account" == caught.value.code


def test_nothing_that_holds_a_token_shows_it() -> None:
    """Whatever prints one of these by mistake."""
    token = SecretStr("EAA-marked")
    assert "marked" not in repr([Candidate("1", page_token=token), Grant(token, None, "", None)])
