"""Whose token it is: the account that Meta knows behind an id, and the ids behind a token."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mediawatch.graph.client import Caller, GraphClient
from mediawatch.graph.errors import GraphError, GraphUnreachable
from mediawatch.model.accounts import is_professional


@dataclass(frozen=True, slots=True)
class Profile:
    """An account. ``kind``: as Meta spells it, empty where it is not told (the Facebook login
    knows professional accounts only)."""

    user_id: str
    username: str = ""
    kind: str = ""

    @property
    def is_professional(self) -> bool:
        """Whether it may be published to by the API."""
        return is_professional(self.kind)


async def profile(client: GraphClient, caller: Caller) -> Profile:
    """The account that the caller's token may act for under its id.

    With the Instagram login a token knows one account only, which may be another one than
    the caller's (Meta: Instagram API with Instagram Login, "Get started").
    Raises GraphError and GraphUnreachable.
    """
    if caller.login == "instagram":
        answer = await client.get("me", caller, {"fields": "user_id,username,account_type"})
        return _read(answer, "user_id")
    answer = await client.get(caller.account_id, caller, {"fields": "id,username"})
    return _read(answer, "id")


async def accounts_of(client: GraphClient, caller: Caller) -> list[Profile]:
    """The accounts that the caller's token may act for, as far as it tells; none if it does not.

    Raises GraphUnreachable.
    """
    try:
        if caller.login == "instagram":
            answer = await client.get("me", caller, {"fields": "user_id,username,account_type"})
            return [_read(answer, "user_id")]
        inner = "instagram_business_account{id,username}"
        answer = await client.get("me/accounts", caller, {"fields": inner, "limit": "100"})
        pages = answer.get("data")
        linked = [page.get("instagram_business_account") for page in _dicts(pages)]
        return [_read(account, "id") for account in _dicts(linked)]
    except GraphError:
        return []


def _dicts(found: Any) -> list[dict[str, Any]]:
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _read(answer: Mapping[str, Any], key: str) -> Profile:
    wrapped = _dicts(answer.get("data"))  # Meta's pages show it wrapped, Meta answers it flat
    node = wrapped[0] if wrapped else answer
    if not isinstance(node.get(key), str | int):
        raise GraphUnreachable("Meta did not tell whose account it is.")
    return Profile(
        str(node[key]), str(node.get("username") or ""), str(node.get("account_type") or "")
    )
