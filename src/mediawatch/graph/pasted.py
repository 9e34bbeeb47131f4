"""A token that a person pastes: whose it is, for how long, and for what. Asked of Meta."""

from __future__ import annotations

from dataclasses import dataclass, field

from pydantic import SecretStr

from mediawatch.errors import MediawatchError
from mediawatch.graph.client import ANYBODY, Caller, GraphClient, not_recorded
from mediawatch.graph.errors import GraphError
from mediawatch.graph.identity import Identity, Page, TokenFacts
from mediawatch.graph.login_api import Candidate, Grant, LoginApi
from mediawatch.graph.profile import profile
from mediawatch.graph.publishing import Publishing
from mediawatch.model.accounts import Login


class TokenRefused(MediawatchError):
    """Meta does not take the token."""

    code = "token-refused"


@dataclass(frozen=True, slots=True)
class Found:
    """An account that a pasted token may act for (graph/login_api.py: Candidate)."""

    account_id: str
    username: str = ""
    kind: str = ""
    page_id: str | None = None
    page_name: str | None = None
    page_token: SecretStr | None = field(default=None, repr=False)
    tasks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Given:
    """A token as it will be kept (graph/login_api.py: Grant)."""

    token: SecretStr = field(repr=False)
    expires_in: int | None = None
    meta_user_id: str = ""
    permissions: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Pasted:
    """``granted``: None if the login does not tell; then it was tried whether the token may
    publish. ``data_access_expires_at``: seconds since the epoch."""

    grant: Grant
    candidates: list[Candidate]
    granted: frozenset[str] | None
    data_access_expires_at: float | None = None


async def ask(
    client: GraphClient, api: LoginApi | None, login: Login, token: SecretStr, *, now: float
) -> Pasted:
    """Raises TokenRefused, GraphError and GraphUnreachable.

    ``api``: of that login, if the settings have an app for it; then the token is exchanged for a
    long-lived one. ``now``: seconds since the epoch.
    """
    if login == "instagram":
        return await _of_instagram(client, api, token)
    return await _of_facebook(client, api, token, now)


async def _of_instagram(client: GraphClient, api: LoginApi | None, token: SecretStr) -> Pasted:
    grant: Grant = Given(token)
    if api is not None:
        grant = await _lasting(api, grant)
    caller = Caller(ANYBODY, grant.token, not_recorded, "instagram")
    who = await profile(client, caller)
    # This login does not tell what was granted: the quota can be read by whoever may publish.
    await Publishing(client, caller).quota()
    return Pasted(grant, [Found(who.user_id, who.username, who.kind)], None)


async def _lasting(api: LoginApi, grant: Grant) -> Grant:
    """A short-lived one is exchanged; one that is long-lived already is refreshed, which tells its
    end; one of today can be neither."""
    for exchange in (api.long_lived, api.refresh):
        try:
            return await exchange(grant.token)
        except GraphError:
            continue
    return grant


async def _of_facebook(
    client: GraphClient, api: LoginApi | None, token: SecretStr, now: float
) -> Pasted:
    caller = Caller(ANYBODY, token, not_recorded, "facebook")
    facts = await api.facts(token) if api is not None else await Identity(client, caller).token()
    if not facts.is_valid:
        raise TokenRefused(
            "Meta calls this token invalid.",
            remedy="Make a new one in the dashboard of your Meta app, for this app.",
        )
    granted = frozenset(facts.scopes) or await Identity(client, caller).granted()
    data_access = float(facts.data_access_expires_at) or None
    if facts.type.upper() == "PAGE":
        found = _account(await Identity(client, caller).own_page(), token)
        kept = Given(token, _left(facts, now))
        return Pasted(kept, [found] if found else [], granted, data_access)
    grant: Grant = Given(token, _left(facts, now), facts.user_id)
    if api is not None:
        grant = await api.long_lived(token)
        return Pasted(grant, await api.candidates(grant.token), granted, data_access)
    # Without an app the person's own token publishes: it is good for their pages, too.
    linked = [_account(page, None) for page in await Identity(client, caller).pages()]
    return Pasted(grant, [each for each in linked if each is not None], granted, data_access)


def _left(facts: TokenFacts, now: float) -> int | None:
    return round(facts.expires_at - now) if facts.expires_at else None


def _account(page: Page, token: SecretStr | None) -> Candidate | None:
    linked = page.instagram_business_account
    if linked is None:
        return None
    return Found(linked.id, linked.username, "", page.id, page.name, token, page.tasks)
