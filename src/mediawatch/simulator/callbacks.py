"""What Meta tells an app by itself: that somebody took its rights away, or wants their data gone.

A ``POST`` with one field, ``signed_request``: the signature and the JSON, each base64url without
padding, joined by a dot; HMAC-SHA256 with the app's secret over the encoded JSON (Meta: "Data
Deletion Request Callback").
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

import aiohttp

from .grants import REMOVED, Grant
from .options import SimulatorOptions
from .people import App
from .state import State

_SECONDS = 15.0


def signed_request(secret: str, payload: dict[str, Any]) -> str:
    """The payload with its signature."""
    encoded = _encoded(json.dumps(payload, separators=(",", ":")).encode())
    made = hmac.new(secret.encode(), encoded.encode(), hashlib.sha256).digest()
    return f"{_encoded(made)}.{encoded}"


class Callbacks:
    """The calls to the apps of one state."""

    def __init__(self, options: SimulatorOptions, state: State) -> None:
        self._options = options
        self._state = state

    async def deauthorize(self, grant: Grant, subcode: int = REMOVED) -> dict[str, Any]:
        """End a grant, and tell its app if it wants to know; the app's answer."""
        self._state.grants.end(grant, subcode)
        app = self._state.cast.apps.get(grant.app_id)
        return await self._call(app, app.deauthorize_url if app else "", grant)

    async def delete_data(self, grant: Grant) -> dict[str, Any]:
        """Ask the app to delete what it knows of somebody, whose grant is over with that."""
        self._state.grants.end(grant)
        app = self._state.cast.apps.get(grant.app_id)
        return await self._call(app, app.data_deletion_url if app else "", grant)

    async def _call(self, app: App | None, address: str, grant: Grant) -> dict[str, Any]:
        if app is None or not address:
            return {"called": "", "status": None, "body": ""}
        form = {"signed_request": signed_request(app.secret, self._payload(grant))}
        try:
            async with (
                aiohttp.ClientSession() as session,
                session.post(
                    address,
                    data=form,
                    allow_redirects=False,
                    timeout=aiohttp.ClientTimeout(total=_SECONDS),
                ) as answer,
            ):
                body = (await answer.content.read(1 << 16)).decode("utf-8", "replace")
                return {"called": address, "status": answer.status, "body": body}
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            return {"called": address, "status": None, "body": type(error).__name__}

    def _payload(self, grant: Grant) -> dict[str, Any]:
        now = int(self._options.clock())
        who = grant.who
        if grant.login == "instagram" and who in self._state.cast.accounts:
            who = self._state.cast.accounts[who].app_scoped_id
        return {
            "algorithm": "HMAC-SHA256",
            "expires": now + 3600,
            "issued_at": now,
            "user_id": who,
        }


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
