"""Connect an account by a token that a person has: pasted, or brought along from elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pydantic import SecretStr

from mediawatch.actions import accounts
from mediawatch.actions.accounts import CannotConnect
from mediawatch.actions.permission import require
from mediawatch.errors import MediawatchError
from mediawatch.graph import pasted
from mediawatch.graph.client import GraphClient
from mediawatch.graph.oauth import Candidate, OAuth
from mediawatch.journal.accounts import Account
from mediawatch.journal.database import Journal
from mediawatch.model.accounts import Login
from mediawatch.model.people import Actor, Right
from mediawatch.tokens import Tokens


class ChooseAccount(MediawatchError):
    """The token may act for several accounts, and nobody said for which it is to be."""

    code = "choose-account"


async def paste_token(
    journal: Journal,
    tokens: Tokens,
    client: GraphClient,
    logins: Mapping[Login, OAuth],
    actor: Actor,
    login: Login,
    token: SecretStr,
    *,
    account_id: str | None = None,
    granted: frozenset[str] | None = None,
    now: float,
) -> Account:
    """Ask Meta whose token it is, and connect that account; of several the one that is named.

    ``granted``: what was granted, where only the way here knows. Raises NotAllowed, TokenRefused,
    ChooseAccount, CannotConnect, GraphError, GraphUnreachable and what keeping a token raises.
    """
    require(actor, Right.ADMIN)
    told = await pasted.ask(client, logins.get(login), login, token, now=now)
    candidate = _chosen(told.candidates, account_id)
    return await accounts.connect(
        journal,
        tokens,
        actor,
        login,
        candidate,
        told.grant,
        told.granted if told.granted is not None else granted,
        now=now,
        data_access_expires_at=told.data_access_expires_at,
    )


def _chosen(candidates: Sequence[Candidate], account_id: str | None) -> Candidate:
    if not candidates:
        raise CannotConnect(
            "No Instagram account hangs on what this token may use.",
            code="no-linked-account",
            remedy="Link the professional account to a Facebook page (page settings, Linked "
            "accounts), and tick the page when you make the token.",
        )
    if account_id is None and len(candidates) == 1:
        return candidates[0]
    for each in candidates:
        if account_id in {each.account_id, each.username or None}:
            return each
    names = {each.account_id: each.username for each in candidates}
    listed = ", ".join(f"{key} ({name})" if name else key for key, name in names.items())
    if account_id is None:
        raise ChooseAccount(
            f"This token is good for {len(candidates)} accounts: {listed}.",
            remedy="Say which one is meant.",
            accounts=names,
        )
    raise ChooseAccount(
        f"This token is not for the account {account_id}, but for {listed}.",
        remedy="Name one of these, or take a token of the other account.",
        accounts=names,
    )
