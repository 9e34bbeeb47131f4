"""A Graph API on loopback, as the app of both logins."""

from __future__ import annotations

from pydantic import SecretStr

from mediawatch.graph.client import MetaApp
from mediawatch.model.accounts import Login


def apps_at(address: str, secret: str | None = None) -> dict[Login, MetaApp]:
    """All calls go there; those of the Facebook login with a proof, if there is a ``secret``."""
    proved = SecretStr(secret) if secret else None
    return {"facebook": MetaApp(address, proved), "instagram": MetaApp(address)}
