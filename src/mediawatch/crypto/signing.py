"""What is signed, and what proves who asks: calls of Meta to us, and the secret of one login.

Sources: Meta, "Data Deletion Request Callback" (signed_request); RFC 7636 (PKCE).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from pydantic import SecretStr

from mediawatch.errors import MediawatchError

#: Characters of a signed request that are looked at; Meta's have some 300.
LONGEST = 8192
#: Seconds that a signed request is good for, and by which Meta's clock may be ahead of ours.
GOOD_FOR, AHEAD = 86_400.0, 300.0
_PART = re.compile(r"[A-Za-z0-9_+/-]+={0,2}")
_USER = re.compile(r"[0-9]{1,64}")


class BadSignature(MediawatchError):
    """A call that says that it is Meta's, and cannot be shown to be."""

    code = "bad-signature"


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """What a signed request says. ``user_id``: who, by the id that the app knows them by.
    ``issued_at``: seconds since the epoch. ``signer``: which of the secrets signed it."""

    user_id: str
    issued_at: int
    signer: int


def new_verifier() -> str:
    """A secret for one login, 43 characters (RFC 7636, section 4.1)."""
    return secrets.token_urlsafe(32)


def challenge_of(verifier: str) -> str:
    """What is told of it beforehand (RFC 7636, section 4.2: S256)."""
    digest = hashlib.sha256(verifier.encode("ascii")).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def read_signed_request(text: str, app_secrets: Iterable[SecretStr], now: float) -> SignedRequest:
    """What it says, if one of the secrets signed it, and not long ago. Raises BadSignature.

    Both logins have secrets of their own, and which one signs is not documented: any may.
    """
    signature, dot, encoded = text.partition(".") if len(text) <= LONGEST else ("", "", "")
    if not dot or not _PART.fullmatch(signature) or not _PART.fullmatch(encoded):
        raise _refused("it has not the form of a signed request")
    told = _decoded(signature)
    signer = next(
        (
            index
            for index, secret in enumerate(app_secrets)
            if hmac.compare_digest(told, _signature(secret, encoded))
        ),
        None,
    )
    if signer is None:
        raise _refused("none of the app secrets signed it")
    payload = _payload(_decoded(encoded))
    if payload.get("algorithm") != "HMAC-SHA256":
        raise _refused("it names another algorithm than HMAC-SHA256")
    user_id, issued_at = _user(payload.get("user_id")), payload.get("issued_at")
    if isinstance(issued_at, bool) or not isinstance(issued_at, int) or issued_at < 0:
        raise _refused("it does not tell when it was made")
    if not now - GOOD_FOR <= issued_at <= now + AHEAD:
        raise _refused("it was not made in the last 24 hours")
    expires = payload.get("expires") or 0
    if isinstance(expires, bool) or not isinstance(expires, int) or 0 < expires < now:
        raise _refused("it has run out")
    return SignedRequest(user_id, issued_at, signer)


def _signature(secret: SecretStr, encoded: str) -> bytes:
    return hmac.new(
        secret.get_secret_value().encode(), encoded.encode("ascii"), hashlib.sha256
    ).digest()


def _decoded(part: str) -> bytes:
    """Either alphabet, with or without padding: Meta's own samples have them all."""
    bare = part.rstrip("=").replace("+", "-").replace("/", "_")
    try:
        return base64.urlsafe_b64decode(bare + "=" * (-len(bare) % 4))
    except (binascii.Error, ValueError):
        raise _refused("it has not the form of a signed request") from None


def _payload(raw: bytes) -> dict[str, Any]:
    try:
        found = json.loads(raw.decode())
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise _refused("what it says cannot be read")
    return found


def _user(told: Any) -> str:
    text = str(told) if isinstance(told, int) and not isinstance(told, bool) else told
    if not isinstance(text, str) or not _USER.fullmatch(text):
        raise _refused("it does not tell whom it is about")
    return text


def _refused(why: str) -> BadSignature:
    return BadSignature(
        f"The signed request was refused: {why}.",
        remedy="If Meta sent it, check instagram.app_secret, and this machine's clock.",
    )
