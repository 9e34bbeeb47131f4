"""Words that open a door for whoever bears them: cookies of sessions, API keys, one-time links.
They are kept by their digest alone; 256 random bits need no slow hash."""

from __future__ import annotations

import hashlib
import secrets

KEY_PREFIX = "mw_"


def new(prefix: str = "") -> str:
    """A new one: the prefix, and 43 characters that fit into a URL and a cookie."""
    return prefix + secrets.token_urlsafe(32)


def digest(word: str) -> str:
    """What is kept of it: SHA-256, 64 hex digits."""
    return hashlib.sha256(word.encode("utf-8", "surrogateescape")).hexdigest()
