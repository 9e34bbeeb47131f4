"""Tokens that another program sealed with Fernet (cryptography.fernet), to be brought along."""

from __future__ import annotations

import base64
from collections.abc import Iterable

from mediawatch.errors import MediawatchError

#: How every Fernet token begins: its version, 0x80, and the high bytes of its time.
MARK = "gAAAA"


class FernetProblem(MediawatchError):
    """It cannot be opened."""

    code = "fernet-key"


def is_fernet(text: str) -> bool:
    """Whether it was sealed so."""
    return text.startswith(MARK)


def unseal(text: str, keys: Iterable[bytes]) -> str:
    """What was sealed with one of the keys (32 bytes each). Raises FernetProblem."""
    from cryptography.fernet import Fernet, InvalidToken, MultiFernet

    rings = [Fernet(base64.urlsafe_b64encode(key)) for key in keys]
    if not rings:
        raise FernetProblem(
            "This token was sealed with Fernet, and there is no key for it.",
            remedy="Set FERNET_KEY, or storage.fernet_key, to the key of that program.",
        )
    try:
        return MultiFernet(rings).decrypt(text.encode()).decode()
    except (InvalidToken, ValueError):
        raise FernetProblem(
            "storage.fernet_key does not open this token.",
            remedy="Take the key of the program that it comes from.",
        ) from None
