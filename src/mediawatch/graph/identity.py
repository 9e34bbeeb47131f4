"""Whose token it is, what it may do and for how long: read for the doctor, changing nothing.

Meta: "Get Started" of both logins, "Permissions", "Debug-Token". In the Instagram login only
the account itself can be asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from mediawatch.graph.client import Caller, GraphClient
from mediawatch.graph.errors import GraphUnreachable
from mediawatch.graph.publishing import Id, Told

Login = Literal["facebook", "instagram"]


class _Answer(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


_Model = TypeVar("_Model", bound=_Answer)


class Account(_Answer):
    """The professional account. ``account_type``: empty in the Facebook login, where only
    professional accounts can be asked at all."""

    id: Id
    username: Told = ""
    account_type: Told = ""


class TokenFacts(_Answer):
    """``expires_at`` and ``data_access_expires_at``: seconds since the epoch, 0 for never."""

    type: Told = ""
    is_valid: bool = True
    expires_at: int = 0
    data_access_expires_at: int = 0
    scopes: tuple[str, ...] = ()


class Page(_Answer):
    """A Facebook page, and the Instagram account that is linked to it."""

    id: Id
    name: Told = ""
    tasks: tuple[str, ...] = ()
    instagram_business_account: Account | None = None


class _Permission(_Answer):
    permission: str
    status: str


class _Permissions(_Answer):
    data: tuple[_Permission, ...]


class _Pages(_Answer):
    data: tuple[Page, ...]


class _Debugged(_Answer):
    data: TokenFacts


class Identity:
    """The reads about one token. All raise GraphError and GraphUnreachable."""

    def __init__(self, client: GraphClient, login: Login, caller: Caller) -> None:
        self._client = client
        self._login = login
        self._caller = caller

    async def account(self) -> Account:
        """The account of the settings, as its token sees it."""
        if self._login == "facebook":
            answer = await self._get(self._caller.account_id, "id,username")
            return _read(Account, answer)
        answer = await self._get("me", "user_id,username,account_type")
        # Meta's page shows it wrapped, its answers are flat.
        wrapped = answer.get("data")
        flat = wrapped[0] if isinstance(wrapped, list) and wrapped else answer
        return _read(Account, {**flat, "id": flat.get("user_id")})

    async def token(self) -> TokenFacts:
        """How long the token lasts, and for what. Only in the Facebook login."""
        answer = await self._client.get("debug_token", self._caller, {})
        return _read(_Debugged, answer).data

    async def granted(self) -> frozenset[str]:
        """The permissions that were granted. Only for a user's token of the Facebook login."""
        answer = await self._client.get("me/permissions", self._caller, {})
        given = _read(_Permissions, answer).data
        return frozenset(each.permission for each in given if each.status == "granted")

    async def pages(self) -> list[Page]:
        """The pages that the user may manage, up to a hundred. Only in the Facebook login."""
        fields = "id,name,tasks,instagram_business_account{id,username}"
        answer = await self._client.get(
            "me/accounts", self._caller, {"fields": fields, "limit": "100"}
        )
        return list(_read(_Pages, answer).data)

    async def own_page(self) -> Page:
        """The page itself, for a page's own token."""
        answer = await self._get("me", "id,name,instagram_business_account{id,username}")
        return _read(Page, answer)

    async def _get(self, path: str, fields: str) -> dict[str, Any]:
        return await self._client.get(path, self._caller, {"fields": fields})


def _read(kind: type[_Model], answer: Mapping[str, Any]) -> _Model:
    try:
        return kind.model_validate(answer)
    except ValidationError as error:
        raise GraphUnreachable(
            f"Meta's answer cannot be understood ({error.errors()[0]['loc']}).",
            remedy="Try again; if it stays so, report it with `mediawatch --version`.",
        ) from error
