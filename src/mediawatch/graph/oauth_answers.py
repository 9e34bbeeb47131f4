"""The answers of both logins' endpoints, as far as they are used."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr

from mediawatch.graph.answers import Answer, Id, Told
from mediawatch.graph.identity import TokenFacts


def _names(told: Any) -> Any:
    """Permissions are told as a list, or as one text with commas."""
    return [each for each in told.split(",") if each] if isinstance(told, str) else told


def _sendable(token: SecretStr) -> SecretStr:
    if not _TOKEN.fullmatch(token.get_secret_value()):
        raise ValueError("is no token")
    return token


#: It goes into a header. Ten years are more than any token lasts.
_TOKEN = re.compile(r"[!-~]{8,4096}")
_Token = Annotated[SecretStr, AfterValidator(_sendable)]
_Lasts = Annotated[int, Field(ge=0, le=315_360_000)]


class Granted(Answer):
    """A token. ``expires_in``: seconds. What else is told depends on the endpoint."""

    access_token: _Token
    expires_in: _Lasts | None = None
    user_id: Id = ""
    permissions: Annotated[frozenset[str] | None, BeforeValidator(_names)] = None


class Me(Answer):
    """``id``: as the callbacks name them; ``user_id``: the account."""

    id: Id = ""
    user_id: Id
    username: Told = ""
    account_type: Told = ""


class Account(Answer):
    """An account, as a page tells of it."""

    id: Id
    username: Told = ""


class Page(Answer):
    """A page with its own token."""

    id: Id
    name: Told = ""
    access_token: _Token | None = None
    tasks: tuple[str, ...] = ()
    instagram_business_account: Account | None = None


class Cursors(Answer):
    """Where a part of a list begins and ends."""

    after: Told = ""


class Paging(Answer):
    """Whether a list goes on."""

    cursors: Cursors = Cursors()
    next: Told = Field(default="", repr=False)  # with a token in it

    @property
    def after(self) -> str:
        """Where the next page begins, if there is one."""
        return self.cursors.after if self.next else ""


class Pages(Answer):
    """A part of the list of pages."""

    data: tuple[Page, ...]
    paging: Paging = Paging()


class Permission(Answer):
    """``status``: granted, declined or expired."""

    permission: str
    status: str


class Permissions(Answer):
    """All that was ever asked for."""

    data: tuple[Permission, ...]


class Debugged(Answer):
    """What ``debug_token`` answers."""

    data: TokenFacts


def unwrapped(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    """Meta's pages show the Instagram login's answers in a list, Meta sends them flat."""
    data = answer.get("data")
    return data[0] if isinstance(data, list) and data and isinstance(data[0], dict) else answer
