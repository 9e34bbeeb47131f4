"""That whoever calls has the app's secret, not only a token (Meta: Securing Graph API Calls)."""

from __future__ import annotations

import hashlib
import hmac

from pydantic import SecretStr


def appsecret_proof(token: SecretStr, app_secret: SecretStr) -> str:
    """What is sent as ``appsecret_proof``: 64 small hexadecimal digits."""
    key, message = app_secret.get_secret_value().encode(), token.get_secret_value().encode()
    return hmac.new(key, message, hashlib.sha256).hexdigest()
