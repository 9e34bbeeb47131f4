"""The only giver of plaintext access tokens."""

from __future__ import annotations

from pydantic import SecretStr

from mediawatch.config import InstagramSettings


class Tokens:
    """Access tokens by account. This version knows the one account of the settings."""

    def __init__(self, settings: InstagramSettings) -> None:
        self._tokens = {settings.user_id: settings.access_token}

    async def access_token(self, account_id: str) -> SecretStr:
        """The token of the account. Raises KeyError for an account that is not connected."""
        return self._tokens[account_id]
