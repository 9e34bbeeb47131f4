"""The token endpoints of both logins: codes and tokens go in, tokens come out.

Sources: Meta's "Manually Build a Login Flow", "Long-Lived Access Tokens", "Business Login for
Instagram", "Refresh Access Token". What Facebook answers to a wrong code, and Instagram to a token
that is too young to be refreshed, is not documented.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from typing import Any

from .grants import Grant, Token
from .options import SimulatorOptions
from .people import App, Login
from .refusals import Refusal, invalid
from .state import State


class InstagramRefusal(Refusal):
    """An error as api.instagram.com writes it, which is no envelope of Graph's."""

    def envelope(self) -> dict[str, Any]:
        """The JSON of the answer."""
        return {"error_type": self.kind, "code": self.http, "error_message": self.message}


class Exchange:
    """The token endpoints over one state."""

    def __init__(self, options: SimulatorOptions, state: State) -> None:
        self._options = options
        self._state = state

    def facebook(self, params: Mapping[str, str]) -> dict[str, Any]:
        """``/{version}/oauth/access_token``: a code, or a short-lived token."""
        app = self._app(params, "facebook")
        if params.get("grant_type") == "fb_exchange_token":
            old = _required(params, "fb_exchange_token")
            self._require_some(old)
            token = self._state.grants.lengthen(app, old)
        else:
            token = self._state.grants.redeem(
                app,
                _required(params, "code"),
                params.get("redirect_uri", ""),
                params.get("code_verifier", ""),
            )
        return self._described(token)

    def instagram(self, params: Mapping[str, str]) -> dict[str, Any]:
        """``POST /oauth/access_token``: a code."""
        try:
            app = self._app(params, "instagram")
            if params.get("grant_type") != "authorization_code":
                raise invalid("Invalid grant_type")
            token = self._state.grants.redeem(
                app,
                _required(params, "code"),
                params.get("redirect_uri", ""),
                params.get("code_verifier", ""),
            )
        except Refusal as refusal:
            words = _WORDS.get(refusal.subcode or 0, refusal.message)
            raise InstagramRefusal(refusal.code, http=400, message=words) from None
        grant = _of(token)
        told: dict[str, Any] = {
            "access_token": token.text,
            "user_id": self._state.cast.accounts[grant.who].app_scoped_id,
        }
        names = sorted(grant.granted)
        if app.wrapped:
            return {"data": [told | {"permissions": ",".join(names)}]}
        return told | {"permissions": names}

    def lengthen(self, params: Mapping[str, str]) -> dict[str, Any]:
        """``GET /access_token`` of the Instagram login."""
        if params.get("grant_type") != "ig_exchange_token":
            raise invalid("Invalid grant_type")
        text = _required(params, "access_token")
        self._require_some(text)
        app = self._app_of_secret(params.get("client_secret", ""))
        return self._described(self._state.grants.lengthen(app, text))

    def refresh(self, params: Mapping[str, str]) -> dict[str, Any]:
        """``GET /refresh_access_token`` of the Instagram login."""
        if params.get("grant_type") != "ig_refresh_token":
            raise invalid("Invalid grant_type")
        text = _required(params, "access_token")
        self._require_some(text)

        def lasts(grant: Grant | None) -> float:
            app = self._state.cast.apps.get(grant.app_id) if grant else None
            return (app or App(id="00000")).long_token_lasts

        token = self._state.grants.refresh(text, lasts)
        told = self._described(token)
        if token.grant is not None:
            told["permissions"] = ",".join(sorted(token.grant.granted))
        return told

    def _described(self, token: Token) -> dict[str, Any]:
        told: dict[str, Any] = {"access_token": token.text, "token_type": "bearer"}
        if token.expires_at is not None:
            told["expires_in"] = int(token.expires_at - self._options.clock())
        return told

    def _app(self, params: Mapping[str, str], login: Login) -> App:
        app = self._state.cast.apps.get(params.get("client_id", ""))
        if app is None or app.login != login:
            raise Refusal(101)
        if not _same(app.secret, params.get("client_secret", "")):
            raise Refusal(1, http=400, message="Error validating client secret.")
        return app

    def _app_of_secret(self, secret: str) -> App:
        """The request names no app: its secret must be enough."""
        for app in self._state.cast.apps.values():
            if app.login == "instagram" and _same(app.secret, secret):
                return app
        raise Refusal(1, http=400, message="Error validating client secret.")

    def _require_some(self, text: str) -> None:
        """A token that was given out here, or one that is good anyway. Raises Refusal 190."""
        if self._state.grants.known(text) is None and not self._options.admits(text):
            raise Refusal(190)


_WORDS = {
    36007: "Matching code was not found or was already used",
    36009: "Matching code was not found or was already used",
}


def _of(token: Token) -> Grant:
    if token.grant is None:
        raise ValueError("a code gives a granted token")
    return token.grant


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode("utf-8", "surrogateescape"))


def _required(params: Mapping[str, str], name: str) -> str:
    if not params.get(name):
        raise invalid(f"Missing {name} parameter")
    return params[name]
