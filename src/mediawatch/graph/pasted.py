"""A token that a person pastes: whose it is, for how long, and for what. Asked of Meta."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import SecretStr

from mediawatch.errors import MediawatchError
from mediawatch.graph.client import ANYBODY, Caller, GraphClient, not_recorded
from mediawatch.graph.errors import GraphError
from mediawatch.graph.identity import Identity, Page, TokenFacts
from mediawatch.graph.oauth import Candidate, Grant, OAuth
from mediawatch.graph.profile import profile
from mediawatch.graph.publishing import Publishing
from mediawatch.model.accounts import Login


class TokenRefused(MediawatchError):
    """Meta does not take the token."""

    code = "token-refused"


@dataclass(frozen=True, slots=True)
class Pasted:
    """``granted``: None if the login does not tell; then it was tried whether the token may
    publish. ``data_access_expires_at``: seconds since the epoch."""

    grant: Grant
    candidates: list[Candidate]
    granted: frozenset[str] | None
    data_access_expires_at: float | None = None


async def ask(
    client: GraphClient, api: OAuth | None, login: Login, token: SecretStr, *, now: float
) -> Pasted:
    """Raises TokenRefused, GraphError and GraphUnreachable.

    ``api``: of that login, if the settings have an app for it; then the token is exchanged for a
    long-lived one. ``now``: seconds since the epoch.
    """
    try:
        if login == "instagram":
            return await _of_instagram(client, api, token)
        return await _of_facebook(client, api, token, now)
    except GraphError as error:
        if error.verdict.code not in {"token", "permission"}:
            raise
        # What is said of a token in the settings would lead astray here.
        raise TokenRefused(
            f"Meta does not take this token: {error.message}",
            remedy="Make a new one with every permission that publishing needs, for this app and "
            f"the {login} login.",
        ) from None


async def _of_instagram(client: GraphClient, api: OAuth | None, token: SecretStr) -> Pasted:
    grant = Grant(token, None, "", None)
    if api is not None:
        grant = await _lasting(api, grant)
    caller = Caller(ANYBODY, grant.token, not_recorded, "instagram")
    who = await profile(client, caller)
    if who.is_professional:
        # This login does not tell what was granted: the quota is read by whoever may publish.
        await Publishing(client, caller).quota()
    return Pasted(grant, [Candidate(who.user_id, who.username, who.kind)], grant.permissions)


async def _lasting(api: OAuth, grant: Grant) -> Grant:
    """A short-lived one is exchanged; one that is long-lived already is refreshed, which tells its
    end; one of today can be neither."""
    for exchange in (api.long_lived, api.refresh):
        try:
            return await exchange(grant.token)
        except GraphError:
            continue
    return grant


async def _of_facebook(
    client: GraphClient, api: OAuth | None, token: SecretStr, now: float
) -> Pasted:
    caller = Caller(ANYBODY, token, not_recorded, "facebook")
    told = None if api is None else await api.facts(token)
    facts = told or await Identity(client, caller).token()
    if not facts.is_valid:
        raise TokenRefused(
            "Meta calls this token invalid.",
            remedy="Make a new one in the dashboard of your Meta app, for this app.",
        )
    granted = frozenset(facts.scopes) or await Identity(client, caller).granted()
    data_access = float(facts.data_access_expires_at) or None
    if facts.type.upper() == "PAGE":
        found = _account(await Identity(client, caller).own_page(), token)
        kept = Grant(token, _left(facts, now), "", granted)
        return Pasted(kept, [found] if found else [], granted, data_access)
    grant = Grant(token, _left(facts, now), facts.user_id, granted)
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
    tasks = frozenset(page.tasks)
    return Candidate(linked.id, linked.username, "", page.id, page.name, token, tasks)
