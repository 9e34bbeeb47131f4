"""The only giver of plaintext access tokens."""

from __future__ import annotations

import hashlib
import hmac

from pydantic import SecretStr

from mediawatch.config import InstagramSettings
from mediawatch.errors import Handling, MediawatchError


class UnknownAccount(MediawatchError):
    """A post belongs to an account that is not connected."""

    code = "unknown-account"
    handling = Handling.PARK


class Tokens:
    """Access tokens by account. This version knows the one account of the settings."""

    def __init__(self, settings: InstagramSettings) -> None:
        self._tokens = {settings.user_id: settings.access_token}

    async def access_token(self, account_id: str) -> SecretStr:
        """The token of the account. Raises UnknownAccount if the settings have none for it."""
        if account_id not in self._tokens:
            raise UnknownAccount(
                f"The account {account_id} is not in the settings any more.",
                remedy="Put its user_id and access_token back and restart, to finish its posts.",
            )
        return self._tokens[account_id]

    def digests(self) -> dict[str, str]:
        """Of each account's token, enough to tell whether it is another one; no way back to it."""
        return {
            account_id: hmac.new(
                account_id.encode(), token.get_secret_value().encode(), hashlib.sha256
            ).hexdigest()[:16]
            for account_id, token in self._tokens.items()
        }
