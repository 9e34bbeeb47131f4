"""Both logins, from our side: to Meta's page, and from the code that comes back to a token.

Sources: Meta's "Manually Build a Login Flow", "Long-Lived Access Tokens" (Facebook login);
"Business Login for Instagram", "Refresh Access Token" (Instagram login). Where Meta takes both,
secrets go in a body; the Instagram login documents them in the query only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlencode

import aiohttp
from pydantic import SecretStr

from mediawatch.graph.answers import read
from mediawatch.graph.identity import TokenFacts
from mediawatch.graph.oauth_answers import (
    Debugged,
    Granted,
    Me,
    Page,
    Pages,
    Permissions,
    unwrapped,
)
from mediawatch.graph.oauth_wire import Wire
from mediawatch.graph.proof import appsecret_proof
from mediawatch.graph.scopes import NEEDED_SCOPES
from mediawatch.model.accounts import Login, is_professional

_AUTHORIZE = {"facebook": "https://www.facebook.com", "instagram": "https://www.instagram.com"}
_CODES = {"facebook": "https://graph.facebook.com", "instagram": "https://api.instagram.com"}
_GRAPH = {"facebook": "https://graph.facebook.com", "instagram": "https://graph.instagram.com"}
#: Tasks on a page with which its accounts may be published to (Meta: "IG User Media"; "Overview"
#: for the names that new pages have).
_MAY_PUBLISH = {
    "CREATE_CONTENT",
    "MANAGE",
    "PROFILE_PLUS_CREATE_CONTENT",
    "PROFILE_PLUS_FULL_CONTROL",
    "PROFILE_PLUS_MANAGE",
}
#: Pages of a hundred that are asked for at most.
_MOST = 50


@dataclass(frozen=True, slots=True)
class AppCredentials:
    """The app at Meta by which people log in; each login has a pair of its own."""

    login: Login
    app_id: str
    app_secret: SecretStr = field(repr=False)


@dataclass(frozen=True, slots=True)
class Grant:
    """What came of a login. ``expires_in``: seconds, None for no end. ``meta_user_id``: whoever
    granted it, as Meta's callbacks name them; empty where the answer does not tell.
    ``permissions``: None where it does not. ``data_access_ends``: seconds since the epoch, where
    reading ends before the token does."""

    token: SecretStr = field(repr=False)
    expires_in: int | None
    meta_user_id: str
    permissions: frozenset[str] | None
    data_access_ends: float | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """An account that may be connected. ``kind``: as Meta spells it, empty for the Facebook login,
    which tells of professional accounts only. ``page_token``: of the page that it is linked to,
    without an end if the user's token is a long-lived one."""

    account_id: str
    username: str = ""
    kind: str = ""
    page_id: str = ""
    page_name: str = ""
    page_token: SecretStr | None = field(default=None, repr=False)
    tasks: frozenset[str] = frozenset()

    @property
    def is_professional(self) -> bool:
        """Whether it may be published to by the API; personal accounts may not."""
        return is_professional(self.kind)

    @property
    def may_publish(self) -> bool:
        """Whether the person's tasks on the page allow it, where there is a page."""
        return not self.page_id or bool(_MAY_PUBLISH & self.tasks)


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """What a login came to. ``bare_pages``: the names of pages without a professional account."""

    grant: Grant
    candidates: list[Candidate]
    bare_pages: list[str]


