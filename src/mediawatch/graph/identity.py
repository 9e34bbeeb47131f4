"""What a token may do and for how long: read for the doctor, changing nothing.

Meta: "Permissions", "Debug-Token", "Get Started" of the Facebook login. The Instagram login has
none of it.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator

from mediawatch.graph.answers import Answer, Id, Told, read
from mediawatch.graph.client import Caller, GraphClient


def _as_text(value: object) -> str:
    """Ids come as numbers at times, and null."""
    return "" if value is None else str(value)


class LinkedAccount(Answer):
    """The Instagram account of a page."""

    id: Id
    username: Told = ""


class TokenFacts(Answer):
    """``expires_at`` and ``data_access_expires_at``: seconds since the epoch, 0 for never.
    ``user_id``: whose token it is, by the id that Meta's callbacks name them with."""

    type: Told = ""
    user_id: Annotated[str, BeforeValidator(_as_text)] = ""
    is_valid: bool = True
    expires_at: int = 0
    data_access_expires_at: int = 0
    scopes: tuple[str, ...] = ()

    @property
    def ends_at(self) -> float | None:
        """The earlier of both, None for never."""
        ends = [at for at in (self.expires_at, self.data_access_expires_at) if at]
        return float(min(ends)) if ends else None


class Page(Answer):
    """A Facebook page, and the Instagram account that is linked to it."""

    id: Id
    name: Told = ""
    tasks: tuple[str, ...] = ()
    instagram_business_account: LinkedAccount | None = None


class _Permission(Answer):
    permission: str
    status: str


class _Permissions(Answer):
    data: tuple[_Permission, ...]


class _Pages(Answer):
    data: tuple[Page, ...]


class _Debugged(Answer):
    data: TokenFacts


class Identity:
    """The reads about one token. All raise GraphError and GraphUnreachable."""

    def __init__(self, client: GraphClient, caller: Caller) -> None:
        self._client = client
        self._caller = caller

    async def token(self) -> TokenFacts:
        """How long the token lasts, and for what."""
        answer = await self._client.get("debug_token", self._caller, {}, essential=False)
        return read(_Debugged, answer).data

    async def granted(self) -> frozenset[str]:
        """The permissions that were granted. Only a user's token tells."""
        answer = await self._client.get("me/permissions", self._caller, {})
        given = read(_Permissions, answer).data
        return frozenset(each.permission for each in given if each.status == "granted")

    async def pages(self) -> list[Page]:
        """The pages that the user may manage, up to a hundred."""
        fields = "id,name,tasks,instagram_business_account{id,username}"
        answer = await self._client.get(
            "me/accounts", self._caller, {"fields": fields, "limit": "100"}
        )
        return list(read(_Pages, answer).data)

    async def own_page(self) -> Page:
        """The page itself, for a page's own token."""
        fields = {"fields": "id,name,instagram_business_account{id,username}"}
        return read(Page, await self._client.get("me", self._caller, fields))