class OAuth:
    """One login of one app. ``graph_url``: one address in place of all of Meta's hosts.

    All that ask Meta raise GraphError and GraphUnreachable.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        app: AppCredentials,
        version: str,
        *,
        timeout: float,
        graph_url: str = "",
    ) -> None:
        self._app = app
        self._wire = Wire(session, app.app_secret, timeout=timeout)
        one = graph_url.rstrip("/")
        self._authorize = one or _AUTHORIZE[app.login]
        self._codes = one or _CODES[app.login]
        self._graph = one or _GRAPH[app.login]
        self._version = version

    @property
    def login(self) -> Login:
        """Which of the two it is."""
        return self._app.login

    @property
    def has_app(self) -> bool:
        """Whether somebody can log in by it. Tokens of Instagram are refreshed without an app."""
        return bool(self._app.app_id and self._app.app_secret.get_secret_value())

    def authorize_url(
        self, *, state: str, redirect_uri: str, challenge: str | None, again: bool = False
    ) -> str:
        """Where the person is sent. ``challenge``: of PKCE (RFC 7636, S256). ``again``: ask once
        more for what was declined, or whoever is logged in."""
        asked = {
            "client_id": self._app.app_id,
            "redirect_uri": redirect_uri,
            "state": state,
            "response_type": "code",
            "scope": ",".join(scope.name for scope in NEEDED_SCOPES[self.login]),
        }
        if challenge:
            asked |= {"code_challenge": challenge, "code_challenge_method": "S256"}
        if self.login == "facebook":
            asked |= {"auth_type": "rerequest"} if again else {}
            return f"{self._authorize}/{self._version}/dialog/oauth?{urlencode(asked)}"
        asked |= {"force_reauth": "true"} if again else {}
        return f"{self._authorize}/oauth/authorize?{urlencode(asked)}"

    async def log_in(self, code: str, redirect_uri: str, verifier: str | None) -> LoggedIn:
        """From the code to a long-lived token and the accounts that it is for."""
        short = await self._redeem(code, redirect_uri, verifier)
        grant = await self._filled(_joined(short, await self._lengthened(short.token)))
        if self.login == "instagram":
            return LoggedIn(grant, await self.candidates(grant.token), [])
        pages = await self._pages(grant.token)
        bare = [page.name for page in pages if page.instagram_business_account is None]
        return LoggedIn(grant, _linked(pages), bare)

    async def exchange_code(self, code: str, redirect_uri: str, verifier: str | None) -> Grant:
        """The short-lived token for a code, which is then used up whatever is answered."""
        return await self._filled(await self._redeem(code, redirect_uri, verifier))

    async def long_lived(self, token: SecretStr) -> Grant:
        """The long-lived token, of about 60 days, for a token that is still good."""
        return await self._filled(await self._lengthened(token))

    async def refresh(self, token: SecretStr) -> Grant:
        """A long-lived token anew. Instagram's must be at least 24 hours old and not run out;
        Facebook has no refresh, but exchanges a long-lived token again."""
        if self.login == "facebook":
            return await self.long_lived(token)
        fields = {"grant_type": "ig_refresh_token", "access_token": token.get_secret_value()}
        answer = await self._wire.call("GET", f"{self._graph}/refresh_access_token", fields)
        return await self._filled(_grant(answer))

    async def granted(self, token: SecretStr) -> frozenset[str] | None:
        """The permissions that a user's token has now; None for Instagram, which does not tell."""
        if self.login == "instagram":
            return None
        given = read(Permissions, await self._get("me/permissions", token, {})).data
        return frozenset(each.permission for each in given if each.status == "granted")

    async def candidates(self, token: SecretStr) -> list[Candidate]:
        """The accounts that a user's token is for: one for Instagram, and for Facebook one for
        each page that was ticked and has one."""
        if self.login == "instagram":
            fields = {"fields": "id,user_id,username,account_type"}
            me = read(Me, unwrapped(await self._get("me", token, fields)))
            return [Candidate(me.user_id, me.username, me.account_type)]
        return _linked(await self._pages(token))

    async def facts(self, token: SecretStr) -> TokenFacts | None:
        """What Meta knows of a token; None for Instagram, which does not tell."""
        if self.login == "instagram":
            return None
        answer = await self._wire.call(
            "GET",
            f"{self._graph}/{self._version}/debug_token",
            {"input_token": token.get_secret_value()},
            bearer=f"{self._app.app_id}|{self._app.app_secret.get_secret_value()}",
        )
        return read(Debugged, answer).data

    async def revoke(self, token: SecretStr) -> bool:
        """Give back what was granted. False for Instagram, where only the person can: in its
        settings, Apps and websites."""
        if self.login == "instagram":
            return False
        await self._wire.call(
            "DELETE",
            f"{self._graph}/{self._version}/me/permissions",
            self._proof(token),
            bearer=token.get_secret_value(),
        )
        return True

    async def _redeem(self, code: str, redirect_uri: str, verifier: str | None) -> Grant:
        fields = self._credentials() | {"code": code, "redirect_uri": redirect_uri}
        fields |= {"grant_type": "authorization_code"} if self.login == "instagram" else {}
        fields |= {"code_verifier": verifier} if verifier else {}
        version = f"/{self._version}" if self.login == "facebook" else ""
        address = f"{self._codes}{version}/oauth/access_token"
        return _grant(unwrapped(await self._wire.call("POST", address, fields)))

    async def _lengthened(self, token: SecretStr) -> Grant:
        plain = token.get_secret_value()
        if self.login == "facebook":
            fields = {"grant_type": "fb_exchange_token", "fb_exchange_token": plain}
            address = f"{self._graph}/{self._version}/oauth/access_token"
            return _grant(await self._wire.call("POST", address, self._credentials() | fields))
        fields = {
            "grant_type": "ig_exchange_token",
            "client_secret": self._app.app_secret.get_secret_value(),
            "access_token": plain,
        }
        return _grant(await self._wire.call("GET", f"{self._graph}/access_token", fields))

    async def _filled(self, grant: Grant) -> Grant:
        """With whose it is and for what, as far as Meta tells, if the answer did not."""
        if self.login == "facebook":
            facts = await self.facts(grant.token)
            if facts is None or not facts.is_valid:
                return grant
            return replace(
                grant,
                meta_user_id=facts.user_id,
                permissions=frozenset(facts.scopes),
                data_access_ends=float(facts.data_access_expires_at) or None,
            )
        if not grant.meta_user_id:
            me = read(Me, unwrapped(await self._get("me", grant.token, {"fields": "id,user_id"})))
            grant = replace(grant, meta_user_id=me.id)
        return grant

    async def _pages(self, token: SecretStr) -> list[Page]:
        fields = {
            "fields": "id,name,access_token,tasks,instagram_business_account{id,username}",
            "limit": "100",
        }
        found: dict[str, Page] = {}
        for _ in range(_MOST):
            listing = read(Pages, await self._get("me/accounts", token, fields))
            found |= {page.id: page for page in listing.data}
            after = listing.paging.after
            if not after or after == fields.get("after"):
                break
            fields["after"] = after
        return list(found.values())

    async def _get(self, path: str, token: SecretStr, fields: Mapping[str, str]) -> dict[str, Any]:
        return await self._wire.call(
            "GET",
            f"{self._graph}/{self._version}/{path}",
            {**fields, **self._proof(token)},
            bearer=token.get_secret_value(),
        )

    def _proof(self, token: SecretStr) -> dict[str, str]:
        """Instagram does not document it."""
        if self.login == "instagram":
            return {}
        return {"appsecret_proof": appsecret_proof(token, self._app.app_secret)}

    def _credentials(self) -> dict[str, str]:
        return {
            "client_id": self._app.app_id,
            "client_secret": self._app.app_secret.get_secret_value(),
        }


def _linked(pages: Iterable[Page]) -> list[Candidate]:
    return [
        Candidate(
            account.id,
            account.username,
            page_id=page.id,
            page_name=page.name,
            page_token=page.access_token,
            tasks=frozenset(page.tasks),
        )
        for page in pages
        for account in [page.instagram_business_account]
        if account is not None
    ]


def _grant(answer: Mapping[str, Any]) -> Grant:
    told = read(Granted, answer)
    return Grant(told.access_token, told.expires_in or None, told.user_id, told.permissions)


def _joined(short: Grant, long: Grant) -> Grant:
    """The long-lived one, with what only the answer to the code told."""
    return replace(
        long,
        meta_user_id=long.meta_user_id or short.meta_user_id,
        permissions=short.permissions if long.permissions is None else long.permissions,
    )
